"""Time ends sessions: what a grant let in is gone when the grant is over.

Every session is first shown to live on undisturbed. Then its time ends, and
nothing of it may be left, whatever it tried; and nothing else may be hit.
"""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import papers
import pytest
from stage import Stage

from world import World, free_port, parse_pairs, wait_for

LATE = 5 # seconds after the end that the last process may live
SETTINGS = "warn = 4s 2s\n"

# What an engineer may leave behind. Each is a shell command.
FORKER = """
import os, signal, time
for n in range(1, 65):
    try: signal.signal(n, signal.SIG_IGN)
    except (OSError, ValueError): pass
end = time.time() + 300
while time.time() < end:
    if os.fork(): os._exit(0)
    os.setsid()
    os.close(os.open("beat", os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
"""
DAEMON = """
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.closerange(0, 64)
time.sleep(300)
"""
# The first thread leaves; /proc shows a zombie that still runs.
HEADLESS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(300,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""
ESCAPES = {
    "shell": "sleep 300",
    "background": "sleep 300 & sleep 300",
    "nohup setsid": "nohup setsid sleep 300 </dev/null >/dev/null 2>&1 &",
    "double fork": "python3 ~/daemon.py",
    "tmux": "tmux -L lockbox new-session -d 'sleep 300'",
    "screen": "mkdir -m 700 -p ~/s; SCREENDIR=$HOME/s screen -dmS x sleep 300",
    "kill -STOP $PPID": "kill -STOP $PPID; sleep 300",
    "ignores signals": "trap '' TERM HUP INT QUIT; while :; do sleep 300; done",
    "re-forks": "cd; nohup python3 ~/forker.py </dev/null >/dev/null 2>&1 &",
    "headless": "nohup python3 ~/headless.py </dev/null >/dev/null 2>&1 &",
    "root under sudo": "sudo -n sh -c \"trap '' TERM HUP; "
                       "setsid sleep 300 & sleep 300; sleep 300\"",
}


def members(sid):
    """Pids, as this machine has them, in an audit session; zombies aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "sessionid").read_text() != str(sid):
                continue
            stat = (path / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if stat[0] not in "ZX" or int(stat[17]) > 1:
            found.append(int(path.name))
    return found


def soon(seconds):
    return int(time.time()) + seconds


def grant(stage, end, **knobs):
    """A grant of avm's that ends then."""
    return stage.customer.grant(
        stage.avm, stage.customer.bert,
        not_after=papers.stamp(end),
        request_knobs={"login": ["avm", "deploy"],
                       "service": ["sshd", "sudo"], **knobs})


def allow(stage, *grants, **knobs):
    stage.liar.reply = lambda q: stage.liar.allow(q, *grants, **knobs)


def start(stage, command, login="avm", person="avm", options=(), tty=False,
          flags=(), **more):
    line = stage.world.ssh_command(person, login, *(
        [command] if command else []), options=options)
    line[1:1] = [*flags, *(["-tt"] if tty else [])]
    more.setdefault("stdin", subprocess.DEVNULL)
    more.setdefault("stdout", subprocess.DEVNULL)
    return subprocess.Popen(line, stderr=subprocess.DEVNULL, text=True,
                            env=stage.world.person_env(person), **more)


class Session:
    """A login that runs a command and told its audit session id."""

    count = 0

    def __init__(self, stage, command, login="avm", **options):
        self.stage = stage
        Session.count += 1
        name = f"sid-{Session.count}"
        self.path = stage.world.path("home", login, name)
        self.ssh = start(stage, f"cat /proc/self/sessionid > ~/{name}.new; "
                         f"mv ~/{name}.new ~/{name}; {command}", login,
                         **options)

    @property
    def sid(self):
        wait_for("a session", self.path.exists)
        return int(self.path.read_text())

    def alive(self):
        return bool(members(self.sid))

    def close(self):
        self.ssh.kill()
        self.ssh.wait(10)


def gone_after(sessions, at, limit):
    """Seconds after `at` until each was gone, None when it was not."""
    took = dict.fromkeys(sessions)
    while time.time() < at + limit and None in took.values():
        for name, session in sessions.items():
            if took[name] is None and not session.alive():
                took[name] = max(0, time.time() - at)
        time.sleep(0.03)
    return took


def events(stage, event, since=0):
    """The agent's own event lines."""
    found = []
    for line in stage.world.syslog(since):
        match = re.search(r"lockbox-agent\[\d+\]: (event=.*)$", line)
        if match:
            entry = parse_pairs(match[1])
            if entry["event"] == event:
                found.append(entry)
    return found


def ended(stage, sid, seconds=5):
    """The one line that says how the session ended."""
    def lines():
        return [e for e in events(stage, "session.ended")
                if e["sid"] == str(sid)]
    wait_for(f"the end of session {sid}", lines, seconds)
    [line] = lines()
    return line


@pytest.fixture(scope="module")
def stage(build):
    with World(build) as world:
        stage = Stage(world)
        conf = stage.confdir / "agent.conf"
        conf.write_text(conf.read_text() + SETTINGS)
        world.authorize("eve", "eve")
        for login in ("avm", "deploy"):
            for name, text in (("forker", FORKER), ("daemon", DAEMON),
                               ("headless", HEADLESS)):
                world.path("home", login, f"{name}.py").write_text(text)
        yield stage
        stage.liar.close()


@pytest.fixture
def host(stage):
    """New keys, a host that knows nothing yet."""
    stage.begin()
    return stage


class Canaries:
    """What must live on: root's and daemons' processes, another's session."""

    def __init__(self, stage):
        self.stage = stage
        eve = stage.customer.grant(
            stage.eve, stage.customer.bert, request_knobs={
                "engineer": "eve@provider.example", "login": ["deploy"]})
        allow(stage, eve)
        self.session = Session(stage, "sleep 600", "deploy", person="eve")
        self.sid = self.session.sid
        self.before = members(self.sid)
        assert len(self.before) >= 2
        # Root's own shell, and a process of avm's that no session let in.
        self.own = [
            subprocess.Popen([*stage.world.enter(user), "sleep", "600"],
                             stdin=subprocess.DEVNULL)
            for user in (None, "avm")]
        self.daemons = {name: service.pid
                        for name, service in stage.world.services.items()}

    def check(self):
        assert members(self.sid) == self.before
        assert all(process.poll() is None for process in self.own)
        for name, pid in self.daemons.items():
            assert self.stage.world.services[name].alive(), name
            assert Path(f"/proc/{pid}").exists(), name

    def close(self):
        for process in self.own:
            process.kill()
            process.wait(10)
        self.session.close()


# --- at the deadline ---------------------------------------------------------


class Forward:
    """A forward that carries a connection: gone when nothing comes of it."""

    def __init__(self, stage):
        port = free_port()
        self.ssh = start(stage, None, options=["ExitOnForwardFailure=yes"],
                         flags=["-N", "-L",
                                f"{port}:127.0.0.1:{stage.world.ssh_port}"])
        self.through = None
        wait_for("the forward", lambda: self.connect(port))

    def connect(self, port):
        import socket
        try:
            s = socket.create_connection(("127.0.0.1", port), 1)
            s.settimeout(1)
            if s.recv(3) != b"SSH":
                s.close()
                return False
            s.recv(100)
        except OSError:
            return False
        self.through = s
        s.setblocking(False)
        return True

    def alive(self):
        try:
            return self.through.recv(1) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self):
        self.through.close()
        self.ssh.kill()
        self.ssh.wait(10)


class Beating(Session):
    """A chain of processes too quick to be looked at: it says that it runs."""

    def alive(self):
        beat = self.stage.world.path("home", "avm", "beat")
        if not beat.exists():
            return False
        beat.unlink()
        time.sleep(0.1)
        return beat.exists()


def begin_all(stage, tmp_path):
    sessions = {name: (Beating if name == "re-forks" else Session)(
        stage, command) for name, command in ESCAPES.items()}
    mux = f"ControlPath={tmp_path}/mux"
    sessions["master"] = Session(stage, "sleep 300",
                                 options=[mux, "ControlMaster=yes"])
    wait_for("the master", (tmp_path / "mux").exists)
    sessions["channel"] = Session(stage, "sleep 300", options=[mux])
    sessions["forward"] = Forward(stage)
    for session in sessions.values():
        if isinstance(session, Session):
            assert session.sid not in (0, 4294967295)
    return sessions


@pytest.fixture(scope="module")
def expiry(stage, tmp_path_factory):
    """All escapes at once under one grant; how long each outlived it."""
    stage.begin()
    canaries = Canaries(stage)
    end = soon(14)
    given = grant(stage, end)
    allow(stage, given)
    sessions = begin_all(stage, tmp_path_factory.mktemp("mux"))
    time.sleep(max(0, end - 0.8 - time.time()))
    before = {name: session.alive() for name, session in sessions.items()}
    assert time.time() < end
    took = gone_after(sessions, end, LATE + 3)
    canaries.check()
    yield {"before": before, "took": took, "sessions": sessions,
           "grant": given}
    for session in sessions.values():
        session.close()
    canaries.close()


@pytest.mark.parametrize("name", [*ESCAPES, "master", "channel", "forward"])
def test_expiry_ends(expiry, name):
    assert expiry["before"][name], "the control had ended by itself"
    assert expiry["took"][name] is not None, "IT LIVES ON"
    assert expiry["took"][name] < LATE


def test_the_line_of_an_end(stage, expiry):
    for name, session in expiry["sessions"].items():
        if isinstance(session, Session) and name != "channel":
            line = ended(stage, session.sid)
            assert line["cause"] == "expired", name
            assert line["grant"] == expiry["grant"].id
            assert int(line["killed"]) >= 1 or name == "shell"
            assert 1 <= int(line["seconds"]) <= 20
