"""Every call of the courier fails once: it answers or hangs up in time,
neither crashes nor leaks nor gets stuck, and the next question is answered.
"""

import os
import shutil
import signal
import time

import pytest
from fault import (ALL, CLOCK, FILES, INTERRUPTED, INTR, MEMORY, RANDOM, SHORT,
                   SOCKETS, USUAL, Fault)
from test_calls_fail import sanitized
from test_courier import BUSY, OK, Stand


@pytest.fixture(scope="module")
def place(build):
    if os.geteuid() != 0:
        pytest.skip("root is needed: the courier changes its user")
    if sanitized(build / "agent" / "lockbox-courier"):
        pytest.skip("a sanitizer stands where the failing calls would")
    place = Place(build)
    yield place
    place.clear()
    shutil.rmtree(place.base)


class Place(Stand):
    """A broker that answers, and a courier whose calls fail."""

    def __init__(self, build):
        super().__init__(build)
        self.fault = Fault(build, self.base / "fault")
        self.good = self.broker()
        self.restart()

    def restart(self):
        self.asking = self.courier(f"https://127.0.0.1:{self.good.port}",
                                   env=self.fault.env)
        for _ in range(3):
            assert self.asking.ask("abc") == (OK, "cba")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.asking.popen.pid}/fd"))

    def fresh(self):
        """What it kept open is closed at the other end."""
        self.good.hang_up()
        time.sleep(0.005)

    def count(self, kinds, how, kept):
        if not kept:
            self.fresh()
        self.fault.arm(kinds, how=how)
        assert self.asking.ask("abc") == (OK, "cba")
        time.sleep(0.02)
        self.fault.disarm()
        return self.fault.seen

    def one_by_one(self, kinds, how, kept, most, last=None):
        """Each of at most so many of them, or of the last ones all."""
        total = self.count(kinds, how, kept)
        assert total > 0
        held = self.descriptors()
        outcomes = set()
        which = (range(1, total + 1, max(1, total // most)) if last is None
                 else range(max(1, total + 1 - last), total + 1))
        for n in which:
            if not kept:
                self.fresh()
            self.fault.arm(kinds, n, how=how)
            began = time.monotonic()
            said = self.asking.ask("abc", timeout_ms=1000)
            spent = time.monotonic() - began
            what = f"call {n} of {total} ({self.fault.disarm()}): {said}"
            # The agent waits no longer than it said, plus what it reads for.
            assert spent < 1.6, f"{what}: {spent:.1f} s"
            if said is not None and said[0] == OK:
                assert said[1] == "cba", what
            outcomes.add(None if said is None else said[0])
            code = self.asking.popen.poll()
            if code is not None:
                assert code in (1, -signal.SIGABRT), f"{what}: exit {code}"
                assert code == 1 or kinds & (CLOCK | RANDOM), what
                self.restart()
                continue
            assert self.asking.ask("abc") == (OK, "cba"), what
            assert self.descriptors() <= held + 2, what
        return outcomes


def test_no_memory_where_a_new_connection_is_read(place):
    """Also where TLS hands out a session: libcurl would free it twice."""
    assert OK in place.one_by_one(MEMORY, USUAL, False, 0, last=160)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "fresh"])
@pytest.mark.parametrize("kinds", [MEMORY, SOCKETS, FILES],
                         ids=["memory", "sockets", "files"])
def test_each_call_fails_once(place, kinds, kept):
    outcomes = place.one_by_one(kinds, USUAL, kept, 60)
    assert OK in outcomes or kinds != SOCKETS
    if kinds == MEMORY and kept:
        assert BUSY in outcomes or None in outcomes


@pytest.mark.parametrize("how", [SHORT, INTERRUPTED],
                         ids=["short", "interrupted"])
def test_each_call_is_cut_or_interrupted(place, how):
    outcomes = place.one_by_one(ALL | INTR, how, False, 60)
    # libcurl gives up on some of them, and says what it was.
    assert OK in outcomes and None not in outcomes
