"""What happens at the door and to sessions reaches the broker: signed, in
order, each once, whatever dies in between.

The agent is real; the courier and its broker are made here (knock.py), so
that they can be away, answer and be cut off, or refuse.
"""

import os
import random
import re
import signal
import time

import papers
import pytest
from knock import CLOSE, SESSION
from test_agent import BROKER, HOST, TENANT, UID, stand # pylint: disable=unused-import
from world import wait_for

AWAY = (1, "no route") # what the courier says of a broker that is away
MINOR, ALLOW = 8192, 12288 # as in agent/spool.h


def away(_bundle):
    return AWAY


def first_state(stand, records=""):
    """The state file as enrolment writes it, or of these records but for
    count and tail of reports."""
    text = records or "lockbox-state-v1\nboot: \nfloor: 0\ntrust: \nserial: 0\n"
    text = "".join(line for line in text.splitlines(keepends=True)
                   if not line.startswith(("reports: ", "sum: ")))
    path = stand.state / "state"
    path.write_text(text + f"sum: {papers.doc_id(text)}\n")
    path.chmod(0o600)
    stand.own(path)


@pytest.fixture
def door(stand):
    first_state(stand)
    stand.allows(stand.grant("sudo", "su", logins=("avm", "root")))
    return stand.start()


def arrive(door, count, seconds=60):
    """Wait until the broker has so many reports; all of them."""
    intake = door.courier.intake
    wait_for(f"{count} reports", lambda: len(intake.reports) >= count, seconds)
    time.sleep(0.3) # for one too many
    return intake.reports


def written(directory, number):
    """Wait until the report of that number stands in one of the files."""
    def highest():
        text = "".join((directory / name).read_text()
                       for name in ("spool", "state"))
        return max(map(int, re.findall(r"^sequence: (\d+)$", text, re.M)),
                   default=0)
    wait_for(f"report {number} to be written", lambda: highest() >= number, 30)


def told(door):
    """(event, cause) of all that has arrived."""
    return [(r["event"], r.get("cause")) for r in door.courier.intake.reports]


def no_gap(door):
    intake = door.courier.intake
    assert intake.gaps == []
    assert [int(r["sequence"]) for r in intake.reports] == \
        list(range(1, intake.kept + 1))


def leave(door, asker):
    """Its session is over, and the agent looks."""
    asker.close()
    door.asker().begin(do="ask", phase=CLOSE, service="sshd", login="avm")


def gone(door, asker):
    leave(door, asker)
    wait_for("the session to be forgotten", lambda: f"session: {asker.sid}\n"
             not in door.records(), 30)


# --- what is reported ------------------------------------------------------------


def test_a_session_from_decision_to_end(door):
    [grant] = door.grants
    asker = door.asker()
    assert asker.ask(rhost="198.51.100.7")["allow"]
    asker.sid = asker.do(do="new_sid", uid=3001)
    assert asker.ask(SESSION, key=door.avm.public(), rhost="198.51.100.7")["allow"]
    assert asker.ask(service="sudo")["allow"]
    leave(door, asker)
    reports = arrive(door, 5)
    assert told(door) == [
        ("agent.started", None), ("login.decision", "granted"),
        ("session.opened", "granted"), ("login.decision", "granted"),
        ("session.ended", "closed")]
    for report in reports:
        assert (report["host"], report["tenant"], report["broker"],
                report["trust"]) == (HOST, TENANT, BROKER,
                                     papers.doc_id(door.trust))
    for report in reports[1:]:
        assert report["grant"] == grant.id and report["login"] == "avm"
        assert report["engineer"] == "avm@provider.example"
    for report in reports[2:]:
        assert report["session"] == str(asker.sid)
    assert reports[1]["rhost"] == reports[2]["rhost"] == "198.51.100.7"
    assert reports[2]["engineer-key"] == door.avm.fingerprint()
    assert reports[3]["service"] == "sudo"
    assert "killed" not in reports[4]
    no_gap(door)
    for bundle in door.courier.posts: # each signed by the host, and only that
        for text, [armor] in papers.split(bundle):
            assert armor == door.host_key.sign("report", text)


def test_refusals_and_who_refused(door):
    asker = door.asker()
    assert asker.ask()["allow"]
    door.denies("no_grant")
    assert not asker.ask()["allow"]
    assert not asker.ask(service="cron")["allow"]
    door.allows(*door.grants)
    asker.sid = asker.do(do="new_sid", uid=3001)
    assert not asker.ask(SESSION)["allow"] # no key
    # The module overrules us; only its last word counts.
    assert asker.ask(final="deny")["allow"]
    other = door.asker()
    other.do(do="new_sid", uid=3001)
    assert other.ask(SESSION, key=door.avm.public(), final="deny")["allow"]
    # It is gone without one.
    assert other.ask(final="")["allow"]
    other.close()
    arrive(door, 8)
    assert told(door)[1:] == [
        ("login.decision", "granted"), ("login.decision", "no_grant"),
        ("login.decision", "not_sshd"), ("session.refused", "key_unknown"),
        ("login.decision", "no_record"), ("session.refused", "no_record"),
        ("login.decision", "unfinished")]
    no_gap(door)


def test_a_module_that_hangs_up_before_our_word(door):
    assert door.asker().ask()["allow"]
    door.courier.reply = lambda q: time.sleep(3) or ""
    asker = door.asker()
    asker.do(do="new_sid", uid=3001)
    asker.begin(do="ask", phase=SESSION, service="sshd", login="avm",
                key=door.avm.public())
    time.sleep(0.5)
    asker.popen.kill()
    arrive(door, 3)
    assert told(door)[2:] == [("session.refused", "unfinished")]


def test_a_session_that_is_ended(door):
    """What had to be killed, and how long it was."""
    [grant] = door.grants
    asker = door.session()
    asker.do(do="spawn")
    time.sleep(1.1)
    revoke = grant.text + door.customer.bert.sign("revoke", grant.text)
    door.denies("revoked")
    door.courier.reply = lambda q, say=door.courier.reply: say(q) + revoke
    assert not door.asker().ask()["allow"] # brings the revoke
    reports = arrive(door, 4)
    ended = [r for r in reports if r["event"] == "session.ended"]
    assert len(ended) == 1 and ended[0]["cause"] == "revoked", told(door)
    assert int(ended[0]["killed"]) >= 1 and int(ended[0]["seconds"]) >= 1
    assert ended[0]["session"] == str(asker.sid)


def test_a_sudo_that_ends_the_session_sooner(door):
    """From then on it rests on that grant, too."""
    sooner = door.customer.grant(
        door.avm, door.customer.bert, service=["sudo"],
        not_after=papers.stamp(int(time.time()) + 300),
        request_knobs={"service": ["sshd", "sudo"]})
    door.allows(door.grant(), sooner)
    asker = door.session()
    assert asker.ask(service="sudo")["allow"]
    reports = arrive(door, 4)
    [shorter] = [r for r in reports if r["event"] == "session.shortened"]
    assert shorter["grant"] == sooner.id != reports[1]["grant"]
    assert shorter["session"] == str(asker.sid)
    no_gap(door)


def test_trust_changes_are_reported(door):
    assert door.asker().ask()["allow"]
    later = door.customer.trust(serial=2, previous=papers.doc_id(door.trust))
    bundle = later + door.customer.owner.sign("trust", later)
    question = door.courier.reply
    door.courier.reply = lambda q: bundle + question(q)
    assert door.asker().ask()["allow"]
    reports = arrive(door, 4)
    [changed] = [r for r in reports if r["event"] == "agent.trust_changed"]
    assert changed["trust"] == papers.doc_id(later)
    assert reports[0]["trust"] == papers.doc_id(door.trust)


# --- outages -----------------------------------------------------------------------


def test_an_outage_and_a_kill_in_between(door):
    """All of it arrives, in order, once, and with no gap."""
    stays, goes, later = door.session(), door.session(), door.session()
    arrive(door, 4)
    door.courier.report = away
    want = told(door)
    for _ in range(3):
        assert door.asker().ask()["allow"]
        want.append(("login.decision", "granted"))
    gone(door, goes)
    want.append(("session.ended", "closed"))
    assert not door.asker().ask(service="cron")["allow"]
    want.append(("login.decision", "not_sshd"))
    written(door.state, len(want))
    door.agent.again(signal.SIGKILL)
    want.append(("agent.started", None))
    assert stays.ask(service="sudo")["allow"]
    want.append(("login.decision", "granted"))
    written(door.state, len(want))
    door.agent.again(signal.SIGKILL)
    want.append(("agent.started", None))
    gone(door, later)
    want.append(("session.ended", "closed"))
    written(door.state, len(want))
    door.agent.again() # as one stops it
    want += [("agent.stopped", None), ("agent.started", None)]
    assert len(door.courier.intake.reports) == 4
    door.courier.report = door.courier.intake.take
    arrive(door, len(want))
    assert told(door) == want
    no_gap(door)


def test_a_session_that_ends_while_the_agent_is_dead(door):
    asker = door.session()
    arrive(door, 2)
    door.agent.stop(signal.SIGKILL)
    asker.close()
    door.agent.start()
    arrive(door, 4)
    assert told(door)[2:] in (
        [("agent.started", None), ("session.ended", "closed")],
        [("session.ended", "closed"), ("agent.started", None)])
    no_gap(door)


def test_answers_that_never_arrive(door):
    """The broker took them, and the host does not know: sent again, they
    count once."""
    def cut(bundle):
        door.courier.intake.take(bundle)
        return (2, "no answer in time")
    door.courier.report = cut
    asker = door.session()
    assert asker.ask(service="sudo")["allow"]
    arrive(door, 3)
    door.agent.again(signal.SIGKILL)
    assert asker.ask(service="sudo")["allow"]
    door.courier.report = door.courier.intake.take
    arrive(door, 5)
    posts = len(door.courier.posts)
    assert told(door) == [
        ("agent.started", None), ("session.opened", "granted"),
        ("login.decision", "granted"), ("agent.started", None),
        ("login.decision", "granted")]
    no_gap(door)
    time.sleep(2)
    assert len(door.courier.posts) == posts, "it went on and on"


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment(door, seed):
    """No number has two texts, nothing is told twice, whoever was let in is
    told of."""
    chance = random.Random(seed)
    numbers, sids = {}, []
    take = door.courier.intake.take

    def report(bundle):
        for text, _ in papers.split(bundle):
            number = papers.fields(text)["sequence"]
            assert numbers.setdefault(number, text) == text, "two texts"
        if chance.random() < 0.3:
            return AWAY
        said = take(bundle)
        return AWAY if chance.random() < 0.3 else said
    door.courier.report = report
    for _ in range(12):
        askers = [door.asker() for _ in range(3)]
        for asker in askers:
            asker.sid = asker.do(do="new_sid", uid=3001)
        for asker in askers:
            asker.begin(do="ask", phase=SESSION, service="sshd", login="avm",
                        key=door.avm.public())
        time.sleep(chance.random() * 0.06)
        door.agent.stop(signal.SIGKILL)
        for asker in askers:
            reply = asker.end()
            if reply and reply["allow"]:
                sids.append(asker.sid)
            asker.close()
        door.agent.start()
    door.courier.report = report = take
    last = door.session() # asks, so the broker is heard
    sids.append(last.sid)
    gone(door, last)
    wait_for("the last end", lambda: any(
        r["event"] == "session.ended" and r["session"] == str(last.sid)
        for r in door.courier.intake.reports), 60)
    no_gap(door)
    for event in ("session.opened", "session.ended"):
        found = [int(r["session"]) for r in door.courier.intake.reports
                 if r["event"] == event]
        assert len(found) == len(set(found)), f"{event} twice"
        assert set(sids) <= set(found), f"no {event}"
    opened = set()
    for report in door.courier.intake.reports:
        if report["event"] == "session.opened":
            opened.add(report["session"])
        elif report["event"] == "session.ended":
            assert report["session"] in opened, "ended before it was opened"


# --- a broker that refuses ---------------------------------------------------------


def test_one_report_that_the_broker_never_takes(door):
    """It is found, said, and left out; the others pass."""
    take = door.courier.intake.take

    def picky(bundle):
        if "cause: expired\n" in bundle:
            return (5, "HTTP status 400 bad_document")
        return take(bundle)
    asker = door.asker()
    door.courier.report = away
    for _ in range(5):
        assert asker.ask()["allow"]
    door.denies("expired")
    assert not asker.ask()["allow"]
    door.allows(*door.grants)
    for _ in range(4):
        assert asker.ask()["allow"]
    door.courier.report = picky
    arrive(door, 10, 90)
    assert told(door)[1:] == 9 * [("login.decision", "granted")]
    assert door.courier.intake.gaps == [(7, 7)]
    assert "refuses report 7 for ever: bad_document" in door.agent.said()


@pytest.mark.parametrize("said", [
    (5, "HTTP status 401 host_unknown"), (5, "HTTP status 429 rate_limited"),
    (5, "HTTP status 503 store_failed"), (5, "HTTP status 404"),
    (0, "<html>"), (0, '{"sequence":0}'), (0, '{"sequence":9007199254740991}'),
    (3, "certificate"), (6, "too large")])
def test_what_is_no_fault_of_the_reports_is_waited_out(door, said):
    door.courier.report = lambda bundle: said
    for _ in range(2):
        assert door.asker().ask()["allow"]
    wait_for("a second try", lambda: len(door.courier.posts) > 2)
    door.courier.report = door.courier.intake.take
    arrive(door, 3, 90)
    no_gap(door)


def test_a_broker_that_is_away_is_not_asked_faster_and_faster(door):
    assert door.asker().ask()["allow"]
    arrive(door, 2)
    door.courier.report = away
    door.denies()
    assert not door.asker().ask()["allow"]
    before = len(door.courier.posts)
    time.sleep(6)
    assert len(door.courier.posts) - before <= 6
    for _ in range(9): # the pause grows to half a minute
        before = len(door.courier.posts)
        assert not door.asker().ask()["allow"]
        wait_for("a try", lambda: len(door.courier.posts) > before)
    door.courier.report = door.courier.intake.take
    began = time.monotonic()
    door.asker().ask() # answered: so it is there again, at once
    arrive(door, 13)
    assert time.monotonic() - began < 15


# --- a count that was lost ----------------------------------------------------------


def lost(door):
    """Three reports are taken; then the agent stands still."""
    assert door.asker().ask()["allow"]
    assert door.asker().ask()["allow"]
    arrive(door, 3)
    time.sleep(1.5)
    door.agent.stop(signal.SIGKILL)
    return len(door.courier.intake.reports)


def goes_on(door, before, most_lost=0):
    door.agent.start()
    for _ in range(3):
        assert door.asker().ask()["allow"]
    def granted():
        return told(door)[before:].count(("login.decision", "granted"))
    wait_for("new reports", lambda: granted() == 3, 30)
    assert sum(b - a + 1 for a, b in door.courier.intake.gaps) <= most_lost
    assert told(door)[before:][-3:] == 3 * [("login.decision", "granted")]


def test_the_spool_is_gone(door):
    before = lost(door)
    (door.state / "spool").unlink()
    goes_on(door, before)


def test_spool_and_state_are_gone(door):
    before = lost(door)
    (door.state / "spool").unlink()
    (door.state / "state").unlink()
    goes_on(door, before)
    assert ("agent.state_lost", None) in told(door)[before:]


def test_the_spool_cannot_be_read(door):
    before = lost(door)
    (door.state / "spool").write_text("nonsense\n")
    goes_on(door, before)
    assert (door.state / "spool.unreadable").read_text() == "nonsense\n"


def test_an_older_copy_of_both(door):
    """A disk that was set back counts on from where the broker is."""
    assert door.asker().ask()["allow"]
    arrive(door, 2)
    time.sleep(1.5)
    old = {name: (door.state / name).read_bytes() for name in ("spool", "state")}
    for _ in range(20):
        assert door.asker().ask()["allow"]
    arrive(door, 22)
    door.agent.stop(signal.SIGKILL)
    for name, text in old.items():
        (door.state / name).write_bytes(text)
    goes_on(door, 22)


def test_cut_in_the_middle_of_a_report(door):
    door.courier.report = away
    for _ in range(4):
        assert door.asker().ask()["allow"]
    written(door.state, 5)
    door.agent.stop(signal.SIGKILL)
    spool = door.state / "spool"
    spool.write_bytes(spool.read_bytes()[:-100])
    door.courier.report = door.courier.intake.take
    door.agent.start()
    assert "no whole report" in door.agent.said()
    arrive(door, 5)
    assert told(door) == [("agent.started", None)] + \
        3 * [("login.decision", "granted")] + [("agent.started", None)]
    no_gap(door)


def test_enrolled_anew_begins_at_one(door):
    door.courier.report = away
    for _ in range(3):
        assert door.asker().ask()["allow"]
    written(door.state, 4)
    door.agent.stop()
    door.own(papers.Ed25519().save(door.state / "host-key"))
    first_state(door)
    door.courier.report = door.courier.intake.take
    door.agent.start()
    arrive(door, 1)
    assert told(door) == [("agent.started", None)]
    no_gap(door)
    assert "enrolled anew: 4 reports" in door.agent.said()


# --- no room --------------------------------------------------------------------------


def fill(door, count):
    """A spool in which so many reports wait."""
    key = door.host_key.fingerprint()
    head = f"lockbox-spool-v1\nkey: {key}\nlast: 0\ndone: 0\ndoubt: 0\n"
    parts = [head, f"sum: {papers.doc_id(head)}\n"]
    for number in range(1, count + 1):
        text = papers.document(
            "report", host=HOST, tenant=TENANT, broker=BROKER,
            trust=papers.doc_id(door.trust), sequence=number,
            event="login.decision", cause="no_grant",
            at=papers.stamp(time.time()))
        text += door.host_key.sign("report", text)
        parts.append(f"report: {len(text)} {papers.doc_id(text)}\n{text}")
    path = door.state / "spool"
    path.write_text("".join(parts))
    path.chmod(0o600)
    door.own(path)


def test_a_full_spool_keeps_the_door_shut(stand):
    """Refusals are left out first; then nobody is let in; sessions end."""
    first_state(stand)
    stand.allows(stand.grant("sudo"))
    stand.courier.report = away
    fill(stand, MINOR - 4)
    stand.start()
    inside, ends = stand.session(), stand.session()
    for _ in range(9):
        assert not stand.asker().ask(service="cron")["allow"]
    assert inside.ask(service="sudo")["allow"]
    stand.agent.stop()
    assert "not reporting login.decision" in stand.agent.said()
    before = stand.records()
    fill(stand, ALLOW)
    first_state(stand, before)
    stand.agent.start()
    reply = inside.ask(service="sudo")
    assert not reply["allow"] and reply["code"] == "spool_full", reply
    assert any("customer" in line or "broker" in line
               for line in reply["tell"]), reply["tell"]
    assert stand.asker().ask()["code"] == "spool_full"
    gone(stand, ends)
    stand.courier.report = stand.courier.intake.take
    wait_for("all of it", lambda: stand.courier.intake.kept > ALLOW, 120)
    wait_for("room", lambda: inside.ask(service="sudo")["allow"], 30)
    wait_for("the last", lambda: told(stand)[-1] ==
             ("login.decision", "granted"), 30)
    assert ("session.ended", "closed") in told(stand)


def test_a_spool_that_cannot_be_written(door):
    """The state holds the reports until it can be again; without either no
    sudo. And a limit on the size of files is no reason to die."""
    asker = door.session()
    assert asker.ask(service="sudo")["allow"]
    spool = door.state / "spool"
    os.rename(spool, door.state / "kept")
    spool.mkdir()
    assert asker.ask(service="sudo")["allow"]
    assert asker.ask(service="sudo")["allow"]
    arrive(door, 5)
    no_gap(door)
    os.chown(door.state, 0, 0) # nor the state
    door.courier.report = away
    deadline = time.monotonic() + 30
    while asker.ask(service="sudo")["allow"]: # until a record failed
        assert time.monotonic() < deadline
    reply = asker.ask(service="sudo")
    assert reply["code"] == "state_unwritable", reply
    os.chown(door.state, UID, -1)
    spool.rmdir()
    assert asker.ask(service="sudo")["allow"]
    door.courier.report = door.courier.intake.take
    wait_for("all", lambda: told(door)[-1] == ("login.decision", "granted")
             and len(told(door)) > 7, 60)
    no_gap(door)


def test_a_limit_on_the_size_of_files_kills_nobody(door):
    assert door.session().reply["allow"]
    door.agent.stop()
    door.agent.start(wrap=["prlimit", "--fsize=1024"])
    asker = door.asker()
    asker.do(do="new_sid", uid=3001)
    reply = asker.ask(SESSION, key=door.avm.public())
    assert not reply["allow"] and reply["code"] == "state_unwritable"
    assert door.agent.popen.poll() is None
    door.agent.again()
    assert asker.ask(SESSION, key=door.avm.public())["allow"]
    wait_for("its beginning", lambda: told(door)[-1] ==
             ("session.opened", "granted"), 30)


def test_a_broker_that_counts_on_and_on(door):
    """It says another number each time: not believed for ever."""
    numbers = iter(range(1000, 1000000, 1000))
    door.courier.report = lambda b: '{"sequence":%d}' % next(numbers)
    assert door.asker().ask()["allow"]
    time.sleep(4)
    assert len(door.courier.posts) < 8
    door.courier.report = door.courier.intake.take
    assert door.asker().ask()["allow"]
    wait_for("the reports", lambda: told(door).count(
        ("login.decision", "granted")) == 2, 60)


def test_nobody_else_reads_the_spool(door):
    assert door.session().reply["allow"]
    arrive(door, 2)
    spool = door.state / "spool"
    assert spool.read_text().startswith("lockbox-spool-v1\nkey: SHA256:")
    assert spool.stat().st_mode & 0o777 == 0o600 and spool.stat().st_uid == UID
