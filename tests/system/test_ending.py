"""Time ends sessions: what a grant let in is gone when the grant is over.

Every session is first shown to live on undisturbed. Then its time ends, and
nothing of it may be left, whatever it tried; and nothing else may be hit.
"""

import subprocess
import threading
import time

import papers
import pytest
from sessions import (
    ESCAPES, LATE, SOON, Canaries, Escapes, Session, accept, allow,
    allow_by_login, begin, deny, ended, events, furnish, gone_after, grant,
    in_time, revoke, sleep_until, soon, watched)
from stage import Stage

from world import World, wait_for


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


def one(stage, command="sleep 300", **more):
    """make() for in_time: one session under a grant that ends then."""
    def make(end):
        session_grant = grant(stage, end)
        allow(stage, session_grant)
        session = Session(stage, command, **more)
        session.grant = session_grant
        assert session.sid
        return session
    return make


# --- at the deadline ---------------------------------------------------------


@pytest.fixture(scope="module")
def expiry(stage, tmp_path_factory):
    """All escapes at once under one grant; how long each outlived it."""
    begin(stage)
    canaries = Canaries(stage)
    mux = tmp_path_factory.mktemp("mux") / "mux"
    given = began = None

    def make(end):
        nonlocal given, began
        given, began = grant(stage, end), time.time()
        allow_by_login(stage, avm=given, deploy=canaries.grant)
        return Escapes(stage, mux)
    end, sessions = in_time(14, make)
    sleep_until(end - 1)
    before = sessions.alive()
    assert time.time() < end
    took = gone_after(sessions, end, LATE + 3)
    canaries.check()
    yield {"before": before, "took": took, "sessions": sessions,
           "grant": given, "longest": end - began + LATE}
    sessions.close()
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
            assert 1 <= int(line["seconds"]) <= expiry["longest"]


# --- revoked, returned, taken back -------------------------------------------


@pytest.fixture(scope="module")
def revocation(stage, tmp_path_factory):
    """All escapes at once, and the customer revokes."""
    begin(stage)
    canaries = Canaries(stage)
    given = grant(stage, soon(600))
    allow_by_login(stage, avm=given, deploy=canaries.grant)
    sessions = Escapes(stage, tmp_path_factory.mktemp("mux") / "mux")
    watched(stage)
    before = sessions.alive()
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
    sessions.close()
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
    end, session = in_time(7, one(host), lead=3)
    other = Session(host, "sleep 300")
    assert other.sid
    watched(host)
    longer = grant(host, end + 600)
    host.liar.tell(lambda q: host.liar.allow(q, session.grant, longer))
    sleep_until(end + 2.5)
    assert session.alive() and other.alive()
    session.close()
    other.close()


def test_news_are_not_lost_on_an_answer_that_was_under_way(host):
    """What the broker said before the news must not hide them until half the
    lease is over."""
    given = grant(host, soon(600))
    allow(host, given)
    session = Session(host, "sleep 300")
    watched(host)
    host.liar.tell() # who begins now is asked about again at once
    held, go = threading.Event(), threading.Event()
    asked = len(host.liar.questions)

    def old_answer(question):
        answer = host.liar.allow(question, given)
        if len(host.liar.questions) >= asked + 3: # account, session, again
            held.set()
            go.wait(8)
        return answer
    host.liar.reply = old_answer
    other = Session(host, "sleep 300")
    assert held.wait(30) and other.alive()
    watched(host)
    host.liar.tell(deny(host, "returned"))
    assert ended(host, session.sid)["cause"] == "returned"
    assert other.alive()
    go.set()
    assert ended(host, other.sid)["cause"] == "returned"
    session.close()
    other.close()


def test_much_news_at_once_puts_no_revocation_off(host):
    """Each comes right after the last; then it still listens."""
    given = grant(host, soon(600))
    allow(host, given)
    session = Session(host, "sleep 300")
    watched(host)
    for _ in range(10):
        [told] = host.liar.waiting
        at = time.time()
        host.liar.tell()
        wait_for("the next watch", lambda old=told: host.liar.waiting not in (
            [], [old]))
        assert time.time() - at < LATE, "it does not listen"
    assert session.alive()
    watched(host)
    at = time.time()
    host.liar.tell(deny(host, "returned"))
    assert gone_after({"it": session}, at, LATE)["it"] < SOON
    session.close()


def test_a_lesser_grant_extends_nothing(host):
    end, session = in_time(6, one(host), lead=3)
    watched(host)
    lesser = host.customer.grant(host.avm, host.customer.bert)
    host.liar.tell(lambda q: host.liar.allow(q, session.grant, lesser))
    assert session.alive()
    sleep_until(end)
    assert ended(host, session.sid)["cause"] == "expired"
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


# --- what people read -----------------------------------------------------------


def test_warnings_and_the_last_word_on_the_terminal(host):
    end, session = in_time(
        7, one(host, tty=True, stdout=subprocess.PIPE), lead=4.5)
    given = session.grant
    text = session.ssh.communicate(timeout=60)[0]
    assert text.count(f"lockbox grant extend {given.id[:23]}") == 2, text
    assert papers.stamp(end) in text
    assert "ends now" in text and "(expired)" in text
    warned = [e for e in events(host, "session.warned")
              if e["sid"] == str(session.sid)]
    assert [e["told"] for e in warned] == ["1", "1"]
    assert ended(host, session.sid)["grant"] == given.id


def test_a_warning_that_reaches_nobody_is_logged(host):
    end, session = in_time(7, one(host), lead=4.5)
    sleep_until(end)
    ended(host, session.sid)
    warned = [e for e in events(host, "session.warned")
              if e["sid"] == str(session.sid)]
    assert [e["told"] for e in warned] == ["0", "0"]
    session.close()


# --- what would outlive a session does not begin ---------------------------------


@pytest.fixture
def spool(host):
    """An atd of the world's own, and a rule that lets root use it."""
    world = host.world
    conf = host.confdir / "pam.conf"
    before = conf.read_text()
    conf.write_text(before + "exempt = atd root\nexempt = systemd-user root\n")
    world.inside("mount", "-t", "tmpfs", "tmpfs", "/var/spool")
    world.inside("install", "-d", "-o", "daemon", "-g", "daemon", "-m", "1770",
                 "/var/spool/cron/atjobs", "/var/spool/cron/atspool")
    world.inside("install", "-o", "daemon", "-g", "daemon", "-m", "0600",
                 "/dev/null", "/var/spool/cron/atjobs/.SEQ")
    world.spawn("atd", "/usr/sbin/atd", "-f")
    yield host
    world.services["atd"].stop()
    del world.services["atd"]
    world.inside("umount", "/var/spool")
    conf.write_text(before)


def test_jobs_of_at_do_not_start_for_managed_logins(spool):
    world = spool.world
    allow(spool, grant(spool, soon(600)))
    mark = world.path("home", "avm", "at-of-root")
    world.inside("sh", "-c", "cd / && exec at now", input=f"touch {mark}\n")
    wait_for("the job of root's", mark.exists)
    before = len(world.syslog())
    done = world.ssh("avm", "avm", "at now", input="touch ~/at-of-avm\n")
    assert done.returncode == 0, done.stderr # it may be queued
    wait_for("its refusal", lambda: [
        x for x in world.decisions(before)
        if x["_service"] == "atd" and x["decision"] == "deny"])
    time.sleep(1)
    assert not world.path("home", "avm", "at-of-avm").exists()


@pytest.mark.parametrize("service,exempt", [
    ("cron", "daemon"), ("atd", "root"), ("systemd-user", "root")])
def test_services_of_the_host_refuse_managed_logins(spool, service, exempt):
    """cron's jobs and a user's manager ask their account stack first."""
    world = spool.world
    done = world.inside("pamtester", service, exempt, "acct_mgmt", check=False)
    assert done.returncode == 0, done.stderr
    before = len(world.syslog())
    done = world.inside("pamtester", service, "avm", "acct_mgmt", check=False)
    assert done.returncode != 0
    wait_for("its line", lambda: [
        x["code"] for x in world.decisions(before)
        if x["decision"] == "deny"] == ["not_sshd"])
