"""Passkeys that sign in: the broker's own, and customers' pinned ones.

Each refusal stands beside the same call that is let in.
"""

import time

import papers
import pytest
from brokerd import HOST, Brokerd, Person
from papers import TOUCH, VERIFIED, Passkey

OWN = "https://127.0.0.1"  # the broker's url in these tests
PAGE, RP = "https://door.acme.example", "acme.example"
ZETA = "https://door.zeta.example"
MARKED = "https://shared.acme.example"


def own_passkey(**more):
    return Passkey("127.0.0.1", OWN, **more)


class House:
    def __init__(self, build):
        self.b = b = Brokerd(build)
        b.enter(b.operator)
        self.avm = b.enter(b.add_person("avm@provider.example", "engineer"))
        self.mia = b.enter(b.add_person("mia@provider.example", "manager"))
        self.anna = Person("anna@acme.example")
        self.bert = Person("bert@acme.example")
        self.zoe = Person("zoe@zeta.example")
        # phil approves with a passkey on acme's own page alone
        self.phil = Person("phil@acme.example", Passkey(RP, PAGE))
        self.trust = b.add_tenant("acme", [self.anna], **self.acme())
        b.add_tenant("zeta", [self.zoe],
                     page=[f"door.zeta.example {ZETA}"])
        for person in (self.anna, self.bert, self.zoe):
            b.enter(person)
        self.host = b.add_host("acme", HOST)

    def acme(self, **fields):
        return {
            "page": [f"{RP} {PAGE}", f"{RP} {MARKED} broker"],
            "approver": [
                self.anna.key.pinned(self.anna.name, "approve", "deny",
                                     "revoke", "trust"),
                self.bert.key.pinned(self.bert.name, "approve", "deny",
                                     "revoke"),
                self.phil.key.pinned(self.phil.name, "approve", "deny",
                                     "revoke")],
            **fields}

    def add(self, who, key, name=None, text=None, signer=None, **fields):
        """Add a sign-in passkey; the answer."""
        if text is None:
            text = self.b.signin_text(Person(name or who.name))
        return self.b.post("/v1/me/signin-keys", {
            "key": key.public(), "label": "telephone", "text": text,
            "signature": (signer or key).sign("signin", text), **fields}, who)

    def signin(self, name, key, origin=OWN, text=None, cookie=False):
        text = text or self.b.signin_text(Person(name))
        body = {"text": text, "signature": key.sign("signin", text)}
        if cookie:
            body["cookie"] = True
        headers = {} if origin is None else {"origin": origin}
        return self.b.post("/v1/signin", body, **headers)

    def enter(self, person, key):
        """That person with a session of that passkey."""
        got = self.signin(person.name, key)
        assert got.status == 200, got
        there = Person(person.name, key)
        there.token = got.json["token"]
        return there

    def request(self):
        return self.b.endorsed(self.avm, self.mia)


@pytest.fixture(scope="module")
def house(build):
    h = House(build)
    yield h
    h.b.end()


def refused(got, status, code, detail=""):
    assert (got.status, got.code) == (status, code), got
    assert detail in got.json.get("detail", ""), got
    assert got.headers["Set-Cookie"] is None


# --- a person's own keys ------------------------------------------------------------

def test_a_sign_in_passkey_from_its_making_to_its_end(house):
    b, key = house.b, own_passkey()
    refused(house.signin(house.anna.name, key), 401, "signin_refused")
    got = house.add(house.anna, key)
    assert got.status == 201, got
    made = got.json
    assert made["key"] == key.public() and made["label"] == "telephone"
    assert made["tenant"] == "acme" and made["used_at"] is None
    assert b.get("/v1/me/signin-keys", house.anna).json == {
        "items": [made], "next_cursor": None}
    got = house.signin(house.anna.name, key, cookie=True)
    assert got.status == 200 and "token" not in got.json
    assert got.json["sign_in"] == "signin_passkey"
    assert got.json["roles"] == ["approver"]
    assert got.json["tenant_roles"] == {"acme": ["approver", "owner"]}
    cookie = got.headers["Set-Cookie"].split(";")[0]
    [item] = b.get("/v1/me/signin-keys", cookie=cookie).json["items"]
    assert item["used_at"] is not None
    # it looks, and drafts; the decision is the pinned key's
    request = house.request()
    got = b.post(f"/v1/requests/{request['id']}/draft", {}, cookie=cookie,
                 origin=OWN)
    assert got.status == 200, got
    text = got.json["text"]
    refused(b.post(f"/v1/requests/{request['id']}/approve", {
        "text": text, "signature": key.sign("approve", text)}, cookie=cookie,
        origin=OWN), 404, "not_found")
    assert b.post(f"/v1/requests/{request['id']}/approve", {
        "text": text, "signature": house.anna.key.sign("approve", text)},
        cookie=cookie, origin=OWN).json["state"] == "active"
    # gone, its session goes with it
    path = f"/v1/me/signin-keys/{made['id']}/remove"
    for who in (house.zoe, house.avm, house.bert):
        refused(b.post(path, who=who), 404, "not_found")
    assert b.get("/v1/whoami", cookie=cookie).status == 200
    assert b.post(path, cookie=cookie, origin=OWN).status == 204
    refused(b.get("/v1/whoami", cookie=cookie), 401, "signin_needed")
    refused(b.post(path, who=house.anna), 404, "not_found")
    refused(house.signin(house.anna.name, key), 401, "signin_refused")
    assert b.get("/v1/me/signin-keys", house.anna).json["items"] == []
    events = [e["event"] for e in b.get(
        "/v1/events?tenant=acme&limit=10", b.operator).json["items"]]
    assert "person.signin_key_added" in events
    assert "person.signin_key_removed" in events


def test_what_a_new_key_must_prove(house):
    b, who = house.b, house.bert
    key = own_passkey()
    text = b.signin_text(who)
    for bad in (papers.Ed25519(), papers.SkP256(), papers.P256()):
        refused(house.add(who, bad), 400, "bad_value", "no passkey")
    refused(house.add(who, key, signer=own_passkey()), 400, "bad_signature",
            "another key")
    refused(house.add(who, key, name="anna@acme.example"), 401,
            "signin_refused", "another name")
    refused(house.add(who, key, text=text.replace("support", "other")), 401,
            "signin_refused")
    refused(house.add(who, key, text=b.signin_text(who, nonce="0" * 32)), 401,
            "nonce_over")
    refused(house.add(who, key, text=b.signin_text(
        who, at=time.time() - 400)), 401, "signin_refused")
    for key_, detail in (
            (Passkey("localhost", OWN), "another site"),
            (Passkey(RP, PAGE), "another site"),
            (Passkey("127.0.0.1", PAGE), "another page"),
            (Passkey("127.0.0.1", OWN + ":8443"), "another page"),
            (own_passkey(flags=TOUCH), "not verified"),
            (own_passkey(flags=VERIFIED), "not verified"),
            (own_passkey(flags=0), "not verified")):
        refused(house.add(who, key_), 401, "signin_refused", detail)
    framed = own_passkey()
    framed.cross_origin = True
    refused(house.add(who, framed), 400, "bad_signature")
    for label in ("x" * 65, "a\nb", " edge", "\u202eabc", "a\u200bb"):
        refused(house.add(who, key, label=label), 400, "bad_value", "label")
    refused(house.add(who, key, x=1), 400, "bad_json")
    assert b.get("/v1/me/signin-keys", who).json["items"] == []
    assert house.add(who, key, text=text, label="").status == 201
    assert house.signin(who.name, key).status == 200


def test_a_proof_is_good_once(house):
    b, who, key = house.b, house.bert, own_passkey()
    text = b.signin_text(who)
    assert house.add(who, key, text=text).status == 201
    refused(house.signin(who.name, key, text=text), 401, "nonce_over")
    used = b.signin_text(who)
    assert house.signin(who.name, key, text=used).status == 200
    refused(house.signin(who.name, key, text=used), 401, "nonce_over")
    refused(house.add(who, own_passkey(), text=used), 401, "nonce_over")


def test_a_key_has_one_owner_and_one_purpose(house):
    key = own_passkey()
    assert house.add(house.bert, key).status == 201
    refused(house.add(house.bert, key), 409, "key_taken")
    refused(house.add(house.zoe, key), 409, "key_taken")
    refused(house.signin(house.anna.name, key), 401, "signin_refused")
    assert house.signin(house.bert.name, key).status == 200
    # one that a trust document pins approves, and does not sign in here
    pinned = own_passkey()
    carl = Person("carl@pins.example")
    house.b.add_tenant("pins", [carl], page=[f"127.0.0.1 {OWN} broker"],
                       approver=[
                           carl.key.pinned(carl.name, "approve", "deny",
                                           "revoke", "trust"),
                           pinned.pinned("dora@pins.example", "approve")])
    house.b.enter(carl)
    refused(house.add(carl, pinned), 409, "pinned_key")
    refused(house.signin("dora@pins.example", pinned), 409, "pinned_key")
    assert house.add(carl, own_passkey()).status == 201


def test_a_sign_in_key_that_is_pinned_later_is_none_any_more(house):
    b, key, eva = house.b, own_passkey(), Person("eva@later.example")
    page = [f"127.0.0.1 {OWN} broker"]
    first = b.add_tenant("later", [eva], page=page)
    b.enter(eva)
    assert house.add(eva, key).status == 201
    there = house.enter(eva, key)
    assert b.get("/v1/whoami", there).status == 200
    second = b.trust_text("later", [eva], page=page, serial=2,
                          previous=papers.doc_id(first), approver=[
                              eva.key.pinned(eva.name, "approve", "deny",
                                             "revoke", "trust"),
                              key.pinned("eva2@later.example", "approve")])
    assert b.bundle("/v1/tenants/later/trust", second +
                    eva.key.sign("trust", second)).status == 200
    refused(b.get("/v1/whoami", there), 401, "signin_needed")
    refused(house.signin(eva.name, key), 401, "signin_refused")
    assert b.get("/v1/whoami", eva).status == 200


def test_at_most_ten(house):
    keys = [own_passkey() for _ in range(11)]
    got = [house.add(house.zoe, key) for key in keys]
    assert [g.status for g in got[:10]] == [201] * 10
    refused(got[10], 409, "too_many_keys")
    assert house.b.post(
        f"/v1/me/signin-keys/{got[0].json['id']}/remove",
        who=house.zoe).status == 204
    assert house.add(house.zoe, keys[10]).status == 201


def test_a_passkey_of_the_providers_people(house):
    b, key = house.b, own_passkey()
    got = house.add(house.avm, key)
    assert got.status == 201 and got.json["tenant"] is None, got
    there = house.enter(house.avm, key)
    who = b.get("/v1/whoami", there).json
    assert (who["roles"], who["tenants"]) == (["engineer"], [])
    # asks, with the engineer's own ssh key
    text = b.request_text(house.avm, login=["byphone"])
    got = b.post("/v1/requests", {
        "text": text, "signature": house.avm.key.sign("request", text)},
        there)
    assert got.status == 201, got
    assert b.post("/v1/people/avm@provider.example", {"active": False},
                  b.operator).status == 200
    refused(b.get("/v1/whoami", there), 401, "signin_needed")
    refused(house.signin(house.avm.name, key), 401, "signin_refused")
    assert b.post("/v1/people/avm@provider.example", {"active": True},
                  b.operator).status == 200
    assert b.get("/v1/whoami", there).status == 200


def test_a_name_is_somebody_in_one_realm_alone(house):
    """The same name at the provider and at a tenant may be two people."""
    b, key = house.b, own_passkey()
    twin = b.add_person("twin@both.example", "auditor")
    b.enter(twin)
    other = Person("twin@both.example")
    b.add_tenant("both", [other])
    b.enter(other)
    assert house.add(twin, key).json["tenant"] is None
    mine = own_passkey()
    assert house.add(other, mine).json["tenant"] == "both"
    who = b.get("/v1/whoami", house.enter(twin, key)).json
    assert (who["roles"], who["tenants"]) == (["auditor"], [])
    there = house.enter(other, mine)
    who = b.get("/v1/whoami", there).json
    assert (who["roles"], who["tenants"]) == (["approver"], ["both"])
    for person, its in ((twin, key), (other, mine), (there, mine)):
        items = b.get("/v1/me/signin-keys", person).json["items"]
        assert [i["key"] for i in items] == [its.public()]


def test_whoever_is_of_two_tenants_says_which(house):
    b, kim = house.b, Person("kim@two.example")
    b.add_tenant("two1", [kim])
    b.add_tenant("two2", [kim])
    b.enter(kim)
    refused(house.add(kim, own_passkey()), 400, "bad_value", "tenant")
    refused(house.add(kim, own_passkey(), tenant="acme"), 400, "bad_value")
    refused(house.add(kim, own_passkey(), tenant=""), 400, "bad_value")
    refused(house.add(kim, own_passkey(), tenant=7), 400, "bad_json")
    key = own_passkey()
    assert house.add(kim, key, tenant="two2").json["tenant"] == "two2"
    assert b.get("/v1/whoami", house.enter(kim, key)).json["tenants"] == \
        ["two2"]


def test_who_is_no_approver_any_more_does_not_sign_in(house):
    b, ole = house.b, Person("ole@left.example")
    pia = Person("pia@left.example")
    first = b.add_tenant("left", [ole, pia])
    b.enter(ole)
    key = own_passkey()
    assert house.add(ole, key).status == 201
    there = house.enter(ole, key)
    second = b.trust_text("left", [pia], serial=2,
                          previous=papers.doc_id(first))
    assert b.bundle("/v1/tenants/left/trust", second +
                    pia.key.sign("trust", second)).status == 200
    refused(b.get("/v1/whoami", there), 401, "signin_needed")
    refused(house.signin(ole.name, key), 401, "signin_refused")


def test_where_a_sign_in_passkey_may_be_used(house):
    """On the broker's own page, its owner verified."""
    key = own_passkey()
    assert house.add(house.anna, key).status == 201
    name = house.anna.name
    assert house.signin(name, key).status == 200
    for origin in (PAGE, "https://evil.example", "null"):
        key.origin = origin
        refused(house.signin(name, key), 401, "signin_refused",
                "another page")
    key.origin = OWN
    refused(house.signin(name, key, origin=PAGE), 401, "signin_refused",
            "another page")
    refused(house.signin(name, key, origin="https://evil.example"), 403,
            "foreign_origin")
    for flags in (TOUCH, VERIFIED, 0):
        key.flags = flags
        refused(house.signin(name, key), 401, "signin_refused",
                "not verified")
    key.flags = TOUCH | VERIFIED
    assert house.signin(name, key).status == 200


def test_a_sign_in_passkey_adds_another(house):
    key, next_one = own_passkey(), own_passkey()
    assert house.add(house.anna, key).status == 201
    there = house.enter(house.anna, key)
    assert house.add(there, next_one).status == 201
    assert house.signin(house.anna.name, next_one).status == 200


# --- pinned passkeys, on the customer's own page ----------------------------------------

def test_a_pinned_passkey_signs_in_on_its_customers_page(house):
    b, phil = house.b, house.phil
    got = house.signin(phil.name, phil.key, origin=PAGE)
    assert got.status == 200, got
    assert got.headers["Access-Control-Allow-Origin"] == PAGE
    assert got.json["sign_in"] == "pinned_passkey"
    assert got.json["tenant_roles"] == {"acme": ["approver"]}
    there = Person(phil.name, phil.key)
    there.token = got.json["token"]
    request = house.request()
    path = f"/v1/requests/{request['id']}"
    text = b.post(f"{path}/draft", {}, there, origin=PAGE).json["text"]
    got = b.post(f"{path}/approve", {
        "text": text, "signature": phil.key.sign("approve", text)},
        origin=PAGE)
    assert got.status == 200 and got.json["state"] == "active", got
    # it is no way to a sign-in passkey, which could be used elsewhere
    refused(house.add(there, own_passkey()), 403, "role_needed")


def test_a_pinned_passkey_signs_in_nowhere_else(house):
    phil = house.phil
    key = phil.key
    assert house.signin(phil.name, key, origin=PAGE).status == 200
    refused(house.signin(phil.name, key), 409, "pinned_key")
    refused(house.signin(phil.name, key, origin=None), 409, "pinned_key")
    refused(house.signin(phil.name, key, origin=ZETA), 401, "signin_refused",
            "another page")
    refused(house.signin(phil.name, key, origin=MARKED), 403,
            "foreign_origin")
    refused(house.signin(phil.name, key, origin="https://evil.example"), 403,
            "foreign_origin")
    refused(house.signin(phil.name, key, origin=PAGE, cookie=True), 403,
            "foreign_origin")
    for origin in (OWN, MARKED, ZETA, "https://evil.acme.example"):
        key.origin = origin
        refused(house.signin(phil.name, key, origin=PAGE), 401,
                "signin_refused", "another page")
    key.origin = PAGE
    key.flags = VERIFIED
    refused(house.signin(phil.name, key, origin=PAGE), 401, "signin_refused",
            "not verified")
    key.flags = TOUCH | VERIFIED
    refused(house.signin(house.anna.name, key, origin=PAGE), 401,
            "signin_refused")
    refused(house.signin(phil.name, Passkey(RP, PAGE), origin=PAGE), 401,
            "signin_refused")
    assert house.signin(phil.name, key, origin=PAGE).status == 200


def test_page_and_site_stand_in_one_line(house):
    """Of two pages of one tenant, each has its own passkeys."""
    b = house.b
    one, two = "https://one.example", "https://two.example"
    nora = Person("nora@pair.example", Passkey("one.example", one))
    ivo = Person("ivo@pair.example")
    b.add_tenant("paired", [ivo],
                 page=[f"one.example {one}", f"two.example {two}"],
                 approver=[ivo.key.pinned(ivo.name, "approve", "deny",
                                          "revoke", "trust"),
                           nora.key.pinned(nora.name, "approve")])
    assert house.signin(nora.name, nora.key, origin=one).status == 200
    nora.key.origin = two
    refused(house.signin(nora.name, nora.key, origin=two), 401,
            "signin_refused")


def test_an_ssh_key_signs_in_on_its_own_customers_page_alone(house):
    name, key = house.anna.name, house.anna.key
    assert house.signin(name, key, origin=PAGE).status == 200
    assert house.signin(name, key, origin=OWN).status == 200
    assert house.signin(name, key, origin=None).status == 200
    refused(house.signin(name, key, origin=ZETA), 401, "signin_refused")
    refused(house.signin(house.mia.name, house.mia.key, origin=PAGE), 401,
            "signin_refused")


def test_a_key_of_two_tenants_sees_the_one_with_its_page(house):
    """On acme's page, by a passkey that rest pins too, without a page."""
    b, phil = house.b, house.phil
    rita = Person("rita@rest.example")
    b.add_tenant("rest", [rita], page=["rest.example https://rest.example"],
                 approver=[rita.key.pinned(rita.name, "approve", "deny",
                                           "revoke", "trust"),
                           phil.key.pinned(phil.name, "approve")])
    got = house.signin(phil.name, phil.key, origin=PAGE)
    assert got.status == 200 and got.json["tenants"] == ["acme"]
