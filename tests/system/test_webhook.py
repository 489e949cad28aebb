"""Webhooks that the broker sends: a real receiver takes and checks them."""

import json
import signal
import time

import papers
import pytest
from brokerd import BROKER, HOST, TENANT, Person
from postbox import Receiver, certificate, free_port, until
from townhall import Town

PATH = f"/v1/tenants/{TENANT}/webhooks"


@pytest.fixture(name="receiver")
def fixture_receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(name="town")
def fixture_town(build):
    town = Town(build, webhook_private="yes")
    yield town
    town.end()


def add(town, url, who=None, **more):
    got = town.b.post(PATH, {"url": url, **more}, who or town.anna)
    assert got.status == 201, got
    return got.json


def refused(got, status, code):
    assert (got.status, got.code) == (status, code), got


def test_a_request_is_told(town, receiver):
    hook = add(town, receiver.url)
    request = town.ask(ticket="INC-42")
    first, second = receiver.wait(2)[:2]
    assert receiver.types()[:2] == ["request.created",
                                    "request.pending_approval"]
    for call in (first, second):
        assert call.signed_by(hook["secret"])
        assert not call.signed_by("whsec_" + "A" * 43 + "=")
        assert abs(int(call.headers["webhook-timestamp"]) - call.at) < 60
        assert "." not in call.id and len(call.body) < 20000
        assert call.headers["Content-Type"] == "application/json"
    assert first.id != second.id
    data = second.json["data"]
    assert data["tenant"] == TENANT and data["actor"] == town.avm.name
    for name in ("id", "sha256", "code", "engineer", "hosts", "logins",
                 "services", "ticket", "reason", "lapses_at"):
        assert data["request"][name] == request[name], name
    assert data["request"]["state"] == "pending_approval"
    assert "signature" not in json.dumps(data)
    # It is seen, without anything of the receiver's answer.
    states = until(lambda: [
        d for d in town.deliveries(town.anna, request=request["id"])
        if d["state"] == "sent"] if len(town.deliveries(
            town.anna, state="sent")) == 2 else None)
    assert {d["channel"] for d in states} == {"webhook"}
    assert {d["status"] for d in states} == {204}
    assert {d["id"] for d in states} == {first.id, second.id}
    assert [d["id"] for d in town.b.get(
        f"/v1/webhooks/{hook['id']}/deliveries", town.bert).json["items"]] == [
            second.id, first.id]


def test_all_kinds(build, receiver):
    town = Town(build, endorsement=True, webhook_private="yes")
    try:
        add(town, receiver.url)
        first = town.ask()
        assert town.b.endorse(town.mia, first).status == 200
        assert town.b.approve(town.anna, first).status == 200
        grant = town.b.get("/v1/grants", town.anna).json["items"][0]
        assert town.b.post(f"/v1/grants/{grant['id']}/return", {},
                           town.avm).status == 200
        second = town.ask()
        assert town.b.post(f"/v1/requests/{second['id']}/cancel", {},
                           town.avm).status == 200
        third = town.ask()
        assert town.b.endorse(town.mia, third).status == 200
        assert town.b.deny(town.bert, third, "no <b>").status == 200
        fourth = town.ask()
        assert town.b.endorse(town.mia, fourth).status == 200
        assert town.b.approve(town.anna, fourth).status == 200
        grant = town.b.get("/v1/grants", town.anna).json["items"][0]
        assert town.b.revoke(town.anna, grant).status == 200
        for event, sequence in (("session.opened", 1), ("session.ended", 2)):
            text = papers.document(
                "report", host=HOST, tenant=TENANT, broker=BROKER,
                trust=papers.doc_id(town.trust), sequence=sequence,
                at=papers.stamp(time.time()), event=event, login="deploy",
                session=7, engineer=town.avm.name)
            assert town.b.bundle(
                "/v1/report", text + town.host.sign("report", text)
            ).status == 200
        text = town.b.trust_text(
            TENANT, town.owners, serial=2, lease=3600,
            previous=papers.doc_id(town.trust))
        assert town.b.bundle(
            f"/v1/tenants/{TENANT}/trust",
            text + town.anna.key.sign("trust", text)).status == 200
        want = (["request.created", "request.pending_approval",
                 "request.approved", "grant.activated", "grant.returned",
                 "request.created", "request.cancelled",
                 "request.created", "request.pending_approval",
                 "request.denied",
                 "request.created", "request.pending_approval",
                 "request.approved", "grant.activated", "grant.revoked",
                 "session.opened", "session.ended", "trust.changed"])
        receiver.wait(len(want))
        assert receiver.types() == want
        by = {c.json["type"]: c.json["data"] for c in receiver.calls}
        assert by["request.denied"]["detail"] == "no <b>"
        assert by["request.denied"]["actor"] == town.bert.name
        assert by["grant.revoked"]["grant"]["id"] == grant["id"]
        assert by["session.opened"]["session"]["host"] == HOST
        assert by["trust.changed"]["trust"] == {
            "sha256": papers.doc_id(text), "serial": 2}
    finally:
        town.end()


def test_only_what_it_asked_for(town, receiver):
    add(town, receiver.url, types=["request.denied"])
    request = town.ask()
    assert town.b.deny(town.anna, request).status == 200
    receiver.wait(1)
    time.sleep(1.5)
    assert receiver.types() == ["request.denied"]


def test_v1a_and_rotation(town, receiver):
    hook = add(town, receiver.url, scheme="v1a")
    assert "secret" not in hook
    public = hook["public_key"]
    town.ask()
    receiver.wait(2)
    assert all(c.signed_by(public) for c in receiver.calls)
    got = town.b.post(f"/v1/webhooks/{hook['id']}/rotate", {}, town.anna)
    assert got.status == 200, got
    new = got.json["public_key"]
    assert new != public and got.json["old_key_until"]
    town.ask()
    receiver.wait(4)
    assert all(c.signed_by(public) and c.signed_by(new)
               for c in receiver.calls[2:4])
    assert not receiver.calls[0].signed_by(new)


def test_the_old_key_ends(build, town, receiver):
    hook = add(town, receiver.url)
    path = f"/v1/webhooks/{hook['id']}"
    got = town.b.post(f"{path}/rotate", {}, town.anna)
    new = got.json["secret"]
    assert new != hook["secret"]
    assert "secret" not in town.b.get(path, town.anna).json  # shown once
    town.ask()
    receiver.wait(2)
    assert receiver.calls[0].signed_by(hook["secret"])
    assert receiver.calls[0].signed_by(new)
    town.b.stop()
    town.b.start(LD_PRELOAD=str(build / "tests" / "tools" / "shift_clock.so"),
                 SHIFT_CLOCK=str(86401))
    town.b.enter(town.anna)
    assert town.b.post(f"{path}/test", {}, town.anna).status == 202
    call = until(lambda: [c for c in receiver.calls
                          if c.json["type"] == "webhook.test"])[0]
    assert call.signed_by(new) and not call.signed_by(hook["secret"])


def test_try_it(town, receiver):
    hook = add(town, receiver.url, types=["trust.changed"])
    other = Receiver()
    add(town, other.url)
    path = f"/v1/webhooks/{hook['id']}"
    assert town.b.post(f"{path}/test", {}, town.anna).status == 202
    receiver.wait(1)
    assert receiver.types() == ["webhook.test"]
    until(lambda: [d["status"] for d in town.b.get(
        f"{path}/deliveries", town.anna).json["items"]] == [204])
    assert not other.calls
    other.close()
    # Switched off nothing is sent; what waited is not sent either.
    got = town.b.post(path, {"active": False}, town.anna)
    assert (got.status, got.json["active"], got.json["why"]) == (
        200, False, "switched_off")
    refused(town.b.post(f"{path}/test", {}, town.anna), 409, "wrong_state")
    got = town.b.post(path, {"active": True}, town.anna)
    assert (got.json["active"], got.json["why"]) == (True, None)


def test_again_with_the_same_id(town, receiver):
    receiver.answers += [(500, {}, b"oh no: <script>"), (429, {
        "Retry-After": "7"}, b"")]
    hook = add(town, receiver.url, types=["request.created"])
    request = town.ask()
    receiver.wait(1)
    [d] = until(lambda: [x for x in town.deliveries(request=request["id"])
                         if x["attempts"] == 1])
    assert (d["state"], d["status"], d["code"]) == ("waiting", 500,
                                                    "http_status")
    receiver.wait(3)
    assert len({c.id for c in receiver.calls}) == 1
    assert all(c.signed_by(hook["secret"]) for c in receiver.calls)
    assert receiver.calls[2].at - receiver.calls[1].at >= 7
    stored = (town.b.home / "broker.db").read_bytes() + (
        town.b.home / "broker.db-wal").read_bytes()
    assert b"oh no" not in stored
    assert b"oh no" not in (town.b.dir / "log").read_bytes()
    for secret in (hook["secret"], hook["secret"][6:]):
        assert secret.encode() not in stored


def test_gone_is_gone(town, receiver):
    receiver.answers.append((410, {}, b""))
    hook = add(town, receiver.url)
    town.ask()
    receiver.wait(1)
    got = until(lambda: not (h := town.b.get(
        f"/v1/webhooks/{hook['id']}", town.anna).json)["active"] and h)
    assert got["why"] == "gone"
    until(lambda: not town.deliveries(state="waiting"))
    assert sorted(d["state"] for d in town.deliveries()) == ["dropped",
                                                             "failed"]
    town.ask()
    time.sleep(1.5)
    assert len(receiver.calls) == 1


def test_a_slow_receiver_keeps_nobody_waiting(town, receiver):
    slow = Receiver()
    slow.delay = 30
    add(town, slow.url)
    add(town, receiver.url)
    for _ in range(3):
        town.ask()
    receiver.wait(6, 20)
    assert len(slow.calls) == 1  # one at a time
    until(lambda: [d for d in town.deliveries(state="waiting")
                   if d["code"] == "timeout"])
    slow.delay = 0
    for d in reversed(town.deliveries(state="waiting")):
        assert town.b.post(f"/v1/deliveries/{d['id']}/retry", {},
                           town.b.operator).status == 200
    slow.wait(7)
    assert len({c.id for c in slow.calls}) == 6  # nothing is lost
    assert [c.json["data"]["request"]["id"] for c in receiver.calls] == [
        c.json["data"]["request"]["id"] for c in slow.calls[1:]]
    slow.close()


def test_a_huge_answer(town, receiver):
    receiver.answers.append((200, {"X-Big": "y" * 60000}, b"x" * 50000000))
    receiver.answers.append((500, {}, b"x" * 50000000))
    add(town, receiver.url, types=["request.created"])
    for state, status in (("sent", 200), ("waiting", 500)):
        request = town.ask()
        [d] = until(lambda r=request: [
            x for x in town.deliveries(request=r["id"]) if x["attempts"]])
        assert (d["state"], d["status"]) == (state, status)


def test_a_dead_broker_sends_again(town, receiver):
    """kill -9 between sending and marking: the same id once more."""
    receiver.delay = 2
    add(town, receiver.url, types=["request.created"])
    town.ask()
    receiver.wait(1)
    town.b.stop(signal.SIGKILL)
    receiver.delay = 0
    town.b.start()
    receiver.wait(2)
    assert receiver.calls[0].id == receiver.calls[1].id
    assert receiver.calls[0].body == receiver.calls[1].body


def test_nobody_there_and_then_somebody(town):
    port = free_port()
    add(town, f"http://127.0.0.1:{port}/", types=["request.created"])
    request = town.ask()
    [d] = until(lambda: [x for x in town.deliveries(request=request["id"])
                         if x["attempts"]])
    assert (d["state"], d["code"]) == ("waiting", "unreachable")
    receiver = Receiver(port=port)
    receiver.wait(1)
    until(lambda: town.deliveries(request=request["id"])[0]["state"] == "sent")
    receiver.close()


def test_redirects_lead_nowhere(town, receiver):
    other = Receiver()
    for status in (301, 302, 303, 307, 308):
        receiver.answers.append((status, {"Location": other.url}, b""))
    hook = add(town, receiver.url, types=["request.created"])
    request = town.ask()
    [d] = until(lambda: [x for x in town.deliveries(request=request["id"])
                         if x["attempts"]])
    assert (d["state"], d["status"]) == ("waiting", 301)
    for status in (302, 303, 307, 308):
        town.b.post(f"/v1/deliveries/{d['id']}/retry", {}, town.anna)
        until(lambda s=status: town.deliveries(
            request=request["id"])[0]["status"] == s)
    assert not other.calls
    assert town.b.post(f"/v1/webhooks/{hook['id']}/remove", {},
                       town.anna).status == 204
    until(lambda: town.deliveries(request=request["id"])[0]["state"]
          == "dropped")
    other.close()


def test_tls(build, tmp_path):
    pem = certificate(tmp_path)
    good = Receiver(tls=pem)
    other = tmp_path / "other"
    other.mkdir()
    bad = Receiver(tls=certificate(other))
    town = Town(build, webhook_private="yes", webhook_ca=pem[0])
    try:
        hooks = [add(town, r.url, types=["request.created"])
                 for r in (good, bad)]
        request = town.ask()
        good.wait(1)
        assert good.calls[0].signed_by(hooks[0]["secret"])
        until(lambda: [d for d in town.deliveries(request=request["id"])
                       if d["code"] == "tls_failed"])
        assert not bad.calls
    finally:
        town.end()
        good.close()
        bad.close()


def test_whose_webhooks_they_are(town, receiver):
    zoe = Person("zoe@zeta.example")
    town.b.add_tenant("zeta", [zoe])
    town.b.enter(zoe)
    auditor = town.b.enter(town.b.add_person("aud@provider.example",
                                             "auditor"))
    hook = add(town, receiver.url, town.b.operator)
    path = f"/v1/webhooks/{hook['id']}"
    request = town.ask()
    receiver.wait(2)
    until(lambda: len(town.deliveries(state="sent")) == 2)
    one = town.deliveries()[0]["id"]
    for who in (town.anna, town.b.operator):
        assert town.b.get(path, who).status == 200
        assert town.b.get(f"{path}/deliveries", who).status == 200
        assert len(town.deliveries(who, request=request["id"])) == 2
    assert len(town.deliveries(auditor)) == 2
    assert town.b.get(PATH, town.anna).json["items"][0]["id"] == hook["id"]
    # Another tenant's, and one that there is not, look alike.
    for who, what in ((zoe, hook["id"]), (town.anna, papers.new_id())):
        for method, tail in (("GET", ""), ("POST", ""), ("POST", "/rotate"),
                             ("POST", "/test"), ("POST", "/remove"),
                             ("GET", "/deliveries")):
            got = town.b.http(method, f"/v1/webhooks/{what}{tail}",
                              {} if method == "POST" else None, who)
            refused(got, 404, "not_found")
    refused(town.b.get(PATH, zoe), 404, "not_found")
    refused(town.b.post(PATH, {"url": receiver.url}, zoe), 404, "not_found")
    refused(town.b.post(f"/v1/deliveries/{one}/retry", {}, zoe), 404,
            "not_found")
    assert town.deliveries(zoe) == []
    assert town.deliveries(zoe, request=request["id"]) == []
    assert town.deliveries(zoe, tenant=TENANT) == []
    for who in (town.avm, town.mia):
        refused(town.b.get(PATH, who), 403, "role_needed")
        refused(town.b.get("/v1/deliveries", who), 403, "role_needed")
    refused(town.b.post(PATH, {"url": receiver.url}, auditor), 403,
            "role_needed")


def test_what_a_webhook_may_be(town, receiver):
    for body, code in (
            ({}, "bad_json"), ({"url": receiver.url, "x": 1}, "bad_json"),
            ({"url": 7}, "bad_json"),
            ({"url": receiver.url, "types": ["no.such"]}, "bad_value"),
            ({"url": receiver.url, "types": ["webhook.test"]}, "bad_value"),
            ({"url": receiver.url, "types": "request.created"}, "bad_value"),
            ({"url": receiver.url, "scheme": "v2"}, "bad_value"),
            ({"url": "ftp://a.example/"}, "bad_value"),
            ({"url": receiver.url + "x" * 2000}, "bad_value")):
        refused(town.b.post(PATH, body, town.anna), 400, code)
    hook = add(town, receiver.url)
    got = town.b.post(f"/v1/webhooks/{hook['id']}", {
        "types": ["trust.changed", "request.created"]}, town.anna)
    assert got.json["types"] == ["request.created", "trust.changed"]
    refused(town.b.post(f"/v1/webhooks/{hook['id']}", {}, town.anna,
                        if_match='"v1"'), 412, "stale")
    for _ in range(15):
        add(town, receiver.url)
    refused(town.b.post(PATH, {"url": receiver.url}, town.anna), 409,
            "too_many")
    key = "k" * 20
    assert town.b.post(f"/v1/webhooks/{hook['id']}/remove", {},
                       town.anna).status == 204
    twice = [town.b.post(PATH, {"url": receiver.url}, town.anna,
                         idempotency_key=key) for _ in range(2)]
    assert twice[0].json == twice[1].json
    assert len(town.b.get(PATH, town.anna).json["items"]) == 16


def test_lists_have_pages(town, receiver):
    add(town, receiver.url, types=["request.created"])
    ids = [town.ask()["id"] for _ in range(5)]
    until(lambda: len(town.deliveries(state="sent")) == 5)
    seen, cursor = [], ""
    while cursor is not None:
        got = town.b.get("/v1/deliveries?limit=2" +
                         (f"&cursor={cursor}" if cursor else ""),
                         town.anna).json
        seen += [d["request"] for d in got["items"]]
        cursor = got["next_cursor"]
    assert seen == ids[::-1]
    refused(town.b.get("/v1/deliveries?state=live", town.anna), 400,
            "bad_query")
    refused(town.b.get("/v1/requests?state=sent", town.anna), 400,
            "bad_query")
    text = town.b.get("/metrics").text
    assert 'lockbox_broker_deliveries_total{channel="webhook",' \
        'outcome="sent"} 5' in text
    assert 'lockbox_broker_outbox{channel="webhook",state="waiting"} 0' in text
