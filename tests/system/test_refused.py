"""What a refused engineer reads under plain ssh: three lines, and a way on."""

import json
import shlex
import time
from datetime import datetime

import pytest
from test_story import ID, ask, grant_of, is_in

from world import HOST, TENANT, World, wait_for


@pytest.fixture(scope="module")
def world(build):
    with World(build) as world:
        world.furnish({"rate_request": 1000})
        # From now on ssh knows the host, and says nothing of it.
        for port in (world.ssh_port, world.ssh_port_kbdint):
            assert world.ssh("avm", "avm", "true", port=port).returncode == 255
        yield world


def shown(world, request):
    return json.loads(world.cli("avm", "request", "show", request, "--format",
                                "json").stdout)


def let_in_and_back(world, request):
    world.cli("anna", "request", "approve", request, "--yes")
    assert is_in(world)
    world.cli("avm", "grant", "return", grant_of(world, request), "--yes")


def ask_again(world):
    """Ask, but not in the second of the request before: of two that are over
    the door speaks of the newer, and times are whole seconds."""
    second = int(time.time())
    wait_for("the next second", lambda: int(time.time()) > second)
    return ask(world)


def refused(world, code, port=None):
    """What ssh printed but for its own last word: why, and what to do."""
    before = len(world.syslog())
    done = world.ssh("avm", "avm", "true", port=port)
    assert (done.returncode, done.stdout) == (255, "")
    # Before its last word ssh ends keyboard-interactive with an empty line.
    said = [line for line in done.stderr.splitlines() if line]
    assert said[-1].startswith("Connection closed by "), said
    assert len(said) == 4, said
    [line] = wait_for("the decision's line", lambda: [
        x for x in world.decisions(before) if x["event"] == "login.decision"])
    assert (line["decision"], line["code"]) == ("deny", code)
    assert said[2] == f"reference: {line['ref']} ({code})"
    start = f"lockbox: {TENANT}: "
    assert said[0].startswith(start), said
    return said[0].removeprefix(start), said[1]


def follow(world, text):
    """Run the command that stands behind a colon, as it stands there."""
    command = shlex.split(text.partition(": ")[2])
    assert command[0] == "lockbox"
    return world.cli("avm", *command[1:], *(
        ["--no-wait"] if "create" in command else []))


CREATE = ("ask with: lockbox request create --tenant "
          f"{TENANT} --host {HOST} --login avm --reason '...'")


def test_nobody_asked(world):
    why, way = refused(world, "no_grant")
    assert why == f"avm on {HOST}: nobody asked for this login yet"
    assert way == CREATE
    assert refused(world, "no_grant", world.ssh_port_kbdint) == (why, way)
    request = ID.search(follow(world, way).stdout)[1]
    world.cli("max", "request", "endorse", request, "--yes")
    let_in_and_back(world, request)


def test_waiting_for_whom_and_until_when(world):
    request = ask(world, endorse=False)
    asked = shown(world, request)
    why, way = refused(world, "pending_endorsement")
    assert why == (f"avm on {HOST}: request {asked['code']} waits for a manager "
                   f"to endorse it until {asked['lapses_at']}")
    assert way == "see how it stands: lockbox request ls"
    assert request in follow(world, way).stdout

    world.cli("max", "request", "endorse", request, "--yes")
    asked = shown(world, request)
    why, way = refused(world, "pending_approval")
    assert why == (f"avm on {HOST}: request {asked['code']} waits for approval "
                   "by anna@acme.example, bert@acme.example until "
                   f"{asked['lapses_at']}")
    assert way == "see how it stands: lockbox request ls"
    let_in_and_back(world, request)


def test_denied_with_the_reason(world):
    request = ask_again(world)
    world.cli("bert", "request", "deny", request, "--reason",
              "Not while we close the books", "--yes")
    why, way = refused(world, "denied")
    assert why == (f"avm on {HOST}: request {shown(world, request)['code']} was "
                   "denied by bert@acme.example: Not while we close the books")
    assert way == CREATE
    let_in_and_back(world, ask(world))


def test_the_time_is_over(world):
    let_in_and_back(world, ask(world))
    request = ask_again(world)
    world.cli("anna", "request", "approve", request, "--duration", "1s", "--yes")
    grant = json.loads(world.cli("avm", "grant", "show", grant_of(
        world, request), "--format", "json").stdout)
    end = datetime.fromisoformat(grant["not_after"]).timestamp()
    wait_for("the end", lambda: time.time() > end + 0.1)
    why, way = refused(world, "expired")
    assert why == (f"avm on {HOST}: request {shown(world, request)['code']} was "
                   f"approved until {grant['not_after']}, which is over")
    assert way == CREATE


def test_the_broker_is_out_of_reach(world):
    request = ask(world)
    world.cli("anna", "request", "approve", request, "--yes")
    assert is_in(world)
    world.services["broker"].stop()
    try:
        why, way = refused(world, "broker_unreachable")
    finally:
        world.start_broker()
    assert why == ("the broker is out of reach, nobody can be let in as avm on "
                   f"{HOST}")
    assert way == ("try again in a minute; if it stays so, tell the host's "
                   "administrator")
    assert is_in(world)
    world.cli("avm", "grant", "return", grant_of(world, request), "--yes")
