"""Successors of a trust document whose owners sign one by one.

Each refusal stands beside the case that is let in, through the same path.
"""

import concurrent.futures
import json

import papers
import pytest
from brokerd import HOST, Brokerd, Person


class Customer:
    """A tenant of its own with owners, and what they propose."""

    count = 0

    def __init__(self, b, owners=3, threshold=2, **fields):
        Customer.count += 1
        self.b, self.name = b, f"own{Customer.count}"
        self.owners = [Person(f"o{i}@{self.name}.example")
                       for i in range(owners)]
        self.threshold = threshold
        self.text = b.add_tenant(self.name, self.owners, threshold=threshold,
                                 **fields)
        self.path = f"/v1/tenants/{self.name}/proposal"

    def next(self, owners=None, **fields):
        """A successor of the document in force at first."""
        fields.setdefault("threshold", self.threshold)
        fields.setdefault("serial", 2)
        fields.setdefault("previous", papers.doc_id(self.text))
        return self.b.trust_text(self.name, owners or self.owners, **fields)

    def sign(self, owner, text, key=None, kind="trust", **more):
        return self.b.post(self.path, {
            "text": text, "signature": (key or owner.key).sign(kind, text),
            **more})

    def open(self, who=None):
        return self.b.get(self.path, who or self.b.operator)

    def in_force(self):
        return self.b.get(f"/v1/tenants/{self.name}",
                          self.b.operator).json["trust"]

    def events(self):
        got = self.b.get(f"/v1/events?tenant={self.name}", self.b.operator)
        return [(e["event"], e["actor"]) for e in got.json["items"]]


@pytest.fixture(scope="module")
def b(build):
    broker = Brokerd(build)
    broker.enter(broker.operator)
    yield broker
    broker.end()


def refused(got, status, code):
    assert (got.status, got.code) == (status, code), got


def test_one_by_one_until_in_force(b):
    c = Customer(b)
    host = b.add_host(c.name, HOST)
    text = c.next(longest=3600)
    refused(c.open(), 404, "not_found")
    got = c.sign(c.owners[0], text)
    assert got.status == 201, got
    assert got.json["tenant"]["trust"]["serial"] == 1
    p = c.open().json
    assert p == got.json["proposal"]
    assert (p["text"], p["sha256"], p["serial"], p["by"], p["needed"]) == (
        text, papers.doc_id(text), 2, c.owners[0].name, 2)
    assert [s["principal"] for s in p["signatures"]] == [c.owners[0].name]
    document, armors = papers.split(p["bundle"])[0]
    assert document == text and len(armors) == 1
    # nothing is in force: the host stays with what it has
    assert b.ask(host, c.text, tenant=c.name)[0]["code"] == "no_grant"
    again = c.sign(c.owners[0], text)  # the same signature once more
    assert again.status == 200 and again.json["proposal"] == p
    done = c.sign(c.owners[1], text)
    assert done.status == 200 and done.json["proposal"] is None
    assert done.json["tenant"]["trust"]["sha256"] == papers.doc_id(text)
    refused(c.open(), 404, "not_found")
    said, bundle = b.ask(host, c.text, tenant=c.name)
    assert said["code"] == "trust_first"
    carried, armors = papers.split(bundle.text)[1]
    assert carried == text and len(armors) == 2
    assert c.events()[:2] == [("trust.changed", c.owners[1].name),
                              ("trust.proposed", c.owners[0].name)]
    late = c.sign(c.owners[2], text)  # in force already: nothing to add
    assert late.status == 200 and late.json["proposal"] is None


def test_three_of_three(b):
    c = Customer(b, threshold=3)
    text = c.next(lease=900)
    assert c.sign(c.owners[2], text).status == 201
    got = c.sign(c.owners[0], text)
    assert [s["principal"] for s in got.json["proposal"]["signatures"]] == [
        c.owners[0].name, c.owners[2].name]
    assert c.events()[0] == ("trust.proposal_signed", c.owners[0].name)
    assert c.sign(c.owners[1], text).json["proposal"] is None


def test_one_owner_is_enough_where_one_is(b):
    c = Customer(b, owners=1, threshold=1)
    got = c.sign(c.owners[0], c.next(lease=900))
    assert got.status == 201 and got.json["proposal"] is None
    assert c.in_force()["serial"] == 2


def test_who_may_propose(b):
    hook = Person("ci@hook.example")
    c = Customer(b, hook=[hook.key.pinned(hook.name, "approve", "deny",
                                          "revoke")])
    text = c.next(lease=900)
    stranger = Person("s@nowhere.example")
    refused(c.sign(stranger, text), 404, "not_found")
    refused(c.sign(c.owners[0], text, kind="approve"), 422, "trust_refused")
    refused(c.sign(hook, text), 422, "trust_refused")
    # over another text: nobody's signature
    other = c.owners[0].key.sign("trust", c.next(lease=1200))
    refused(b.post(c.path, {"text": text, "signature": other}), 404,
            "not_found")
    refused(b.post(c.path, {"text": text, "signature": "none"}), 404,
            "not_found")
    # of a tenant that is not there, it is the same
    absent = b.post("/v1/tenants/nosuch/proposal", {
        "text": text, "signature": c.owners[0].key.sign("trust", text)})
    assert absent.body == c.sign(stranger, text).body
    assert c.sign(c.owners[0], text).status == 201


def test_only_a_successor(b):
    c = Customer(b)
    mine = c.owners[0]
    refused(c.sign(mine, c.next(serial=3)), 409, "trust_serial")
    refused(c.sign(mine, c.next(previous="sha256:" + "0" * 64)), 409,
            "trust_serial")
    other = b.trust_text("elsewhere", c.owners, serial=2, threshold=2,
                         previous=papers.doc_id(c.text))
    refused(c.sign(mine, other), 409, "trust_serial")
    refused(c.sign(mine, c.next(threshold=9)), 409, "trust_serial")
    broken = c.next().replace("lease: ", "shell: yes\nlease: ")
    refused(c.sign(mine, broken), 422, "trust_refused")
    refused(b.post(c.path, {"text": c.next()}), 400, "bad_json")
    assert c.sign(mine, c.next()).status == 201


def test_another_text_needs_replace(b):
    c = Customer(b, threshold=3)
    one, two = c.next(lease=900), c.next(lease=1200)
    assert c.sign(c.owners[0], one).status == 201
    c.sign(c.owners[1], one)
    refused(c.sign(c.owners[2], two), 409, "proposal_open")
    assert c.open().json["text"] == one
    got = c.sign(c.owners[2], two, replace=True)
    assert got.status == 201 and got.json["proposal"]["text"] == two
    # its signatures are gone with it
    assert [s["principal"] for s in got.json["proposal"]["signatures"]] == [
        c.owners[2].name]
    refused(c.sign(c.owners[0], one), 409, "proposal_open")
    # replace with the text that stands open adds a signature
    got = c.sign(c.owners[0], two, replace=True)
    assert got.status == 200
    assert len(got.json["proposal"]["signatures"]) == 2


def test_another_document_became_trust(b):
    c = Customer(b)
    proposed, other = c.next(lease=900), c.next(lease=1200)
    assert c.sign(c.owners[0], proposed).status == 201
    got = b.bundle(f"/v1/tenants/{c.name}/trust", other + "".join(
        o.key.sign("trust", other) for o in c.owners[:2]))
    assert got.status == 200, got
    refused(c.open(), 404, "not_found")
    refused(c.sign(c.owners[1], proposed), 409, "trust_serial")
    # control: the successor of the new one is taken, and old signatures are
    # not counted
    follow = c.next(serial=3, previous=papers.doc_id(other), lease=900)
    got = c.sign(c.owners[1], follow)
    assert got.status == 201
    assert len(got.json["proposal"]["signatures"]) == 1


def test_a_removed_owner(b):
    """He counts for the document that removes him, and never after."""
    c = Customer(b)
    leaves = c.owners[2]
    without = c.next(owners=c.owners[:2])
    assert c.sign(leaves, without).status == 201
    assert c.sign(c.owners[0], without).json["proposal"] is None
    third = c.next(serial=3, previous=papers.doc_id(without), lease=900)
    refused(c.sign(leaves, third), 404, "not_found")
    assert c.sign(c.owners[0], third).status == 201


def test_the_threshold_in_force_counts(b):
    c = Customer(b)
    lower = c.next(threshold=1)
    got = c.sign(c.owners[0], lower)
    assert got.status == 201 and got.json["proposal"]["needed"] == 2
    assert c.in_force()["serial"] == 1
    assert c.sign(c.owners[1], lower).json["proposal"] is None
    alone = c.next(serial=3, previous=papers.doc_id(lower), threshold=3)
    assert c.sign(c.owners[0], alone).json["proposal"] is None
    more = c.next(serial=4, previous=papers.doc_id(alone))
    assert [c.sign(o, more).json["proposal"] is None
            for o in c.owners] == [False, False, True]


def test_an_owner_counts_once(b):
    spare = papers.Ed25519()
    c = Customer(b)
    two_keys = c.next(approver=[
        o.key.pinned(o.name, "approve", "deny", "revoke", "trust")
        for o in c.owners] + [spare.pinned(
            c.owners[0].name, "approve", "deny", "revoke", "trust")])
    for owner in c.owners[:2]:
        c.sign(owner, two_keys)
    assert c.in_force()["serial"] == 2
    text = c.next(serial=3, previous=papers.doc_id(two_keys))
    assert c.sign(c.owners[0], text).status == 201
    got = c.sign(c.owners[0], text, key=spare)
    assert got.status == 200
    assert len(got.json["proposal"]["signatures"]) == 1
    assert c.sign(c.owners[1], text).json["proposal"] is None


def at_once(b, bodies, path):
    """Each from a connection of its own."""
    def send(body):
        connection = b.connect()
        try:
            connection.request("POST", path, body,
                               {"Content-Type": "application/json"})
            got = connection.getresponse()
            return got.status, got.read()
        finally:
            connection.close()
    with concurrent.futures.ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(send, bodies))


@pytest.mark.parametrize("threshold", (2, 5, 8))
def test_owners_sign_at_once(b, threshold):
    """None of the signatures is lost: the document is in force at the end."""
    c = Customer(b, owners=threshold, threshold=threshold)
    text = c.next(lease=900)
    got = at_once(b, [json.dumps({
        "text": text, "signature": o.key.sign("trust", text)})
        for o in c.owners], c.path)
    assert {status for status, _ in got} <= {200, 201}, got
    assert c.in_force()["sha256"] == papers.doc_id(text)
    refused(c.open(), 404, "not_found")
    changed = [e for e, _ in c.events() if e == "trust.changed"]
    assert len(changed) == 1


def test_two_texts_at_once(b):
    """One of them stands; nobody's signature counts for the other."""
    c = Customer(b, owners=6, threshold=3)
    texts = [c.next(lease=900), c.next(lease=1200)]
    at_once(b, [json.dumps({
        "text": texts[i % 2], "replace": True,
        "signature": o.key.sign("trust", texts[i % 2])})
        for i, o in enumerate(c.owners)], c.path)
    if c.in_force()["serial"] == 1:
        p = c.open().json
        assert p["text"] in texts and 1 <= len(p["signatures"]) < 3
        mine = c.owners[texts.index(p["text"])::2]
        assert {s["principal"] for s in p["signatures"]} <= {
            o.name for o in mine}
    else:
        assert c.in_force()["sha256"] in map(papers.doc_id, texts)


def test_withdraw(b):
    hook = Person("ci@withdraw.example")
    c = Customer(b, hook=[hook.key.pinned(hook.name, "approve", "deny",
                                          "revoke")])
    zoe = Customer(b).owners[0]
    text, path = c.next(lease=900), c.path + "/withdraw"
    for person in (c.owners[1], hook, zoe):
        b.enter(person)
    refused(b.post(path, {}, c.owners[1]), 404, "not_found")
    assert c.sign(c.owners[0], text).status == 201
    refused(b.post(path, {}), 401, "signin_needed")
    refused(b.post(path, {}, b.operator), 403, "role_needed")
    refused(b.post(path, {}, zoe), 404, "not_found")
    refused(b.post(path, {}, hook), 404, "not_found")
    refused(b.post(path, {"x": 1}, c.owners[1]), 400, "bad_json")
    assert c.open().status == 200
    assert b.post(path, {}, c.owners[1]).status == 204
    refused(c.open(), 404, "not_found")
    assert c.events()[0] == ("trust.proposal_withdrawn", c.owners[1].name)
    # gone with all signatures: two are needed again
    assert c.sign(c.owners[0], text).status == 201
    assert c.sign(c.owners[1], text).json["proposal"] is None


def test_who_sees_it(b):
    c = Customer(b)
    zoe = b.enter(Customer(b).owners[0])
    b.enter(c.owners[2])
    assert c.sign(c.owners[0], c.next(lease=900)).status == 201
    assert c.open(c.owners[2]).status == 200
    refused(c.open(zoe), 404, "not_found")
    refused(b.get(c.path), 401, "signin_needed")


def test_the_signature_that_counts_is_kept(b):
    """Of two by one key, one untouched: hosts need the other."""
    owner = Person("o@touch.example", papers.SkEd25519())

    def sign(text, flags):
        owner.key.flags = flags
        return owner.key.sign("trust", text)
    fields = {"require": "touch"}
    first = b.trust_text("touch", [owner], **fields)
    got = b.post("/v1/tenants", {"bundle": first + sign(first, 0) + sign(
        first, papers.TOUCH)}, b.operator)
    assert got.status == 201, got
    host = b.add_host("touch", HOST)
    second = b.trust_text("touch", [owner], serial=2, **fields,
                          previous=papers.doc_id(first))
    path = "/v1/tenants/touch/trust"
    refused(b.bundle(path, second + sign(second, 0)), 422, "trust_refused")
    touched = sign(second, papers.TOUCH)
    got = b.bundle(path, second + sign(second, 0) + touched)
    assert got.status == 200, got
    assert b.get(f"{path}?after=1", b.operator).text == second + touched
    said, carried = b.ask(host, first, tenant="touch")
    assert said["code"] == "trust_first"
    assert papers.split(carried.text)[1] == (second, [touched])
    # and at the broker, one by one: what does not count is not taken
    third = b.trust_text("touch", [owner], serial=3, **fields,
                         previous=papers.doc_id(second))
    for flags, status in ((0, 422), (papers.TOUCH, 201)):
        got = b.post("/v1/tenants/touch/proposal",
                     {"text": third, "signature": sign(third, flags)})
        assert got.status == status, got


def test_it_lives_through_a_restart(b):
    c = Customer(b)
    text = c.next(lease=900)
    assert c.sign(c.owners[0], text).status == 201
    b.stop()
    b.start()
    assert c.open().json["text"] == text
    assert c.sign(c.owners[1], text).json["proposal"] is None
