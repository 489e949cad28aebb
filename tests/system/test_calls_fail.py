"""Every call that the agent makes fails once, each in its turn, in every way
it can. Whatever happens: nobody is let in without a record on disk, the agent
neither crashes nor leaks nor gets stuck, and the next login works.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import papers
import pytest
from fault import (ALL, CLOCK, DIE, EVENTS, FILES, FOREVER, INTERRUPTED, INTR,
                   MEMORY, PRIVS, RANDOM, SHORT, SOCKETS, USUAL, Fault)
from knock import SESSION
from test_agent import UID, Stand, stand # pylint: disable=unused-import

from world import wait_for


def sanitized(program):
    out = subprocess.run(["readelf", "-d", program], check=True,
                         capture_output=True, text=True).stdout
    return "libasan" in out or "libclang_rt" in out


@pytest.fixture(scope="module")
def place(build):
    if os.geteuid() != 0:
        pytest.skip("root is needed: the agent hears only root")
    if sanitized(build / "agent" / "lockbox-agent"):
        pytest.skip("a sanitizer stands where the failing calls would")
    base = Path(tempfile.mkdtemp(prefix="lockbox-calls-"))
    place = Place(base, build)
    yield place
    place.close()
    shutil.rmtree(base)


class Place(Stand):
    """A door whose agent's calls fail as `fault` says."""

    ends = () # exit codes of an agent that stops for good reason

    def __init__(self, base, build):
        super().__init__(base, build / "agent" / "lockbox-agent")
        self.fault = Fault(build, base / "fault")
        self.agent.env = self.fault.env
        # Longer than all of these tests take on a busy machine.
        end = int(time.time()) + 3500
        self.plain = self.grant(not_after=papers.stamp(end + 60))
        self.sudo = self.customer.grant(
            self.avm, self.customer.bert, service=["sudo"],
            not_after=papers.stamp(end),
            request_knobs={"service": ["sshd", "sudo"]})
        self.allows(self.plain, self.sudo)
        self.start()
        self.person = self.asker()
        self.settle()

    def settle(self):
        """Two logins, so that what grows has grown; what is held then."""
        for _ in range(2):
            self.login(must=True)
        since = time.monotonic()
        self.held = self.holds()
        # The last word has been read, the last report sent.
        while time.monotonic() - since < 0.6:
            time.sleep(0.02)
            if self.holds() != self.held:
                self.held = self.holds()
                since = time.monotonic()

    def holds(self):
        pid = self.agent.popen.pid
        return self.fault.blocks, len(os.listdir(f"/proc/{pid}/fd"))

    def login(self, must=False):
        """From account to sudo; what was let in stands on disk by then."""
        if not self.person.alive():
            self.person = self.asker() # its time to register was over
        person = self.person
        person.do(do="new_sid", uid=3001)
        replies = [person.ask()]
        sid = person.do(do="new_sid", uid=3001)
        replies.append(person.ask(SESSION, key=self.avm.public()))
        if self.record(replies[1], sid, self.plain):
            for _ in range(2): # the second rests on what the first wrote
                replies.append(person.ask(service="sudo"))
                self.record(replies[-1], sid, self.sudo)
        if must:
            assert len(replies) == 4 and all(
                r and r["allow"] for r in replies), (replies, self.agent.said())
        return replies

    def record(self, reply, sid, grant):
        """If let in: the session and the grant it rests on are on disk."""
        if reply is None or not reply["allow"]:
            return False
        found = re.search(rf"^session: {sid}\n(?:.+\n)*?(?=session: |sum: |\Z)",
                          self.records(), re.M)
        assert found, f"LET IN WITHOUT A RECORD: {reply['code']}"
        assert f"\nrests: {grant.id}\n" in found[0], "rests on nothing"
        return True

    def go_on(self, what):
        """No crash, no leak; the next login works."""
        code = self.agent.popen.poll()
        if code is None and self.ends: # it may be about to
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.agent.popen.wait(0.2)
        if code is not None:
            assert code in self.ends, \
                f"{what}: exit {code}: {self.agent.said()}"
            self.agent.start()
            self.settle()
            assert "going on without" not in self.agent.said()
            return
        self.login(must=True)
        end = time.monotonic() + 10
        while self.holds() != self.held and time.monotonic() < end:
            time.sleep(0.005)
        assert self.holds() == self.held, f"{what}: left behind"

    def count(self, kinds, how):
        self.fault.arm(kinds, how=how)
        self.login(must=True)
        time.sleep(0.05)
        self.fault.disarm()
        return self.fault.seen

    def one_by_one(self, kinds, how, count=1, step=1):
        total = self.count(kinds, how)
        assert total > 0
        for n in range(1, total + 1, step):
            self.fault.arm(kinds, n, count, how)
            began = time.monotonic()
            self.login()
            spent = time.monotonic() - began
            name = self.fault.disarm()
            what = f"call {n} of {total} ({name}, how {how})"
            assert spent < 5.5, f"{what}: {spent:.1f} s"
            self.go_on(what)


@pytest.mark.parametrize("kinds", [MEMORY, FILES, SOCKETS, EVENTS],
                         ids=["memory", "files", "sockets", "events"])
def test_each_call_fails_once(place, kinds):
    # Without memory for the state's text it is written a second later.
    place.one_by_one(kinds, USUAL, step=2 if kinds == MEMORY else 1)


@pytest.mark.parametrize("kind", [CLOCK, RANDOM], ids=["clock", "random"])
def test_without_a_clock_or_chance_it_stops(place, kind):
    """The kernel never refuses these; then nothing that we know holds."""
    place.ends = (-signal.SIGABRT,)
    try:
        place.one_by_one(kind, USUAL, step=3)
    finally:
        place.ends = ()


@pytest.mark.parametrize("how", [SHORT, INTERRUPTED],
                         ids=["short", "interrupted"])
def test_each_call_is_cut_or_interrupted(place, how):
    place.one_by_one(ALL | INTR, how)


@pytest.mark.parametrize("kinds", [MEMORY, FILES], ids=["memory", "files"])
def test_all_calls_fail_from_one_on(place, kinds):
    place.one_by_one(kinds, USUAL, FOREVER, step=7)


def test_each_step_of_writing_may_be_the_last(place):
    """Killed at any of them, the agent finds the old state or the new one."""
    def write():
        person = place.asker()
        sid = person.do(do="new_sid", uid=3001)
        place.fault.arm(FILES, n, 1, DIE)
        reply = person.ask(SESSION, key=place.avm.public())
        return sid, place.record(reply, sid, place.plain)

    place.settle()
    intake, began = place.courier.intake, []
    reported, gaps = len(intake.reports), list(intake.gaps)
    n = 0
    place.fault.arm(FILES)
    write()
    time.sleep(0.05)
    total, outcomes = place.fault.seen, set()
    assert total > 10
    for n in range(1, total + 1):
        sid, told = write()
        time.sleep(0.02) # a call after the reply may be the one
        name = place.fault.disarm()
        if name is None:
            continue # another save came in between when they were counted
        place.agent.popen.wait(5)
        kept = (place.state / "state").read_text()
        body, last = kept.rsplit("sum: ", 1)
        assert last == papers.doc_id(body) + "\n", f"{name}: garbage"
        written = f"\nsession: {sid}\n" in place.records()
        assert written or not told, f"{name}: told before it was written"
        outcomes.add((written, told))
        began += [str(sid)] if told else []
        place.agent.start()
        assert "going on without" not in place.agent.said(), name
    assert (False, False) in outcomes and (True, False) in outcomes
    place.settle()
    # Whoever was let in was reported, once; nothing was lost between.
    wait_for("all reports", lambda: intake.reports[-1]["event"] ==
             "login.decision" and intake.reports[-1]["service"] == "sudo")
    opened = [r["session"] for r in intake.reports[reported:]
              if r["event"] == "session.opened"]
    assert len(opened) == len(set(opened)) and set(began) <= set(opened)
    assert intake.gaps == gaps


def test_whoever_is_let_in_provisionally_is_watched(place):
    """Also if any call failed then, or while it was to be ended."""
    kinds = ALL & ~(CLOCK | RANDOM)
    place.login(must=True)
    place.fault.arm(kinds)
    assert place.asker().ask()["allow"]
    time.sleep(0.05)
    place.fault.disarm()
    askers = [place.asker() for _ in range(place.fault.seen)]
    let_in, children = [], []
    for n, asker in enumerate(askers, 1):
        place.fault.arm(kinds, n)
        reply = asker.ask()
        place.fault.disarm()
        if reply and reply["allow"]: # at once: the first have but 10 s
            let_in.append(asker)
            children.append(asker.do(do="spawn"))
    assert len(let_in) > 2
    deadline = time.monotonic() + 16
    n = 0
    while any(asker.alive() for asker in let_in):
        assert time.monotonic() < deadline, "somebody got away"
        n = n % 40 + 1
        place.fault.arm(ALL & ~(CLOCK | RANDOM | EVENTS), n)
        time.sleep(0.15)
        place.fault.disarm()
    time.sleep(1.2)
    for child in children:
        assert not alive(child), "a child got away"
    place.settle()


def alive(pid):
    path = Path(f"/proc/{pid}/stat")
    return path.exists() and path.read_text().split(")")[1].split()[0] != "Z"


def test_a_full_disk(stand):
    """No room for the record: no session; with room again, one."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=256k,uid={UID},"
                    "mode=0700", "tmpfs", str(stand.state)], check=True)
    try:
        stand.own(stand.host_key.save(stand.state / "host-key"))
        stand.allows(stand.grant("sudo"))
        stand.start()
        inside = stand.session()
        kept = (stand.state / "state").read_bytes()
        filler = stand.state / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as f:
            while True:
                f.write(b"x" * 512)
                f.flush()
        asker = stand.asker()
        asker.do(do="new_sid", uid=3001)
        began = time.monotonic()
        reply = asker.ask(SESSION, key=stand.avm.public())
        assert not reply["allow"] and reply["code"] == "state_unwritable"
        assert time.monotonic() - began < 5
        # Its session stands, but the report of this sudo could not.
        reply = inside.ask(service="sudo")
        assert not reply["allow"] and reply["code"] == "state_unwritable"
        assert time.monotonic() - began < 10
        assert (stand.state / "state").read_bytes() == kept
        assert sorted(p.name for p in stand.state.iterdir()) == [
            "filler", "host-key", "spool", "state"]
        filler.unlink()
        assert asker.ask(SESSION, key=stand.avm.public())["allow"]
        assert inside.ask(service="sudo")["allow"]
        refused = [("session.refused", "state_unwritable"),
                   ("login.decision", "state_unwritable"),
                   ("session.opened", "granted"),
                   ("login.decision", "granted")]
        intake = stand.courier.intake
        wait_for("what could not be written then", lambda: [
            (r["event"], r.get("cause")) for r in intake.reports[-4:]] == refused)
        assert intake.gaps == []
        stand.agent.again(signal.SIGKILL)
        assert "going on without" not in stand.agent.said()
    finally:
        stand.agent.stop()
        subprocess.run(["umount", "--lazy", str(stand.state)], check=True)


# A configuration that cannot be read makes the agent listen at the default
# place: not at this machine's.
OWN_RUN = ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
           'mount -t tmpfs tmpfs /run; exec env "$@"', "sh"]


@pytest.mark.parametrize("kinds,most", [
    (MEMORY, 25), (FILES | SOCKETS | EVENTS, 70), (PRIVS, 60)],
    ids=["memory", "calls", "privileges"])
def test_each_call_of_starting_fails(place, kinds, most):
    """It does not start, or lets nobody in, or works: never half sandboxed."""
    def start(n):
        place.fault.arm(kinds, n)
        place.agent.popen = subprocess.Popen(
            [*OWN_RUN, *place.fault.arguments, place.agent.program, "-v", "-c",
             str(place.conf)], stderr=subprocess.PIPE, text=True)
        lines = []

        def read():
            for line in place.agent.popen.stderr:
                lines.append(line)
                if "ready on host" in line:
                    return
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(2)
        name = place.fault.disarm()
        said = "".join(lines)
        return name, said, "ready on host" in said

    def stop():
        place.agent.popen.kill()
        place.agent.popen.wait()

    place.agent.stop()
    name, said, ready = start(0)
    assert ready, said
    total = place.fault.seen
    stop()
    outcomes = set()
    for n in range(1, total + 1, max(1, total // most)):
        name, said, ready = start(n)
        what = f"call {n} of {total} ({name}): {said}"
        if ready:
            status = Path(f"/proc/{place.agent.popen.pid}/status").read_text()
            fields = dict(line.split(":\t", 1)
                          for line in status.splitlines())
            assert fields["Uid"].split() == [str(UID)] * 4, what
            assert fields["Seccomp"] == "2", what
            assert fields["NoNewPrivs"] == "1", what
            assert int(fields["CapBnd"], 16) == 0, what
            assert int(fields["CapPrm"], 16) in (0, 1 << 5), what
            place.login() # a record on disk, or not let in
        elif kinds != MEMORY:
            assert place.agent.popen.wait(5) == 1, what
            assert said.strip(), what
        else:
            # libseccomp 2.5 takes some lack of memory for success: then the
            # filter lacks calls that libc cannot do without, and the agent
            # never becomes ready.
            assert place.agent.popen.poll() in (
                1, None, -signal.SIGSEGV, -signal.SIGABRT), what
        outcomes.add(ready)
        stop()
    assert (kinds != PRIVS) in outcomes
    place.agent.start()
    place.settle()
