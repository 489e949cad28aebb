"""While the broker is away: grants that root handed over, and nothing else.

Every refusal stands beside the login that is let in through the same path: a
real sshd, module and agent, and nobody where the broker was.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import papers
import pytest
from papers import stamp
from sessions import (Session, accept, allow, deny, ended, events, in_time,
                      revoke, sleep_until, soon, watched)
from stage import Stage

from world import TOP, World, wait_for


@pytest.fixture(scope="module")
def stage(build):
    with World(build) as world:
        yield (stage := Stage(world))
        stage.liar.close()


@pytest.fixture
def host(stage):
    """A host whose customer says offline: allow; the broker is there."""
    stage.begin()
    stage.pin(stage.customer.trust(offline="allow"))
    return stage


@contextlib.contextmanager
def away(stage):
    """Nobody listens where the broker was."""
    stage.liar.close()
    try:
        yield
    finally:
        stage.reopen_liar()


def grant(stage, end=None, key=None, approver=None, request_knobs=None,
          **knobs):
    return stage.customer.grant(
        key or stage.avm, approver or stage.customer.bert,
        not_after=stamp(end or soon(600)),
        request_knobs={"login": ["avm"], "service": ["sshd", "sudo"],
                       **(request_knobs or {})}, **knobs)


def hand(stage, *grants, with_request=True):
    """Root hands them over, and they are taken."""
    done = accept(stage, "".join(g.parts(with_request) for g in grants))
    assert done.returncode == 0, done.stderr
    assert f" {len(grants)} grants" in done.stdout
    return done


def entered(stage, given):
    """A session by a grant that is handed over for it."""
    hand(stage, given)
    session = Session(stage, "sleep 300")
    assert session.sid
    return session


def gets_in(stage, **attempt):
    got_in, lines = stage.login(**attempt)
    codes = [line["code"] for line in lines if line.get("decision") == "deny" or
             line["event"] == "session.refused"]
    return got_in, codes[-1] if codes else None


def is_let_in(stage, **attempt):
    got_in, code = gets_in(stage, **attempt)
    assert got_in, f"the control was refused: {code}"


def is_refused(stage, *wanted, **attempt):
    got_in, code = gets_in(stage, **attempt)
    assert not got_in, "IT GOT IN"
    assert code in wanted, f"refused for {code}, not {wanted}"


# --- the way in -----------------------------------------------------------------


def test_let_in_while_the_broker_is_away(host):
    given = grant(host)
    host.refused("no_grant", deny(host, "no_grant"))
    with away(host):
        is_refused(host, "broker_unreachable")
        hand(host, given)
        before = len(host.world.syslog())
        done = host.world.ssh("avm", "avm", "sudo -n id -un")
        assert done.stdout == "root\n", done.stderr
        time.sleep(0.2)
        lines = host.world.decisions(before)
        assert {line["code"] for line in lines
                if line.get("decision") == "allow"} == \
            {"granted_offline", "granted"}
        opened = [x for x in lines if x["code"] == "granted_offline"]
        assert all(x["grant"] == given.id for x in opened if x.get("grant"))
    host.refused("no_grant", deny(host, "no_grant"))


def test_its_user_is_told(host):
    end = soon(600)
    given = grant(host, end)
    line = host.world.ssh_command("avm", "avm")
    with away(host):
        hand(host, given)
        done = subprocess.run([line[0], "-tt", *line[1:]], input="exit\n",
                              env=host.world.person_env("avm"), text=True,
                              capture_output=True, check=False, timeout=30)
        assert f"handed to this host, until {stamp(end)}" in done.stdout, \
            (done.stdout, done.stderr)
        session = Session(host, "sleep 300")
        assert session.alive()
        time.sleep(1.2)
        state = (host.state / "state").read_text()
        assert "\noffline: 1\n" in state and f"\nhanded: {given.id} " in state
        session.close()


def test_handed_over_again_changes_nothing(host):
    given = grant(host)
    hand(host, given)
    time.sleep(1.5)
    before = (host.state / "state").read_text()
    assert f"\nhanded: {given.id} " in before
    done = accept(host, given.parts())
    assert done.returncode == 1 and "nothing in it is new" in done.stderr
    time.sleep(1.5)
    assert (host.state / "state").read_text() == before


def test_it_survives_a_restart(host):
    hand(host, grant(host))
    with away(host):
        session = Session(host, "sleep 300")
        assert session.alive()
        time.sleep(1.5)
        host.world.services["agent"].kill()
        host.world.start_agent()
        is_let_in(host)
        time.sleep(2)
        assert session.alive()
        session.close()


@pytest.mark.parametrize("how", ["silent", "failing", "not its certificate",
                                 "no courier", "a courier that hangs"])
def test_ways_to_be_away(host, how):
    hand(host, grant(host))
    host.liar.reply = deny(host, "no_grant")
    is_refused(host, "no_grant")
    if how == "silent":
        host.liar.reply = lambda q: time.sleep(8) or ""
        is_let_in(host)
    elif how == "failing":
        host.liar.status = 503
        try:
            is_let_in(host)
        finally:
            host.liar.status = 200
    elif how == "not its certificate":
        host.liar.close()
        host.reopen_liar("elsewhere")
        try:
            is_let_in(host)
        finally:
            host.liar.close()
            host.reopen_liar()
    elif how == "a courier that hangs":
        host.world.services["courier"].signal(signal.SIGSTOP)
        try:
            is_let_in(host)
        finally:
            host.world.services["courier"].signal(signal.SIGCONT)
    else:
        host.world.services["courier"].stop()
        try:
            is_let_in(host)
        finally:
            host.world.start_courier()


def other_signature(stage):
    return lambda q: stage.liar.signed(papers.answer(q, "deny", "no_grant"),
                                       papers.Ed25519())


@pytest.mark.parametrize("name,codes,reply", [
    ("a deny", ("no_grant",), lambda s: deny(s, "no_grant")),
    ("a stop", ("returned",), lambda s: deny(s, "returned")),
    ("a pending", ("pending_approval",), lambda s: lambda q: s.liar.signed(
        papers.answer(q, "pending", "pending_approval"))),
    ("a deny that somebody else signed", ("answer_signature",),
     other_signature),
    ("nothing", ("answer_missing",), lambda s: lambda q: ""),
    ("garbage", ("broker_garbage",), lambda s: lambda q: "x\n"),
    ("too much", ("broker_too_large",), lambda s: lambda q: "x" * 131073),
    ("an allow of an hour ago", ("clock_skew",), lambda s: lambda q:
     s.liar.allow(q, grant(s), now=time.time() - 3600)),
], ids=lambda x: x if isinstance(x, str) else "")
def test_a_broker_that_answers_is_not_away(host, name, codes, reply):
    """However bad its answer: who can send that can be silent as well, and an
    honest broker that is away never does."""
    hand(host, grant(host))
    with away(host):
        is_let_in(host)
    host.liar.reply = reply(host)
    is_refused(host, *codes)


@pytest.mark.parametrize("status", [302, 401, 403, 404, 429])
def test_a_broker_that_refuses_the_host_is_not_away(host, status):
    hand(host, grant(host))
    with away(host):
        is_let_in(host)
    host.liar.status = status
    try:
        is_refused(host, "broker_refused")
    finally:
        host.liar.status = 200


# --- what is not kept ------------------------------------------------------------


def not_kept(stage, code, given, with_request=True):
    """Beside one that is; and it opens nothing."""
    done = accept(stage, given.parts(with_request))
    assert done.returncode == 1 and f"({code})" in done.stderr, \
        (done.stdout, done.stderr)
    time.sleep(1.2)
    assert f"\nhanded: {given.id} " not in (stage.state / "state").read_text()


def over():
    return {"not_before": stamp(soon(-600)), "end": soon(-1),
            "issued": stamp(soon(-600))}


@pytest.mark.parametrize("code,change", [
    ("grant_host", {"request_knobs": {"host": ["other1"]}}),
    ("grant_tenant", {"request_knobs": {"tenant": "globex"}}),
    ("grant_broker", {"request_knobs": {"broker": "rival"}}),
    ("grant_over", None),
])
def test_not_for_this_host(host, code, change):
    not_kept(host, code, grant(host, **(change if change else over())))
    with away(host):
        is_refused(host, "broker_unreachable")
        hand(host, grant(host))
        is_let_in(host)


def test_offline_deny(host):
    given = grant(host)
    host.pin(host.customer.trust())
    not_kept(host, "offline_denied", given)
    with away(host):
        is_refused(host, "broker_unreachable")
        host.pin(host.customer.trust(offline="allow"))
        hand(host, given)
        is_let_in(host)


def test_not_enough_approvals(host):
    given = grant(host)
    given.signatures = []
    done = accept(host, given.parts())
    assert done.returncode == 1 and "nothing in it is new" in done.stderr
    not_kept(host, "approvals_missing",
             grant(host, approver=papers.Ed25519()))
    not_kept(host, "approvals_missing", grant(host, approver=host.liar.key))
    altered = grant(host)
    altered.text = altered.text.replace("login: avm", "login: avm\nlogin: root")
    not_kept(host, "approval_signature", altered)
    hand(host, grant(host))


def test_the_engineers_own_approval(host):
    customer = host.customer
    host.pin(customer.trust(offline="allow", approver=[
        customer.anna.pinned("anna@acme.example", "approve", "trust"),
        host.avm.pinned("anton@acme.example", "approve")]))
    not_kept(host, "approval_own", grant(host, approver=host.avm))
    with away(host):
        is_refused(host, "broker_unreachable")
        hand(host, grant(host, approver=customer.anna))
        is_let_in(host)


def test_the_engineers_request_where_it_is_needed(host):
    host.pin(host.customer.trust(offline="allow", engineer=[
        host.avm.pinned("avm@provider.example", "request")]))
    given = grant(host)
    not_kept(host, "request_missing", given, with_request=False)
    stranger = papers.Ed25519()
    other = host.customer.grant(
        host.avm, host.customer.bert,
        request=host.customer.request(host.avm, sign_with=stranger))
    not_kept(host, "request_unsigned", other)
    with away(host):
        is_refused(host, "broker_unreachable")
        hand(host, given)
        is_let_in(host)


def test_a_delegation_past_its_end(host):
    boss = papers.Ed25519()

    def make(until):
        host.pin(host.customer.trust(
            offline="allow", delegate=[boss.pinned("max@provider.example",
                                                   "approve")],
            delegate_until=stamp(until)))
        return entered(host, grant(host, approver=boss))

    with away(host):
        until, session = in_time(8, make)
        assert session.alive()
        assert ended(host, session.sid, 300)["cause"] == "expired"
        assert time.time() >= until
        is_refused(host, "broker_unreachable", "delegation_over",
                   "approvals_missing")
        session.close()
    not_kept(host, "delegation_over", grant(host, approver=boss))


def test_no_more_than_may_be_kept(host):
    many = [grant(host, soon(600 + n)) for n in range(65)]
    for n in range(0, 64, 16):
        hand(host, *many[n:n + 16])
    not_kept(host, "too_many", many[64])


# --- what is kept, and does not open --------------------------------------------


def test_another_login_or_key(host):
    hand(host, grant(host, request_knobs={"login": ["deploy"]}))
    with away(host):
        is_let_in(host, login="deploy")
        is_refused(host, "broker_unreachable")
        is_refused(host, "grant_key", login="deploy", person="eve")


def test_another_key_among_both(host):
    """At a site where sshd tells no key before the session."""
    hand(host, grant(host, request_knobs={"login": ["deploy"]}))
    port = host.world.ssh_port_kbdint
    with away(host):
        is_let_in(host, login="deploy", port=port)
        is_refused(host, "grant_key", login="deploy", person="eve", port=port)
        is_refused(host, "key_unknown", login="deploy", password=True,
                   port=host.world.ssh_port_password)


def test_another_service(host):
    hand(host, grant(host, request_knobs={"service": ["sshd"]}))
    with away(host):
        is_let_in(host)
        before = len(host.world.syslog())
        assert host.world.ssh("avm", "avm", "sudo -n true").returncode != 0
        time.sleep(0.2)
        assert host.world.decisions(before)[-1]["code"] == \
            "service_not_granted"


def test_not_before_its_time(host):
    seconds, begins = 8, 0
    with away(host):
        while time.time() >= begins: # too slow to show anything
            seconds *= 2
            begins = soon(seconds)
            host.pin(host.customer.trust(offline="allow"))
            hand(host, grant(host, not_before=stamp(begins)))
            got_in, code = gets_in(host)
        assert (got_in, code) == (False, "grant_not_yet")
        sleep_until(begins + 0.5)
        is_let_in(host)


def test_not_after_its_time(host):
    with away(host):
        end, session = in_time(8, lambda end: entered(host, grant(host, end)))
        assert session.alive()
        line = ended(host, session.sid, 300)
        assert line["cause"] == "expired" and time.time() >= end
        wait_for("it to be forgotten", lambda: "\nhanded: " not in (
            host.state / "state").read_text(), 60)
        is_refused(host, "broker_unreachable")
        session.close()


def test_never_a_mix_of_two(host):
    hand(host, grant(host, request_knobs={"service": ["sudo"]}))
    with away(host):
        is_refused(host, "grant_service")
        hand(host, grant(host, request_knobs={"service": ["sshd"]}))
        is_let_in(host)


@pytest.mark.parametrize("how", ["revoke", "deny"])
def test_closed_by_the_customer(host, how):
    given, other = grant(host), grant(host, soon(500))
    hand(host, given)
    closing = revoke(host, given) if how == "revoke" else \
        given.request + host.customer.anna.sign("deny", given.request)
    with away(host):
        session = Session(host, "sleep 300")
        assert session.alive()
        done = accept(host, closing)
        assert done.returncode == 0 and "1 sessions end" in done.stdout
        assert ended(host, session.sid)["cause"] == "revoked"
        is_refused(host, "broker_unreachable")
        not_kept(host, {"revoke": "grant_revoked",
                        "deny": "request_denied"}[how], given)
        hand(host, other)
        is_let_in(host)
        session.close()


# --- with stock ssh-keygen ----------------------------------------------------------


def recipe():
    """The commands of doc/operations.md, block by block."""
    text = (TOP / "doc" / "operations.md").read_text()
    section = text.split("## While the broker is away\n")[1].split("\n## ")[0]
    return re.findall(r"^```\n(.*?)^```", section, re.M | re.S)


def test_the_recipe_of_the_documentation(host, tmp_path):
    export, ask, approve, take, take_back = recipe()
    assert export.startswith("lockbox grant export")
    keys = {"engineer": host.avm, "approver": host.customer.bert}

    def shell(who, script):
        ssh = tmp_path / who / ".ssh"
        ssh.mkdir(parents=True, exist_ok=True)
        path = keys[who].save(ssh / "id_ed25519")
        Path(f"{path}.pub").write_text(keys[who].public() + "\n")
        subprocess.run(["bash", "-euc", script], cwd=tmp_path, check=True,
                       stdin=subprocess.DEVNULL, capture_output=True,
                       env={**os.environ, "HOME": str(tmp_path / who)})

    def root(line):
        """Root's command, with the file where the host can see it."""
        name = line.split()[-1]
        return accept(host, (tmp_path / name).read_text())

    host.pin(host.customer.trust(offline="allow", engineer=[
        host.avm.pinned("avm@provider.example", "request")]))
    shell("engineer", ask)
    shell("approver", approve)
    assert take == "lockbox host accept grant.bundle\n"
    with away(host):
        is_refused(host, "broker_unreachable", login="deploy")
        done = root(take)
        assert done.returncode == 0 and " 1 grants" in done.stdout, done.stderr
        session = Session(host, "sudo -n sleep 300", "deploy")
        assert session.alive()
        shell("approver", take_back)
        done = root("lockbox host accept revoke.bundle")
        assert done.returncode == 0, done.stderr
        assert ended(host, session.sid)["cause"] == "revoked"
        session.close()


# --- while a session lives ----------------------------------------------------------


def successor(stage, **knobs):
    """The next trust document, signed."""
    text = stage.customer.trust(**{
        "serial": 2, "previous": papers.doc_id(stage.trust), **knobs})
    return text + stage.customer.anna.sign("trust", text)


@pytest.mark.parametrize("by", ["root", "broker"])
def test_new_trust_that_does_not_let(host, by):
    hand(host, grant(host))
    with away(host):
        session = Session(host, "sleep 300")
        assert session.alive()
        if by == "root":
            # The control: another change of trust ends nothing.
            same = successor(host, offline="allow", lease=900)
            assert accept(host, same).returncode == 0
            time.sleep(1)
            assert session.alive()
            text = host.customer.trust(serial=3, previous=papers.doc_id(
                papers.split(same)[0][0]))
            done = accept(host, text + host.customer.anna.sign("trust", text))
            assert done.returncode == 0, done.stderr
        else:
            host.liar.reply = deny(host, "trust_first", successor(host))
            host.reopen_liar()
        line = ended(host, session.sid, 60)
        assert (line["cause"], line["code"]) == \
            ("trust_changed", "offline_denied")
        if by == "broker":
            host.liar.close()
        is_refused(host, "broker_unreachable")
        session.close()


def test_a_broker_that_comes_back_ends_nothing(host):
    """Its word alone; what the customer signed does, whoever brings it."""
    given = grant(host)
    hand(host, given)
    with away(host):
        session = Session(host, "sleep 300")
        assert session.alive()
        host.liar.reply = deny(host, "no_grant")
    for reply in (deny(host, "no_grant"), deny(host, "returned"),
                  lambda q: host.liar.allow(q, grant(host, soon(300)))):
        [old] = wait_for("a watch", lambda: list(host.liar.waiting), 90)
        host.liar.tell(reply)
        wait_for("another", lambda: host.liar.waiting not in ([], [old]), 90)
        time.sleep(1)
        assert session.alive()
    wait_for("a watch", lambda: host.liar.waiting, 90)
    host.liar.tell(deny(host, "revoked", revoke(host, given)))
    assert ended(host, session.sid, 30)["cause"] == "revoked"
    session.close()


def test_no_broker_shortens_its_lease(host):
    """The trust document's lease is for answers."""
    host.pin(host.customer.trust(offline="allow", lease=600))
    hand(host, grant(host, soon(3000)))
    with away(host):
        session = Session(host, "sleep 300")
        sid = session.sid
        time.sleep(1.5)
        text = (host.state / "state").read_text()
        record = text[text.index(f"\nsession: {sid}\n"):]
        lines = dict(line.split(": ", 1) for line in record.split("\n")[1:14])
        assert lines["lease"] == lines["deadline"]
        assert int(lines["lease"]) > soon(2900)
        session.close()


def test_a_longer_one_handed_over_extends_it(host):
    def extended(session):
        return [e for e in events(host, "session.extended")
                if e["sid"] == str(session.sid)]

    def make(end):
        session = entered(host, grant(host, end))
        hand(host, grant(host, end + 300, request_knobs={"service": ["sshd"]}))
        time.sleep(0.3)
        assert not extended(session), "it lists less"
        session.longer = grant(host, end + 600)
        hand(host, session.longer)
        return session

    with away(host):
        end, session = in_time(9, make)
        wait_for("the line", lambda: extended(session))
        sleep_until(end + 2)
        assert session.alive()
        assert accept(host, revoke(host, session.longer)).returncode == 0
        assert ended(host, session.sid)["cause"] == "revoked"
        session.close()


def test_the_clock_set_back(host):
    """An hour back, where an old grant still ran: the floor is kept."""
    hour = 3600
    old = grant(host, not_before=stamp(soon(-2 * hour)), end=soon(-hour + 600),
                issued=stamp(soon(-2 * hour)))
    back = {"SHIFT_CLOCK": str(-hour), "LD_PRELOAD": str(
        host.world.build / "tests" / "tools" / "shift_clock.so")}
    host.world.services["agent"].stop()
    host.world.start_agent(env=back)
    with away(host):
        hand(host, old)
        is_let_in(host) # nothing was ever proved to this host
    host.pin(host.customer.trust(offline="allow"))
    host.opens(lambda q: host.liar.allow(q, grant(host)))
    time.sleep(1.5)
    host.world.services["agent"].stop()
    host.world.start_agent(env=back)
    with away(host):
        hand(host, old)
        is_refused(host, "clock_floor")


def test_online_is_as_ever(host):
    """A grant that was handed over is no answer while the broker has one."""
    given = grant(host)
    hand(host, given)
    host.opens(lambda q: host.liar.allow(q, given))
    session_lines = [x for x in host.world.decisions(0)
                     if x.get("decision") == "allow"]
    assert session_lines[-1]["code"] == "granted"
    allow(host, given)
    session = Session(host, "sleep 300")
    assert session.alive()
    watched(host)
    host.liar.tell(deny(host, "returned"))
    assert ended(host, session.sid)["cause"] == "returned"
    session.close()
