"""What the broker says and keeps of a tenant's people.

Each refusal stands beside the case that is let in, through the same path.
"""

import time

import papers
import pytest
from brokerd import Brokerd, Person

PATH = "/v1/tenants/acme/contacts"
ALL = ("approve", "deny", "revoke")


class House:
    """A tenant with one of each kind, and people who have no business."""

    def __init__(self, build):
        self.b = b = Brokerd(build)
        b.enter(b.operator)
        self.avm = b.enter(b.add_person("avm@provider.example", "engineer"))
        self.mia = b.enter(b.add_person("mia@provider.example", "manager"))
        self.aud = b.enter(b.add_person("aud@provider.example", "auditor"))
        self.anna, self.bert = (Person(f"{n}@acme.example")
                                for n in ("anna", "bert"))
        self.hook = Person("ci@acme.example")
        self.zoe = Person("zoe@zeta.example")
        anna, bert = self.anna.key, self.bert.key
        b.add_tenant("acme", [self.anna], approver=[
            anna.pinned(self.anna.name, *ALL, "trust"),
            bert.pinned(self.bert.name, *ALL)],
            hook=[self.hook.key.pinned(self.hook.name, *ALL)],
            delegate=[self.mia.key.pinned(self.mia.name, *ALL)],
            delegate_until=papers.stamp(time.time() + 3600),
            page=["acme.example https://approve.acme.example",
                  "broker.example https://broker.example broker"])
        b.add_tenant("zeta", [self.zoe])
        for person in (self.anna, self.bert, self.hook, self.zoe):
            b.enter(person)

    def contacts(self, who=None):
        got = self.b.get(PATH, who or self.anna)
        assert got.status == 200, got
        assert got.json["next_cursor"] is None
        return {c["principal"]: c for c in got.json["items"]}

    def set(self, who=None, **body):
        return self.b.post(PATH, body, who or self.anna)


@pytest.fixture(scope="module")
def house(build):
    h = House(build)
    yield h
    h.b.end()


def refused(got, status, code):
    assert (got.status, got.code) == (status, code), got


def test_what_a_tenant_says_of_itself(house):
    h = house
    t = h.b.get("/v1/tenants/acme", h.bert).json
    assert t["owners"] == [h.anna.name]
    assert set(t["approvers"]) == {h.anna.name, h.bert.name, h.hook.name}
    assert t["pages"] == [
        {"rp_id": "acme.example", "origin": "https://approve.acme.example",
         "broker": False},
        {"rp_id": "broker.example", "origin": "https://broker.example",
         "broker": True}]
    assert t["trust"]["offline"] is False and t["off_until"]
    kinds = {p["principal"]: p["kinds"] for p in t["people"]}
    assert kinds == {h.anna.name: ["approver", "owner"],
                     h.bert.name: ["approver"], h.hook.name: ["hook"],
                     h.mia.name: ["delegate"]}
    assert t == next(i for i in h.b.get("/v1/tenants", h.avm).json["items"]
                     if i["name"] == "acme")


def test_who_has_an_address(house):
    h = house

    def told(who):
        t = h.b.get("/v1/tenants/acme", h.avm).json
        assert "nospam" not in str(t)
        return next(p["mail"] for p in t["people"] if p["principal"] == who)
    assert told(h.bert.name) is False
    got = h.set(principal=h.bert.name, mail="nospam@acme.example")
    assert got.status == 200
    assert got.json == {
        "principal": h.bert.name, "kinds": ["approver"],
        "mail": "nospam@acme.example", "links": True, "language": "en"}
    assert h.contacts()[h.bert.name] == got.json
    assert told(h.bert.name) is True and told(h.anna.name) is False
    # what is not given stays
    got = h.set(principal=h.bert.name, links=False)
    assert (got.json["mail"], got.json["links"]) == (
        "nospam@acme.example", False)
    got = h.set(principal=h.bert.name, mail=None)
    assert (got.json["mail"], got.json["links"]) == (None, False)
    assert told(h.bert.name) is False


def test_everybody_is_listed(house):
    h = house
    h.set(principal="new@acme.example", mail="new@acme.example")
    items = h.contacts(h.b.operator)
    assert set(items) == {h.anna.name, h.bert.name, h.hook.name, h.mia.name,
                          "new@acme.example"}
    assert items["new@acme.example"]["kinds"] == []
    assert items[h.hook.name] == {
        "principal": h.hook.name, "kinds": ["hook"], "mail": None,
        "links": True, "language": "en"}


def test_who_may(house):
    h = house
    for who in (h.anna, h.bert, h.b.operator):
        h.contacts(who)
        assert h.set(who, principal=h.anna.name,
                     mail="a@acme.example").status == 200
    for who, status, code in (
            (h.avm, 403, "role_needed"), (h.aud, 403, "role_needed"),
            (h.zoe, 404, "not_found"), (h.hook, 404, "not_found"),
            (h.mia, 404, "not_found"),  # a delegate decides, no more
            (None, 401, "signin_needed")):
        refused(h.b.get(PATH, who), status, code)
        refused(h.b.post(PATH, {"principal": h.anna.name,
                                "mail": "evil@zeta.example"}, who),
                status, code)
    assert h.contacts()[h.anna.name]["mail"] == "a@acme.example"
    refused(h.b.get("/v1/tenants/nosuch/contacts", h.b.operator), 404,
            "not_found")


@pytest.mark.parametrize("mail", (
    "", "anna", "@acme.example", "anna@", "a@b@c", "a b@c", "a@c\r\nBcc: x@y",
    "a@c\n", "<a@c>", "a,b@c", "a@c;d", "\"a\"@c", "ä@c", "a@" + "c" * 300,
    7, [], {}))
def test_addresses_are_plain(house, mail):
    refused(house.set(principal="x@acme.example", mail=mail), 400,
            "bad_value")


def test_values(house):
    h = house
    good = {"principal": "y@acme.example", "mail": "y+z@acme.example"}
    refused(h.set(**{**good, "principal": "two words"}), 400, "bad_value")
    refused(h.set(mail="y@acme.example"), 400, "bad_value")
    refused(h.set(**good, language="xx"), 400, "bad_value")
    refused(h.set(**good, links="yes"), 400, "bad_json")
    refused(h.set(**good, more=1), 400, "bad_json")
    assert h.set(**good, language="en", links=False).status == 200


def test_it_is_recorded_without_the_address(house):
    h = house
    h.set(principal=h.bert.name, mail="secret@acme.example")
    event = h.b.get("/v1/events?tenant=acme", h.anna).json["items"][0]
    assert (event["event"], event["actor"], event["detail"]) == (
        "contact.changed", h.anna.name, h.bert.name)
    assert "secret" not in str(event)


def test_not_without_end(house):
    """As many as there may be, and those who are kept can still change."""
    h = house
    path = "/v1/tenants/zeta/contacts"
    for i in range(256):
        got = h.b.post(path, {"principal": f"p{i}@zeta.example"}, h.zoe)
        assert got.status == 200, got
    refused(h.b.post(path, {"principal": "one@more.example"}, h.zoe), 409,
            "too_many")
    assert h.b.post(path, {"principal": "p7@zeta.example",
                           "mail": "p7@zeta.example"}, h.zoe).status == 200
