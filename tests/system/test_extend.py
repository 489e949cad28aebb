"""More time without a gap, and two grants side by side: the real broker.

Asked, endorsed and approved with lockbox; a real sshd; sessions that go on.
"""

import calendar
import json
import re
import subprocess
import threading
import time

import pytest
from sessions import Session, ended, events, members

from world import HOST, TENANT, World, wait_for

ID = re.compile(r"\b([0-9A-HJKMNP-TV-Z]{26})\b")


class Door:
    """What the helpers of sessions.py want to know."""

    def __init__(self, world):
        self.world = world
        self.lead = 30 # seconds before the end that terminals are warned
        self.first = 60 # seconds of a first grant

    def take_time(self):
        """Time to ask for more, also on a busy machine."""
        began = time.time()
        approve(self, ask(self, "avm", "10m"))
        took = int(time.time() - began)
        self.lead += 4 * took
        self.first = self.lead + 30 + 6 * took
        conf = self.world.path("etc", "lockbox", "agent.conf")
        conf.write_text(conf.read_text() + f"warn = {self.lead}s 10s\n")
        self.world.services["agent"].stop()
        self.world.start_agent()


@pytest.fixture(scope="module")
def door(build):
    with World(build) as world:
        world.furnish()
        # One engineer asks as often here as others do in a day.
        conf = world.path("broker", "lockbox", "broker.conf")
        conf.write_text(conf.read_text() + "rate_request = 2000\n")
        world.services["broker"].stop()
        world.start_broker()
        door = Door(world)
        door.take_time()
        tidy_up(door)
        yield door


@pytest.fixture(autouse=True)
def tidy(door):
    yield
    tidy_up(door)


def tidy_up(door):
    for item in cli_json(door, "avm", "grant", "ls"):
        if item["state"] == "active":
            door.world.cli("avm", "grant", "return", item["id"])


def cli_json(door, person, *arguments):
    return json.loads(door.world.cli(person, *arguments, "--format",
                                     "json").stdout)


def approve(door, done, *narrow):
    """What was asked, endorsed and approved: the grant."""
    request = ID.search(done.stdout)[1]
    door.world.cli("max", "request", "endorse", request, "--yes")
    door.world.cli("anna", "request", "approve", request, *narrow, "--yes")
    return cli_json(door, "avm", "grant", "show", request)


def ask(door, login="avm", duration="30m", services=("sshd", "sudo"), *more):
    return door.world.cli(
        "avm", "request", "create", "--tenant", TENANT, "--host", HOST,
        "--login", login, "--duration", duration,
        *(x for s in services for x in ("--service", s)),
        "--reason", "replica lag", "--no-wait", *more)


def first(door, login="avm", less=0):
    """A grant that ends soon."""
    return approve(door, ask(door, login), "--duration",
                   f"{door.first - less}s")


def at(stamp):
    return calendar.timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))


def extend(door, grant, *narrow):
    """As the warning says, and approved; perhaps for less."""
    done = door.world.cli("avm", "grant", "extend", grant["id"][:23],
                          "--duration", "20m", "--reason", "it takes longer",
                          "--no-wait")
    return approve(door, done, *narrow)


def moved(door, session):
    return [e for e in events(door, "session.extended")
            if e["sid"] == str(session.sid)]


class Terminal(Session):
    """A session with a terminal that is read."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, tty=True, stdout=subprocess.PIPE,
                         **options)
        self.text = ""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while part := self.ssh.stdout.read(1):
            self.text += part


def test_without_a_gap_and_not_by_less(door):
    """One session is extended as it was told to ask for, one for less than it
    has: the first lives on past the end of its grant, the other does not."""
    one, other = first(door), first(door, "deploy")
    session, lesser = Terminal(door, "sleep 900"), Terminal(
        door, "sleep 900", "deploy")
    assert session.alive() and lesser.alive()
    before = members(session.sid)
    asked = f"lockbox grant extend {one['id'][:23]}"
    wait_for("the warning", lambda: asked in session.text, door.first + 20)
    longer = extend(door, one)
    less = extend(door, other, "--service", "sshd")
    assert at(longer["not_after"]) > at(one["not_after"]) + 600
    assert at(less["not_after"]) > at(other["not_after"]) + 600
    [line] = wait_for("the line", lambda: moved(door, session))
    assert line["grant"] == longer["id"]
    assert line["before"] == one["not_after"]
    assert line["not_after"] == longer["not_after"]
    assert time.time() < at(one["not_after"]), "too slow to show anything"
    line = ended(door, lesser.sid, door.first + 20)
    assert (line["cause"], line["grant"]) == ("expired", other["id"])
    assert not moved(door, lesser) and not lesser.alive()
    time.sleep(max(0, at(one["not_after"]) + 6 - time.time()))
    assert members(session.sid) == before, "it is the very same session"
    assert "ends now" not in session.text and "ends now" in lesser.text
    # Its warnings moved, too: none came since.
    [here] = [s for s in json.loads(door.world.inside(
        door.world.program("lockbox"), "session", "ls", "--local", "--format",
        "json").stdout) if s["sid"] == session.sid]
    assert here["ends_at"] == longer["not_after"]
    assert here["grant"] == longer["id"]
    # A sudo is allowed by the extension; revoking that ends all of it.
    done = door.world.cli("anna", "grant", "revoke", longer["id"], "--yes")
    assert done.returncode == 0
    assert ended(door, session.sid, 20)["cause"] == "revoked"
    assert not session.alive() and "ends now" in session.text
    session.close()
    lesser.close()


def test_it_ends_at_the_seconds_end(door):
    one = first(door, less=20)
    session = Session(door, "sleep 900")
    assert session.alive()
    # From the approval on: it must reach beyond the first.
    left = at(one["not_after"]) - int(time.time())
    longer = extend(door, one, "--duration", f"{left + 15}s")
    wait_for("the line", lambda: moved(door, session), 30)
    end = at(longer["not_after"])
    assert end > at(one["not_after"])
    time.sleep(max(0, at(one["not_after"]) + 3 - time.time()))
    assert session.alive() and time.time() < end
    line = ended(door, session.sid, end - time.time() + 20)
    assert (line["cause"], line["grant"]) == ("expired", longer["id"])
    warned = [e for e in events(door, "session.warned")
              if e["sid"] == str(session.sid)]
    assert {e["not_after"] for e in warned} >= {longer["not_after"]}
    session.close()


def test_a_denied_extension_changes_nothing(door):
    one = first(door, less=20)
    session = Session(door, "sleep 900")
    assert session.alive()
    done = door.world.cli("avm", "grant", "extend", one["id"], "--duration",
                          "20m", "--reason", "it takes longer", "--no-wait")
    request = ID.search(done.stdout)[1]
    door.world.cli("max", "request", "endorse", request, "--yes")
    door.world.cli("anna", "request", "deny", request, "--yes")
    time.sleep(2)
    assert session.alive()
    line = ended(door, session.sid, door.first + 20)
    assert line["cause"] == "expired" and not moved(door, session)
    session.close()


def test_revoking_one_of_two_grants(door):
    """Two grants of one login, neither of which can take the other's place."""
    wide = approve(door, ask(door, duration="10m"))
    on_wide = Session(door, "sleep 900")
    assert on_wide.alive()
    narrow = approve(door, ask(door, "avm", "2h", ("sshd",)))
    on_narrow = Session(door, "sleep 900") # it lasts longer, so it lets in
    assert on_narrow.alive()
    sudo = door.world.ssh("avm", "avm", "sudo -n id -un")
    assert sudo.stdout == "root\n"
    sessions = {on_wide.sid: wide["id"], on_narrow.sid: narrow["id"]}
    here = json.loads(door.world.inside(
        door.world.program("lockbox"), "session", "ls", "--local", "--format",
        "json").stdout)
    assert {s["sid"]: s["grant"] for s in here if s["sid"] in sessions} == \
        sessions
    door.world.cli("anna", "grant", "revoke", wide["id"], "--yes")
    line = ended(door, on_wide.sid, 20)
    assert (line["cause"], line["grant"]) == ("revoked", wide["id"])
    time.sleep(3)
    assert not on_wide.alive() and on_narrow.alive()
    door.world.cli("anna", "grant", "revoke", narrow["id"], "--yes")
    assert ended(door, on_narrow.sid, 20)["grant"] == narrow["id"]
    assert not on_narrow.alive()
    on_wide.close()
    on_narrow.close()


def test_a_sudo_rests_on_its_grant_too(door):
    """Revoking the grant that allowed the sudo ends the session it was in."""
    narrow = approve(door, ask(door, "avm", "2h", ("sshd",)))
    wide = approve(door, ask(door))
    plain = Session(door, "sleep 900")
    root = Session(door, "sudo -n sleep 900")
    assert plain.alive()
    wait_for("the sudo", lambda: len(members(root.sid)) > len(
        members(plain.sid)))
    door.world.cli("anna", "grant", "revoke", wide["id"], "--yes")
    assert ended(door, root.sid, 20)["cause"] == "revoked"
    time.sleep(3)
    assert not root.alive() and plain.alive()
    door.world.cli("anna", "grant", "revoke", narrow["id"], "--yes")
    assert ended(door, plain.sid, 20)["cause"] == "revoked"
    plain.close()
    root.close()
