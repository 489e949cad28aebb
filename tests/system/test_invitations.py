"""Invited people bring keys, and owners sign them into trust.

Each refusal stands beside the case that is let in, through the same path.
"""

import concurrent.futures
import json
import re
import time

import papers
import pytest
from brokerd import BROKER, Brokerd, Person
from papers import TOUCH, Passkey

OWN, SERVED = "https://approve.acme.example", "https://broker.example"
ALL = ("approve", "deny", "revoke")
URL, HOME = "https://127.0.0.1", "127.0.0.1"  # of the broker in these tests


class House:
    def __init__(self, build):
        self.b = b = Brokerd(build)
        b.enter(b.operator)
        self.avm = b.enter(b.add_person("avm@provider.example", "engineer"))
        self.mia = b.enter(b.add_person("mia@provider.example", "manager"))
        self.anna, self.bert = (Person(f"{n}@acme.example")
                                for n in ("anna", "bert"))
        self.hook = Person("ci@acme.example")
        self.zoe = Person("zoe@zeta.example")
        self.fields = {
            "hook": [self.hook.key.pinned(self.hook.name, *ALL)],
            "page": [f"acme.example {OWN}",
                     f"broker.example {SERVED} broker"]}
        self.trust = b.add_tenant("acme", [self.anna, self.bert],
                                  **self.fields)
        b.add_tenant("zeta", [self.zoe])
        for person in (self.anna, self.bert, self.hook, self.zoe):
            b.enter(person)
        self.count = 0

    def new(self):
        """Somebody nobody has invited before."""
        self.count += 1
        return Person(f"new{self.count}@acme.example")

    def invite(self, person, who=None, **more):
        got = self.b.post("/v1/tenants/acme/invitations",
                          {"principal": person.name, **more},
                          who or self.anna)
        assert got.status == 201, got
        return got.json

    def proof(self, person, key=None):
        """What proves that the key is there and whose it shall be."""
        key = key or person.key
        text = self.b.signin_text(person)
        return {"key": key.public(), "label": "a key", "text": text,
                "signature": key.sign("signin", text)}

    def accept(self, person, code, by=None, tenant="acme", **changed):
        return self.b.post("/v1/invitations/accept", {
            "tenant": tenant, "principal": person.name, "code": code,
            "candidate": {**self.proof(person, by), **changed}})

    def bring(self, person, code, *, origin=None, **keys):
        """Accept with signin=PASSKEY, candidate=KEY, or both."""
        body = {"tenant": "acme", "principal": person.name, "code": code}
        for what, key in keys.items():
            body[what] = self.proof(person, key)
        headers = {} if origin is None else {"origin": origin}
        return self.b.post("/v1/invitations/accept", body, **headers)

    def listed(self, what, who=None, tenant="acme"):
        got = self.b.get(f"/v1/tenants/{tenant}/{what}", who or self.anna)
        assert got.status == 200, got
        return got.json["items"]

    def candidate(self, person):
        return next((c for c in self.listed("candidates")
                     if c["principal"] == person.name), None)

    def invitation(self, person):
        return next((i for i in self.listed("invitations")
                     if i["principal"] == person.name), None)

    def last_event(self):
        return self.b.get("/v1/events?tenant=acme",
                          self.anna).json["items"][0]


@pytest.fixture(scope="module")
def house(build):
    h = House(build)
    yield h
    h.b.end()


def refused(got, status, code):
    assert (got.status, got.code) == (status, code), got


def test_from_invitation_to_trust(house):
    """Invited, brought a key, signed into trust: then the key decides."""
    h, dora = house, house.new()
    got = h.invite(dora, owner=True)
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}",
                        got["code"])
    kept = h.invitation(dora)
    assert kept == {k: v for k, v in got.items() if k != "code"}
    assert (kept["state"], kept["owner"], kept["invited_by"]) == (
        "open", True, h.anna.name)
    done = h.accept(dora, got["code"], label="Dora's laptop")
    assert done.status == 201, done
    assert done.json == {"signin_key": None, "page": OWN,
                         "candidate": dora.key.fingerprint()}
    assert h.invitation(dora) is None
    c = h.candidate(dora)
    assert (c["key"], c["fingerprint"], c["label"], c["origin"], c["owner"],
            c["invited_by"]) == (
        dora.key.public(), dora.key.fingerprint(), "Dora's laptop", None,
        True, h.anna.name)
    assert re.fullmatch("[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", c["code"])
    # it has no power at all
    refused(h.b.signin(dora), 401, "signin_refused")
    after = h.b.trust_text("acme", [h.anna, h.bert, dora], serial=2,
                           previous=papers.doc_id(h.trust), **h.fields)
    refused(h.b.bundle("/v1/tenants/acme/trust",
                       after + dora.key.sign("trust", after)), 404,
            "not_found")
    assert h.b.bundle("/v1/tenants/acme/trust",
                      after + h.anna.key.sign("trust", after)).status == 200
    assert h.candidate(dora) is None  # signed: it is pinned now
    assert h.b.signin(dora).status == 200
    h.trust = after


def test_only_keys_that_were_pinned_go(house):
    h, one, two = house, house.new(), house.new()
    for person in (one, two):
        assert h.accept(person, h.invite(person)["code"]).status == 201
    serial = h.b.get("/v1/tenants/acme", h.anna).json["trust"]["serial"]
    after = h.b.trust_text("acme", [h.anna, h.bert, one], serial=serial + 1,
                           previous=papers.doc_id(h.trust), **h.fields)
    assert h.b.post("/v1/tenants/acme/proposal", {
        "text": after, "signature": h.bert.key.sign("trust", after)
    }).json["proposal"] is None
    assert h.candidate(one) is None and h.candidate(two)
    h.trust = after


def test_a_code_is_typed_by_people(house):
    h, person = house, house.new()
    code = h.invite(person)["code"]
    typed = code.replace("-", " ").lower().replace("0", "o").replace("1", "l")
    assert h.accept(person, f" {typed} ").status == 201


def test_a_code_is_good_once(house):
    h, person = house, house.new()
    code = h.invite(person)["code"]
    bodies = [json.dumps({
        "tenant": "acme", "principal": person.name, "code": code,
        "candidate": h.proof(person, papers.Ed25519())}) for _ in range(8)]

    def send(body):
        connection = h.b.connect()
        try:
            connection.request("POST", "/v1/invitations/accept", body,
                               {"Content-Type": "application/json"})
            got = connection.getresponse()
            return got.status, json.loads(got.read())
        finally:
            connection.close()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(send, bodies))
    assert sorted(status for status, _ in got) == [201] + [401] * 7
    assert {g["code"] for s, g in got if s != 201} == {"invitation_refused"}
    kept = [c for c in h.listed("candidates")
            if c["principal"] == person.name]
    assert len(kept) == 1


def test_five_wrong_codes_burn_it(house):
    h, person, calm = house, house.new(), house.new()
    good, other = h.invite(person)["code"], h.invite(calm)["code"]
    for i in range(4):
        refused(h.accept(person, "0000-0000-0000-000" + str(i)), 401,
                "invitation_refused")
        event = h.last_event()
        assert (event["event"], event["actor"], event["detail"]) == (
            "invitation.refused", BROKER, "127.0.0.1")
    # somebody else's code is one more; garbage is one as well
    refused(h.accept(person, other), 401, "invitation_refused")
    assert h.invitation(person)["state"] == "burnt"
    burnt = h.accept(person, good)
    refused(burnt, 401, "invitation_refused")
    # all that is refused looks the same
    assert burnt.body == h.accept(house.new(), good).body
    assert burnt.body == h.accept(person, good, tenant="zeta").body
    assert burnt.body == h.accept(person, good, tenant="nosuch").body
    # nobody else's is burnt by it, and four are not five
    assert h.accept(calm, other).status == 201
    again = h.invite(person)["code"]
    for _ in range(4):
        refused(h.accept(person, "x"), 401, "invitation_refused")
    assert h.accept(person, again).status == 201


def test_a_new_invitation_replaces_the_old(house):
    h, person = house, house.new()
    first = h.invite(person, owner=True)
    second = h.invite(person, h.b.operator)
    assert first["id"] != second["id"]
    kept = [i for i in h.listed("invitations")
            if i["principal"] == person.name]
    assert [(i["id"], i["owner"], i["invited_by"]) for i in kept] == [
        (second["id"], False, h.b.operator.name)]
    refused(h.accept(person, first["code"]), 401, "invitation_refused")
    assert h.accept(person, second["code"]).status == 201


def test_idempotent(house):
    h, person = house, house.new()
    path = "/v1/tenants/acme/invitations"

    def again(**body):
        return h.b.post(path, {"principal": person.name, **body}, h.anna,
                        idempotency_key="inv-1")
    one, two = again(), again()
    assert one.status == 201 and one.json == two.json
    refused(again(owner=True), 409, "idempotency_mismatch")
    assert h.accept(person, one.json["code"]).status == 201
    refused(again(), 409, "wrong_state")


def test_withdraw(house):
    h, person = house, house.new()
    got = h.invite(person)
    path = f"/v1/invitations/{got['id']}/withdraw"
    for who, status, code in ((None, 401, "signin_needed"),
                              (h.avm, 403, "role_needed"),
                              (h.zoe, 404, "not_found"),
                              (h.hook, 404, "not_found")):
        refused(h.b.post(path, {}, who), status, code)
    assert h.b.post(path, {}, h.bert).status == 204
    assert h.last_event()["event"] == "invitation.withdrawn"
    refused(h.b.post(path, {}, h.bert), 404, "not_found")
    refused(h.accept(person, got["code"]), 401, "invitation_refused")
    assert h.accept(person, h.invite(person)["code"]).status == 201


def test_who_may(house):
    h = house
    for who in (h.anna, h.bert, h.b.operator):
        h.invite(h.new(), who)
        h.listed("candidates", who)
    for who, status, code in (
            (h.avm, 403, "role_needed"), (h.mia, 403, "role_needed"),
            (h.zoe, 404, "not_found"), (h.hook, 404, "not_found"),
            (None, 401, "signin_needed")):
        path = "/v1/tenants/acme/"
        refused(h.b.post(path + "invitations",
                         {"principal": "evil@zeta.example"}, who), status,
                code)
        refused(h.b.get(path + "invitations", who), status, code)
        refused(h.b.get(path + "candidates", who), status, code)
    assert h.listed("invitations", h.zoe, "zeta") == []
    assert h.listed("candidates", h.zoe, "zeta") == []


def test_an_address_comes_along(house):
    h, person = house, house.new()
    refused(h.b.post("/v1/tenants/acme/invitations",
                     {"principal": person.name, "mail": "none"}, h.anna),
            400, "bad_value")
    assert h.invitation(person) is None
    assert "mail" not in h.invite(person, mail=person.name)
    contact = next(c for c in h.listed("contacts")
                   if c["principal"] == person.name)
    assert contact["mail"] == person.name


@pytest.mark.parametrize("key", (
    papers.Ed25519, papers.SkEd25519, papers.P256, papers.SkP256))
def test_every_kind_of_key(house, key):
    h, person = house, house.new()
    person.key = key()
    got = h.accept(person, h.invite(person)["code"])
    assert got.status == 201
    assert h.candidate(person)["origin"] is None


@pytest.mark.parametrize("rp,origin", (
    ("acme.example", OWN), ("broker.example", SERVED)))
def test_a_passkey_of_a_pinned_page(house, rp, origin):
    h, person = house, house.new()
    person.key = papers.Passkey(rp, origin)
    got = h.accept(person, h.invite(person)["code"])
    assert got.status == 201 and got.json["page"] == OWN
    assert h.candidate(person)["origin"] == origin


@pytest.mark.parametrize("rp,origin", (
    ("acme.example", SERVED), ("acme.example", "https://evil.example"),
    ("evil.example", OWN), ("broker.example", OWN),
    ("acme.example", "https://acme.example")))
def test_a_passkey_of_another_page(house, rp, origin):
    h, person = house, house.new()
    code = h.invite(person)["code"]
    refused(h.accept(person, code, papers.Passkey(rp, origin)), 422,
            "candidate_refused")
    # what failed did not use the invitation up
    assert h.accept(person, code,
                    papers.Passkey("acme.example", OWN)).status == 201


def test_the_key_must_speak_for_itself(house):
    h, person = house, house.new()
    code = h.invite(person)["code"]
    stranger = papers.Ed25519()
    text = h.b.signin_text(person)
    old = h.b.signin_text(person, at=time.time() - 400)
    nonce = h.b.signin_text(person, nonce="0" * 32)
    other = h.b.signin_text(h.bert)
    foreign = text.replace(f"broker: {BROKER}", "broker: elsewhere")
    sign = person.key.sign
    for changed, status, refusal in (
            ({"key": stranger.public()}, 400, "bad_signature"),
            ({"text": text, "signature": sign("approve", text)}, 400,
             "bad_signature"),
            ({"text": text, "signature": stranger.sign("signin", text)}, 400,
             "bad_signature"),
            ({"text": other, "signature": sign("signin", other)}, 401,
             "signin_refused"),
            ({"text": old, "signature": sign("signin", old)}, 401,
             "signin_refused"),
            ({"text": foreign, "signature": sign("signin", foreign)}, 401,
             "signin_refused"),
            ({"text": nonce, "signature": sign("signin", nonce)}, 401,
             "nonce_over"),
            ({"text": "x\n", "signature": sign("signin", "x\n")}, 400,
             "bad_document"),
            ({"key": "ssh-rsa AAAA"}, 400, "bad_value"),
            ({"key": person.key.public() + " comment"}, 400, "bad_value"),
            ({"label": ""}, 400, "bad_value"),
            ({"label": "a" * 65}, 400, "bad_value"),
            ({"label": "two\nlines"}, 400, "bad_value"),
            ({"label": "\u202egnol"}, 400, "bad_value"),
            ({"label": 7}, 400, "bad_json"),
            ({"more": "x"}, 400, "bad_json")):
        refused(h.accept(person, code, **changed), status, refusal)
    assert h.candidate(person) is None
    assert h.accept(person, code).status == 201


def test_a_key_is_one_persons(house):
    h, person, other = house, house.new(), house.new()
    code = h.invite(person)["code"]
    pinned = (h.anna.key, h.hook.key, h.b.key)
    for key in (*pinned, h.avm.key, h.b.operator.key):
        refused(h.accept(person, code, key), 409, "key_taken")
    assert h.accept(other, h.invite(other)["code"]).status == 201
    refused(h.accept(person, code, other.key), 409, "key_taken")
    assert h.accept(person, code).status == 201


def test_remove_a_candidate(house):
    h, person = house, house.new()
    assert h.accept(person, h.invite(person)["code"]).status == 201
    c = h.candidate(person)
    path = f"/v1/candidates/{c['id']}/remove"
    for who, status, code in ((None, 401, "signin_needed"),
                              (h.avm, 403, "role_needed"),
                              (h.zoe, 404, "not_found"),
                              (h.hook, 404, "not_found")):
        refused(h.b.post(path, {}, who), status, code)
    assert h.candidate(person)
    assert h.b.post(path, {}, h.bert).status == 204
    event = h.last_event()
    assert event["event"] == "candidate.removed"
    assert person.name in event["detail"]
    assert h.candidate(person) is None
    refused(h.b.post(path, {}, h.bert), 404, "not_found")
    # the key may be brought again
    assert h.accept(person, h.invite(person)["code"]).status == 201


def test_values(house):
    h = house
    path = "/v1/tenants/acme/invitations"
    refused(h.b.post(path, {"principal": "two words"}, h.anna), 400,
            "bad_value")
    refused(h.b.post(path, {}, h.anna), 400, "bad_json")
    refused(h.b.post(path, {"principal": "x@y", "more": 1}, h.anna), 400,
            "bad_json")
    refused(h.b.post("/v1/invitations/accept", {
        "tenant": "acme", "principal": "x@y", "code": "x"}), 400, "bad_json")
    refused(h.b.post("/v1/tenants/nosuch/invitations",
                     {"principal": "x@y"}, h.b.operator), 404, "not_found")


def test_not_without_end(house):
    h = house
    path = "/v1/tenants/zeta/invitations"
    made = [h.b.post(path, {"principal": f"p{i}@zeta.example"}, h.zoe)
            for i in range(64)]
    assert {got.status for got in made} == {201}
    refused(h.b.post(path, {"principal": "more@zeta.example"}, h.zoe), 409,
            "too_many")
    # a new code for somebody, and after one was withdrawn somebody else
    assert h.b.post(path, {"principal": "p1@zeta.example"},
                    h.zoe).status == 201
    assert h.b.post(f"/v1/invitations/{made[0].json['id']}/withdraw", {},
                    h.zoe).status == 204
    assert h.b.post(path, {"principal": "more@zeta.example"},
                    h.zoe).status == 201


def test_guessing_is_limited_by_address(build):
    b = Brokerd(build, rate_enrol=20)
    try:
        body = {"tenant": "acme", "principal": "x@y", "code": "x",
                "candidate": {"key": "x", "label": "x", "text": "x",
                              "signature": "x"}}
        got = [b.post("/v1/invitations/accept", body) for _ in range(12)]
        assert got[0].code == "invitation_refused"
        assert got[-1].code == "rate_limited"
        assert got[-1].headers["Retry-After"]
    finally:
        b.end()


def test_no_code_is_kept_or_told(house):
    h, person = house, house.new()
    code = h.invite(person)["code"]
    h.b.close()
    kept = b"".join(p.read_bytes() for p in h.b.home.glob("*.db*"))
    assert person.name.encode() in kept
    log = (h.b.dir / "log").read_bytes()
    for form in (code, code.replace("-", "")):
        assert form.encode() not in kept and form.encode() not in log
    events = h.b.get("/v1/events?tenant=acme&limit=200", h.anna).text
    assert code not in events
    assert code not in str(h.listed("invitations"))


def test_a_nonce_is_spent(house):
    h, person = house, house.new()
    text = h.b.signin_text(person)

    def bring(key):
        return h.accept(person, h.invite(person)["code"], key, text=text,
                        signature=key.sign("signin", text))
    assert bring(papers.Ed25519()).status == 201
    refused(bring(papers.Ed25519()), 401, "nonce_over")
    assert h.invitation(person)["state"] == "open"
    # nor does it open a session
    got = h.b.post("/v1/signin", {
        "text": text, "signature": person.key.sign("signin", text)})
    refused(got, 401, "signin_refused")


# --- keys to sign in with ----------------------------------------------------------

def test_a_key_to_sign_in_with(house):
    """It comes with the invitation, and says nothing before he is an approver."""
    h, person = house, house.new()
    key = Passkey(HOME, URL)
    got = h.bring(person, h.invite(person)["code"], signin=key, origin=URL)
    assert got.status == 201, got
    assert got.json == {"signin_key": key.fingerprint(), "candidate": None,
                        "page": OWN}
    assert h.candidate(person) is None and h.invitation(person) is None
    text = h.b.signin_text(person)

    def signin():
        return h.b.post("/v1/signin", {
            "text": text, "signature": key.sign("signin", text)}, origin=URL)
    refused(signin(), 401, "signin_refused")
    # with another key of his in the trust document it signs him in
    serial = h.b.get("/v1/tenants/acme", h.anna).json["trust"]["serial"]
    after = h.b.trust_text("acme", [h.anna, h.bert, person],
                           serial=serial + 1, **h.fields,
                           previous=papers.doc_id(h.trust))
    assert h.b.bundle("/v1/tenants/acme/trust",
                      after + h.anna.key.sign("trust", after)).status == 200
    h.trust = after
    text = h.b.signin_text(person)
    got = signin()
    assert got.status == 200 and got.json["tenants"] == ["acme"], got


def test_both_keys_at_once(house):
    h, person = house, house.new()
    code = h.invite(person)["code"]
    keys = {"signin": Passkey(HOME, URL), "candidate": person.key}
    got = h.bring(person, code, **keys)
    assert got.status == 201, got
    assert (got.json["signin_key"], got.json["candidate"]) == tuple(
        k.fingerprint() for k in keys.values())
    events = h.b.get("/v1/events?tenant=acme", h.anna).json["items"][:2]
    assert [(e["event"], e["detail"]) for e in reversed(events)] == [
        ("invitation.accepted", f"candidate {person.key.fingerprint()}"),
        ("person.signin_key_added", keys["signin"].fingerprint())]


def test_both_keys_may_sign_one_text(house):
    h, person = house, house.new()
    text = h.b.signin_text(person)
    body = {"tenant": "acme", "principal": person.name,
            "code": h.invite(person)["code"]}
    for what, key in (("signin", Passkey(HOME, URL)),
                      ("candidate", person.key)):
        body[what] = {"key": key.public(), "label": "x", "text": text,
                      "signature": key.sign("signin", text)}
    assert h.b.post("/v1/invitations/accept", body).status == 201


def test_one_bad_key_brings_none(house):
    """All or nothing: the invitation is there for another try."""
    h, person = house, house.new()
    code = h.invite(person)["code"]
    good = Passkey(HOME, URL)
    refused(h.bring(person, code, signin=good, candidate=h.anna.key), 409,
            "key_taken")
    refused(h.bring(person, code, signin=Passkey(HOME, URL, flags=TOUCH),
                    candidate=person.key), 401, "signin_refused")
    assert h.candidate(person) is None
    assert h.bring(person, code, signin=good,
                   candidate=person.key).status == 201


def test_each_key_has_one_purpose(house):
    h, person, other = house, house.new(), house.new()
    code = h.invite(person)["code"]
    key = Passkey(HOME, URL)
    refused(h.bring(person, code, signin=person.key), 400, "bad_value")
    refused(h.bring(person, code, signin=Passkey("acme.example", OWN)), 401,
            "signin_refused")
    refused(h.bring(person, code, signin=Passkey(HOME, "https://evil.example")),
            401, "signin_refused")
    refused(h.bring(person, code, signin=key, origin=OWN), 403,
            "foreign_origin")
    refused(h.bring(person, code), 400, "bad_json")
    assert h.bring(person, code, signin=key, origin=URL).status == 201
    # what signs in is no candidate, and nobody else's
    code = h.invite(other)["code"]
    refused(h.bring(other, code, candidate=key), 422, "candidate_refused")
    refused(h.bring(other, code, signin=key), 409, "key_taken")
    assert h.bring(other, code, signin=Passkey(HOME, URL)).status == 201


def test_a_sign_in_key_is_no_candidate(build):
    """Not even where a tenant pins the broker's own page for passkeys."""
    b = Brokerd(build)
    try:
        b.enter(b.operator)
        anna = Person("anna@acme.example")
        b.add_tenant("acme", [anna], page=[f"{HOME} {URL} broker"])
        h = House.__new__(House)
        h.b, h.anna, h.count = b, b.enter(anna), 0
        person, other = h.new(), h.new()
        key = Passkey(HOME, URL)
        assert h.bring(person, h.invite(person)["code"],
                       signin=key).status == 201
        code = h.invite(other)["code"]
        refused(h.bring(other, code, candidate=key), 409, "key_taken")
        both = Passkey(HOME, URL)
        refused(h.bring(other, code, signin=both, candidate=both), 409,
                "key_taken")
        assert h.bring(other, code, signin=both,
                       candidate=Passkey(HOME, URL)).status == 201
    finally:
        b.end()


def test_a_customers_page_brings_candidates(house):
    """CORS: the customer's own page may call, and reads the answer."""
    h, person = house, house.new()
    got = h.bring(person, h.invite(person)["code"], origin=OWN,
                  candidate=Passkey("acme.example", OWN))
    assert got.status == 201
    assert got.headers["Access-Control-Allow-Origin"] == OWN
    other = house.new()
    code = h.invite(other)["code"]
    for origin in (SERVED, "https://evil.example"):
        got = h.bring(other, code, origin=origin, candidate=other.key)
        refused(got, 403, "foreign_origin")
        assert "Access-Control-Allow-Origin" not in got.headers
    assert h.bring(other, code, candidate=other.key).status == 201
