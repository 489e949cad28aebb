"""Sessions on a staged host: begun, looked at, and what must outlive them.

For every test about how sessions end. Nothing here assumes that the machine
is quick: what must be ready before a grant's end is made anew, with twice the
time, when it was not (in_time).
"""

import contextlib
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import papers

from world import Failed, free_port, parse_pairs, wait_for

LATE = 5 # seconds after the end that the last process may live
SOON = 2 # seconds from the news to the last process gone
SETTINGS = "warn = 4s 2s\n"
UNSET = 4294967295 # the audit session id of whom nobody logged in

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
SCRIPTS = {"forker.py": FORKER, "daemon.py": DAEMON, "headless.py": HEADLESS}
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
# One that hides from its terminal and one that has it.
STUBBORN = "nohup setsid sleep 300 </dev/null >/dev/null 2>&1 & sleep 300"

# --- time ----------------------------------------------------------------------


def soon(seconds):
    return int(time.time()) + seconds


@contextlib.contextmanager
def prompt():
    """Whoever looks at a clock is not the one to be late. For this thread, and
    for what it does not fork."""
    os.setpriority(os.PRIO_PROCESS, 0, -15)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, 0)


def sleep_until(at):
    with prompt():
        time.sleep(max(0, at - time.time()))


def in_time(seconds, make, lead=1.5):
    """(end, make(end)), made at least `lead` seconds before that end, which is
    `seconds` from now; a machine too slow for that gets twice as many, and make
    is called again. What it returns has close()."""
    while True:
        end = soon(seconds)
        made = None
        try:
            made = make(end)
        except Failed:
            if time.time() < end - lead:
                raise
        if made is not None:
            if time.time() < end - lead:
                return end, made
            made.close()
        seconds *= 2


# --- processes -------------------------------------------------------------------


def population():
    """{audit session id: pids, as this machine has them}; zombies aside."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            sid = int((path / "sessionid").read_text())
            if sid == UNSET:
                continue
            stat = (path / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if stat[0] not in "ZX" or int(stat[17]) > 1:
            found.setdefault(sid, []).append(int(path.name))
    return found


def members(sid):
    return population().get(sid, [])


def gone_after(sessions, at, limit):
    """Seconds after `at` until each was gone, None when it was not."""
    took = dict.fromkeys(sessions)
    with prompt():
        while time.time() < at + limit and None in took.values():
            now = population()
            for name, session in sessions.items():
                if took[name] is None and not session.alive(now):
                    took[name] = max(0, session.gone_at() - at)
            time.sleep(0.03)
    return took


# --- grants and answers ----------------------------------------------------------


def grant(stage, end, **knobs):
    """A grant of avm's that ends then."""
    return stage.customer.grant(
        stage.avm, stage.customer.bert,
        not_after=papers.stamp(end),
        request_knobs={"login": ["avm", "deploy"],
                       "service": ["sshd", "sudo"], **knobs})


def allow(stage, *grants, **knobs):
    stage.liar.reply = lambda q: stage.liar.allow(q, *grants, **knobs)


def allow_by_login(stage, **grants):
    stage.liar.reply = lambda q: stage.liar.allow(
        q, grants[papers.fields(q)["login"]])


def revoke(stage, given):
    """The grant with the customer's revocation, as the broker carries it."""
    return given.text + stage.customer.bert.sign("revoke", given.text)


def deny(stage, code, *more):
    """A reply: no, because of code; and what else comes along."""
    def reply(question):
        return stage.liar.signed(
            papers.answer(question, "deny", code)) + "".join(more)
    return reply


def watched(stage):
    """Until the host waits for news."""
    wait_for("a watch", lambda: stage.liar.waiting)


def accept(stage, text):
    """`lockbox host accept` with that bundle."""
    path = stage.world.path("handed")
    path.write_text(text)
    return stage.world.inside(stage.world.program("lockbox"), "host", "accept",
                              path, check=False)


def begin(stage):
    """New keys, a host that knows nothing yet."""
    stage.begin()
    stage.liar.tell() # whom an earlier agent left waiting
    wait_for("nobody to wait", lambda: not stage.liar.waiting)


def furnish(stage):
    """Short warnings, eve's own login, and what hides."""
    conf = stage.confdir / "agent.conf"
    conf.write_text(conf.read_text() + SETTINGS)
    stage.world.authorize("eve", "eve")
    for login in ("avm", "deploy"):
        for name, text in SCRIPTS.items():
            stage.world.path("home", login, name).write_text(text)


# --- sessions ----------------------------------------------------------------------


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
        name = f"sid-{os.getpid()}-{Session.count}"
        self.path = stage.world.path("home", login, name)
        self.ssh = start(stage, f"cat /proc/self/sessionid > ~/{name}.new; "
                         f"mv ~/{name}.new ~/{name}; {command}", login,
                         **options)

    @property
    def sid(self):
        def told():
            if self.ssh.poll() not in (None, 0) and not self.path.exists():
                raise Failed(f"the login failed: exit {self.ssh.poll()}")
            return self.path.exists()
        wait_for("a session", told)
        return int(self.path.read_text())

    def alive(self, now=None):
        sid = self.sid # before we look
        return bool((population() if now is None else now).get(sid))

    def runs(self, command):
        """Is one of its processes that command?"""
        for pid in members(self.sid):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text() == f"{command}\n":
                    return True
        return False

    @staticmethod
    def gone_at():
        """Now that it is gone."""
        return time.time()

    def close(self):
        self.ssh.kill()
        self.ssh.wait(10)


class Beating(Session):
    """A chain of processes too quick to be looked at: each says that it ran,
    in the time of a file."""

    SILENCE = 1 # seconds without a sign; then it is gone

    def alive(self, _now=None):
        return time.time() - self.gone_at() < self.SILENCE

    def gone_at(self):
        beat = self.stage.world.path("home", "avm", "beat")
        return beat.stat().st_mtime if beat.exists() else 0


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
        if self.ssh.poll() is not None:
            raise Failed(f"the login failed: exit {self.ssh.poll()}")
        try:
            s = socket.create_connection(("127.0.0.1", port), 5)
            s.settimeout(5)
            if s.recv(3) != b"SSH":
                s.close()
                return False
            s.recv(100)
        except OSError:
            return False
        self.through = s
        s.setblocking(False)
        return True

    def alive(self, _now=None):
        try:
            return self.through.recv(1) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    gone_at = staticmethod(time.time)

    def close(self):
        self.through.close()
        self.ssh.kill()
        self.ssh.wait(10)


class Escapes(dict):
    """By name: every way to hide, a master with a channel, a forward."""

    def __init__(self, stage, mux):
        super().__init__()
        beat = stage.world.path("home", "avm", "beat")
        beat.unlink(missing_ok=True)
        for name, command in ESCAPES.items():
            kind = Beating if name == "re-forks" else Session
            self[name] = kind(stage, command)
        path = f"ControlPath={mux}"
        mux.unlink(missing_ok=True)
        self["master"] = Session(stage, "sleep 300",
                                 options=[path, "ControlMaster=yes"])
        wait_for("the master", mux.exists)
        self["channel"] = Session(stage, "sleep 300", options=[path])
        self["forward"] = Forward(stage)
        wait_for("the chain of forks", beat.exists)
        for session in self.values():
            if isinstance(session, Session):
                assert session.sid not in (0, UNSET)

    def alive(self):
        """Of each: is it?"""
        now = population()
        return {name: session.alive(now) for name, session in self.items()}

    def close(self):
        for session in self.values():
            session.close()


class Canaries:
    """What must live on: root's and daemons' processes, another's session."""

    def __init__(self, stage):
        self.stage = stage
        eve = stage.customer.grant(
            stage.eve, stage.customer.bert, request_knobs={
                "engineer": "eve@provider.example", "login": ["deploy"]})
        self.grant = eve
        allow(stage, eve)
        self.session = Session(stage, "sleep 600", "deploy", person="eve")
        self.sid = self.session.sid
        wait_for("its command", lambda: self.session.runs("sleep"))
        self.before = members(self.sid)
        assert len(self.before) >= 2
        # Root's own shell, and a process of avm's that no session let in.
        self.own = [
            subprocess.Popen([*stage.world.enter(user), "sleep", "600"],
                             stdin=subprocess.DEVNULL)
            for user in (None, "avm")]
        self.daemons = {name: service.pid
                        for name, service in stage.world.services.items()}

    def check_without(self, name):
        """All but a service that was started anew."""
        del self.daemons[name]
        self.check()

    def check(self):
        assert set(self.before) <= set(members(self.sid))
        assert all(process.poll() is None for process in self.own)
        for name, pid in self.daemons.items():
            assert self.stage.world.services[name].alive(), name
            assert Path(f"/proc/{pid}").exists(), name

    def close(self):
        for process in self.own:
            process.kill()
            process.wait(10)
        self.session.close()


# --- what the agent says -----------------------------------------------------------


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


def ended(stage, sid, seconds=15):
    """The one line that says how the session ended."""
    def lines():
        return [e for e in events(stage, "session.ended")
                if e["sid"] == str(sid)]
    wait_for(f"the end of session {sid}", lines, seconds)
    [line] = lines()
    return line
