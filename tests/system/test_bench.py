"""The benchmark runs and prints its table. How fast it was is not looked at."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1] / "bench" / "bench.py"
LINES = (
    "cold PAM decision, median", "cold PAM decision, p99",
    "warm PAM decision, median", "warm PAM decision, p99",
    "revoked to gone, median, of its limit",
    "revoked to gone, p99, of its limit",
    "answers per CPU second, 1000 grants",
    "answers per CPU second, 2000 grants",
    "the same, each door's first question, 2000 grants",
    "answers per second beside the asker, 1000 grants",
    "answers per second beside the asker, 2000 grants",
    "answers per CPU second, 2000 against 1000 grants",
    # ./dev bench installs it; ./dev test does not.
    *(["memory of a host that waits, 80 of them"] if shutil.which("nginx")
      else []),
)


def test_quick_bench_prints_every_line(build):
    done = subprocess.run(
        [sys.executable, "-B", BENCH, "--build", build, "--quick"],
        capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    head, *rows, note = done.stdout.splitlines()
    assert head.split() == ["what", "measured", "reference", "ratio", "aim",
                            "met"]
    assert tuple(re.split(r"\s{2,}", row)[0] for row in rows) == LINES
    for row in rows:
        value = r"\s[\d.]+( us| ms| KiB|/s)\s"
        assert re.search(value + r"+" + value[2:] + r"+\d+\.\d\d\s"
                         r"+(-|[<>]= [\d.]+)\s+(-|yes|no)$", row), row
    assert note.startswith("Ed25519 here: sign ")
