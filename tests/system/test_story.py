"""The main job end to end: real broker, host, people and sshd."""

import hashlib
import re
import sqlite3
import time

import pytest

from world import HOST, PEOPLE, TENANT, World

ID = re.compile(r"\b([0-9A-HJKMNP-TV-Z]{26})\b")


@pytest.fixture(scope="module")
def world(build):
    with World(build) as world:
        world.furnish()
        yield world


def ask(world, *more, login="avm", person="avm", endorse=True):
    """Ask and have it endorsed, or not; the request's id."""
    done = world.cli(person, "request", "create", "--tenant", TENANT, "--host",
                     HOST, "--login", login, "--duration", "30m", "--reason",
                     "Look at the slow queries", "--no-wait", *more)
    request = ID.search(done.stdout)[1]
    if endorse:
        world.cli("max", "request", "endorse", request, "--yes")
    return request


def is_in(world, login="avm", person="avm"):
    return world.ssh(person, login, "echo in").stdout == "in\n"


def grant_of(world, request):
    text = world.cli("avm", "request", "show", request, "--format",
                     "json").stdout
    return re.search(r'"grant": ?"(sha256:[0-9a-f]{64})"', text)[1]


def test_asked_approved_in_and_handed_back(world):
    assert not is_in(world)
    request = ask(world)
    assert not is_in(world)
    world.cli("anna", "request", "approve", request, "--yes")
    assert is_in(world)
    world.cli("avm", "grant", "return", grant_of(world, request), "--yes")
    assert not is_in(world)


def test_denied_and_revoked(world):
    request = ask(world)
    world.cli("bert", "request", "deny", request, "--reason", "Not today",
              "--yes")
    done = world.ssh("avm", "avm", "true")
    assert done.returncode == 255 and "Not today" in done.stderr
    request = ask(world)
    world.cli("anna", "request", "approve", request, "--yes")
    assert is_in(world)
    world.cli("anna", "grant", "revoke", grant_of(world, request), "--reason",
              "Enough", "--yes")
    assert not is_in(world)


def edited(world, grant, change):
    """Change a grant in the database as thoroughly as its owner could."""
    world.services["broker"].stop()
    db = sqlite3.connect(world.database)
    db.execute("PRAGMA foreign_keys = OFF")
    bundle, text_len = db.execute(
        "SELECT bundle, text_len FROM grant_ WHERE sha256 = ?",
        (grant,)).fetchone()
    text = change(bundle[:text_len])
    now = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    with db:
        db.execute("UPDATE grant_ SET bundle = ?, text_len = ?, sha256 = ? "
                   "WHERE sha256 = ?",
                   (text + bundle[text_len:], len(text), now, grant))
        db.execute("UPDATE approval SET grant_sha256 = ? "
                   "WHERE grant_sha256 = ?", (now, grant))
        db.execute("UPDATE request SET grant_sha256 = ? "
                   "WHERE grant_sha256 = ?", (now, grant))
        db.execute("DELETE FROM grant_door WHERE sha256 = ?", (grant,))
        until = int(time.time()) + 86400
        for login in ("avm", "deploy"):
            db.execute("INSERT INTO grant_door VALUES (?, ?, ?, ?, ?)",
                       (TENANT, HOST, login, until, now))
    db.close()
    world.start_broker()


def test_editing_the_database_opens_nothing(world):
    request = ask(world)
    world.cli("anna", "request", "approve", request, "--yes")
    assert is_in(world)
    edited(world, grant_of(world, request), lambda text: text)
    assert is_in(world), "an edit that changes nothing harms nothing"
    assert not is_in(world, login="deploy")
    edited(world, grant_of(world, request), lambda text: text.replace(
        "login: avm\n", "login: avm\nlogin: deploy\n"))
    assert not is_in(world, login="deploy")
    assert not is_in(world), "what was altered is worth nothing"


def test_lockbox_off_is_a_delegation_with_an_end(world):
    """The customer lets the provider's manager approve, for a while."""
    later = world.path("people", "anna", "acme-2.trust")
    world.cli("anna", "trust", "edit", world.trust, "--delegate",
              f"{PEOPLE['max']}={world.key('max')}.pub", "--delegate-until",
              "1h", "--output", later)
    world.cli("anna", "trust", "sign", later, "--pin", world.trust, "--key",
              world.key("anna"), "--yes")
    request = ask(world, login="eve", person="eve")
    done = world.cli("max", "request", "approve", request, "--yes", check=False)
    assert done.returncode != 0 and not is_in(world, "eve", "eve")
    world.cli("anna", "trust", "submit", later)
    world.cli("max", "request", "approve", request, "--yes")
    assert is_in(world, "eve", "eve")
