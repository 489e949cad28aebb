"""lockbox-agent by itself: a module and a courier made here stand around it.

Every refusal stands beside the case that is let in, through the same path.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import papers
import pytest
from knock import ACCOUNT, CLOSE, SESSION, Agent, Asker, Courier
from liar import Customer

TENANT, BROKER, HOST = "acme", "support", "web1"
UID = pwd.getpwnam("nobody").pw_uid

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="root is needed: the agent hears only root")


class Stand:
    """A door: agent, courier, customer and one engineer's key."""

    def __init__(self, base, program):
        self.base = base
        base.chmod(0o755)
        self.state = base / "state"
        self.state.mkdir(mode=0o700)
        os.chown(self.state, UID, -1)
        self.host_key = papers.Ed25519()
        self.own(self.host_key.save(self.state / "host-key"))
        self.broker_key = papers.Ed25519()
        self.customer = Customer(TENANT, BROKER, HOST, self.broker_key)
        self.avm, self.eve = papers.Ed25519(), papers.Ed25519()
        self.trust = self.customer.trust()
        (base / "trust").write_text(self.trust)
        self.conf = base / "agent.conf"
        self.conf.write_text(f"""\
host = {HOST}
broker = {BROKER}
trust = {base}/trust
state = {self.state}
key = {self.state}/host-key
scope = {self.state}/none
socket = {base}/agent.sock
courier = {base}/courier.sock
user = nobody
""")
        self.courier = Courier(base / "courier.sock", UID)
        self.agent = Agent(program, self.conf, base / "agent.sock")
        self.askers = []
        self.grants = []

    @staticmethod
    def own(path):
        os.chown(path, UID, -1)
        return path

    def start(self):
        self.agent.start()
        return self

    def close(self):
        for asker in self.askers:
            asker.close()
        if self.agent.popen and self.agent.popen.poll() is None:
            self.agent.stop()
        self.courier.close()

    def asker(self, **more):
        asker = Asker(self.base / "agent.sock", **more)
        self.askers.append(asker)
        return asker

    def grant(self, *services, logins=("avm",), key=None, **knobs):
        return self.customer.grant(
            key or self.avm, self.customer.bert, request_knobs={
                "login": list(logins), "service": ["sshd", *services]},
            **knobs)

    def signed(self, text, key=None):
        return text + (key or self.broker_key).sign("answer", text)

    def allows(self, *grants, extra=""):
        """From now on the broker lets in by these."""
        self.grants = grants

        def reply(question):
            return self.signed(papers.answer(
                question, grants=[g.id for g in grants])) + "".join(
                    g.parts() for g in grants) + extra
        self.courier.reply = reply

    def denies(self, code="no_grant", message=None, verdict="deny"):
        self.courier.reply = lambda q: self.signed(papers.answer(
            q, verdict, code, message=message))

    def session(self, key=None, login="avm"):
        """An engineer who is in."""
        asker = self.asker()
        asker.sid = asker.do(do="new_sid", uid=3001)
        reply = asker.ask(SESSION, login=login,
                          key=(key or self.avm).public())
        assert reply["allow"], reply
        asker.reply = reply
        return asker

    def kept(self):
        """The state file's records, a moment after the last change."""
        time.sleep(1.3)
        return self.records()

    def records(self):
        """The state file but for the reports at its end."""
        return (self.state / "state").read_text().split("\ntail: ")[0] + "\n"


@pytest.fixture
def stand(build):
    base = Path(tempfile.mkdtemp(prefix="lockbox-agent-"))
    stand = Stand(base, build / "agent" / "lockbox-agent")
    yield stand
    stand.close()
    shutil.rmtree(base)


@pytest.fixture
def door(stand):
    stand.allows(stand.grant("sudo", "su", logins=("avm", "root")))
    return stand.start()


# --- account and session ------------------------------------------------------


def test_a_login_from_account_to_session(door):
    asker = door.asker()
    reply = asker.ask(rhost="198.51.100.7")
    assert reply["allow"] and reply["provisional"] == 1, reply
    assert reply["code"] == "granted" and reply["tenant"] == TENANT
    assert reply["grant"] == door.grants[0].id and reply["sid"] == -1
    question = papers.fields(door.courier.questions[-1])
    assert question["login"] == "avm" and "engineer-key" not in question
    assert question["rhost"] == "198.51.100.7"
    sid = asker.do(do="new_sid", uid=3001)
    reply = asker.ask(SESSION, key=door.avm.public())
    assert reply["allow"] and reply["provisional"] == 0, reply
    assert reply["sid"] == sid and reply["engineer"] == "avm@provider.example"
    assert reply["key"] == door.avm.fingerprint()
    assert papers.fields(door.courier.questions[-1])["engineer-key"] == \
        door.avm.fingerprint()
    state = door.kept()
    assert f"\nsession: {sid}\n" in state and "\nfinal: 1\n" in state
    assert door.grants[0].text in state


def test_a_known_key_is_asked_about_at_account(door):
    asker = door.asker()
    reply = asker.ask(key=door.avm.public())
    assert reply["allow"] and reply["provisional"] == 0
    reply = door.asker().ask(key=door.eve.public())
    assert not reply["allow"] and reply["code"] == "grant_key"
    reply = door.asker().ask(key="ssh-ed25519 AAAA")
    assert not reply["allow"] and reply["code"] == "key_unknown"


def test_a_session_needs_the_key_and_an_audit_session_of_its_own(door):
    asker = door.asker()
    reply = asker.ask(SESSION, key=door.avm.public())
    assert reply["code"] == "sid_unset"
    asker.do(do="new_sid", uid=3001)
    reply = asker.ask(SESSION)
    assert reply["code"] == "key_unknown"
    reply = asker.ask(SESSION, key=door.eve.public())
    assert reply["code"] == "grant_key"
    assert asker.ask(SESSION, key=door.avm.public())["allow"]
    child = door.asker(wrap=[
        "/usr/bin/python3", "-c",
        "import os, subprocess, sys; p = open('/proc/self/loginuid', 'w'); "
        "p.write('3001'); p.close(); "
        "sys.exit(subprocess.run(sys.argv[1:]).returncode)"])
    reply = child.ask(SESSION, key=door.avm.public())
    assert reply["code"] == "sid_not_new", reply


def test_a_session_id_is_registered_once(door):
    asker = door.session()
    reply = asker.ask(SESSION, key=door.avm.public())
    assert not reply["allow"] and reply["code"] == "not_in_session"


def test_the_grants_limits_bind(door):
    assert door.asker().ask()["allow"]
    for change, code in (({"login": ["root"]}, "grant_login"),
                         ({"host": ["web2"]}, "grant_host"),
                         ({"service": ["sudo"]}, "grant_service"),
                         ({"tenant": "other"}, "grant_tenant")):
        door.allows(door.customer.grant(door.avm, door.customer.bert, **change))
        reply = door.asker().ask()
        assert not reply["allow"] and reply["code"] == code, (change, reply)


def test_what_the_module_says_last_counts(door):
    first = door.session()
    assert f"session: {first.sid}\n" in door.kept()
    for last in ("deny", None):
        asker = door.asker()
        sid = asker.do(do="new_sid", uid=3001)
        assert asker.ask(SESSION, key=door.avm.public(), final=last)["allow"]
        state = door.kept()
        assert f"session: {sid}\n" not in state
        assert f"session: {first.sid}\n" in state


@pytest.mark.parametrize("registered", [True, False])
def test_whoever_does_not_register_in_time_is_ended(door, registered):
    asker = door.asker()
    child = asker.do(do="spawn")
    assert asker.ask()["provisional"] == 1
    if registered:
        asker.do(do="new_sid", uid=3001)
        assert asker.ask(SESSION, key=door.avm.public())["allow"]
    time.sleep(11)
    assert asker.alive() == registered
    state = Path(f"/proc/{child}/stat")
    lives = state.exists() and state.read_text().split(")")[1].split()[0] != "Z"
    assert lives == registered
    if registered:
        os.kill(child, signal.SIGKILL)


# --- scope ---------------------------------------------------------------------


def test_outside_a_session_only_sshd_lets_in(door):
    assert door.asker().ask()["allow"]
    for service in ("sudo", "su", "su-l", "login", "cron", "systemd-user"):
        reply = door.asker().ask(service=service)
        assert not reply["allow"] and reply["code"] == "not_sshd", service


def test_a_rule_exempts_outside_a_session_only(door):
    reply = door.asker().ask(service="cron", exempt_rule=1)
    assert reply["exempt"] == 1 and not reply["allow"]
    inside = door.session()
    reply = inside.ask(service="cron", exempt_rule=1)
    assert reply["exempt"] == 0 and reply["code"] == "not_in_session"
    reply = inside.ask(service="su", login="root", exempt_rule=1)
    assert reply["exempt"] == 0 and reply["allow"]


def test_sudo_and_su_inside_a_session(door):
    inside = door.session()
    door.denies() # nobody is asked any more
    asked = len(door.courier.questions)
    for service, login in (("sudo", "avm"), ("sudo-i", "avm"), ("su", "root"),
                           ("su-l", "root"), ("su", "avm")):
        reply = inside.ask(service=service, login=login)
        assert reply["allow"], (service, reply)
        assert reply["sid"] == inside.sid
        assert reply["grant"] == door.grants[0].id
    reply = inside.ask(service="su", login="deploy")
    assert reply["code"] == "target_not_granted"
    assert reply["grant"] == door.grants[0].id
    for phase in (ACCOUNT, SESSION):
        assert inside.ask(phase, service="sudo")["allow"]
    assert len(door.courier.questions) == asked


def test_sudo_that_no_grant_lists(door):
    door.allows(door.grant())
    inside = door.session()
    reply = inside.ask(service="sudo")
    assert reply["code"] == "service_not_granted"
    assert "--service sudo" in reply["tell"][1]
    reply = inside.ask(service="su", login="avm")
    assert reply["code"] == "service_not_granted"


def test_a_grant_for_sudo_alone_ends_the_session_with_it(door):
    now = int(time.time())
    plain = door.grant(not_after=papers.stamp(now + 900))
    sudo = door.customer.grant(
        door.avm, door.customer.bert, service=["sudo"],
        not_after=papers.stamp(now + 300), request_knobs={
            "service": ["sshd", "sudo"]})
    door.allows(plain, sudo)
    inside = door.session()
    assert inside.reply["not_after"] == now + 900
    reply = inside.ask(service="sudo")
    assert reply["allow"] and reply["grant"] == sudo.id
    assert reply["not_after"] == now + 300
    assert "session now ends" in reply["tell"][0]
    assert inside.ask(service="sudo")["tell"] == []
    assert f"rests: {plain.id}\nrests: {sudo.id}\n" in door.kept()


def test_a_grant_that_the_answer_does_not_name_is_not_kept(door):
    plain, sudo = door.grant(), door.grant("sudo")
    door.allows(plain, sudo)
    assert door.session().ask(service="sudo")["allow"]
    door.courier.reply = lambda q: door.signed(papers.answer(
        q, grants=[plain.id])) + plain.parts() + sudo.parts()
    assert door.session().ask(service="sudo")["code"] == "service_not_granted"


def test_sudo_ends_with_the_grant(door):
    now = int(time.time())
    door.allows(door.grant("sudo", not_after=papers.stamp(now + 3)))
    inside = door.session()
    assert inside.ask(service="sudo")["allow"]
    time.sleep(max(0.0, now + 3.1 - time.time()))
    assert inside.ask(service="sudo")["code"] == "time_over"


# --- who may speak ----------------------------------------------------------------


def test_only_root_is_heard(door):
    os.chmod(door.base / "agent.sock", 0o666)
    assert door.asker().ask()["allow"]
    nobody = door.asker(wrap=["setpriv", f"--reuid={UID}", "--regid=65534",
                              "--clear-groups"])
    assert nobody.ask() is None


def test_the_pidfd_must_be_the_askers_own(door):
    asker = door.asker()
    assert asker.ask()["allow"]
    assert asker.ask(pidfd_of=door.agent.popen.pid) is None
    assert asker.ask(fds=0) is None
    assert asker.ask(fds=2) is None
    assert asker.ask()["allow"]


def test_packets_that_are_none(door):
    asker = door.asker()
    for cut in (1, 8, 100, 16000):
        assert asker.ask(cut=cut) is None
    assert asker.ask(phase=0x1234) is None
    assert asker.ask()["allow"]


# --- courier and broker -------------------------------------------------------------


def test_a_courier_that_is_not_there(door):
    assert door.asker().ask()["allow"]
    door.courier.close()
    (door.base / "courier.sock").unlink()
    reply = door.asker().ask()
    assert reply["code"] == "courier_unreachable"
    assert len(reply["tell"]) == 3 and reply["ref"] in reply["tell"][2]
    door.courier = Courier(door.base / "courier.sock", UID)
    door.allows(*door.grants)
    assert door.asker().ask()["allow"]


def test_a_broker_that_does_not_answer_in_time(door):
    door.courier.reply = lambda q: time.sleep(8) or ""
    began = time.monotonic()
    reply = door.asker().ask()
    assert reply["code"] == "broker_timeout"
    assert time.monotonic() - began < 4.3


@pytest.mark.parametrize("outcome,code", [
    (1, "broker_unreachable"), (2, "broker_timeout"), (3, "broker_tls"),
    (4, "broker_garbage"), (5, "broker_refused"), (6, "broker_too_large"),
    (7, "courier_busy"), (8, "broker_failed"), (99, "courier_garbage")])
def test_what_the_courier_says_is_told(door, outcome, code):
    assert door.asker().ask()["allow"]
    door.courier.reply = lambda q: (outcome, "because")
    assert door.asker().ask()["code"] == code


@pytest.mark.parametrize("garbage,code", [
    ("", "answer_missing"), (b"\x00" * 99, "broker_garbage"),
    ("lockbox-answer-v1", "broker_garbage"), (b"\xff\xfe\n", "broker_garbage"),
    ("-----BEGIN SSH SIGNATURE-----\n", "broker_garbage")])
def test_an_answer_that_is_none(door, garbage, code):
    assert door.asker().ask()["allow"]
    door.courier.reply = lambda q: garbage
    assert door.asker().ask()["code"] == code


def test_an_answer_to_another_question(door):
    first = door.courier.reply
    assert door.asker().ask()["allow"]
    old = door.courier.questions[-1]
    door.courier.reply = lambda q: first(old)
    assert door.asker().ask()["code"] == "answer_question"


def test_the_brokers_word_is_passed_on(door):
    door.denies("pending_approval", "Anna Acme until 14:00", "pending")
    reply = door.asker().ask()
    assert reply["code"] == "pending_approval"
    assert reply["tell"][0].startswith("lockbox: acme: ")
    assert "Anna Acme until 14:00" in reply["tell"][0]
    assert reply["tell"][1] == "see how it stands: lockbox request ls"
    door.denies()
    reply = door.asker().ask()
    assert reply["tell"][1] == (
        "ask with: lockbox request create --tenant acme --host web1 "
        "--login avm --reason '...'")
    nonce = papers.fields(door.courier.questions[-1])["nonce"]
    bits = int(nonce, 16) >> 68
    code = "".join(papers.CROCKFORD[bits >> shift & 31]
                   for shift in range(55, -1, -5))
    assert reply["ref"] == f"{code[:4]}-{code[4:8]}-{code[8:]}"


def test_two_hundred_at_once(door):
    askers = [door.asker() for _ in range(200)]
    for asker in askers:
        asker.do(do="new_sid", uid=3001)
    began = time.monotonic()
    for asker in askers:
        asker.begin(do="ask", phase=SESSION, service="sshd", login="avm",
                    key=door.avm.public())
    replies = [asker.end() for asker in askers]
    assert all(reply["allow"] for reply in replies)
    assert time.monotonic() - began < 4
    assert len(re.findall(r"^session: ", door.kept(), re.M)) == 200


def test_more_than_it_has_descriptors_for(door):
    door.agent.stop()
    door.agent.start(["prlimit", "--nofile=60:60"])
    askers = [door.asker() for _ in range(60)]
    for asker in askers:
        asker.begin(do="ask", phase=ACCOUNT, service="sshd", login="avm",
                    key=door.avm.public())
    assert {asker.end()["code"] for asker in askers} == {"granted"}


# --- trust ------------------------------------------------------------------------


def later_trust(door, **knobs):
    """A successor of the pin, signed by its owner."""
    text = door.customer.trust(serial=2, previous=papers.doc_id(door.trust),
                               lease=900, **knobs)
    return text, text + door.customer.anna.sign("trust", text)


def test_trust_documents_come_first_and_stay(door):
    grant = door.grants[0]
    text, bundle = later_trust(door)

    def reply(question):
        if papers.fields(question)["trust"] != papers.doc_id(text):
            return door.signed(papers.answer(
                question, "deny", "trust_first")) + bundle
        return door.signed(papers.answer(
            question, grants=[grant.id])) + grant.parts()
    door.courier.reply = reply
    reply = door.asker().ask()
    assert reply["allow"], reply
    assert len(door.courier.questions) == 2
    door.agent.again()
    assert door.asker().ask()["allow"]
    assert len(door.courier.questions) == 3
    assert (door.state / "trust" / "0000000002").read_text() == bundle
    # Root's pin with a higher serial wins over what was kept.
    pin = door.customer.trust(serial=3, previous=papers.doc_id(text))
    (door.base / "trust").write_text(pin)
    door.agent.again()
    assert door.asker().ask()["code"] == "trust_first"
    assert "trust changed: serial 3, was 2" in door.agent.said()


def test_a_restart_brings_no_old_trust_back(stand):
    """Also when the owner who signed the newer one has left since."""
    c, until = stand.customer, int(time.time()) + 4
    owner = ("approve", "deny", "revoke", "trust")
    fired = c.bert.pinned("bert@acme.example", "approve")
    stand.trust = c.trust(approver=sorted([
        c.anna.pinned("anna@acme.example", *owner, before=until), fired]))
    (stand.base / "trust").write_text(stand.trust)
    heir = papers.Ed25519()
    bundle = later_trust(
        stand, approver=[heir.pinned("carol@acme.example", *owner)])[1]
    stand.allows(stand.grant())
    stand.start()
    assert stand.asker().ask()["allow"]
    withheld = stand.courier.reply
    stand.courier.reply = lambda q: stand.signed(papers.answer(
        q, "deny", "trust_first")) + bundle
    assert stand.asker().ask()["code"] == "trust_first"
    stand.courier.reply = withheld
    assert stand.asker().ask()["code"] == "approvals_missing"
    time.sleep(max(0.0, until + 0.1 - time.time()))
    stand.agent.again()
    assert stand.asker().ask()["code"] == "approvals_missing"
    assert "serial 2, pinned 1" in stand.agent.said()


def test_a_kept_trust_document_that_is_lost_shuts_the_door(door):
    text, bundle = later_trust(door)
    letting = door.courier.reply
    door.courier.reply = lambda q: door.signed(papers.answer(
        q, "deny", "trust_first")) + bundle
    door.asker().ask()
    door.courier.reply = letting
    assert "serial: 2\n" in door.kept()
    assert door.asker().ask()["allow"]
    (door.state / "trust" / "0000000002").unlink()
    for _ in range(2): # it is not forgotten the second time
        door.agent.again()
        assert door.asker().ask()["code"] == "trust_unusable"
        assert "trust went back: serial 1, was 2" in door.agent.said()
    (door.base / "trust").write_text(text) # root can set it right
    door.agent.again()
    assert door.asker().ask()["allow"]


def test_a_trust_document_that_nobody_entitled_signed(door):
    text = later_trust(door)[0]
    for signer in (door.customer.bert, door.broker_key):
        bad = text + signer.sign("trust", text)
        door.courier.reply = lambda q, b=bad: door.signed(papers.answer(
            q, "deny", "trust_first")) + b
        assert door.asker().ask()["code"] == "trust_first"
        assert not (door.state / "trust" / "0000000002").exists()
    good = later_trust(door)[1]
    door.courier.reply = lambda q: door.signed(papers.answer(
        q, "deny", "trust_first")) + good
    door.asker().ask()
    assert (door.state / "trust" / "0000000002").exists()


# --- what survives ------------------------------------------------------------------


def test_sessions_survive_a_killed_agent(door):
    inside = door.session()
    assert f"session: {inside.sid}\n" in door.records()
    door.agent.again(signal.SIGKILL)
    assert inside.ask(service="sudo")["allow"]


def test_a_revoked_grant_stays_revoked(door):
    grant = door.grants[0]
    inside = door.session()
    assert inside.ask(service="sudo")["allow"]
    revoke = door.customer.bert.sign("revoke", grant.text)
    withheld = door.courier.reply
    door.courier.reply = lambda q: door.signed(papers.answer(
        q, "deny", "revoked")) + grant.text + revoke
    assert door.asker().ask()["code"] == "revoked"
    inside.popen.wait(5) # what rested on it has been ended
    door.courier.reply = withheld # the broker would rather forget it
    assert door.asker().ask()["code"] == "grant_revoked"
    door.agent.again(signal.SIGKILL)
    assert door.asker().ask()["code"] == "grant_revoked"


def rewrite(door, kills, floor=None):
    """Stop the agent, put kills (and a floor) into its state, start it."""
    door.agent.stop()
    path = door.state / "state"
    text = path.read_text()
    lines = "".join(f"kill: sha256:{n:064x} {until}\n" for n, until in kills)
    text = re.sub(r"^(serial: .*\n)", r"\1" + lines, text, flags=re.M)
    if floor is not None:
        text = re.sub(r"^floor: .*$", f"floor: {floor}", text, flags=re.M)
    text = text[:text.rindex("sum: ")]
    path.write_text(text + f"sum: {papers.doc_id(text)}\n")
    door.agent.start()


def test_a_revoke_that_cannot_be_kept_lets_nobody_in(door):
    assert door.asker().ask()["allow"]
    until = int(time.time()) + 86400
    rewrite(door, [(n, until) for n in range(16384)])
    assert door.asker().ask()["allow"], "full, but nothing came to be kept"
    other = door.grant()
    door.allows(*door.grants, extra=other.text
                + door.customer.bert.sign("revoke", other.text))
    reply = door.asker().ask()
    assert not reply["allow"] and reply["code"] == "state_unwritable", reply


def test_what_was_revoked_is_forgotten_by_the_brokers_time(door):
    assert door.asker().ask()["allow"]
    now = int(time.time())
    rewrite(door, [(7, now - 50)], floor=now - 100)
    other = door.grant()
    door.courier.reply = lambda q: other.text + \
        door.customer.bert.sign("revoke", other.text) # no answer, no floor
    assert door.asker().ask()["code"] == "answer_missing"
    state = door.kept()
    assert f"kill: {other.id} " in state
    assert f"kill: sha256:{7:064x} {now - 50}\n" in state
    door.allows(*door.grants)
    assert door.asker().ask()["allow"]
    assert f"sha256:{7:064x}" not in door.kept()


def test_the_floor_is_kept(door):
    assert door.asker().ask()["allow"]
    floor = int(re.search(r"^floor: (\d+)$", door.kept(), re.M)[1])
    assert abs(floor - time.time()) < 5
    door.agent.again(signal.SIGKILL)
    assert f"\nfloor: {floor}\n" in (door.state / "state").read_text()


@pytest.mark.parametrize("damage", ["cut", "altered", "missing", "empty"])
def test_a_state_that_cannot_be_read(door, damage):
    inside = door.session()
    door.agent.stop()
    path = door.state / "state"
    text = path.read_text()
    if damage == "missing":
        path.unlink()
    else:
        path.write_text({"cut": text[:-1], "empty": "",
                         "altered": text.replace("avm", "eve", 1)}[damage])
    door.agent.start()
    assert "going on without" in door.agent.said()
    assert (door.state / "state.unreadable").exists() == (damage != "missing")
    assert inside.alive()
    assert inside.ask(service="sudo")["code"] == "not_sshd"
    assert door.asker().ask()["allow"]


def test_a_session_without_processes_is_forgotten(door):
    gone, stays = door.session(), door.session()
    gone.close()
    door.asker().begin(do="ask", phase=CLOSE, service="sshd", login="avm")
    time.sleep(1.2)
    state = door.kept()
    assert f"session: {gone.sid}\n" not in state
    assert f"session: {stays.sid}\n" in state


def test_closing_again_and_again_puts_no_sweep_off(door):
    gone = door.session()
    gone.close()
    for _ in range(8):
        door.asker().begin(do="ask", phase=CLOSE, service="sshd", login="avm")
        time.sleep(0.4)
    assert f"session: {gone.sid}\n" not in door.records()


def test_no_allow_without_its_record(door):
    assert door.session().reply["allow"]
    asker = door.asker()
    asker.do(do="new_sid", uid=3001)
    os.chown(door.state, 0, 0) # the agent cannot write there any more
    reply = asker.ask(SESSION, key=door.avm.public())
    assert not reply["allow"] and reply["code"] == "state_unwritable"
    os.chown(door.state, UID, -1)
    assert asker.ask(SESSION, key=door.avm.public())["allow"]


# --- how it starts -------------------------------------------------------------------


def test_what_it_gave_up(door):
    for task in Path(f"/proc/{door.agent.popen.pid}/task").iterdir():
        gave_up((task / "status").read_text(), door.agent.program)


def gave_up(status, program):
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Uid"].split() == [str(UID)] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 1 << 5
    assert int(fields["CapBnd"], 16) == int(fields["CapInh"], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    if b"__asan_init" not in program.read_bytes(): # else without the filter
        assert fields["Seccomp"] == "2"


def test_no_core_dump(door):
    limits = Path(f"/proc/{door.agent.popen.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M)


@pytest.mark.parametrize("break_it,code", [
    (lambda s: (s.base / "trust").unlink(), "trust_unusable"),
    (lambda s: (s.base / "trust").write_text(s.trust + "more: 1\n"),
     "trust_unusable"),
    (lambda s: os.chown(s.base / "trust", UID, -1), "trust_unusable"),
    (lambda s: (s.state / "host-key").unlink(), "key_unusable"),
    (lambda s: (s.state / "host-key").chmod(0o644), "key_unusable"),
], ids=["no trust", "bad trust", "foreign trust", "no key", "open key"])
def test_it_lets_nobody_in_without_its_papers(stand, break_it, code):
    stand.allows(stand.grant())
    stand.start()
    assert stand.asker().ask()["allow"]
    stand.agent.stop()
    break_it(stand)
    stand.agent.start()
    reply = stand.asker().ask()
    assert not reply["allow"] and reply["code"] == code
    assert stand.asker().ask(service="cron", exempt_rule=1)["exempt"] == 1


@pytest.mark.parametrize("wrap,why", [
    (["setpriv", "--bounding-set=-kill", "--inh-caps=-kill"], "CAP_KILL"),
    (["unshare", "--mount", "sh", "-ec",
      "mount -t tmpfs none /proc/1 && exec \"$@\"", "sh"], "session id"),
], ids=["without the capability", "without /proc"])
def test_it_lets_nobody_in_whom_it_could_not_end(door, wrap, why):
    assert door.asker().ask()["allow"]
    door.agent.stop()
    door.agent.start(wrap)
    reply = door.asker().ask()
    assert not reply["allow"] and reply["code"] == "agent_unable"
    assert "self-test" in door.agent.said() and why in door.agent.said()
    door.agent.again()
    assert door.asker().ask()["allow"]


def run(stand, *arguments):
    return subprocess.run([stand.agent.program, *map(str, arguments)],
                          capture_output=True, text=True, check=False,
                          timeout=10)


def test_the_configuration_is_checked(stand):
    assert run(stand, "-t", "-c", stand.conf).returncode == 0
    good = stand.conf.read_text()
    for bad, word in ((good + "surprise = 1\n", "surprise"),
                      (good + "host = web2\n", "host"),
                      (good.replace("host = web1\n", ""), "host"),
                      (good.replace("web1", "WEB_1"), "host"),
                      (good.replace("user = nobody", "user = root"), "user"),
                      (good + "questions = 0\n", "questions")):
        stand.conf.write_text(bad)
        done = run(stand, "-t", "-c", stand.conf)
        assert done.returncode == 1 and word in done.stderr, bad
    assert run(stand, "-x").returncode == 2
    assert run(stand, "--version").stdout.startswith("lockbox-agent ")


def test_a_socket_from_a_service_manager(stand):
    """LISTEN_FDS, READY=1, WATCHDOG=1, STOPPING=1."""
    stand.allows(stand.grant())
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(stand.base / "notify"))
    os.chmod(stand.base / "notify", 0o666)
    notify.settimeout(5)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(str(stand.base / "agent.sock"))
    server.listen()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(server.fileno(), 3)
            os.execve(stand.agent.program, ["lockbox-agent", "-c",
                                            str(stand.conf)], {
                "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1",
                "WATCHDOG_USEC": "400000",
                "NOTIFY_SOCKET": str(stand.base / "notify")})
        finally:
            os._exit(127)
    try:
        assert notify.recv(99) == b"READY=1"
        assert stand.asker().ask()["allow"]
        assert notify.recv(99) == b"WATCHDOG=1"
        assert notify.recv(99) == b"WATCHDOG=1"
    finally:
        os.kill(pid, signal.SIGTERM)
    while notify.recv(99) != b"STOPPING=1":
        pass
    assert os.waitpid(pid, 0)[1] == 0
