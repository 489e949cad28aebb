"""Who is in where, from a real host to a real broker: real sshd, agent,
courier and lockbox-broker. Whatever was away, the broker's record has it all,
in order, once.
"""

import json
import re
import signal
import sqlite3
import time

import papers
import pytest
from sessions import Session
from test_reports import written
from test_story import ask, grant_of

from world import HOST, World, wait_for


class Site:
    """A furnished world, as Session and the tests below want it."""

    def __init__(self, world):
        self.world = world

    def grant(self, approver="anna", login="avm"):
        request = ask(self.world, login=login)
        self.world.cli(approver, "request", "approve", request, "--yes")
        return grant_of(self.world, request)

    def sessions(self, *more):
        done = self.world.cli("anna", "session", "ls", "--format", "json", *more)
        return json.loads(done.stdout)

    def session(self, sid):
        for one in self.sessions("--all"):
            if one["session"] == sid:
                return one
        return None

    def reported(self):
        """What the broker's record has from this host, in its order."""
        db = sqlite3.connect(f"file:{self.world.database}?mode=ro", uri=True)
        rows = db.execute("SELECT text FROM event ORDER BY tenant, sequence")
        found = [papers.fields(text) for (text,) in rows]
        db.close()
        return [e for e in found if e.get("host") == HOST and
                (e["actor"] == "lockbox-agent" or
                 e["event"] == "host.report_gap")]

    def numbers(self):
        return [int(re.search(r"\breport=(\d+)", e["detail"])[1])
                for e in self.reported()]

    def lines(self, event, sid):
        """The host's syslog about a session."""
        return [line for line in self.world.syslog()
                if f'event="{event}"' in line and f'sid="{sid}"' in line]


@pytest.fixture(scope="module")
def site(build):
    with World(build) as world:
        world.furnish()
        yield Site(world)


@pytest.fixture
def grant(site):
    """Given back afterwards, whatever became of it."""
    grant = site.grant()
    yield grant
    site.world.cli("avm", "grant", "return", grant, "--yes", check=False)


def stay(site):
    """A session that ends when its ssh does."""
    return Session(site, "sleep 300", tty=True)


def live(site, sid, seconds=30):
    return wait_for("the session in 'lockbox session ls'", lambda: [
        s for s in site.sessions() if s["session"] == sid], seconds)[0]


def ended(site, sid, cause, seconds=60):
    def over():
        one = site.session(sid)
        return one and one["state"] == "ended" and one
    one = wait_for(f"session {sid} to be told as ended", over, seconds)
    assert one["cause"] == cause, one
    return one


def test_login_live_and_ended_with_its_cause(site, grant):
    session = Session(site, "sleep 300")
    one = live(site, session.sid)
    assert (one["host"], one["login"], one["service"], one["engineer"],
            one["grant"], one["state"]) == (
        HOST, "avm", "sshd", "avm@provider.example", grant, "live")
    site.world.cli("anna", "grant", "revoke", grant, "--reason", "Enough",
                   "--yes")
    ended(site, session.sid, "revoked")
    assert session.ssh.wait(10) != 0
    for event in ("session.opened", "session.ended"):
        [line] = site.lines(event, session.sid)
        assert f'grant="{grant}"' in line
        [report] = [e for e in site.reported() if e["event"] == event
                    and f"session={session.sid} " in e["detail"]]
        assert report["grant"] == grant
    assert re.search(r"\bkilled=[1-9]", report["detail"]), report
    assert site.numbers() == list(range(1, len(site.numbers()) + 1))


def test_who_leaves_has_closed(site, grant):
    session = stay(site)
    live(site, session.sid)
    session.close()
    one = ended(site, session.sid, "closed")
    assert one["grant"] == grant


def test_an_outage_of_everything_between(site, grant):
    """Broker stopped, courier killed, agent killed twice; decisions and ends
    of sessions meanwhile."""
    world = site.world
    inside = [stay(site) for _ in range(3)]
    sids = [session.sid for session in inside]
    for sid in sids:
        live(site, sid)
    before = len(site.reported())
    state = world.path("var-lib", "lockbox")
    world.services["broker"].stop()
    world.services["courier"].kill()
    for _ in range(3):
        assert world.ssh("avm", "avm", "true").returncode == 255
    inside[0].close()
    wait_for("its end", lambda: site.lines("session.ended", sids[0]), 40)
    written(state, before + 4)
    world.services["agent"].kill()
    inside[1].close()
    time.sleep(0.5)
    world.start_agent()
    wait_for("its end", lambda: site.lines("session.ended", sids[1]), 40)
    assert world.ssh("avm", "avm", "true").returncode == 255
    written(state, before + 7)
    world.services["agent"].kill()
    world.start_agent()
    world.start_broker()
    time.sleep(1)
    world.start_courier()
    for sid in sids[:2]:
        ended(site, sid, "closed")
    assert site.session(sids[2])["state"] == "live"
    events = [e["event"] for e in site.reported()[before:]]
    assert "host.report_gap" not in events
    assert events == 3 * ["login.decision"] + [
        "session.ended", "agent.started", "session.ended", "login.decision",
        "agent.started"], events
    causes = [re.search(r"cause=(\S+)", e["detail"])[1]
              for e in site.reported()[before:] if e["event"] == "login.decision"]
    assert set(causes) <= {"courier_unreachable", "broker_unreachable"}
    assert site.numbers() == list(range(1, len(site.numbers()) + 1))
    world.cli("avm", "grant", "return", grant, "--yes")
    ended(site, sids[2], "returned")


def test_a_host_that_was_started_anew(site, grant):
    """What lived before the boot is over."""
    world = site.world
    session = stay(site)
    live(site, session.sid)
    time.sleep(1)
    world.services["agent"].stop()
    state = world.path("var-lib", "lockbox", "state")
    text = re.sub(r"^boot: .*$", "boot: 00000000-0000-4000-8000-000000000000",
                  state.read_text(), flags=re.M)
    text = text[:text.rindex("sum: ")]
    state.write_text(text + f"sum: {papers.doc_id(text)}\n")
    world.start_agent()
    ended(site, session.sid, "rebooted")
    session.close()
    assert site.numbers() == list(range(1, len(site.numbers()) + 1))


def test_a_stopped_broker_slows_no_login_down(site, grant):
    """Reports wait beside questions, not before them: refused in time, and
    let in at once when it is back."""
    world = site.world
    assert world.ssh("avm", "avm", "echo in").stdout == "in\n"
    world.services["broker"].signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert world.ssh("avm", "avm", "true").returncode == 255
        assert time.monotonic() - began < 12
    finally:
        world.services["broker"].signal(signal.SIGCONT)
    assert world.ssh("avm", "avm", "echo in").stdout == "in\n"
    assert site.numbers() == list(range(1, len(site.numbers()) + 1))
