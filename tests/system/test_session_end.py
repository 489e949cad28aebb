"""Root at the host sees its sessions and ends one, without any broker.

The session that is ended is first shown to live, and its neighbours go on.
"""

import json
import subprocess
import time

import papers
import pytest
from sessions import (ESCAPES, Beating, Canaries, Session, allow_by_login,
                      ended, furnish, gone_after, grant, soon)
from stage import Stage

from world import World, wait_for


@pytest.fixture(scope="module")
def host(build):
    with World(build) as world:
        stage = Stage(world)
        furnish(stage)
        stage.begin()
        yield stage
        stage.liar.close()


def lockbox(stage, *arguments, user=None):
    return stage.world.inside(stage.world.program("lockbox"), *arguments,
                              user=user, check=False)


def listed(stage):
    done = lockbox(stage, "session", "ls", "--local", "--format", "json")
    assert done.returncode == 0, done.stderr
    return {s["sid"]: s for s in json.loads(done.stdout)}


def test_root_sees_who_is_in(host):
    done = lockbox(host, "session", "ls", "--local")
    assert done.returncode == 0 and "no sessions" in done.stderr
    end = soon(600)
    given = grant(host, end)
    canaries = Canaries(host)
    allow_by_login(host, avm=given, deploy=canaries.grant)
    session = Session(host, "sleep 300")
    assert session.alive()
    found = listed(host)
    assert set(found) == {session.sid, canaries.sid}
    one = found[session.sid]
    assert (one["login"], one["service"], one["engineer"], one["grant"]) == (
        "avm", "sshd", "avm@provider.example", given.id)
    assert one["ends_at"] == papers.stamp(end) and one["rhost"] == "127.0.0.1"
    assert not one["offline"] and one["ending"] == ""
    assert one["lease_end"] > papers.stamp(time.time())
    title, *rows = lockbox(host, "session", "ls",
                           "--local").stdout.splitlines()
    assert title.split() == ["SID", "LOGIN", "ENGINEER", "SERVICE", "FROM",
                             "SINCE", "UNTIL", "LEASE", "GRANT", "ENDING"]
    assert {row.split()[0] for row in rows} == {str(x) for x in found}
    done = lockbox(host, "session", "ls", "--local", user="avm")
    assert done.returncode == 77 and done.stdout == ""
    done = lockbox(host, "session", "ls", "--local", "--all")
    assert done.returncode == 2
    session.close()
    canaries.close()


def test_root_ends_exactly_one(host):
    """With all that an engineer may leave behind, and the broker is not asked."""
    given = grant(host, soon(600))
    canaries = Canaries(host)
    allow_by_login(host, avm=given, deploy=canaries.grant)
    sessions = {name: (Beating if name == "re-forks" else Session)(
        host, command) for name, command in ESCAPES.items()}
    for name, session in sessions.items():
        wait_for(f"'{name}' to live", session.alive)
    host.liar.close()
    try:
        while sessions:
            name, session = sessions.popitem()
            began = time.time()
            done = lockbox(host, "session", "end", session.sid, "--local",
                           "--yes")
            assert done.returncode == 0, (name, done.stderr)
            assert f"session {session.sid} has ended" in done.stdout
            assert gone_after({name: session}, began, 20)[name] is not None
            line = ended(host, session.sid)
            assert line["cause"] == line["code"] == "ended_by_root"
            assert line["grant"] == given.id
            canaries.check()
            wait_for("signs of the others", lambda: all(
                other.alive() for other in sessions.values()))
            session.close()
    finally:
        host.reopen_liar()
        canaries.close()


def test_its_grant_stays_good(host):
    given = grant(host, soon(600))
    allow_by_login(host, avm=given)
    session = Session(host, "sleep 300")
    assert lockbox(host, "session", "end", session.sid, "--local",
                   "--yes").returncode == 0
    assert not session.alive()
    again = Session(host, "sleep 300")
    assert again.alive()
    for closed in (session, again):
        closed.close()


def test_its_terminal_is_told(host):
    allow_by_login(host, avm=grant(host, soon(600)))
    session = Session(host, "sleep 300", tty=True, stdout=subprocess.PIPE)
    assert session.alive()
    assert lockbox(host, "session", "end", session.sid, "--local",
                   "--yes").returncode == 0
    text = session.ssh.communicate(timeout=20)[0]
    assert "ends now" in text and "(ended_by_root)" in text


def test_what_is_refused(host):
    allow_by_login(host, avm=grant(host, soon(600)))
    session = Session(host, "sleep 300")
    sid = session.sid
    for wrong, code in ((sid + 100000, 1), (1, 1), (0, 2), (-1, 2),
                        ("x", 2), ("4294967295", 2), (f"0{sid}", 2),
                        (2**32 + sid, 2)):
        done = lockbox(host, "session", "end", "--local", "--yes", "--",
                       wrong)
        assert done.returncode == code, (wrong, done.stderr)
        assert done.stdout == ""
    done = lockbox(host, "session", "end", sid, "--local", "--yes",
                   user="avm")
    assert done.returncode == 77
    done = lockbox(host, "session", "end", sid, "--local") # nobody says yes
    assert done.returncode == 1 and "nothing was ended" in done.stderr
    done = lockbox(host, "session", "end", sid, "--local", "--reason", "x")
    assert done.returncode == 2
    assert session.alive()
    assert lockbox(host, "session", "end", sid, "--local",
                   "--yes").returncode == 0
    done = lockbox(host, "session", "end", sid, "--local", "--yes")
    assert done.returncode == 1 and "no session" in done.stderr
    host.world.services["agent"].stop()
    try:
        done = lockbox(host, "session", "ls", "--local")
        assert done.returncode == 69
    finally:
        host.world.start_agent()
    session.close()
