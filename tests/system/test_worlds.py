"""The private world itself: two at once, and none that leaves a trace."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from stage import Stage

from world import World

HERE = Path(__file__).resolve().parent


def test_two_at_once(build):
    with World(build) as one, World(build) as two:
        stages = [Stage(one), Stage(two)]
        try:
            for stage in stages:
                grant = stage.customer.grant(stage.avm, stage.customer.bert)
                stage.honest = lambda q, s=stage, g=grant: s.liar.allow(q, g)
                stage.opens(stage.honest)
            one.services["agent"].kill()
            stages[0].refused("agent_unreachable", stages[0].honest)
            stages[1].opens(stages[1].honest)
        finally:
            for stage in stages:
                stage.liar.close()


def digest(top):
    """Every name, mode, owner, target and byte below a directory."""
    whole = hashlib.sha256()
    for directory, names, files in os.walk(top):
        names.sort()
        for name in sorted(names + files):
            path = os.path.join(directory, name)
            info = os.lstat(path)
            whole.update(repr((path, info.st_mode, info.st_uid, info.st_gid,
                               info.st_size)).encode())
            if os.path.islink(path):
                whole.update(os.readlink(path).encode())
            elif os.path.isfile(path):
                whole.update(Path(path).read_bytes())
    return whole.hexdigest()


def machine():
    """What a world must not touch."""
    present = {path: os.path.lexists(path) for path in (
        "/dev/log", "/run/lockbox", "/run/sshd", "/var/lib/lockbox",
        "/home/avm", "/home/deploy")}
    # Other tests of this run may mount below their own directories.
    mounts = [line for line in Path("/proc/self/mountinfo").read_text()
              .splitlines() if "/lockbox-" not in line]
    return digest("/etc"), present, mounts


RUN = """
import sys, time
from pathlib import Path
from stage import Stage
from world import World
with World(Path(sys.argv[1])) as world:
    stage = Stage(world)
    grant = stage.customer.grant(stage.avm, stage.customer.bert)
    stage.opens(lambda q: stage.liar.allow(q, grant))
    print(world.base, flush=True)
    time.sleep(60)
"""


def processes_of(base):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if base.encode() in line:
            found.append(int(pid))
    return found


def test_a_killed_world_leaves_the_machine_as_it_was(build):
    before = machine()
    path = os.pathsep.join([str(HERE), str(HERE.parent.parent / "demo")])
    with subprocess.Popen([sys.executable, "-B", "-c", RUN, str(build)],
                          env={**os.environ, "PYTHONPATH": path},
                          stdout=subprocess.PIPE, text=True) as program:
        base = program.stdout.readline().strip()
        try:
            assert base and processes_of(base), "it does not run"
            program.send_signal(signal.SIGKILL)
            program.wait()
            end = time.monotonic() + 60
            while (processes_of(base) or os.path.exists(base)) and \
                    time.monotonic() < end:
                time.sleep(0.05)
            assert not processes_of(base)
            assert not os.path.exists(base), "private keys are left"
            assert machine() == before
        finally:
            program.kill()
            if "lockbox-world-" in base:
                shutil.rmtree(base, ignore_errors=True)
