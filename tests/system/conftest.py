"""What every system test shares: the build under test, and demo/world.py."""

import os
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "demo"))
sys.path.insert(0, str(Path(__file__).resolve().parent))


@pytest.fixture(scope="session")
def build():
    return Path(os.environ.get("LOCKBOX_BUILD", TOP / "build"))
