"""The broker over HTTPS: what it takes, what it refuses, who may see what.

Each refusal stands beside the case that is let in, through the same path.
"""

import concurrent.futures
import contextlib
import http.client
import json
import re
import secrets
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path

import papers
import pytest
from brokerd import BROKER, HOST, TENANT, Brokerd, Person
from postbox import until


class House:
    """One broker, two tenants, everybody signed in."""

    def __init__(self, build, **settings):
        self.b = b = Brokerd(build, **settings)
        b.enter(b.operator)
        self.avm = b.enter(b.add_person("avm@provider.example", "engineer"))
        self.eve = b.enter(b.add_person("eve@provider.example", "engineer"))
        self.mia = b.enter(b.add_person("mia@provider.example", "manager"))
        self.aud = b.enter(b.add_person("aud@provider.example", "auditor"))
        self.anna = Person("anna@acme.example")
        self.bert = Person("bert@acme.example")
        self.zoe = Person("zoe@zeta.example")
        self.trust = b.add_tenant(TENANT, [self.anna, self.bert])
        self.zeta = b.add_tenant("zeta", [self.zoe])
        self.pair = b.add_tenant("pair", [self.anna, self.bert], threshold=2)
        for person in (self.anna, self.bert, self.zoe):
            b.enter(person)
        self.host = b.add_host(TENANT, HOST)
        self.zhost = b.add_host("zeta", HOST)
        self.phost = b.add_host("pair", HOST)

    def fresh(self, endorsed=True, **fields):
        """A request nobody has made before: its login is new."""
        fields.setdefault("login", ["u" + secrets.token_hex(6)])
        got = self.b.ask_for(self.avm, **fields)
        assert got.status == 201, got
        request = got.json
        if endorsed:
            got = self.b.endorse(self.mia, request)
            assert got.status == 200, got
            request = got.json
        return request

    def grant(self, **fields):
        request = self.fresh(**fields)
        got = self.b.approve(self.anna, request)
        assert got.status == 200, got
        return self.b.get(f"/v1/grants/{got.json['grant']}", self.anna).json

    def ask(self, request, trust=None, key=None, **fields):
        fields.setdefault("login", request["logins"][0])
        return self.b.ask(key or self.host, trust or self.trust, **fields)


    def report_text(self, sequence=1, **fields):
        return papers.document(
            "report", host=HOST, tenant=TENANT, broker=BROKER,
            trust=papers.doc_id(self.trust), sequence=sequence,
            at=papers.stamp(time.time()), event="session.opened",
            login="deploy", session=7, engineer=self.avm.name, **fields)

    def signin_key(self, who):
        """A sign-in passkey of that person; its id."""
        key = papers.Passkey("127.0.0.1", "https://127.0.0.1")
        text = self.b.signin_text(who)
        got = self.b.post("/v1/me/signin-keys", {
            "key": key.public(), "label": "", "text": text, "tenant": TENANT,
            "signature": key.sign("signin", text)}, who)
        assert got.status == 201, got
        return got.json["id"]

    def webhook(self):
        """One of acme's, to where nobody is reached; its id."""
        got = self.b.post("/v1/tenants/acme/webhooks", {
            "url": "https://hooks.invalid/", "types": ["trust.proposed"]},
            self.anna)
        assert got.status == 201, got
        return got.json["id"]

    def delivery(self):
        """One to such a webhook; its id."""
        path = f"/v1/webhooks/{self.webhook()}"
        assert self.b.post(f"{path}/test", {}, self.anna).status == 202
        return until(lambda: self.b.get(f"{path}/deliveries",
                                        self.anna).json["items"])[0]["id"]

    def session(self):
        """One that db1 has reported; its id."""
        text = self.report_text()
        got = self.b.bundle("/v1/report",
                            text + self.host.sign("report", text))
        assert got.status == 200, got
        return self.b.get("/v1/sessions", self.anna).json["items"][0]["id"]


    def invited(self):
        """Somebody whom acme invited; the invitation and its code."""
        name = f"p{secrets.token_hex(6)}@acme.example"
        got = self.b.post("/v1/tenants/acme/invitations",
                          {"principal": name}, self.anna)
        assert got.status == 201, got
        return got.json

    def candidate(self):
        """A key that somebody brought to acme; its id."""
        invited = self.invited()
        person = Person(invited["principal"])
        text = self.b.signin_text(person)
        got = self.b.post("/v1/invitations/accept", {
            "tenant": TENANT, "principal": person.name,
            "code": invited["code"], "candidate": {
                "key": person.key.public(), "label": "x", "text": text,
                "signature": person.key.sign("signin", text)}})
        assert got.status == 201, got
        return invited["id"]


@pytest.fixture(scope="module")
def house(build):
    h = House(build)
    yield h
    h.b.end()


def refused(got, status, code):
    assert (got.status, got.code) == (status, code), got
    assert got.headers["Content-Type"] == "application/problem+json"
    assert got.json["status"] == status


# --- the flow -----------------------------------------------------------------

def test_from_request_to_answer(house):
    b = house.b
    request = house.fresh(endorsed=False)
    assert request["state"] == "pending_endorsement"
    said, _ = house.ask(request)
    assert (said["verdict"], said["code"]) == ("pending", "pending_endorsement")
    request = b.endorse(house.mia, request).json
    assert request["state"] == "pending_approval"
    said, _ = house.ask(request)
    assert (said["verdict"], said["code"]) == ("pending", "pending_approval")
    assert house.anna.name in said["message"]
    done = b.approve(house.anna, request).json
    assert done["state"] == "active" and done["grant"]
    said, got = house.ask(request)
    assert (said["verdict"], said["grant"]) == ("allow", done["grant"])
    kinds = [text.split("\n")[0] for text, _ in papers.split(got.text)]
    assert kinds == ["lockbox-answer-v1", "lockbox-grant-v1",
                     "lockbox-request-v1"]
    # another host, login, service, key: no
    other = papers.Ed25519().fingerprint()
    own = house.avm.key.fingerprint()
    assert house.ask(request, engineer_key=[own])[0]["verdict"] == "allow"
    assert house.ask(request, engineer_key=[other])[0]["verdict"] == "deny"
    assert house.ask(request, service="sudo")[0]["verdict"] == "deny"
    assert house.ask(request, login="other")[0]["verdict"] == "deny"
    assert house.ask(request, house.zeta, house.zhost,
                     tenant="zeta")[0]["verdict"] == "deny"
    grant = b.get(f"/v1/grants/{done['grant']}", house.anna).json
    assert b.revoke(house.anna, grant).json["state"] == "revoked"
    said, got = house.ask(request)
    assert (said["verdict"], said["code"]) == ("deny", "revoked")
    assert papers.split(got.text)[1][0] == grant["text"]  # carried along


def test_ssh_keygen_signs_and_verifies(house, tmp_path):
    """The host's key, the question and the answer, with OpenSSH's own tool."""
    b = house.b
    key = tmp_path / "host"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "",
                    "-f", str(key)], check=True)
    code = b.invite(TENANT, "keygen1")
    pair = papers.Ed25519.load(key)
    got = b.post("/v1/enrol", b.enrol_body(TENANT, "keygen1", code, pair))
    assert got.status == 201, got
    request = house.fresh(host=["keygen1"])
    b.approve(house.anna, request)
    question = b.question(house.trust, host="keygen1",
                          login=request["logins"][0])
    (tmp_path / "q").write_text(question)
    subprocess.run(["ssh-keygen", "-Y", "sign", "-q", "-n",
                    "lockbox-question-v1", "-f", str(key),
                    str(tmp_path / "q")], check=True, capture_output=True)
    got = b.bundle("/v1/ask", question + (tmp_path / "q.sig").read_text())
    assert got.status == 200, got
    text, signatures = papers.split(got.text)[0]
    assert papers.fields(text)["verdict"] == "allow"
    (tmp_path / "a.sig").write_text(signatures[0])
    (tmp_path / "allowed").write_text(
        f"{BROKER} {b.key.public()}\n")
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "allowed"),
              "-I", BROKER, "-n", "lockbox-answer-v1", "-s",
              str(tmp_path / "a.sig")]
    assert subprocess.run(verify, input=text.encode(), check=False,
                          capture_output=True).returncode == 0
    assert subprocess.run(verify, input=text.encode() + b"x", check=False,
                          capture_output=True).returncode != 0


def test_two_approvers(house):
    b = house.b
    request = house.fresh(tenant="pair")
    text = b.draft(house.anna, request).json["text"]
    assert b.approve(house.anna, request, text).json["grant"] is None
    refused(b.draft(house.bert, request, duration=600), 409, "draft_fixed")
    shorter = papers.document("grant", **{
        k.replace("-", "_"): v for k, v in
        {**papers.fields(text),
         "not-after": papers.stamp(time.time() + 600)}.items()})
    refused(b.approve(house.bert, request, shorter), 409, "draft_fixed")
    again = b.approve(house.anna, request, text)  # the same once more
    assert (again.status, again.json["grant"]) == (200, None)
    fixed = b.draft(house.bert, request).json
    assert fixed["fixed"] and fixed["text"] == text
    done = b.approve(house.bert, request, text).json
    assert done["state"] == "active" and len(done["approvals"]) == 2
    said, _ = house.ask(request, house.pair, house.phost, tenant="pair")
    assert said["verdict"] == "allow"


def test_replace_a_fixed_draft(house):
    b = house.b
    request = house.fresh(tenant="pair")
    b.approve(house.anna, request)
    refused(b.draft(house.avm, request, replace=True), 403, "role_needed")
    new = b.draft(house.bert, request, replace=True, duration=600).json
    assert not new["fixed"]
    assert b.get(f"/v1/requests/{request['id']}",
                 house.anna).json["approvals"] == []
    assert b.approve(house.bert, request, new["text"]).json["grant"] is None
    assert b.approve(house.anna, request, new["text"]).json["grant"]


def test_a_draft_is_replaced_only_by_another(house):
    b = house.b
    request = house.fresh(tenant="pair")
    text = b.draft(house.anna, request).json["text"]
    assert b.approve(house.anna, request, text).status == 200
    refused(b.draft(house.bert, request, replace=True, hosts=["db9"]), 422,
            "not_within")
    assert b.draft(house.bert, request).json["text"] == text
    assert b.approve(house.bert, request, text).json["state"] == "active"


def test_an_approval_by_a_former_key(house):
    """It counts no more; its person is told so, and not that all is well."""
    b = house.b
    anna, bert = Person("anna@keys.example"), Person("bert@keys.example")
    first = b.add_tenant("keys", [anna, bert], threshold=2)
    b.enter(anna)
    b.add_host("keys", HOST)
    request = house.fresh(tenant="keys")
    text = b.draft(anna, request).json["text"]
    assert b.approve(anna, request, text).json["state"] == "pending_approval"
    new = Person(anna.name)
    second = b.trust_text("keys", [new, bert], serial=2, threshold=2,
                          previous=papers.doc_id(first))
    assert b.bundle("/v1/tenants/keys/trust", second + "".join(
        p.key.sign("trust", second) for p in (anna, bert))).status == 200
    assert b.approve(bert, request, text).json["state"] == "pending_approval"
    refused(b.approve(new, request, text), 409, "draft_fixed")
    b.enter(new)
    text = b.draft(new, request, replace=True).json["text"]
    assert b.approve(new, request, text).json["state"] == "pending_approval"
    assert b.approve(new, request, text).status == 200
    assert b.approve(bert, request, text).json["state"] == "active"


def test_narrowing(house):
    b = house.b
    b.add_host(TENANT, "n1")
    b.add_host(TENANT, "n2")
    request = house.fresh(host=["n1", "n2"], service=["sshd", "sudo"])
    refused(b.draft(house.anna, request, hosts=["db1"]), 422, "not_within")
    refused(b.draft(house.anna, request, duration=7201), 422, "not_within")
    refused(b.draft(house.anna, request, hosts=[]), 400, "bad_value")
    text = b.draft(house.anna, request, hosts=["n1"], services=["sshd"],
                   duration=600).json["text"]
    lines = papers.fields(text)
    assert (lines["host"], lines["service"]) == ("n1", "sshd")
    wide = text.replace("host: n1\n", "host: db1\n")
    refused(b.approve(house.anna, request, wide), 422, "not_within")
    assert b.approve(house.anna, request, text).status == 200


def test_scheduled_start(house):
    b = house.b
    start = int(time.time()) + 3
    request = house.fresh(start=papers.stamp(start))
    done = b.approve(house.anna, request).json
    assert done["state"] == "scheduled"
    assert house.ask(request)[0]["code"] == "not_yet"
    time.sleep(max(0, start + 1 - time.time()))
    assert house.ask(request)[0]["verdict"] == "allow"
    got = b.get(f"/v1/requests/{request['id']}", house.avm)
    assert got.json["state"] == "active"


def test_the_hook_decides_by_signature_alone(house):
    b = house.b
    request = house.fresh()
    text = b.draft(house.anna, request).json["text"]
    stranger = Person("mallory")
    refused(b.bundle("/v1/hook", text + stranger.key.sign("approve", text)),
            404, "not_found")
    refused(b.bundle("/v1/hook", text + house.anna.key.sign("deny", text)),
            400, "bad_document")
    bundle = text + house.anna.key.sign("approve", text)
    got = b.bundle("/v1/hook", bundle)
    assert got.status == 200 and got.json["state"] == "active"
    assert b.bundle("/v1/hook", bundle).json["grant"] == got.json["grant"]
    gone = text + house.anna.key.sign("revoke", text)
    assert b.bundle("/v1/hook", gone).json["state"] == "revoked"
    assert b.bundle("/v1/hook", gone).json["state"] == "revoked"
    other = house.fresh()
    got = b.bundle("/v1/hook", other["text"] +
                   house.anna.key.sign("deny", other["text"]))
    assert got.json["state"] == "denied"


def test_deny_wins(house):
    b = house.b
    request = house.fresh()
    assert b.approve(house.anna, request).json["state"] == "active"
    assert house.ask(request)[0]["verdict"] == "allow"
    got = b.deny(house.bert, request, "not tonight")
    assert got.json["state"] == "denied"
    said, bundle = house.ask(request)
    assert (said["verdict"], said["code"]) == ("deny", "denied")
    assert "not tonight" in said["message"]
    assert [t for t, _ in papers.split(bundle.text)[1:]] == [request["text"]]
    refused(b.approve(house.anna, request, "x"), 400, "bad_document")


def test_what_follows_an_answer_is_never_too_much(house):
    """A host refuses a bundle of more than 64 documents."""
    b, login = house.b, ["much"]
    for _ in range(66):
        assert b.revoke(house.anna, house.grant(login=login)).status == 200
    request = house.fresh(login=login)
    done = b.approve(house.anna, request).json
    said, got = house.ask(request)
    assert (said["verdict"], said["grant"]) == ("allow", done["grant"])
    kinds = [text.split("\n")[0] for text, _ in papers.split(got.text)]
    assert 20 < len(kinds) <= 64 and kinds.count("lockbox-request-v1") == 1
    assert b.revoke(house.anna, {"id": done["grant"], "text": next(
        text for text, _ in papers.split(got.text)
        if papers.doc_id(text) == done["grant"])}).status == 200


def test_a_host_catches_up_with_many_trust_documents(house):
    b, owner = house.b, house.bert
    first = text = b.add_tenant("often", [owner])
    key = b.add_host("often", HOST)
    for serial in range(2, 72):
        before, text = text, b.trust_text("often", [owner], serial=serial,
                                          previous=papers.doc_id(text))
        got = b.bundle("/v1/tenants/often/trust",
                       text + owner.key.sign("trust", text))
        assert got.status == 200, got
    said, got = b.ask(key, first, tenant="often")
    parts = papers.split(got.text)
    assert said["code"] == "trust_first" and 2 < len(parts) <= 64
    said, got = b.ask(key, parts[-1][0], tenant="often")
    assert said["code"] == "trust_first"
    assert papers.split(got.text)[-1][0] == text != before
    assert b.ask(key, text, tenant="often")[0]["code"] == "no_grant"


def test_deny_against_approve_at_once(house):
    """Whatever order they are taken in: denied at the end."""
    b = house.b

    def send(path, body):
        c = b.connect()
        c.request("POST", path, json.dumps(body),
                  {"Content-Type": "application/json"})
        status = c.getresponse().status
        c.close()
        return status
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            request = house.fresh()
            text = b.draft(house.anna, request).json["text"]
            path = f"/v1/requests/{request['id']}"
            yes = {"text": text,
                   "signature": house.anna.key.sign("approve", text)}
            no = {"signature": house.bert.key.sign("deny", request["text"])}
            jobs = [pool.submit(send, f"{path}/approve", yes),
                    pool.submit(send, f"{path}/deny", no),
                    pool.submit(send, f"{path}/approve", yes)]
            got = [j.result() for j in jobs]
            assert got[1] == 200, got
            assert house.ask(request)[0]["code"] == "denied"


def test_nobody_decides_about_their_own(house):
    b = house.b
    both = b.enter(b.add_person("both@provider.example", "engineer",
                                "manager"))
    got = b.ask_for(both, login=["own1"])
    assert got.status == 201, got
    refused(b.endorse(both, got.json), 403, "own_request")
    refused(b.endorse(house.avm, got.json), 403, "role_needed")
    refused(b.endorse(Person("nobody"), got.json), 404, "not_found")
    request = b.endorse(house.mia, got.json)
    assert request.status == 200
    # an engineer whose key the tenant lists as an approver's
    self_key = papers.Ed25519()
    me = b.enter(b.add_person("me@provider.example", "engineer",
                              key=self_key))
    mine = Person("me-too@acme.example", self_key)
    b.add_tenant("selfish", [house.anna, mine])
    b.add_host("selfish", HOST)
    request = b.ask_for(me, tenant="selfish").json
    request = b.endorse(house.mia, request).json
    text = b.draft(house.anna, request).json["text"]
    refused(b.approve(mine, request, text), 403, "own_request")
    assert b.approve(house.anna, request, text).json["state"] == "active"


def test_nobody_can_approve(house):
    b = house.b
    key = papers.Ed25519()
    me = b.enter(b.add_person("lonely@provider.example", "engineer", key=key))
    b.add_tenant("lonely", [Person("lonely@provider.example", key)])
    b.add_host("lonely", HOST)
    refused(b.ask_for(me, tenant="lonely"), 409, "nobody_can_approve")
    assert b.ask_for(me, login=["l1"]).status == 201


def test_a_delegate_approves_until_its_end(house):
    b = house.b
    end = time.time() + 3600
    b.add_tenant("off", [house.anna], delegate=[
        house.mia.key.pinned(house.mia.name, "approve", "deny", "revoke")],
        delegate_until=papers.stamp(end))
    b.add_host("off", HOST)
    got = b.get("/v1/tenants/off", house.anna).json
    assert got["off_until"] == papers.stamp(end)
    b.enter(house.mia)
    request = b.ask_for(house.avm, tenant="off").json
    b.endorse(house.mia, request)
    done = b.approve(house.mia, request)
    assert done.status == 200 and done.json["state"] == "active", done


# --- requests -------------------------------------------------------------------

def test_request_says_nothing_false(house):
    b, avm = house.b, house.avm
    assert b.ask_for(avm, login=["r1"]).status == 201
    for code, status, fields in (
            ("not_your_name", 422, {"engineer": house.eve.name}),
            ("other_broker", 422, {"broker": "other"}),
            ("unknown_key", 422,
             {"engineer_key": [papers.Ed25519().fingerprint()]}),
            ("stale_request", 422,
             {"requested": papers.stamp(time.time() - 400)}),
            ("stale_request", 422,
             {"requested": papers.stamp(time.time() + 120)}),
            ("bad_start", 422, {"start": papers.stamp(time.time() - 400)}),
            ("unknown_host", 422, {"host": ["db9"]}),
            ("not_found", 404, {"tenant": "nosuch"})):
        refused(b.ask_for(avm, login=["r2"], **fields), status, code)
    text = b.request_text(avm, login=["r3"])
    for signature in (house.eve.key.sign("request", text),
                      avm.key.sign("deny", text),
                      avm.key.sign("request", text + "x")):
        refused(b.post("/v1/requests", {"text": text,
                                        "signature": signature}, avm),
                400, "bad_signature")
    assert b.ask_for(avm, text).status == 201


def test_one_open_request_per_scope(house):
    b, avm = house.b, house.avm
    first = b.ask_for(avm, login=["s1"]).json
    got = b.ask_for(avm, login=["s1"])
    refused(got, 409, "request_open")
    assert first["id"] in got.json["detail"]
    assert b.ask_for(avm, login=["s1", "s2"]).status == 201
    assert b.ask_for(house.eve, login=["s1"]).status == 201
    assert b.post(f"/v1/requests/{first['id']}/cancel", {},
                  avm).json["state"] == "cancelled"
    assert b.ask_for(avm, login=["s1"]).status == 201


def test_covered_by_a_live_grant(house):
    b = house.b
    grant = house.grant(service=["sshd", "sudo"])
    login = grant["logins"]
    got = b.ask_for(house.avm, login=login, service=["sshd"])
    assert got.status == 200 and got.json["covered_by"]["id"] == grant["id"]
    assert b.ask_for(house.avm, login=login,
                     extends=grant["id"]).status == 201
    assert b.ask_for(house.eve, login=login).status == 201


def test_covered_only_by_a_grant_that_passes(house):
    """After a change of trust the doors refuse it: another may be asked for."""
    b, avm = house.b, house.avm
    old, new = Person("old@turn.example"), Person("new@turn.example")
    first = b.add_tenant("turn", [old])
    b.enter(old)
    b.add_host("turn", HOST)
    request = house.fresh(tenant="turn", login=["turn"])
    assert b.approve(old, request).status == 200
    assert b.ask_for(avm, tenant="turn", login=["turn"]).status == 200
    second = b.trust_text("turn", [new], serial=2,
                          previous=papers.doc_id(first))
    assert b.bundle("/v1/tenants/turn/trust", second +
                    old.key.sign("trust", second)).status == 200
    assert b.ask_for(avm, tenant="turn", login=["turn"]).status == 201


def test_only_its_engineer_cancels_and_returns(house):
    b = house.b
    request = house.fresh()
    path = f"/v1/requests/{request['id']}/cancel"
    refused(b.post(path, {}, house.eve), 404, "not_found")
    refused(b.post(path, {}, house.mia), 403, "role_needed")
    assert b.post(path, {}, house.avm).json["state"] == "cancelled"
    refused(b.post(path, {}, house.avm), 409, "wrong_state")
    grant = house.grant()
    path = f"/v1/grants/{grant['id']}/return"
    refused(b.post(path, {}, house.eve), 404, "not_found")
    assert b.post(path, {}, house.avm).json["state"] == "returned"
    refused(b.post(path, {}, house.avm), 409, "wrong_state")
    grant = house.grant()
    path = f"/v1/grants/{grant['id']}/stop"
    refused(b.post(path, {"reason": "x"}, house.avm), 403, "role_needed")
    refused(b.post(path, {}, house.mia), 400, "bad_value")
    got = b.post(path, {"reason": "wrong host"}, house.mia).json
    assert got["state"] == "revoked"
    assert got["revocation"]["reason"] == "wrong host"


def test_a_signed_revocation_counts_after_a_return_or_stop(house):
    """Those carry no signature that a host would believe without us."""
    b = house.b
    for verb, who, body, state in (
            ("return", house.avm, {}, "returned"),
            ("stop", house.mia, {"reason": "wrong host"}, "revoked")):
        grant = house.grant()
        path = f"/v1/grants/{grant['id']}"
        assert b.post(f"{path}/{verb}", body, who).json["state"] == state
        _, got = house.ask(grant)
        assert grant["text"] not in got.text
        refused(b.post(f"{path}/{verb}", body, who), 409, "wrong_state")
        refused(b.revoke(house.zoe, grant), 404, "not_found")
        for _ in range(2):
            got = b.revoke(house.anna, grant)
            assert got.status == 200, got
            assert got.json["state"] == state
            assert got.json["revocation"]["principal"] == house.anna.name
        _, got = house.ask(grant)
        assert papers.split(got.text)[1][0] == grant["text"]
        refused(b.revoke(house.bert, grant), 409, "wrong_state")


def test_idempotency(house):
    b, avm = house.b, house.avm
    text = b.request_text(avm, login=["i1"])
    body = {"text": text, "signature": avm.key.sign("request", text)}
    key = {"Idempotency_Key": secrets.token_urlsafe(12)}
    first = b.post("/v1/requests", body, avm, **key)
    again = b.post("/v1/requests", body, avm, **key)
    assert (first.status, again.status) == (201, 201)
    assert first.json["id"] == again.json["id"]
    refused(b.post("/v1/requests", {**body, "text": text + " "}, avm, **key),
            409, "idempotency_mismatch")
    # without a key the very same text is still one request
    assert b.post("/v1/requests", body, avm).json["id"] == first.json["id"]
    refused(b.post("/v1/requests", body, avm, Idempotency_Key="a b"), 400,
            "bad_value")
    key = {"Idempotency_Key": secrets.token_urlsafe(12)}
    body = {"tenant": TENANT, "name": "idem1"}
    codes = {b.post("/v1/hosts", body, b.operator, **key).json["code"]
             for _ in range(3)}
    assert len(codes) == 1


def test_etag(house):
    b = house.b
    request = house.fresh(endorsed=False)
    path = f"/v1/requests/{request['id']}"
    etag = b.get(path, house.anna).headers["ETag"]
    body = {"signature": house.mia.key.sign("endorse", request["text"])}
    refused(b.post(f"{path}/endorse", body, if_match='"v99"'), 412, "stale")
    assert b.post(f"{path}/endorse", body, if_match=etag).status == 200
    assert b.get(path, house.anna).headers["ETag"] != etag
    text = b.draft(house.anna, request).json["text"]
    body = {"text": text, "signature": house.anna.key.sign("approve", text)}
    refused(b.post(f"{path}/approve", body, if_match=etag), 412, "stale")
    now = b.get(path, house.anna).headers["ETag"]
    assert b.post(f"{path}/approve", body, if_match=now).status == 200


def test_lists_and_cursors(house):
    b = house.b
    made = [house.fresh()["id"] for _ in range(5)]
    seen, cursor = [], ""
    while True:
        got = b.get(f"/v1/requests?limit=2&tenant={TENANT}" +
                    (f"&cursor={cursor}" if cursor else ""), house.avm).json
        assert len(got["items"]) <= 2
        seen += [i["id"] for i in got["items"]]
        cursor = got["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) and set(made) <= set(seen)
    got = b.get(f"/v1/requests?prefix={made[0]}", house.avm).json["items"]
    assert [i["id"] for i in got] == [made[0]]
    for query in ("limit=0", "limit=201", "limit=x", "nosuch=1", "prefix=ab",
                  "state=asleep", "cursor=x", "tenant=A"):
        refused(b.get(f"/v1/requests?{query}", house.avm), 400, "bad_query")
    states = {i["state"] for i in b.get(
        "/v1/requests?state=pending_approval&limit=200",
        house.mia).json["items"]}
    assert states == {"pending_approval"}


# --- time -------------------------------------------------------------------------

def test_nobody_answers(build):
    h = House(build)
    try:
        b = h.b
        path = "/v1/tenants/acme/settings"
        refused(b.post(path, {"approve_ttl": 59}, b.operator), 400,
                "bad_value")
        refused(b.post(path, {"approve_ttl": 90}, h.mia), 403, "role_needed")
        assert b.post(path, {"endorsement": False},
                      b.operator).json["settings"]["endorsement"] is False
        request = h.fresh(endorsed=False)
        assert request["state"] == "pending_approval"
        grant = h.grant(endorsed=False, duration=60)
        b.stop()
        # What time does, done to the stored rows: everything is late now.
        subprocess.run(["sqlite3", str(b.home / "broker.db"),
                        "UPDATE request SET lapses_at = 1000000000, "
                        "due_at = 1000000000 WHERE state LIKE 'pending%'"],
                       check=True)
        b.start()
        got = b.get(f"/v1/requests/{request['id']}", h.avm).json
        assert got["state"] == "lapsed"
        assert h.ask(request)[0]["code"] == "lapsed"
        refused(b.approve(h.anna, request, grant["text"]), 422, "not_within")
        text = papers.document("grant", **{
            **{k.replace("-", "_"): v
               for k, v in papers.fields(grant["text"]).items()},
            "request": request["sha256"], "login": request["logins"]})
        refused(b.approve(h.anna, request, text), 409, "wrong_state")
        events = [e["event"] for e in b.get(
            "/v1/events?tenant=acme", b.operator).json["items"]]
        assert "request.lapsed" in events
    finally:
        h.b.end()


def test_a_grant_ends_at_its_minute(house):
    b = house.b
    request = house.fresh(duration=60)
    text = b.draft(house.anna, request).json["text"]
    end = int(time.time()) + 2
    lines = {k.replace("-", "_"): v for k, v in papers.fields(text).items()}
    lines["not_after"] = papers.stamp(end)
    text = papers.document("grant", **lines)
    done = b.approve(house.anna, request, text).json
    assert done["state"] == "active", done
    assert house.ask(request)[0]["verdict"] == "allow"
    time.sleep(max(0, end - time.time()) + 0.05)
    assert house.ask(request)[0]["code"] == "expired"
    assert b.get(f"/v1/grants/{done['grant']}",
                 house.avm).json["state"] == "expired"


def test_drafts_grow_old(house):
    b = house.b
    request = house.fresh()
    text = b.draft(house.anna, request).json["text"]
    lines = {k.replace("-", "_"): v for k, v in papers.fields(text).items()}
    now = time.time()
    for code, change in (
            ("draft_old", {"issued": papers.stamp(now - 601),
                           "not_before": papers.stamp(now - 601),
                           "not_after": papers.stamp(now + 6000)}),
            ("draft_old", {"issued": papers.stamp(now + 120)}),
            ("draft_old", {"not_before": papers.stamp(now - 3600),
                           "not_after": papers.stamp(now + 1800)}),
            ("over", {"issued": papers.stamp(now - 70),
                      "not_before": papers.stamp(now - 70),
                      "not_after": papers.stamp(now - 1)})):
        bad = papers.document("grant", **{**lines, **change})
        refused(b.approve(house.anna, request, bad), 422, code)
    assert b.approve(house.anna, request, text).status == 200


# --- sign-in ------------------------------------------------------------------------

def test_signin(house):
    b = house.b
    person = b.add_person("sign@provider.example", "engineer")
    assert b.signin(person).status == 200
    assert b.get("/v1/whoami", person).json["roles"] == ["engineer"]
    stranger = Person("sign@provider.example")
    refused(b.signin(stranger), 401, "signin_refused")
    text = b.signin_text(person)
    body = {"text": text, "signature": person.key.sign("signin", text)}
    assert b.post("/v1/signin", body).status == 200
    refused(b.post("/v1/signin", body), 401, "nonce_over")
    made_up = b.signin_text(person, nonce=secrets.token_hex(16))
    refused(b.post("/v1/signin", {
        "text": made_up, "signature": person.key.sign("signin", made_up)}),
        401, "nonce_over")
    other = text.replace(f"broker: {BROKER}", "broker: other")
    refused(b.post("/v1/signin", {
        "text": other, "signature": person.key.sign("signin", other)}),
        401, "signin_refused")
    refused(b.post("/v1/signin", {
        "text": text, "signature": person.key.sign("request", text)}),
        400, "bad_signature")


def test_signout_and_removal(house):
    b = house.b
    person = b.enter(b.add_person("bye@provider.example", "engineer"))
    token = person.token
    assert b.get("/v1/whoami", person).status == 200
    assert b.post("/v1/signout", {}, person).status == 204
    refused(b.get("/v1/whoami", person), 401, "signin_needed")
    b.enter(person)
    path = "/v1/people/bye@provider.example"
    assert b.post(path, {"active": False}, b.operator).status == 200
    refused(b.get("/v1/whoami", person), 401, "signin_needed")
    assert b.post(path, {"active": True}, b.operator).status == 200
    assert b.get("/v1/whoami", person).status == 200
    assert token not in (b.home / "broker.db").read_bytes().decode("latin-1")
    assert person.token not in (b.home / "broker.db").read_bytes().decode(
        "latin-1")


def test_roster(house):
    b = house.b
    person = b.add_person("new@provider.example", "engineer")
    add = {"principal": "new2@provider.example", "roles": ["engineer"],
           "keys": [person.key.public()]}
    refused(b.post("/v1/people", add, b.operator), 409, "key_taken")
    add["keys"] = [papers.Ed25519().public()]
    refused(b.post("/v1/people", {**add, "roles": ["king"]}, b.operator),
            400, "bad_value")
    refused(b.post("/v1/people", {**add, "mail": "a b@c"}, b.operator), 400,
            "bad_value")
    refused(b.post("/v1/people", {**add, "keys": ["ssh-rsa AAAA"]},
                   b.operator), 400, "bad_value")
    refused(b.post("/v1/people", add, house.mia), 403, "role_needed")
    got = b.post("/v1/people", {**add, "mail": "n@provider.example"},
                 b.operator)
    assert got.status == 201 and got.json["mail"] == "n@provider.example"
    refused(b.post("/v1/people", {**add, "keys": []}, b.operator), 409,
            "name_taken")
    refused(b.post(f"/v1/people/{b.operator.name}", {"roles": []},
                   b.operator), 409, "last_operator")


# --- trust -----------------------------------------------------------------------

def test_trust_chain(house):
    b = house.b
    owner, new = Person("o@chain.example"), Person("n@chain.example")
    first = b.add_tenant("chain", [owner])
    host = b.add_host("chain", HOST)
    b.enter(owner)
    second = b.trust_text("chain", [new], serial=2,
                          previous=papers.doc_id(first))
    path = "/v1/tenants/chain/trust"
    refused(b.bundle(path, second + new.key.sign("trust", second)), 404,
            "not_found")
    refused(b.bundle(path, second + owner.key.sign("deny", second)), 422,
            "trust_refused")
    skip = b.trust_text("chain", [new], serial=3,
                        previous=papers.doc_id(first))
    refused(b.bundle(path, skip + owner.key.sign("trust", skip)), 409,
            "trust_serial")
    got = b.bundle(path, second + owner.key.sign("trust", second))
    assert got.status == 200 and got.json["trust"]["serial"] == 2
    refused(b.get("/v1/whoami", owner), 401, "signin_needed")  # not his now
    said, bundle = b.ask(host, first, tenant="chain")
    assert (said["verdict"], said["code"]) == ("deny", "trust_first")
    assert [t for t, _ in papers.split(bundle.text)[1:]] == [second]
    assert b.ask(host, second, tenant="chain")[0]["code"] == "no_grant"
    assert b.ask(host, house.trust,
                 tenant="chain")[0]["code"] == "trust_unknown"
    whole = b.get(path, b.operator).text
    assert [t for t, _ in papers.split(whole)] == [first, second]
    after = b.get(f"{path}?after=1", b.operator).text
    assert [t for t, _ in papers.split(after)] == [second]


def test_what_comes_with_a_trust_document(house):
    """Signatures that are none, or twice, name nobody and are not kept."""
    b = house.b
    owner, poor = Person("o@noise.example"), Person("p@noise.example")
    first = b.add_tenant("noise", [owner, poor])
    b.add_host("noise", HOST)
    second = b.trust_text("noise", [owner, poor], serial=2,
                          previous=papers.doc_id(first))
    path = "/v1/tenants/noise/trust"
    false = poor.key.sign("trust", first)  # his key, and not over this text
    good = owner.key.sign("trust", second)
    refused(b.bundle(path, second + false), 404, "not_found")
    refused(b.bundle(path, first + house.eve.key.sign("trust", first)), 404,
            "not_found")  # the one in force, by somebody who only has it
    assert b.bundle(path, first + false).status == 200
    strangers = [papers.Ed25519().sign("trust", second) for _ in range(50)]
    got = b.bundle(path, second + false + "".join(strangers) + good * 50)
    assert got.status == 200, got
    assert b.get(f"{path}?after=1", b.operator).text == second + good
    event = b.get("/v1/events?tenant=noise", b.operator).json["items"][0]
    assert (event["event"], event["actor"]) == ("trust.changed", owner.name)


def test_first_trust(house):
    b = house.b
    owner = Person("o@first.example")

    def add(text, *keys, kind="trust"):
        return b.post("/v1/tenants", {"bundle": text + "".join(
            k.sign(kind, text) for k in keys)}, b.operator)
    good = b.trust_text("first", [owner])
    refused(add(good), 422, "trust_refused")
    refused(add(good, papers.Ed25519()), 422, "trust_refused")
    strange = b.trust_text("first", [owner], broker=[
        papers.Ed25519().pinned(BROKER, "answer")])
    refused(add(strange, owner.key), 422, "broker_not_named")
    old = b.trust_text("first", [owner],
                       good_until=papers.stamp(time.time() - 1))
    refused(add(old, owner.key), 422, "trust_over")
    ours = b.trust_text(BROKER, [owner])
    refused(add(ours, owner.key), 409, "name_taken")
    assert add(good, owner.key).status == 201
    refused(add(good, owner.key), 409, "name_taken")


# --- hosts -------------------------------------------------------------------------

def test_enrolment(house):
    b = house.b
    key = papers.Ed25519()
    code = b.invite(TENANT, "e1")
    assert b.get("/v1/hosts/e1", b.operator).json["state"] == "invited"
    good = b.enrol_body(TENANT, "e1", code, key)
    for change in ({"host": "e2"}, {"tenant": "zeta"}, {"mac": "00" * 32},
                   {"keyid": "0" * 16}):
        refused(b.post("/v1/enrol", {**good, **change}), 401, "mac_refused")
    assert b.post("/v1/enrol", good).status == 201
    refused(b.post("/v1/enrol", good), 401, "mac_refused")  # once
    got = b.get("/v1/hosts/e1", house.avm).json
    assert (got["state"], got["key"]) == ("enrolled", key.public())
    code = b.invite(TENANT, "e3")
    good = b.enrol_body(TENANT, "e3", code, papers.Ed25519())
    for _ in range(5):
        refused(b.post("/v1/enrol", {**good, "mac": "11" * 32}), 401,
                "mac_refused")
    refused(b.post("/v1/enrol", good), 401, "mac_refused")  # burnt


def test_removed_host_is_not_heard(house):
    b = house.b
    key = b.add_host(TENANT, "gone1")
    assert b.ask(key, house.trust, host="gone1")[0]["code"] == "no_grant"
    assert b.post("/v1/hosts/gone1/remove", {}, b.operator).status == 204
    refused(b.ask(key, house.trust, host="gone1")[1], 401, "host_unknown")
    refused(b.get("/v1/hosts/gone1", b.operator), 404, "not_found")


def test_same_name_in_two_tenants(house):
    b = house.b
    refused(b.get(f"/v1/hosts/{HOST}", b.operator), 409, "ambiguous")
    got = b.get(f"/v1/hosts/{HOST}?tenant=zeta", b.operator)
    assert got.json["tenant"] == "zeta"
    assert b.get(f"/v1/hosts/{HOST}", house.zoe).json["tenant"] == "zeta"


def test_a_host_speaks_for_itself(house):
    b = house.b
    assert b.ask(house.host, house.trust, login="x1")[0]["verdict"] == "deny"
    refused(b.ask(house.zhost, house.trust)[1], 401, "host_unknown")
    refused(b.ask(house.host, house.trust, host="db2")[1], 401,
            "host_unknown")
    refused(b.ask(house.host, house.trust, broker="other")[1], 422,
            "other_broker")
    text = b.question(house.trust)
    refused(b.bundle("/v1/ask", text + house.host.sign("report", text)), 400,
            "bad_signature")
    refused(b.bundle("/v1/ask", text), 400, "bad_document")
    late = b.ask(house.host, house.trust,
                 asked=papers.stamp(time.time() - 120))[0]
    assert (late["verdict"], late["code"]) == ("deny", "clock_skew")


# --- the form of requests ------------------------------------------------------------

def test_json_is_strict(house):
    b = house.b
    path = "/v1/signin/nonce"
    assert b.http("POST", path, "{}").status == 200
    deep = "[" * 9 + "]" * 9
    for body in ("", "[]", "null", "{", "{}x", "{} {}", '{"a":1}',
                 '{"a":1,"a":2}', '{"a":' + deep + "}", "\ufeff{}",
                 '{"a":NaN}', '{"a":1e999}', '{"a":"\\ud800"}',
                 '{"a":"\\u0000"}', "[" * 60000, '{"a":1.5}'):
        got = b.http("POST", path, body.encode("utf-8", "surrogatepass"))
        refused(got, 400, "bad_json")
    text = b.signin_text(house.avm)
    body = json.dumps({"text": text,
                       "signature": house.avm.key.sign("signin", text)})
    refused(b.http("POST", "/v1/signin", body[:-1] + ',"more":1}'), 400,
            "bad_json")
    refused(b.http("POST", "/v1/signin",
                   body.replace('{"text"', '{"text":"","text"')), 400,
            "bad_json")
    assert b.http("POST", "/v1/signin", body).status == 200


def test_caps(house):
    b = house.b
    # refused by the head alone, before a body is sent
    for path, kind, most in (("/v1/signin/nonce", b"application/json", 65536),
                             ("/v1/ask", b"text/plain", 131072)):
        head = b"POST " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n" \
            b"Content-Type: " + kind + b"\r\n"
        assert raw(b, head + b"Content-Length: %d\r\n\r\n" %
                   (most + 1)) == 413
        chunks = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
        chunked = head + b"Transfer-Encoding: chunked\r\n\r\n" + \
            chunks * (most // 0x4000)
        assert raw(b, chunked + b"0\r\n\r\n") == 400
        assert raw(b, chunked + b"1\r\nx\r\n0\r\n\r\n") == 413
    bodiless = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
    chunked = bodiless + b"Transfer-Encoding: chunked\r\n\r\n"
    assert raw(b, bodiless + b"\r\n") == 200
    assert raw(b, chunked + b"0\r\n\r\n") == 200
    assert raw(b, chunked + b"1\r\nx\r\n0\r\n\r\n") == 413
    refused(b.http("POST", "/v1/ask", "x" * 131072, type="text/plain"), 400,
            "bad_document")
    refused(b.get("/v1/requests/" + "x" * 1100), 414, "uri_too_long")
    assert b.get("/healthz", X_Long="y" * 2900).status == 200
    got = b.get("/healthz", X_Long="y" * 4000)
    assert got.status == 431
    assert b.get("/healthz").status == 200


def test_methods_and_types(house):
    b = house.b
    got = b.http("DELETE", "/v1/requests", who=house.avm)
    refused(got, 405, "wrong_method")
    assert got.headers["Allow"] == "POST, GET"
    for method in ("PUT", "PATCH", "HEAD", "OPTIONS", "TRACE"):
        assert b.http(method, "/v1/hook").status == 405
    request = house.fresh()
    for verb in ("approve", "deny", "endorse", "draft", "cancel"):
        refused(b.get(f"/v1/requests/{request['id']}/{verb}", house.anna),
                405, "wrong_method")
    for kind in ("text/plain", "multipart/form-data; boundary=x",
                 "application/x-www-form-urlencoded", "application/jsonp"):
        refused(b.http("POST", "/v1/signin/nonce", "{}", type=kind), 415,
                "wrong_type")
    kind = "application/json; charset=utf-8"
    assert b.http("POST", "/v1/signin/nonce", "{}", type=kind).status == 200
    refused(b.get("/v1"), 404, "not_found")
    refused(b.get("/v1/requests/"), 404, "not_found")
    refused(b.get("/v1/requests/../hosts", house.avm), 404, "not_found")
    got = b.get("/healthz")
    assert got.headers["Cache-Control"] == "no-store"
    assert got.headers["X-Content-Type-Options"] == "nosniff"


def raw(b, data):
    """Bytes over TLS; the status of the first answer, 0 when closed."""
    context = ssl.create_default_context(cafile=str(b.home / "ca.pem"))
    with socket.create_connection(("127.0.0.1", b.port), 10) as plain, \
            context.wrap_socket(plain, server_hostname="127.0.0.1") as s:
        s.sendall(data)
        s.settimeout(10)
        try:
            got = s.recv(4096)
        except (OSError, ssl.SSLError):
            return 0
        return int(got.split()[1]) if got else 0


def test_smuggling(house):
    b = house.b
    head = b"POST /v1/signin/nonce HTTP/1.1\r\nHost: x\r\n" \
           b"Content-Type: application/json\r\n"
    assert raw(b, head + b"Content-Length: 2\r\n\r\n{}") == 200
    assert raw(b, head + b"Transfer-Encoding: chunked\r\n\r\n"
                         b"2\r\n{}\r\n0\r\n\r\n") == 200
    for more in (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                 b"2\r\n{}\r\n0\r\n\r\n",
                 b"Content-Length: -1\r\n\r\n{}",
                 b"Content-Length: 2x\r\n\r\n{}",
                 b"Transfer-Encoding: gzip\r\n\r\n{}",
                 b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
                 b"X: 1\r\n folded\r\nContent-Length : 2\r\n\r\n{}"):
        assert raw(b, head + more) in (0, 400, 413), more
    assert raw(b, b"GET /healthz HTTP/1.0\r\n\r\n") == 400
    assert raw(b, b"GET /healthz HTTP/1.1\r\n\r\n") in (0, 400)
    assert raw(b, b"\x00\x01\x02\r\n\r\n") in (0, 400)


def test_slow_peers_are_cut_off(house):
    """A head or body that drips in is never silent, but it has a deadline."""
    b = house.b
    context = ssl.create_default_context(cafile=str(b.home / "ca.pem"))
    kept = b.connect()
    kept.request("GET", "/healthz")
    assert kept.getresponse().read() == b"ok\n"
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(
            socket.create_connection(("127.0.0.1", b.port), 20))
            for _ in range(3)]  # the first never even begins TLS
        for at in (1, 2):
            slow[at] = stack.enter_context(context.wrap_socket(
                slow[at], server_hostname="127.0.0.1"))
        slow[1].sendall(b"GET /healthz HTTP/1.1\r\n")
        slow[2].sendall(b"POST /v1/signin/nonce HTTP/1.1\r\nHost: x\r\n"
                        b"Content-Type: application/json\r\n"
                        b"Content-Length: 60000\r\n\r\n")
        began, open_ones = time.monotonic(), set(slow)
        while open_ones and time.monotonic() - began < 20:
            for s in list(open_ones):
                try:
                    s.settimeout(0.2)
                    if s is not slow[0]:
                        s.sendall(b"a")
                    if not s.recv(100):
                        open_ones.discard(s)
                except TimeoutError:
                    continue
                except OSError:
                    open_ones.discard(s)
        assert not open_ones
        assert time.monotonic() - began > 8
    kept.request("GET", "/healthz")  # a kept connection may be silent
    assert kept.getresponse().status == 200
    kept.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls(house):
    b = house.b
    for low in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = low
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, OSError)):
            with socket.create_connection(("127.0.0.1", b.port), 10) as s:
                context.wrap_socket(s)
    context = ssl.create_default_context(cafile=str(b.home / "ca.pem"))
    for name in ("localhost", "127.0.0.1"):
        with socket.create_connection(("127.0.0.1", b.port), 10) as s, \
                context.wrap_socket(s, server_hostname=name) as t:
            assert t.version() == "TLSv1.3"
    with pytest.raises(ssl.SSLError):
        with socket.create_connection(("127.0.0.1", b.port), 10) as s:
            context.wrap_socket(s, server_hostname="broker.example")


def test_rate_limits(build):
    """Strangers at one's own address keep nobody out, least of all from no."""
    house = House(build, rate_signin=40, rate_decision=40)
    b, eve = house.b, Person("anna@acme.example")
    try:
        request = house.fresh()
        assert b.approve(house.anna, request).status == 200
        other = house.fresh()
        for fail, status in (
                (lambda: b.signin(eve), 401),
                (lambda: b.deny(eve, request), 404),
                (lambda: b.revoke(eve, {"id": "sha256:" + "0" * 64,
                                        "text": "x"}), 429)):
            got = [fail().status for _ in range(12)]
            assert got[0] == status and got[-1] == 429
        last = b.signin(eve)
        refused(last, 429, "rate_limited")
        assert int(last.headers["Retry-After"]) > 0
        refused(b.approve(house.anna, other), 429, "rate_limited")
        assert b.deny(house.anna, request).status == 200
        assert b.deny(house.bert, other).status == 200
        # who proves himself is counted by his key
        got = [b.signin(house.anna).status for _ in range(12)]
        assert got[0] == 200 and got[-1] == 429
        assert b.signin(house.bert).status == 200
    finally:
        b.end()


# --- tenants apart -------------------------------------------------------------------

def rows(house):
    """One call per route that names something of acme's, ready for others."""
    request = house.fresh()
    spare = house.fresh()
    grant = house.grant()
    r, g = request["id"], grant["id"]
    zoe = house.zoe.key
    text = house.b.draft(house.anna, request).json["text"]
    page = house.b.post("/v1/signin/browser",
                        origin="https://127.0.0.1").json["code"]
    seen = house.b.post("/v1/signin/browser/look", {"code": page}).json
    signin = house.b.signin_text(house.anna, seen["nonce"])
    passkey = papers.Passkey("127.0.0.1", "https://127.0.0.1")
    kept = house.signin_key(house.anna)
    proof = house.b.signin_text(house.anna)
    answer = {"signature": zoe.sign("deny", request["text"])}
    hook = house.webhook()
    return {
        "GET /": None, "GET /portal/{file}": None, "GET /approve.html": None,
        "GET /healthz": None, "GET /readyz": None, "GET /metrics": None,
        "GET /v1/broker": None, "POST /v1/signin/nonce": None,
        "POST /v1/signin": None, "POST /v1/signout": None,
        "POST /v1/signin/browser": None, "POST /v1/signin/browser/look": None,
        "POST /v1/signin/browser/poll": None,
        "POST /v1/signin/browser/confirm": ("/v1/signin/browser/confirm", {
            "code": page, "text": signin,
            "signature": papers.Ed25519().sign("signin", signin)}),
        "GET /v1/me/signin-keys": ("/v1/me/signin-keys", None),
        "POST /v1/me/signin-keys": ("/v1/me/signin-keys", {
            "key": passkey.public(), "label": "", "text": proof,
            "signature": passkey.sign("signin", proof)}),
        "POST /v1/me/signin-keys/{id}/remove":
            (f"/v1/me/signin-keys/{kept}/remove", {}),
        "GET /v1/whoami": None, "POST /v1/enrol": None, "POST /v1/ask": None,
        "POST /v1/watch": None, "POST /v1/report": (
            "/v1/report", house.report_text() + zoe.sign(
                "report", house.report_text())),
        "GET /v1/sessions": ("/v1/sessions?tenant=acme", None),
        "GET /v1/sessions/{id}": (f"/v1/sessions/{house.session()}", None),
        "POST /v1/people": None, "POST /v1/tenants": None,
        "GET /v1/people": None, "GET /v1/people/{principal}":
            ("/v1/people/avm@provider.example", None),
        "POST /v1/people/{principal}":
            ("/v1/people/avm@provider.example", {"active": False}),
        "POST /v1/requests": ("/v1/requests", {
            "text": request["text"],
            "signature": zoe.sign("request", request["text"])}),
        "GET /v1/requests": ("/v1/requests?limit=200", None),
        "GET /v1/requests/{id}": (f"/v1/requests/{r}", None),
        "POST /v1/requests/{id}/endorse": (f"/v1/requests/{r}/endorse", {
            "signature": zoe.sign("endorse", request["text"])}),
        "POST /v1/requests/{id}/draft": (f"/v1/requests/{r}/draft", {}),
        "POST /v1/requests/{id}/approve": (f"/v1/requests/{r}/approve", {
            "text": text, "signature": zoe.sign("approve", text)}),
        "POST /v1/requests/{id}/deny": (f"/v1/requests/{r}/deny", answer),
        "POST /v1/requests/{id}/cancel":
            (f"/v1/requests/{spare['id']}/cancel", {}),
        "GET /v1/grants": ("/v1/grants?limit=200", None),
        "GET /v1/grants/{id}": (f"/v1/grants/{g}", None),
        "GET /v1/grants/{id}/bundle": (f"/v1/grants/{g}/bundle", None),
        "POST /v1/grants/{id}/revoke": (f"/v1/grants/{g}/revoke", {
            "signature": zoe.sign("revoke", grant["text"])}),
        "POST /v1/grants/{id}/return": (f"/v1/grants/{g}/return", {}),
        "POST /v1/grants/{id}/stop": (f"/v1/grants/{g}/stop",
                                      {"reason": "x"}),
        "POST /v1/hook": ("/v1/hook", text + zoe.sign("approve", text)),
        "GET /v1/tenants": ("/v1/tenants", None),
        "GET /v1/tenants/{name}": ("/v1/tenants/acme", None),
        "POST /v1/tenants/{name}/settings":
            ("/v1/tenants/acme/settings", {"endorsement": False}),
        "GET /v1/tenants/{name}/trust": ("/v1/tenants/acme/trust", None),
        "POST /v1/tenants/{name}/trust": (
            "/v1/tenants/acme/trust",
            house.zeta + zoe.sign("trust", house.zeta)),
        "GET /v1/tenants/{name}/proposal":
            ("/v1/tenants/acme/proposal", None),
        "POST /v1/tenants/{name}/proposal": ("/v1/tenants/acme/proposal", {
            "text": house.zeta, "signature": zoe.sign("trust", house.zeta)}),
        "POST /v1/tenants/{name}/proposal/withdraw":
            ("/v1/tenants/acme/proposal/withdraw", {}),
        "GET /v1/tenants/{name}/contacts":
            ("/v1/tenants/acme/contacts", None),
        "POST /v1/tenants/{name}/contacts": ("/v1/tenants/acme/contacts", {
            "principal": "anna@acme.example", "mail": "evil@zeta.example"}),
        "GET /v1/tenants/{name}/invitations":
            ("/v1/tenants/acme/invitations", None),
        "POST /v1/tenants/{name}/invitations":
            ("/v1/tenants/acme/invitations",
             {"principal": "evil@zeta.example"}),
        "POST /v1/invitations/accept": ("/v1/invitations/accept", {
            "tenant": TENANT, "principal": "dora@acme.example",
            "code": "0000-0000-0000-0000", "candidate": {
                "key": zoe.public(), "label": "x", "text": "x",
                "signature": "x"}}),
        "POST /v1/invitations/{id}/withdraw":
            (f"/v1/invitations/{house.invited()['id']}/withdraw", {}),
        "GET /v1/tenants/{name}/candidates":
            ("/v1/tenants/acme/candidates", None),
        "POST /v1/candidates/{id}/remove":
            (f"/v1/candidates/{house.candidate()}/remove", {}),
        "GET /v1/hosts": ("/v1/hosts", None),
        "POST /v1/hosts": ("/v1/hosts", {"tenant": TENANT, "name": "evil"}),
        "GET /v1/hosts/{name}": ("/v1/hosts/e-acme-only", None),
        "POST /v1/hosts/{name}/remove": ("/v1/hosts/e-acme-only/remove", {}),
        "GET /v1/tenants/{name}/webhooks":
            ("/v1/tenants/acme/webhooks", None),
        "POST /v1/tenants/{name}/webhooks": (
            "/v1/tenants/acme/webhooks", {"url": "https://evil.example/"}),
        "GET /v1/webhooks/{id}": (f"/v1/webhooks/{hook}", None),
        "POST /v1/webhooks/{id}":
            (f"/v1/webhooks/{hook}", {"url": "https://evil.example/"}),
        "POST /v1/webhooks/{id}/rotate": (f"/v1/webhooks/{hook}/rotate", {}),
        "POST /v1/webhooks/{id}/test": (f"/v1/webhooks/{hook}/test", {}),
        "POST /v1/webhooks/{id}/remove": (f"/v1/webhooks/{hook}/remove", {}),
        "GET /v1/webhooks/{id}/deliveries":
            (f"/v1/webhooks/{hook}/deliveries", None),
        "GET /v1/deliveries": ("/v1/deliveries?tenant=acme", None),
        "POST /v1/deliveries/{id}/retry":
            (f"/v1/deliveries/{house.delivery()}/retry", {}),
        "GET /v1/events": ("/v1/events?tenant=acme", None),
    }


def test_tenant_isolation_matrix(house):
    """Every route, by somebody of another tenant and by nobody at all."""
    b = house.b
    b.add_host(TENANT, "e-acme-only")
    table = [line.split()[:2] for line in b.run("routes").stdout.splitlines()]
    matrix = rows(house)
    assert {f"{m} {p}" for m, p in table} == set(matrix), \
        "a route without its row in the matrix"
    secret = ("acme", "anna@", "bert@", house.host.public())
    for route, call in matrix.items():
        if call is None:
            continue
        path, body = call
        method = route.split()[0]
        kind = "text/plain" if isinstance(body, str) else None
        for who in (house.zoe, None):
            got = b.http(method, path, body, who, type=kind)
            if got.status == 200:
                assert not any(s in got.text for s in secret), (route, got)
                assert method == "GET" and who is house.zoe, (route, got)
            else:
                assert got.status in (401, 403, 404), (route, who, got)
            if got.status == 403:
                assert got.code == "role_needed", (route, got)
    # control: with the right people the same paths answer
    assert b.post(matrix["POST /v1/me/signin-keys/{id}/remove"][0],
                  who=house.anna).status == 204
    for route in ("GET /v1/requests/{id}", "GET /v1/grants/{id}",
                  "GET /v1/grants/{id}/bundle", "GET /v1/tenants/{name}",
                  "GET /v1/sessions", "GET /v1/sessions/{id}",
                  "GET /v1/tenants/{name}/trust",
                  "GET /v1/tenants/{name}/contacts",
                  "GET /v1/tenants/{name}/invitations",
                  "GET /v1/tenants/{name}/candidates", "GET /v1/hosts/{name}"):
        got = b.get(matrix[route][0], house.anna)
        assert got.status == 200 and "acme" in got.text, route


def test_absent_and_foreign_look_alike(house):
    b = house.b
    request, grant = house.fresh(), house.grant()
    pairs = (
        (f"/v1/requests/{request['id']}", f"/v1/requests/{papers.new_id()}"),
        (f"/v1/grants/{grant['id']}", "/v1/grants/sha256:" + "0" * 64),
        (f"/v1/grants/{grant['id']}/bundle",
         "/v1/grants/sha256:" + "0" * 64 + "/bundle"),
        (f"/v1/sessions/{house.session()}",
         "/v1/sessions/sha256:" + "0" * 64),
        ("/v1/tenants/acme", "/v1/tenants/nosuch"),
        ("/v1/tenants/acme/trust", "/v1/tenants/nosuch/trust"),
        ("/v1/tenants/acme/proposal", "/v1/tenants/nosuch/proposal"),
        ("/v1/tenants/acme/contacts", "/v1/tenants/nosuch/contacts"),
        ("/v1/tenants/acme/invitations", "/v1/tenants/nosuch/invitations"),
        ("/v1/tenants/acme/candidates", "/v1/tenants/nosuch/candidates"),
        ("/v1/hosts/e-acme-only", "/v1/hosts/nosuch"))
    for foreign, absent in pairs:
        one, two = b.get(foreign, house.zoe), b.get(absent, house.zoe)
        assert (one.status, one.body) == (two.status, two.body) and \
            one.status == 404, foreign
    text = b.draft(house.anna, request).json["text"]
    body = {"text": text, "signature": house.zoe.key.sign("approve", text)}
    one = b.post(f"/v1/requests/{request['id']}/approve", body)
    two = b.post(f"/v1/requests/{papers.new_id()}/approve", body)
    assert (one.status, one.body) == (two.status, two.body)
    assert one.status == 404
    # an engineer sees his own requests only
    assert b.get(f"/v1/requests/{request['id']}", house.avm).status == 200
    refused(b.get(f"/v1/requests/{request['id']}", house.eve), 404,
            "not_found")


def test_a_token_alone_decides_nothing(house):
    """A stolen session can look, ask and withdraw, but not approve."""
    b = house.b
    request = house.fresh()
    text = b.draft(house.anna, request).json["text"]
    thief = papers.Ed25519()
    for verb, body in (
            ("approve", {"text": text, "signature": thief.sign("approve",
                                                               text)}),
            ("deny", {"signature": thief.sign("deny", request["text"])}),
            ("endorse", {"signature": thief.sign("endorse",
                                                 request["text"])})):
        refused(b.post(f"/v1/requests/{request['id']}/{verb}", body,
                       house.anna), 404, "not_found")
    assert b.approve(house.anna, request, text).status == 200


# --- the documentation ----------------------------------------------------------------

OPENAPI = json.loads((Path(__file__).parents[2] / "doc" /
                      "openapi.json").read_text())


def fits(schema, value, where):
    """Is value what the schema says? The few words of it that are used."""
    if "$ref" in schema:
        node = OPENAPI
        for name in schema["$ref"][2:].split("/"):
            node = node[name]
        return fits(node, value, where)
    if value is None:
        assert schema.get("nullable"), f"{where}: null"
        return None
    if schema["type"] == "object":
        assert isinstance(value, dict), where
        known, other = schema.get("properties", {}), \
            schema.get("additionalProperties")
        assert set(schema.get("required", ())) <= set(value), where
        assert other or set(value) <= set(known), f"{where}: {sorted(value)}"
        for name, item in value.items():
            fits(known.get(name, other), item, f"{where}.{name}")
    elif schema["type"] == "array":
        for item in value:
            fits(schema["items"], item, f"{where}[]")
    else:
        kind = {"string": str, "integer": int, "boolean": bool}
        assert isinstance(value, kind[schema["type"]]), f"{where}: {value!r}"
        if "enum" in schema:
            assert value in schema["enum"], f"{where}: {value}"
        if "pattern" in schema:
            assert re.search(schema["pattern"], value), f"{where}: {value}"
    return None


def test_openapi_says_what_is_served(house):
    b = house.b
    table = {tuple(line.split()[i] for i in (0, 1, 2, 4))
             for line in b.run("routes").stdout.splitlines()}
    assert table == {(method.upper(), path, ",".join(op["x-roles"]),
                      "pages" if op.get("x-pages") else "-")
                     for path, ops in OPENAPI["paths"].items()
                     for method, op in ops.items()}
    request, grant = house.fresh(), house.grant()
    b.deny(house.bert, request, "no")
    b.revoke(house.anna, grant)
    proposed = b.trust_text("pair", [house.anna, house.bert], threshold=2,
                            serial=2, previous=papers.doc_id(house.pair))
    assert b.post("/v1/tenants/pair/proposal", {
        "text": proposed, "signature": house.anna.key.sign("trust", proposed),
        "replace": True}).status == 201
    house.invited(), house.candidate()
    words = {"{id}": request["id"], "{name}": "acme",
             "{principal}": house.avm.name, "{file}": "app.js"}
    for path, ops in OPENAPI["paths"].items():
        if "get" not in ops:
            continue
        answer = ops["get"]["responses"]["200"]["content"]
        if "grants" in path:
            words["{id}"] = grant["id"]
        if "sessions" in path:
            words["{id}"] = house.session()
        if "webhooks/" in path:
            words["{id}"] = house.webhook()
        where = path
        for word, value in words.items():
            where = where.replace(word, value)
        if path == "/v1/hosts/{name}":
            where = f"/v1/hosts/{HOST}?tenant=acme"
        if path.endswith("/proposal"):
            where = path.replace("{name}", "pair")
        got = b.get(where, b.operator)
        if where == "/approve.html" and got.status == 404:
            continue  # a build without it
        assert got.status == 200, (where, got)
        kind = got.headers["Content-Type"].split(";")[0]
        assert kind in answer, where
        if kind == "application/json":
            fits(answer[kind]["schema"], got.json, where)
        words["{id}"] = request["id"]
    problem = OPENAPI["components"]["schemas"]["Problem"]
    fits(problem, b.get("/v1/nosuch").json, "problem")


# --- the program -------------------------------------------------------------------

def test_init_refuses_to_overwrite(house):
    b = house.b
    args = ["init", "--dir", str(b.home), "--name", BROKER, "--url",
            "https://127.0.0.1", "--operator", "x@y", "--operator-key",
            str(b.dir / "operator.pub")]
    before = (b.home / "broker.key").read_bytes()
    done = b.run(*args, check=False)
    assert done.returncode == 1 and "not overwriting" in done.stderr
    assert (b.home / "broker.key").read_bytes() == before
    for name in ("broker.key", "secret", "tls.key", "broker.conf",
                 "broker.db"):
        assert (b.home / name).stat().st_mode & 0o077 == 0, name


def test_command_line(house):
    b = house.b
    assert b.run("--version").stdout.startswith("lockbox-broker ")
    assert "usage:" in b.run("--help").stdout
    assert b.run("nosuch", check=False).returncode == 2
    assert b.run("check", "-c", str(b.conf)).stdout.endswith(": ok\n")
    assert b.run("check", "-c", "/nonexistent",
                 check=False).returncode == 78


def test_mistyped_configuration_stays_shut(build, tmp_path):
    b = Brokerd(build)
    try:
        assert b.stop() == 0
        good = b.conf.read_text()
        for line in ("sesion = 1h", "threads = 0", "session = 1s",
                     "name = support", "metrics = maybe"):
            b.conf.write_text(good + line + "\n")
            done = b.run("check", "-c", str(b.conf), check=False)
            assert done.returncode == 78 and "broker.conf:" in done.stderr
        b.conf.write_text(good)
        b.conf.chmod(0o622)
        assert b.run("check", "-c", str(b.conf),
                     check=False).returncode == 78
        b.conf.chmod(0o600)
        (b.home / "broker.key").chmod(0o640)
        assert b.run("check", "-c", str(b.conf),
                     check=False).returncode == 78
        (b.home / "broker.key").chmod(0o600)
        assert b.run("check", "-c", str(b.conf)).returncode == 0
        b.start()
    finally:
        b.end()


def test_damaged_or_newer_database(build):
    b = Brokerd(build)
    try:
        assert b.stop() == 0
        db = b.home / "broker.db"
        good = db.read_bytes()
        check = ["check", "-c", str(b.conf)]
        assert b.run(*check).returncode == 0
        for sql in ("PRAGMA user_version = 99", "PRAGMA application_id = 7"):
            subprocess.run(["sqlite3", str(db), sql], check=True)
            assert b.run(*check, check=False).returncode == 78
            db.write_bytes(good)
        for at in range(4096, len(good), 4096):
            db.write_bytes(good[:at] + b"\xff" * 64 + good[at + 64:])
            done = b.run(*check, check=False)
            assert done.returncode in (0, 78), done
        db.write_bytes(b"not a database" * 1000)
        assert b.run(*check, check=False).returncode == 78
        db.write_bytes(good)
        assert b.run(*check).returncode == 0
    finally:
        b.end()


def test_edited_database_opens_nothing(build):
    """The text that was signed counts, not the columns beside it."""
    h = House(build)
    try:
        b = h.b
        grant = h.grant()
        login = grant["logins"][0]
        assert h.ask({"logins": [login]})[0]["verdict"] == "allow"
        b.stop()
        subprocess.run(["sqlite3", str(b.home / "broker.db"),
                        "INSERT INTO grant_door SELECT tenant, host, 'root', "
                        f"not_after, sha256 FROM grant_door WHERE sha256 = "
                        f"'{grant['id']}'"], check=True)
        b.start()
        assert h.ask({"logins": [login]})[0]["verdict"] == "allow"
        said, got = h.ask({"logins": ["root"]})
        assert said is None and got.status == 503, got
    finally:
        h.b.end()


def test_no_tenant_is_called_as_the_broker(build):
    """Its people would read the provider's own records."""
    b = Brokerd(build)
    try:
        b.enter(b.operator)
        b.add_tenant(TENANT, [Person("anna@acme.example")])
        assert b.run("check", "-c", str(b.conf)).returncode == 0
        b.conf.write_text(b.conf.read_text().replace(
            f"name = {BROKER}\n", f"name = {TENANT}\n"))
        done = b.run("check", "-c", str(b.conf), check=False)
        assert done.returncode == 78 and TENANT in done.stderr
    finally:
        b.end()


def test_one_broker_per_database(build):
    """Each would go on believing what the other had changed."""
    b = Brokerd(build)
    try:
        done = b.run("serve", "-c", str(b.conf), check=False)
        assert done.returncode == 78 and "another broker" in done.stderr
        assert b.run("check", "-c", str(b.conf)).stdout.endswith("ok\n")
        assert b.get("/readyz").status == 200
        assert b.stop() == 0
        b.start()
        assert b.get("/readyz").status == 200
    finally:
        b.end()


def test_clean_shutdown_and_restart(build):
    h = House(build)
    try:
        b = h.b
        request = h.fresh()
        assert b.stop(signal.SIGTERM) == 0
        assert not (b.home / "broker.db-wal").exists() or \
            (b.home / "broker.db-wal").stat().st_size == 0
        b.start()
        assert b.get(f"/v1/requests/{request['id']}",
                     h.avm).json["state"] == "pending_approval"
        assert b.stop(signal.SIGINT) == 0
        b.start()
    finally:
        h.b.end()


def test_kill_9_under_load_loses_nothing(build):
    """Every request that was acknowledged is there after kill -9."""
    h = House(build)
    try:
        b = h.b
        acknowledged = []

        def load(number):
            connection = b.connect()
            try:
                for i in range(10000):
                    text = b.request_text(h.avm, login=[f"k{number}x{i}"],
                                          request=papers.new_id())
                    body = json.dumps({
                        "text": text,
                        "signature": h.avm.key.sign("request", text)})
                    connection.request("POST", "/v1/requests", body, {
                        "Content-Type": "application/json",
                        "Authorization": f"Bearer {h.avm.token}"})
                    got = connection.getresponse()
                    data = got.read()
                    if got.status == 201:
                        acknowledged.append(json.loads(data)["id"])
            except (OSError, http.client.HTTPException, ssl.SSLError,
                    ValueError):
                return
        for _ in range(3):
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                jobs = [pool.submit(load, secrets.token_hex(3))
                        for _ in range(4)]
                time.sleep(1.5)
                b.stop(signal.SIGKILL)
                for job in jobs:
                    job.result()
            assert b.run("check", "-c", str(b.conf)).returncode == 0
            b.start()
        assert len(acknowledged) > 100, len(acknowledged)
        for request in acknowledged:
            got = b.get(f"/v1/requests/{request}", h.avm)
            assert got.status == 200, request
        # each with its record, and no gap in them
        cursor, numbers, created = "", [], 0
        while True:
            got = b.get("/v1/events?tenant=acme&limit=200" +
                        (f"&cursor={cursor}" if cursor else ""),
                        b.operator).json
            numbers += [e["sequence"] for e in got["items"]]
            created += sum(e["event"] == "request.created"
                           for e in got["items"])
            cursor = got["next_cursor"]
            if not cursor:
                break
        assert numbers == list(range(len(numbers), 0, -1))
        assert created >= len(acknowledged)
    finally:
        h.b.end()
