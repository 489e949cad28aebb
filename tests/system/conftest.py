"""What every system test shares: the build under test, and demo/world.py."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "demo"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

# A job of the background has these ignored, and what it starts as well.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGQUIT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def build():
    return Path(os.environ.get("LOCKBOX_BUILD", TOP / "build"))


@pytest.fixture(scope="session")
def axe():
    """The script of axe-core, fetched once."""
    done = subprocess.run([TOP / "tests" / "tools" / "axe.sh", TOP / "build" / "axe"],
                          stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip()).read_text(encoding="utf-8")
