"""Everything that must pass, in one run: "./dev test".

Each step prints one line; what a failing step printed is shown in full. The
last line is "N passed, N failed", and the exit code is 0 only for 0 failed.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


class Tally:
    """Counts what passed and failed, and says so as it goes."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.started = time.monotonic()

    def add(self, step, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        mark = "ok  " if failed == 0 else "FAIL"
        more = f", {skipped} skipped" if skipped else ""
        spent = time.monotonic() - self.started
        print(f"{mark} {step}: {passed} passed, {failed} failed{more}"
              f"  [{spent:.0f} s]", flush=True)


def run(command, env=None):
    return subprocess.run(
        command, cwd=TOP, env=env, text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def step(tally, name, command, env=None):
    """A step that counts as one: it passes or it fails."""
    done = run(command, env)
    if done.returncode != 0:
        print(done.stdout, flush=True)
    tally.add(name, int(done.returncode == 0), int(done.returncode != 0))
    return done.returncode == 0


def build(tally, directory, jobs, *options, compiler="gcc"):
    env = {**os.environ, "CC": compiler}
    alone = ["flock", "."] # as ./dev builds, see there
    # A build that the demo made may not have had cmocka yet.
    again = (TOP / directory / "build.ninja").exists()
    if not step(tally, f"{directory}: configure",
                [*alone, "meson", "setup",
                 *(["--reconfigure"] if again else []),
                 directory, "-Dwerror=true", "-Dtests=enabled",
                 "-Dp256=enabled", *options], env):
        return False
    return step(tally, f"{directory}: build with {compiler}",
                [*alone, "ninja", "-C", directory, "-j", str(jobs)])


def meson_tests(tally, directory, jobs):
    """Run a build's own tests and count the cases that cmocka reports."""
    done = run(["meson", "test", "-C", directory, "--no-rebuild", "--verbose",
                "--num-processes", str(jobs), "--timeout-multiplier", "3"])
    log = TOP / directory / "meson-logs" / "testlog.json"
    passed = failed = skipped = 0
    for line in log.read_text().splitlines() if log.exists() else []:
        test = json.loads(line)
        out = test.get("stdout", "")
        ok = len(re.findall(r"^\[       OK \]", out, re.M))
        bad = len(set(re.findall(r"^\[  FAILED  \] (\w+)", out, re.M)))
        if test["result"] == "SKIP":
            skipped += 1
        elif test["result"] in ("OK", "EXPECTEDFAIL"):
            passed += max(ok, 1)
        else:
            failed += max(bad, 1)
            passed += ok
            print(f"--- {test['name']}: {test['result']}\n{out}\n"
                  f"{test.get('stderr', '')}", flush=True)
    if failed == 0 and (done.returncode != 0 or passed == 0):
        print(done.stdout, flush=True)
        failed = 1
    tally.add(f"{directory}: unit, PAM and fuzz-replay tests", passed, failed,
              skipped)


def pytest(tally, jobs, arguments):
    """System tests, a file per worker: they wait more than they compute, so
    there are more workers than cores, and each has a world of its own."""
    report = TOP / "build" / "system-tests.xml"
    report.unlink(missing_ok=True)
    done = run(["/usr/bin/python3", "-B", "-m", "pytest", "-q", "-p",
                "no:cacheprovider", "-n", str(2 * jobs), "--dist", "loadfile",
                f"--junitxml={report}", "tests/system", *arguments])
    if done.returncode != 0 or not report.exists():
        print(done.stdout, flush=True)
    if not report.exists():
        tally.add("system tests", 0, 1)
        return
    suite = ET.parse(report).getroot().find("testsuite")
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    skipped = int(suite.get("skipped"))
    good = int(suite.get("tests")) - bad - skipped
    tally.add("system tests", good, bad + int(done.returncode != 0 and not bad),
              skipped)


def node_tests(tally):
    """The portal's modules, by themselves: no browser."""
    done = run(["node", "--test", *tracked("tests/portal/*.test.mjs")])
    found = dict(re.findall(r"^(?:# |ℹ )(pass|fail|cancelled) (\d+)$",
                            done.stdout, re.M))
    passed = int(found.get("pass", 0))
    failed = int(found.get("fail", 0)) + int(found.get("cancelled", 0))
    if failed == 0 and (done.returncode != 0 or passed == 0):
        failed = 1
    if failed:
        print(done.stdout, flush=True)
    tally.add("portal modules", passed, failed)


def tracked(*patterns):
    out = run(["git", "ls-files", "--", *patterns]).stdout
    return [name for name in out.splitlines() if (TOP / name).is_file()]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments, rest = parser.parse_known_args()
    jobs = arguments.jobs
    tally = Tally()
    # A job of the background has these ignored, and what it starts as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    sources = tracked("*.c", "*.h")
    pages = tracked("man/*.[0-9]")

    step(tally, "C sources are formatted",
         ["clang-format", "--dry-run", "-Werror", *sources])
    step(tally, "manual pages", ["mandoc", "-T", "lint", "-W", "warning", *pages])
    node_tests(tally)
    if not build(tally, "build", jobs):
        return finish(tally)
    meson_tests(tally, "build", jobs)
    build(tally, "build-clang", jobs, compiler="clang")
    if build(tally, "build-asan", jobs, "-Db_sanitize=address,undefined",
             "-Db_lundef=false"):
        meson_tests(tally, "build-asan", jobs)
    step(tally, "each check of the decision is tested (mutations)",
         ["/usr/bin/python3", "-B", "tests/mutate.py"])
    pytest(tally, jobs, rest)
    step(tally, "the demo tells its story", ["./dev", "demo", "--auto"])
    return finish(tally)


def finish(tally):
    print(f"{tally.passed} passed, {tally.failed} failed")
    return int(tally.failed != 0)


if __name__ == "__main__":
    sys.exit(main())
