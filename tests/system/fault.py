"""Calls of a program that fail: the other side of tests/tools/fault.c."""

import ctypes
import errno
import mmap
import os

MEMORY, FILES, SOCKETS, PROCS, CLOCK, EVENTS, RANDOM, PRIVS = (
    1 << bit for bit in range(8))
INTR = 512
ALL = MEMORY | FILES | SOCKETS | PROCS | CLOCK | EVENTS | RANDOM
USUAL, SHORT, DIE, INTERRUPTED = 0, -1, -2, errno.EINTR
FOREVER = 0xffffffff


class Control(ctypes.Structure):
    _fields_ = [("armed", ctypes.c_uint32), ("kinds", ctypes.c_uint32),
                ("start", ctypes.c_uint32), ("count", ctypes.c_uint32),
                ("how", ctypes.c_int32), ("seen", ctypes.c_uint32),
                ("failed", ctypes.c_uint32), ("blocks", ctypes.c_int32),
                ("name", ctypes.c_char * 32)]


class Fault:
    """Arm it, let the program work, disarm it; then see what happened."""

    def __init__(self, build, path):
        path.write_bytes(b"\0" * mmap.PAGESIZE)
        with open(path, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), mmap.PAGESIZE)
        self.control = Control.from_buffer(self.memory)
        told = {"FAULT_CONTROL": str(path),
                "LD_PRELOAD": str(build / "tests" / "tools" / "fault.so")}
        self.env = {**os.environ, **told}
        self.arguments = [f"{name}={value}" for name, value in told.items()]

    def arm(self, kinds=ALL, start=0, count=1, how=USUAL):
        """Let calls `start`.. fail from now on; 0: only count them."""
        c = self.control
        c.armed = 0
        c.kinds, c.how = kinds, how
        c.start, c.count = start or FOREVER, count
        c.seen = c.failed = 0
        c.name = b""
        c.armed = 1

    def disarm(self):
        """The name of the call that failed; None: none did."""
        self.control.armed = 0
        return self.control.name.decode() if self.control.failed else None

    @property
    def seen(self):
        return self.control.seen

    @property
    def blocks(self):
        return self.control.blocks
