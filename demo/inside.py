"""Process 1 of the private world: mounts, then reaps until its parent goes.

Started by world.py in new mount and pid namespaces. Everything the world may
change is covered by a copy or an empty directory first; the machine's own
files stay as they are. Ends, and everything in the world with it, when
standard input closes, also because whoever holds it was killed; then the
world's directory goes, too.
"""

import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

NODES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8),
         "urandom": (1, 9), "tty": (5, 0)}


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True)


def cover(base):
    """Bind the world's own directories over the machine's."""
    mount("--make-rprivate", "/")
    for name, target in (("etc", "/etc"), ("var-lib", "/var/lib"),
                         ("var-log", "/var/log"), ("home", "/home"),
                         ("run", "/run")):
        mount("--bind", str(base / name), target)
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)


def devices():
    """A /dev of our own, so that /dev/log and the ptys are ours."""
    mount("-t", "tmpfs", "-o", "mode=0755,size=1m", "tmpfs", "/dev")
    os.umask(0)
    for name, (major, minor) in NODES.items():
        os.mknod(f"/dev/{name}", 0o020666, os.makedev(major, minor))
    os.mkdir("/dev/pts", 0o755)
    os.mkdir("/dev/shm", 0o1777)
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=0620,gid=5",
          "devpts", "/dev/pts")
    os.symlink("pts/ptmx", "/dev/ptmx")
    os.symlink("/proc/self/fd", "/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"/dev/{name}")
    os.umask(0o022)


def reap_until_alone():
    """Process 1 must reap orphans; it ends with its standard input."""
    while True:
        ready, _, _ = select.select([0], [], [], 0.1)
        if ready and not os.read(0, 1):
            return
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def main():
    cover(Path(sys.argv[1]))
    devices()
    os.write(1, b"ready\n")
    reap_until_alone()
    if sys.argv[2] == "remove":
        shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
