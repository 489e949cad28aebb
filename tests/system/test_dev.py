"""./dev: two that build in one clone do not disturb each other."""

import os
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

# Stand in for the real ones, which would take minutes: each notices when
# another of them is at work in the same directory.
TOOLS = {
    "meson": """#!/bin/sh
mkdir "$2" || exit 1 # it is there already: somebody else sets it up
sleep 1
touch "$2/build.ninja"
echo setup >>tools.log
""",
    "ninja": """#!/bin/sh
mkdir build/busy || exit 1
sleep 1
rmdir build/busy
echo ninja >>tools.log
echo done
""",
}


def test_two_first_builds_in_one_clone(tmp_path):
    clone, tools = tmp_path / "clone", tmp_path / "tools"
    clone.mkdir()
    tools.mkdir()
    shutil.copy(TOP / "dev", clone)
    for name, text in TOOLS.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    running = [subprocess.Popen(
        [clone / "dev", "build"], env={**os.environ, "PATH": path}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    # One has set it up, each has built; and the lock has left nothing.
    assert (clone / "tools.log").read_text().split() == [
        "setup", "ninja", "ninja"]
    assert {item.name for item in clone.iterdir()} == {
        "dev", "build", "tools.log"}


def test_a_build_that_fails_is_a_failure(tmp_path):
    clone, tools = tmp_path / "clone", tmp_path / "tools"
    (clone / "build").mkdir(parents=True)
    (clone / "build" / "build.ninja").touch()
    tools.mkdir()
    shutil.copy(TOP / "dev", clone)
    (tools / "ninja").write_text("#!/bin/sh\necho failed\nexit 1\n")
    (tools / "ninja").chmod(0o755)
    done = subprocess.run(
        [clone / "dev", "build"], text=True, capture_output=True, check=False,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}, timeout=60)
    assert done.returncode == 1 and "failed" in done.stderr
