"""Whatever breaks, sessions end in time: never more than 5 s late.

Each session is first shown to live on, in the very state of things in which
it is then ended.
"""

import time

import pytest
from sessions import (
    LATE, STUBBORN, Canaries, Session, allow, allow_by_login, begin, ended,
    events, furnish, gone_after, grant, in_time, sleep_until, soon)
from stage import Stage

from world import World


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
