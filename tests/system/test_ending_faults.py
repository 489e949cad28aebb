"""Whatever breaks, sessions end in time: never more than 5 s late.

Each session is first shown to live on, in the very state of things in which
it is then ended.
"""

import contextlib
import mmap
import os
import random
import re
import signal
import socket
import struct
import threading
import time
from pathlib import Path

import pytest
from sessions import (
    LATE, STUBBORN, Canaries, Session, allow, allow_by_login, begin, deny,
    ended, events, furnish, gone_after, grant, in_time, sleep_until, soon,
    watched)
from stage import AGENT_UID, Stage

from world import World, free_port, wait_for

UNIT = (Path(__file__).resolve().parent.parent.parent / "conf" / "systemd" /
        "lockbox-agent.service.in")


@pytest.fixture(scope="module")
def stage(build):
    with World(build) as world:
        stage = Stage(world)
        furnish(stage)
        yield stage
        stage.liar.close()


@pytest.fixture
def host(stage):
    begin(stage)
    return stage


def one(stage, command=STUBBORN):
    """make() for in_time: one session under a grant that ends then."""
    def make(end):
        allow(stage, grant(stage, end))
        session = Session(stage, command)
        assert session.sid
        return session
    return make


def on_time(stage, session, end, cause="expired"):
    """It ends within LATE seconds after end, for that cause."""
    took = gone_after({"it": session}, end, LATE + 3)["it"]
    assert took is not None and took < LATE, took
    assert ended(stage, session.sid)["cause"] == cause


# --- the broker ------------------------------------------------------------------


def test_a_broker_that_falls_silent_ends_it_at_the_lease(host):
    given = grant(host, soon(600))
    host.liar.reply = lambda q: host.liar.allow(q, given, good_until=soon(8))
    session = Session(host, STUBBORN)
    assert session.sid
    time.sleep(10) # renewed at half of it
    assert session.alive()
    host.liar.close()
    try:
        on_time(host, session, soon(8), "lease_over")
        assert [e for e in events(host, "session.unconfirmed")
                if e["sid"] == str(session.sid)]
    finally:
        host.reopen_liar()
        session.close()


def test_broker_and_courier_killed_before_the_end(host):
    end, session = in_time(5, one(host), lead=2)
    sleep_until(end - 1)
    assert session.alive()
    host.liar.close()
    host.world.services["courier"].kill()
    try:
        on_time(host, session, end)
    finally:
        host.reopen_liar()
        host.world.start_courier()
        session.close()


# --- the agent -------------------------------------------------------------------


def test_agent_killed_before_the_end_ends_it_on_restart(host):
    end, session = in_time(5, one(host), lead=2)
    sleep_until(end - 1)
    assert session.alive()
    host.world.services["agent"].kill()
    sleep_until(end + 1)
    assert session.alive(), "nobody was there to end it"
    host.world.start_agent()
    on_time(host, session, time.time())
    session.close()


@pytest.mark.parametrize("damage", ["missing", "unreadable"])
def test_a_lost_state_ends_whom_nobody_exempts(host, damage):
    canaries = Canaries(host)
    allow_by_login(host, avm=grant(host, soon(600)), deploy=canaries.grant)
    session = Session(host, STUBBORN)
    assert session.alive()
    agent, state = host.world.services["agent"], host.state / "state"
    agent.stop()
    host.world.start_agent() # the control: a restart alone ends nothing
    time.sleep(2)
    assert session.alive()
    agent = host.world.services["agent"]
    agent.stop()
    if damage == "missing":
        state.unlink()
    else:
        state.write_text(state.read_text().replace("avm", "avn"))
    conf = host.confdir / "pam.conf"
    before = conf.read_text()
    conf.write_text(before + "exempt = cron deploy\n")
    try:
        host.world.start_agent()
        assert ended(host, session.sid)["cause"] == "state_lost"
        assert not session.alive()
        canaries.check_without("agent")
        assert any(f"session {canaries.sid} of 'deploy' goes on" in line
                   for line in host.world.syslog())
    finally:
        conf.write_text(before)
        session.close()
        canaries.close()


class Manager(threading.Thread):
    """Does for the agent what systemd does with its unit: hears its signs of
    life, aborts it when they stay away, starts it again."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world = world
        unit = UNIT.read_text()
        assert "\nRestart=always\n" in unit and "\nType=notify\n" in unit
        self.watchdog = int(re.search(r"^WatchdogSec=(\d+)$", unit, re.M)[1])
        self.pause = int(re.search(r"^RestartSec=(\d+)ms$", unit, re.M)[1]) / 1000
        path = world.path("run", "notify")
        path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(0.05)
        path.chmod(0o666)
        self.over = False
        self.aborted = 0
        world.services["agent"].stop()
        self.start_agent()
        self.start()

    def start_agent(self):
        self.sign = None # watched from its first on
        self.world.start_agent(check=False, env={
            "NOTIFY_SOCKET": "/run/notify",
            "WATCHDOG_USEC": str(self.watchdog * 1000000)})

    def run(self):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)
        while not self.over:
            with contextlib.suppress(socket.timeout):
                if self.socket.recv(256) in (b"READY=1", b"WATCHDOG=1"):
                    self.sign = time.monotonic()
            agent = self.world.services["agent"]
            if self.sign and time.monotonic() > self.sign + self.watchdog:
                self.aborted += 1
                agent.signal(signal.SIGABRT)
                agent.signal(signal.SIGCONT)
                agent.popen.wait(10)
            if not agent.alive():
                time.sleep(self.pause)
                self.start_agent()

    def close(self):
        self.over = True
        self.join()
        self.socket.close()
        self.world.services["agent"].stop()
        self.world.start_agent()


@pytest.fixture
def manager(host):
    manager = Manager(host.world)
    yield manager
    manager.close()


def test_a_killed_agent_is_started_again_and_ends_in_time(host, manager):
    end, session = in_time(5, one(host), lead=2)
    sleep_until(end - 1)
    assert session.alive()
    host.world.services["agent"].kill()
    on_time(host, session, end)
    assert manager.aborted == 0
    session.close()


def test_a_stopped_agent_is_noticed_and_ends_in_time(host, manager):
    end, session = in_time(manager.watchdog + 4, one(host), lead=2)
    sleep_until(end - 1)
    assert session.alive()
    assert manager.aborted == 0, "it lives, so nobody ends it"
    host.world.services["agent"].signal(signal.SIGSTOP)
    late = Session(host, "true")
    on_time(host, session, end)
    assert manager.aborted == 1
    assert late.ssh.wait(30) == 255, "let in by nobody"
    session.close()


# --- clocks ------------------------------------------------------------------------


class Clocks:
    """The agent's two clocks, moved while it runs."""

    def __init__(self, stage):
        self.world = stage.world
        path = stage.world.path("clocks")
        path.write_bytes(bytes(mmap.PAGESIZE))
        path.chmod(0o644)
        with open(path, "r+b") as f:
            self.memory = mmap.mmap(f.fileno(), mmap.PAGESIZE)
        self.env = {"CLOCK_STEPS": str(path), "LD_PRELOAD": str(
            stage.world.build / "tests" / "tools" / "shift_clock.so")}
        self.restart()

    def restart(self):
        self.world.services["agent"].stop()
        self.world.start_agent(env=self.env)

    def step(self, wall=0, boot=0):
        self.memory[:16] = struct.pack("=qq", wall, boot)

    def close(self):
        self.world.services["agent"].stop()
        self.world.start_agent()


@pytest.fixture
def clocks(host):
    clocks = Clocks(host)
    yield clocks
    clocks.close()


@pytest.mark.parametrize("wall,boot", [(3600, 0), (0, 3600), (3600, 3600)],
                         ids=["wall forward", "boottime", "suspend"])
def test_a_clock_that_jumps_over_the_end(host, clocks, wall, boot):
    session = one(host)(soon(600))
    clocks.step(wall and 60, boot and 60) # the control: not yet
    time.sleep(2.5)
    assert session.alive()
    clocks.step(wall, boot)
    on_time(host, session, time.time())
    session.close()


@pytest.mark.parametrize("restarted", [False, True],
                         ids=["running", "restarted"])
def test_a_clock_set_back_gives_no_more_time(host, clocks, restarted):
    end, session = in_time(8, one(host), lead=3)
    clocks.step(wall=-30) # its grant has begun by that clock, too
    if restarted:
        clocks.restart()
    sleep_until(end - 1)
    assert session.alive()
    on_time(host, session, end)
    session.close()


# --- the network -------------------------------------------------------------------


class Wire:
    """A cable to the broker on which nothing arrives while it is frozen: no
    answer, no refusal, no reset."""

    def __init__(self, stage):
        self.stage, self.port = stage, free_port()
        self.whole = threading.Event()
        self.whole.set()
        self.server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()
        self.conf = stage.confdir / "courier.conf"
        self.before = self.conf.read_text()
        self.conf.write_text(re.sub(r":\d+\n", f":{self.port}\n",
                                    self.before, count=1))
        stage.world.restart_courier()

    def accept(self):
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.stage.liar.port))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(source, sink),
                                 daemon=True).start()

    def carry(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.whole.wait()
                sink.sendall(data)
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def freeze(self):
        self.whole.clear()

    def thaw(self):
        self.whole.set()

    def close(self):
        self.thaw()
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.conf.write_text(self.before)
        self.stage.world.restart_courier()


@pytest.fixture
def wire(host):
    wire = Wire(host)
    yield wire
    wire.close()


def test_a_partition_at_any_moment(host, wire):
    dice = random.Random()
    for _ in range(3):
        end, session = in_time(5, one(host), lead=3)
        moment = dice.uniform(time.time(), end - 0.5)
        sleep_until(moment)
        wire.freeze()
        sleep_until(end - 0.3)
        assert session.alive(), moment
        on_time(host, session, end)
        wire.thaw()
        session.close()


def test_a_partition_ends_it_at_the_lease(host, wire):
    given = grant(host, soon(600))
    host.liar.reply = lambda q: host.liar.allow(q, given, good_until=soon(8))
    session = Session(host, STUBBORN)
    assert session.sid
    time.sleep(10) # renewed at half of it
    assert session.alive()
    wire.freeze()
    on_time(host, session, soon(8), "lease_over")
    assert not host.login()[0], "nobody is let in"
    wire.thaw()
    allow(host, given)
    wait_for("the door to open again", lambda: host.login()[0])
    session.close()


# --- the disk ----------------------------------------------------------------------


class Disk:
    """The agent's state on a small disk of its own."""

    def __init__(self, host):
        self.host = host
        host.world.services["agent"].stop()
        host.world.inside("mount", "-t", "tmpfs", "-o",
                          f"size=512k,mode=0700,uid={AGENT_UID},gid={AGENT_UID}",
                          "tmpfs", "/var/lib/lockbox")
        self.before = host.state
        host.state = Path(f"/proc/{host.world.init_pid}/root/var/lib/lockbox")
        host.fresh_state()
        host.world.start_agent()

    def fill(self):
        with open(self.host.state / "filler", "wb", buffering=0) as f:
            with contextlib.suppress(OSError):
                while True:
                    f.write(bytes(512))

    def free(self):
        (self.host.state / "filler").unlink()

    def close(self):
        self.host.world.services["agent"].stop()
        self.host.world.inside("umount", "/var/lib/lockbox")
        self.host.state = self.before
        self.host.world.start_agent()


@pytest.fixture
def disk(host):
    disk = Disk(host)
    yield disk
    disk.close()


def test_a_full_disk_holds_no_end_up(host, disk):
    end, session = in_time(8, one(host), lead=4)
    disk.fill()
    # The control: it is full, so nobody can be written down, and let in.
    got_in, lines = host.login()
    assert not got_in
    assert "state_unwritable" in [line["code"] for line in lines]
    sleep_until(end - 1)
    assert session.alive()
    on_time(host, session, end)
    disk.free()
    allow(host, grant(host, soon(600)))
    wait_for("the door to open again", lambda: host.login()[0])
    session.close()


def test_a_full_disk_holds_no_return_up(host, disk):
    session = one(host)(soon(600))
    watched(host)
    disk.fill()
    host.liar.tell() # no news: it lives on
    time.sleep(1.5)
    assert session.alive()
    at = time.time()
    host.liar.tell(deny(host, "returned"))
    on_time(host, session, at, "returned")
    session.close()
