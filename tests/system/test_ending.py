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


def allow_by_login(stage, **grants):
    stage.liar.reply = lambda q: stage.liar.allow(
        q, grants[papers.fields(q)["login"]])


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
    begin(stage)
    return stage


def begin(stage):
    stage.begin()
    stage.liar.tell() # whom an earlier agent left waiting
    wait_for("nobody to wait", lambda: not stage.liar.waiting)


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
    begin(stage)
    canaries = Canaries(stage)
    end = soon(14)
    given = grant(stage, end)
    allow_by_login(stage, avm=given, deploy=canaries.grant)
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


# --- revoked, returned, taken back -------------------------------------------

SOON = 2 # seconds from the news to the last process gone


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


@pytest.fixture(scope="module")
def revocation(stage, tmp_path_factory):
    """All escapes at once, and the customer revokes."""
    begin(stage)
    canaries = Canaries(stage)
    given = grant(stage, soon(600))
    allow_by_login(stage, avm=given, deploy=canaries.grant)
    sessions = begin_all(stage, tmp_path_factory.mktemp("mux"))
    watched(stage)
    before = {name: session.alive() for name, session in sessions.items()}
    eve = canaries.grant

    def reply(question):
        if "login: deploy\n" in question:
            return stage.liar.allow(question, eve)
        return deny(stage, "revoked", revoke(stage, given))(question)
    at = time.time()
    stage.liar.tell(reply)
    took = gone_after(sessions, at, LATE + 3)
    canaries.check()
    yield {"before": before, "took": took, "sessions": sessions}
    for session in sessions.values():
        session.close()
    canaries.close()


@pytest.mark.parametrize("name", [*ESCAPES, "master", "channel", "forward"])
def test_revocation_ends(revocation, name):
    assert revocation["before"][name], "the control had ended by itself"
    assert revocation["took"][name] is not None, "IT LIVES ON"
    assert revocation["took"][name] < SOON


def test_revoking_one_grant_ends_exactly_what_rests_on_it(host):
    one = grant(host, soon(500))
    allow(host, one)
    first = Session(host, "sleep 300")
    assert first.alive()
    two = host.customer.grant(host.avm, host.customer.bert, request_knobs={
        "login": ["deploy"]})
    allow_by_login(host, avm=one, deploy=two)
    second = Session(host, "sleep 300", "deploy")
    assert second.alive()
    watched(host)

    def reply(question):
        if "login: deploy\n" in question:
            return host.liar.allow(question, two) + revoke(host, one)
        return deny(host, "revoked", revoke(host, one))(question)
    host.liar.tell(reply)
    assert ended(host, first.sid)["cause"] == "revoked"
    time.sleep(1)
    assert not first.alive()
    assert second.alive()
    host.liar.tell(deny(host, "returned"))
    assert ended(host, second.sid)["cause"] == "returned"
    assert not second.alive()
    first.close()
    second.close()


def test_a_grant_that_the_answer_names_no_longer(host):
    one = grant(host, soon(600))
    allow(host, one)
    session = Session(host, "sleep 300")
    watched(host)
    host.liar.tell() # still the same answer: it lives on
    time.sleep(1.5)
    assert session.alive()
    narrow = host.customer.grant(host.avm, host.customer.bert)
    host.liar.tell(lambda q: host.liar.allow(q, narrow))
    assert ended(host, session.sid)["cause"] == "withdrawn"
    session.close()


def test_an_extension_lets_it_live_on(host):
    end = soon(7)
    short = grant(host, end)
    allow(host, short)
    session = Session(host, "sleep 300")
    other = Session(host, "sleep 300")
    watched(host)
    longer = grant(host, end + 600)
    host.liar.tell(lambda q: host.liar.allow(q, short, longer))
    time.sleep(max(0, end + 2.5 - time.time()))
    assert session.alive() and other.alive()
    session.close()
    other.close()


def test_a_lesser_grant_extends_nothing(host):
    end = soon(6)
    short = grant(host, end)
    allow(host, short)
    session = Session(host, "sleep 300")
    watched(host)
    lesser = host.customer.grant(host.avm, host.customer.bert)
    host.liar.tell(lambda q: host.liar.allow(q, short, lesser))
    assert session.alive()
    assert ended(host, session.sid, 10)["cause"] == "expired"
    session.close()


def test_new_trust_without_the_approver(host):
    given = grant(host, soon(600))
    allow(host, given)
    session = Session(host, "sleep 300")
    watched(host)
    customer = host.customer
    trust = customer.trust(
        serial=2, previous=papers.doc_id(host.trust),
        approver=[customer.anna.pinned("anna@acme.example", "approve", "deny",
                                       "revoke", "trust")])
    signed = trust + customer.anna.sign("trust", trust)
    assert session.alive()
    host.liar.tell(deny(host, "trust_first", signed))
    assert ended(host, session.sid)["cause"] == "trust_changed"
    session.close()


# --- handed over by root -------------------------------------------------------


def accept(stage, text):
    """`lockbox host accept` with that bundle."""
    path = stage.world.path("handed")
    path.write_text(text)
    return stage.world.inside(stage.world.program("lockbox"), "host", "accept",
                              path, check=False)


def test_a_revoke_handed_over_ends_it_though_the_broker_renews(host):
    given, other = grant(host, soon(600)), grant(host, soon(500))
    allow(host, given)
    session = Session(host, "sleep 300")
    watched(host)
    # The control: a stranger's revoke, and one of another grant.
    mallory = papers.Ed25519()
    done = accept(host, given.text + mallory.sign("revoke", given.text))
    assert done.returncode == 1 and "nothing in it is new" in done.stderr
    done = accept(host, revoke(host, other))
    assert done.returncode == 0 and "1 denies and revokes; 0" in done.stdout
    time.sleep(1.5)
    assert session.alive()
    began = time.time()
    done = accept(host, revoke(host, given))
    assert done.returncode == 0, done.stderr
    assert "1 sessions end" in done.stdout
    assert ended(host, session.sid)["cause"] == "revoked"
    assert time.time() - began < SOON + 1 and not session.alive()
    assert not host.login()[0], "the broker still says yes"
    session.close()


def test_trust_handed_over_judges_live_sessions(host):
    given = grant(host, soon(600))
    allow(host, given)
    session = Session(host, "sleep 300")
    watched(host)
    customer = host.customer
    trust = customer.trust(
        serial=2, previous=papers.doc_id(host.trust),
        approver=[customer.anna.pinned("anna@acme.example", "approve", "deny",
                                       "revoke", "trust")])
    assert accept(host, trust + papers.Ed25519().sign(
        "trust", trust)).returncode == 1
    assert session.alive()
    assert accept(host, trust + customer.anna.sign(
        "trust", trust)).returncode == 0
    assert ended(host, session.sid)["cause"] == "trust_changed"
    session.close()


def test_only_root_and_only_bundles(host):
    done = accept(host, "nothing like it\n")
    assert done.returncode == 1 and "bad_document" in done.stderr
    path = host.world.path("handed")
    done = host.world.inside(host.world.program("lockbox"), "host", "accept",
                             path, user="avm", check=False)
    assert done.returncode == 77


# --- leases --------------------------------------------------------------------


def test_a_broker_that_falls_silent_ends_it_at_the_lease(host):
    given = grant(host, soon(600))
    host.liar.reply = lambda q: host.liar.allow(q, given, good_until=soon(6))
    session = Session(host, "sleep 300")
    session.sid
    time.sleep(8) # renewed at half of it
    assert session.alive()
    host.liar.close()
    try:
        began = time.time()
        line = ended(host, session.sid, 15)
        assert line["cause"] == "lease_over"
        assert time.time() - began < 6 + LATE
        assert not session.alive()
        assert [e for e in events(host, "session.unconfirmed")
                if e["sid"] == str(session.sid)]
    finally:
        host.reopen_liar()
        session.close()


# --- crashes -------------------------------------------------------------------


def test_agent_killed_before_the_end_ends_it_on_restart(host):
    end = soon(5)
    allow(host, grant(host, end))
    session = Session(host, "nohup setsid sleep 300 >/dev/null 2>&1 & sleep 300")
    session.sid
    time.sleep(max(0, end - 1 - time.time()))
    assert session.alive()
    host.world.services["agent"].kill()
    time.sleep(2)
    assert session.alive(), "nobody was there to end it"
    host.world.start_agent()
    assert ended(host, session.sid)["cause"] == "expired"
    assert not session.alive()
    session.close()


@pytest.mark.parametrize("damage", ["missing", "unreadable"])
def test_a_lost_state_ends_whom_nobody_exempts(host, damage):
    canaries = Canaries(host)
    allow_by_login(host, avm=grant(host, soon(600)), deploy=canaries.grant)
    session = Session(host, "nohup setsid sleep 300 >/dev/null 2>&1 & sleep 300")
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


def test_broker_and_courier_killed_before_the_end(host):
    end = soon(5)
    allow(host, grant(host, end))
    session = Session(host, "sleep 300")
    session.sid
    time.sleep(max(0, end - 1 - time.time()))
    assert session.alive()
    host.liar.close()
    host.world.services["courier"].kill()
    try:
        assert ended(host, session.sid, 1 + LATE)["cause"] == "expired"
        assert not session.alive()
    finally:
        host.reopen_liar()
        host.world.start_courier()
        session.close()


# --- what people read -----------------------------------------------------------


def test_warnings_and_the_last_word_on_the_terminal(host):
    end = soon(7)
    given = grant(host, end)
    allow(host, given)
    session = Session(host, "sleep 300", tty=True, stdout=subprocess.PIPE)
    text = session.ssh.communicate(timeout=20)[0]
    assert text.count(f"lockbox grant extend {given.id[:23]}") == 2, text
    assert papers.stamp(end) in text
    assert "ends now" in text and "(expired)" in text
    warned = [e for e in events(host, "session.warned")
              if e["sid"] == str(session.sid)]
    assert [e["told"] for e in warned] == ["1", "1"]
    assert ended(host, session.sid)["grant"] == given.id


def test_a_warning_that_reaches_nobody_is_logged(host):
    end = soon(6)
    allow(host, grant(host, end))
    session = Session(host, "sleep 300")
    ended(host, session.sid, 10)
    warned = [e for e in events(host, "session.warned")
              if e["sid"] == str(session.sid)]
    assert [e["told"] for e in warned] == ["0", "0"]
    session.close()
