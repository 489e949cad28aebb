"""Hosts that wait for news, and what they report.

Each wake stands beside a host that the same change does not wake.
"""

import concurrent.futures
import contextlib
import http.client
import secrets
import signal
import socket
import threading
import time

import papers
import pytest
from brokerd import BROKER, HOST, TENANT, Brokerd, Person

SOON = 2.0  # seconds: what the aim allows
WATCH = 12


class House:
    """A broker, two tenants, hosts; watches last WATCH seconds."""

    def __init__(self, build, **settings):
        settings.setdefault("watch", WATCH)
        self.b = b = Brokerd(build, **settings)
        b.enter(b.operator)
        self.avm = b.enter(b.add_person("avm@provider.example", "engineer"))
        self.eve = b.enter(b.add_person("eve@provider.example", "engineer"))
        self.mia = b.enter(b.add_person("mia@provider.example", "manager"))
        self.aud = b.enter(b.add_person("aud@provider.example", "auditor"))
        self.anna = Person("anna@acme.example")
        self.zoe = Person("zoe@zeta.example")
        self.trust = b.add_tenant(TENANT, [self.anna])
        self.zeta = b.add_tenant("zeta", [self.zoe])
        for person in (self.anna, self.zoe):
            b.enter(person)
        self.host = b.add_host(TENANT, HOST)
        self.other = b.add_host(TENANT, "db2")
        self.zhost = b.add_host("zeta", HOST)
        # the first watch of a host is answered at once
        for key, trust, tenant, name in (
                (self.host, self.trust, TENANT, HOST),
                (self.other, self.trust, TENANT, "db2"),
                (self.zhost, self.zeta, "zeta", HOST)):
            said = self.watch("nobody", key, trust, tenant=tenant, host=name)
            assert said.wait(SOON)["code"] in ("no_grant", "trust_first")

    def grant(self, **fields):
        b = self.b
        fields.setdefault("login", ["u" + secrets.token_hex(6)])
        request = b.ask_for(self.avm, **fields).json
        assert b.endorse(self.mia, request).status == 200
        got = b.approve(self.anna, request)
        assert got.status == 200, got
        return b.get(f"/v1/grants/{got.json['grant']}", self.anna).json

    def watch(self, login, key=None, trust=None, **fields):
        return Watch(self, login, key or self.host, trust or self.trust,
                     **fields)

    def told(self, *waits):
        """Let these hosts know of everything up to now."""
        for key, name in waits or ((self.host, HOST), (self.other, "db2")):
            watch = self.watch("nobody", key, host=name)
            if watch.waits(0.3):
                watch.hang_up()

    def parked(self):
        text = self.b.get("/metrics").text
        return int(text.split("\nlockbox_broker_watching ")[1].split()[0])

    def until_parked(self, count):
        end = time.monotonic() + 20
        while self.parked() != count:
            assert time.monotonic() < end, self.parked()
            time.sleep(0.02)


class Watch(threading.Thread):
    """A watch under way on a connection of its own."""

    def __init__(self, house, login, key, trust, **fields):
        super().__init__(daemon=True)
        text = house.b.question(trust, login=login, **fields)
        self.body = text + key.sign("question", text)
        self.connection = house.b.connect()
        self.answered = self.bundle = self.fault = None
        self.began = time.monotonic()
        self.start()

    def run(self):
        try:
            self.connection.request("POST", "/v1/watch", self.body,
                                    {"Content-Type": "text/plain"})
            got = self.connection.getresponse()
            self.status, self.bundle = got.status, got.read().decode()
            self.closes = got.will_close
        except (OSError, http.client.HTTPException) as fault:
            self.fault = fault
        self.answered = time.monotonic()
        self.connection.close()

    def hang_up(self):
        self.connection.sock.shutdown(socket.SHUT_RDWR)
        self.join()

    def waits(self, seconds=0.5):
        """It is not answered for so long."""
        self.join(seconds)
        return self.is_alive()

    def wait(self, seconds):
        """The answer's lines; it comes within so many seconds."""
        self.join(seconds)
        assert not self.is_alive(), "no answer"
        assert self.fault is None, self.fault
        assert self.status == 200, (self.status, self.bundle)
        return papers.fields(papers.split(self.bundle)[0][0])


@pytest.fixture(scope="module")
def house(build):
    h = House(build)
    yield h
    h.b.end()


def refused(got, status, code):
    assert got.status == status, got
    assert got.code == code, got


# --- waking ---------------------------------------------------------------------------

def test_the_first_watch_is_answered_at_once(house):
    key = house.b.add_host(TENANT, "fresh")
    first = house.watch("nobody", key, host="fresh")
    assert first.wait(SOON)["verdict"] == "deny"
    second = house.watch("nobody", key, host="fresh")
    assert second.waits()
    third = house.watch("nobody", host=HOST)  # known already
    assert third.waits()


def test_revoke_wakes_with_the_customers_signature(house):
    grant = house.grant()
    login = grant["logins"][0]
    house.told()
    mine = house.watch(login)
    others = [house.watch(login, house.other, host="db2"),
              house.watch(login, house.zhost, house.zeta, tenant="zeta")]
    assert mine.waits()
    signature = house.anna.key.sign("revoke", grant["text"])
    got = house.b.bundle("/v1/hook", grant["text"] + signature)
    done = time.monotonic()
    assert got.status == 200, got
    said = mine.wait(SOON)
    assert mine.answered - done < SOON
    assert (said["verdict"], said["code"]) == ("deny", "revoked")
    parts = dict((text, sigs) for text, sigs in papers.split(mine.bundle))
    assert parts[grant["text"]] == [signature]
    for other in others:
        assert other.waits(0.2)


def test_news_between_two_watches_is_not_lost(house):
    grant = house.grant()
    login = grant["logins"][0]
    house.told()
    mine = house.watch(login)
    assert mine.waits()
    mine.hang_up()
    assert house.b.revoke(house.anna, grant).status == 200
    late = house.watch(login)
    assert late.wait(SOON)["code"] == "revoked"
    assert house.watch(login).waits(1)  # it is told, and waits again


@pytest.mark.parametrize("how", ["return", "stop", "deny", "approve"])
def test_other_ends_wake_too(house, how):
    grant = house.grant()
    login = grant["logins"][0]
    b = house.b
    spare = b.ask_for(house.avm, login=["v" + secrets.token_hex(6)]).json
    b.endorse(house.mia, spare)
    house.told()
    mine = house.watch(login)
    other = house.watch(login, house.other, host="db2")
    assert mine.waits()
    if how == "return":
        got = b.post(f"/v1/grants/{grant['id']}/return", {}, house.avm)
    elif how == "stop":
        got = b.post(f"/v1/grants/{grant['id']}/stop", {"reason": "enough"},
                     house.mia)
    elif how == "deny":
        got = b.deny(house.anna, spare)
    else:
        got = b.approve(house.anna, spare)
    done = time.monotonic()
    assert got.status == 200, got
    said = mine.wait(SOON)
    assert mine.answered - done < SOON
    assert (said["verdict"], said["code"]) == {
        "return": ("deny", "returned"), "stop": ("deny", "revoked"),
        "deny": ("allow", "granted"), "approve": ("allow", "granted")}[how]
    assert other.waits(0.2)


def test_a_request_alone_wakes_nobody(house):
    login = house.grant()["logins"][0]
    house.told()
    mine = house.watch(login)
    assert mine.waits()
    request = house.b.ask_for(house.avm, login=["w" + secrets.token_hex(6)])
    assert house.b.endorse(house.mia, request.json).status == 200
    assert mine.waits()


def test_trust_wakes_the_tenants_hosts(build):
    h = House(build)
    try:
        grant = h.grant()
        login = grant["logins"][0]
        h.told()
        mine = h.watch(login)
        second = h.watch("nobody", h.other, host="db2")
        foreign = h.watch(login, h.zhost, h.zeta, tenant="zeta")
        assert mine.waits() and second.waits(0)
        new = h.b.trust_text(TENANT, [h.anna], serial=2, lease=3600,
                             previous=papers.doc_id(h.trust))
        bundle = new + h.anna.key.sign("trust", new)
        assert h.b.bundle(f"/v1/tenants/{TENANT}/trust",
                          bundle).status == 200
        done = time.monotonic()
        for woken in (mine, second):
            assert woken.wait(SOON)["code"] == "trust_first"
            assert woken.answered - done < SOON
            assert new in woken.bundle
        assert foreign.waits(0.2)
        # who keeps to the old one is not answered in a circle
        assert h.watch(login).waits()
    finally:
        h.b.end()


def test_removed_host_is_woken_and_unknown(house):
    key = house.b.add_host(TENANT, "gone")
    house.told((key, "gone"))
    mine = house.watch("nobody", key, host="gone")
    assert mine.waits()
    assert house.b.post("/v1/hosts/gone/remove", {},
                        house.b.operator).status == 204
    mine.join(SOON)
    assert mine.status == 401


# --- waiting --------------------------------------------------------------------------

def test_time_is_up(build):
    h = House(build, watch=3)
    try:
        grant = h.grant()
        login = grant["logins"][0]
        h.told()
        # asked long ago, as far as may be, and then it waits
        mine = h.watch(login, asked=papers.stamp(time.time() - 55))
        said = mine.wait(10)
        assert 2.5 < mine.answered - mine.began < 4.5
        assert (said["verdict"], said["code"]) == ("allow", "no_news")
        assert abs(papers_time(said["answered"]) - time.time()) < 3
        early = h.watch(login, asked=papers.stamp(time.time() - 65))
        assert early.wait(SOON)["code"] == "clock_skew"
    finally:
        h.b.end()


def papers_time(text):
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - \
        time.timezone


def test_five_hundred_wait_while_others_ask(build):
    h = House(build, watch=55)
    try:
        b = h.b
        hosts = [(b.add_host(TENANT, f"n{i}"), f"n{i}") for i in range(125)]
        grant = h.grant()
        login = grant["logins"][0]
        h.told(*hosts)
        h.told()
        last = hosts.pop()
        watches = [h.watch("nobody", key, host=name)
                   for key, name in hosts for _ in range(4)]
        h.until_parked(496)
        took = []
        for _ in range(50):
            at = time.monotonic()
            said, _got = b.ask(h.host, h.trust, login=login)
            took.append(time.monotonic() - at)
            assert said["verdict"] == "allow"
        assert max(took) < 5, took
        # a fifth of one host: its first is answered. New ones: the others may
        # be near their end, if making them took long.
        key, name = last
        four = [h.watch("nobody", key, host=name) for _ in range(4)]
        h.until_parked(500)
        fifth = h.watch("nobody", key, host=name)
        assert fifth.waits()
        assert sum(not w.is_alive() for w in four) == 1
        # hanging up frees the place
        for watch in watches[:200]:
            watch.hang_up()
        h.until_parked(300)
        # one change wakes all of one tenant
        new = b.trust_text(TENANT, [h.anna], serial=2,
                           previous=papers.doc_id(h.trust))
        assert b.bundle(f"/v1/tenants/{TENANT}/trust", new +
                        h.anna.key.sign("trust", new)).status == 200
        done = time.monotonic()
        for watch in watches[200:]:
            assert watch.wait(SOON + 2)["code"] == "trust_first"
        assert max(w.answered for w in watches[200:]) - done < SOON + 3
        h.until_parked(0)
    finally:
        h.b.end()


def test_no_more_than_may_wait(build):
    h = House(build, watch=50, connections=16, threads=2)
    try:
        h.told()
        keys = [(h.b.add_host(TENANT, f"m{i}"), f"m{i}") for i in range(4)]
        h.told(*keys)
        # 14 of 16 connections may wait; a pool's thread may be full earlier
        with contextlib.suppress(OSError):
            watches = [h.watch("nobody", key, host=name)
                       for key, name in keys for _ in range(4)]
        end = time.monotonic() + 5
        while time.monotonic() < end and h.parked() < 8:
            time.sleep(0.05)
        assert 8 <= h.parked() <= 14
        assert all(w.status in (200, 429) for w in watches
                   if w.answered and w.fault is None)
    finally:
        h.b.end()


def test_sigterm_answers_all(build):
    h = House(build)
    try:
        grant = h.grant()
        h.told()
        watches = [h.watch(grant["logins"][0]) for _ in range(4)]
        h.until_parked(4)
        at = time.monotonic()
        h.b.close()
        h.b.process.send_signal(signal.SIGTERM)
        for watch in watches:
            assert watch.wait(SOON)["code"] == "no_news"
            assert watch.closes
        assert h.b.process.wait(10) == 0
        assert time.monotonic() - at < 4
        # started anew it has forgotten what hosts were told
        h.b.start()
        assert h.watch(grant["logins"][0]).wait(SOON)["verdict"] == "allow"
        assert h.watch(grant["logins"][0]).waits()
    finally:
        h.b.end()


def test_strangers_do_not_wait(house):
    stranger = papers.Ed25519()
    for key, fields, status in ((stranger, {}, 401),
                                (house.host, {"host": "db2"}, 401),
                                (house.host, {"broker": "elsewhere"}, 422)):
        got = house.watch("nobody", key, **fields)
        got.join(SOON)
        assert got.status == status, (fields, got.status, got.bundle)
    text = house.b.question(house.trust)
    refused(house.b.bundle("/v1/watch", text +
                           house.host.sign("answer", text)),
            400, "bad_signature")
    assert house.watch("nobody").waits()


# --- reports --------------------------------------------------------------------------

class Reporter:
    """A host that reports, one number after another."""

    def __init__(self, house, name):
        self.house, self.name = house, name
        self.key = house.b.add_host(TENANT, name)
        self.sequence = 0

    def text(self, event="login.decision", sequence=None, **fields):
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        lines = {"host": self.name, "tenant": TENANT, "broker": BROKER,
                 "trust": papers.doc_id(self.house.trust),
                 "sequence": sequence, "event": event,
                 "at": papers.stamp(time.time())}
        lines.update(fields)
        return papers.document("report", **lines)

    def send(self, *texts, key=None):
        return self.house.b.bundle("/v1/report", "".join(
            text + (key or self.key).sign("report", text) for text in texts))

    def report(self, *texts):
        got = self.send(*texts)
        assert got.status == 200, got
        return got.json["sequence"]

    def events(self):
        """What the record has of this host, oldest first."""
        items, cursor = [], ""
        while True:
            got = self.house.b.get(
                f"/v1/events?tenant={TENANT}&limit=200{cursor}",
                self.house.b.operator).json
            items += [e for e in got["items"] if e["host"] == self.name and
                      e["event"].split(".")[0] in ("login", "session", "agent")
                      or e["event"] in ("host.report_gap", "host.reported")
                      and e["host"] == self.name]
            if not got["next_cursor"]:
                return items[::-1]
            cursor = f"&cursor={got['next_cursor']}"


def test_reports_are_taken_once_and_in_order(house):
    r = Reporter(house, "r1")
    first = r.text(cause="granted", login="deploy", service="sshd",
                   rhost="192.0.2.7", session=5)
    assert r.report(first) == 1
    event = r.events()[0]
    assert (event["event"], event["actor"]) == ("login.decision",
                                                "lockbox-agent")
    for word in ("cause=granted", "login=deploy", "service=sshd", "session=5",
                 "report=1", "rhost=192.0.2.7"):
        assert word in event["detail"].split(), event
    # again, with the next ones: only those are new
    more = [r.text() for _ in range(63)]
    assert r.report(first, *more) == 64
    assert r.report(first) == 64
    assert r.report(*more) == 64
    events = r.events()
    assert [int(e["detail"].split("report=")[1].split()[0])
            for e in events] == list(range(1, 65))
    # a restart forgets nothing
    assert r.report(r.text()) == 65


def test_many_at_once_are_still_once(house):
    r = Reporter(house, "r2")
    texts = [r.text() for _ in range(20)]

    def deliver(_):
        connection = house.b.connect()
        try:
            connection.request("POST", "/v1/report", "".join(
                t + r.key.sign("report", t) for t in texts),
                {"Content-Type": "text/plain"})
            got = connection.getresponse()
            return got.status, got.read()
        finally:
            connection.close()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(deliver, range(8)))
    assert all(status == 200 for status, _ in got), got
    assert len(r.events()) == 20


def test_gaps_are_recorded(house):
    r = Reporter(house, "r3")
    assert r.report(r.text(sequence=3), r.text(sequence=4),
                    r.text(sequence=9)) == 9
    gaps = [(e["actor"], e["detail"]) for e in r.events()
            if e["event"] == "host.report_gap"]
    assert gaps == [(BROKER, "reports 1 to 2 never came"),
                    (BROKER, "reports 5 to 8 never came")]
    assert r.report(r.text(sequence=5)) == 9  # too late
    assert len(r.events()) == 5


def test_reports_that_are_refused(house):
    r, other = Reporter(house, "r4"), Reporter(house, "r5")
    good = r.text()
    # of another host, or of another tenant's: as if there were none
    refused(r.send(r.text(host="r5")), 404, "not_found")
    refused(r.send(r.text(tenant="zeta")), 404, "not_found")
    refused(r.send(good, key=other.key), 404, "not_found")
    # forged
    refused(r.send(good, key=papers.Ed25519()), 401, "host_unknown")
    wrong = r.text(sequence=1, cause="granted")
    refused(house.b.bundle("/v1/report", wrong + r.key.sign("report", good)),
            400, "bad_signature")
    refused(house.b.bundle("/v1/report", good + r.key.sign("answer", good)),
            400, "bad_signature")
    refused(house.b.bundle("/v1/report", good), 400, "bad_signature")
    # one that is wrong takes all of the bundle with it
    refused(house.b.bundle("/v1/report", good + r.key.sign("report", good) +
                           other.text(sequence=2) +
                           r.key.sign("report", other.text(sequence=2))),
            404, "not_found")
    refused(r.send(r.text(broker="elsewhere")), 422, "other_broker")
    refused(r.send(r.text(sequence=9), r.text(sequence=8)), 400,
            "bad_document")
    refused(r.send(good.replace("event: ", "event:  ")), 400, "bad_document")
    question = house.b.question(house.trust, host="r4")
    refused(house.b.bundle("/v1/report", question +
                           r.key.sign("report", question)),
            400, "bad_document")
    refused(house.b.bundle("/v1/report", ""), 400, "bad_document")
    assert not r.events() and not other.events()
    assert r.report(good) == 1


def test_a_host_cannot_speak_as_the_broker(house):
    r = Reporter(house, "r6")
    r.report(r.text("grant.revoked", cause="mine"), r.text("agent.started"))
    events = r.events()
    assert [e["event"] for e in events] == ["host.reported", "agent.started"]
    assert events[0]["detail"].startswith("event=grant.revoked cause=mine")
    assert all(e["actor"] == "lockbox-agent" for e in events)


def test_enrolled_anew_begins_at_one(house):
    r = Reporter(house, "r7")
    r.report(r.text(), r.text("session.opened", session=4, login="x"))
    r.key = house.b.add_host(TENANT, "r7")
    assert r.report(r.text(sequence=1)) == 1
    gone = house.b.get("/v1/sessions?host=r7", house.anna).json["items"]
    assert [(s["state"], s["cause"]) for s in gone] == [("ended",
                                                         "unreported")]


def test_a_flood_of_reports_is_stemmed(build):
    b = Brokerd(build)
    try:
        b.stop()
        b.conf.write_text(b.conf.read_text().replace(
            "rate_report = 1000000", "rate_report = 20"))
        b.start()
        b.enter(b.operator)
        anna = Person("anna@acme.example")
        b.add_tenant(TENANT, [anna])

        class Small:
            trust = b.trust_text(TENANT, [anna])
        Small.b = b
        one, two = Reporter(Small, "f1"), Reporter(Small, "f2")
        got = [one.send(one.text()) for _ in range(7)]
        assert {g.status for g in got} == {200, 429}
        assert int(got[-1].headers["Retry-After"]) > 0
        assert two.report(two.text()) == 1
    finally:
        b.end()


# --- sessions --------------------------------------------------------------------------

def test_sessions(house):
    b = house.b
    r = Reporter(house, "s1")
    grant = house.grant(host=["s1"])
    opened = papers.stamp(time.time() - 30)
    r.report(r.text("session.opened", session=11, grant=grant["id"],
                    login=grant["logins"][0], service="sshd", at=opened,
                    engineer=house.avm.name, rhost="192.0.2.9"),
             r.text("session.opened", session=12, login="other"))
    items = b.get("/v1/sessions?host=s1", house.avm).json["items"]
    assert len(items) == 1  # the other is not his
    one = items[0]
    assert one == {
        "id": one["id"], "state": "live", "tenant": TENANT, "host": "s1",
        "session": 11, "login": grant["logins"][0], "service": "sshd",
        "rhost": "192.0.2.9", "engineer": house.avm.name, "grant": grant["id"],
        "opened_at": opened, "ends_at": grant["not_after"], "ended_at": None,
        "cause": None}
    path = f"/v1/sessions/{one['id']}"
    for who in (house.avm, house.anna, house.mia, house.aud, b.operator):
        assert b.get(path, who).json == one
        seen = b.get("/v1/sessions?host=s1&state=live", who).json["items"]
        assert len(seen) == (1 if who is house.avm else 2)
    for who in (house.eve, house.zoe):
        refused(b.get(path, who), 404, "not_found")
        assert not b.get("/v1/sessions?host=s1", who).json["items"]
    refused(b.get("/v1/sessions"), 401, "signin_needed")
    refused(b.get("/v1/sessions/nosuch", house.avm), 404, "not_found")
    # it lives on under a longer grant, then ends
    longer = house.grant(host=["s1"], duration=20000)
    r.report(r.text("session.moved", session=11, grant=longer["id"]))
    assert b.get(path, house.avm).json["ends_at"] == longer["not_after"]
    r.report(r.text("session.warned", session=11))
    r.report(r.text("session.ended", session=11, cause="revoked"))
    ended = b.get(path, house.avm).json
    assert (ended["state"], ended["cause"]) == ("ended", "revoked")
    assert ended["ended_at"] and ended["grant"] == longer["id"]
    for state, count in (("live", 1), ("ended", 1)):
        assert len(b.get(f"/v1/sessions?host=s1&state={state}",
                         house.anna).json["items"]) == count
    refused(b.get("/v1/sessions?state=active", house.anna), 400, "bad_query")
    refused(b.get("/v1/grants?state=live", house.anna), 400, "bad_query")
    refused(b.get("/v1/requests?state=ended", house.anna), 400, "bad_query")


def test_sessions_by_pages(house):
    r = Reporter(house, "s2")
    r.report(*[r.text("session.opened", session=n, login="deploy")
               for n in range(1, 8)])
    seen, cursor = [], ""
    while True:
        got = house.b.get(f"/v1/sessions?host=s2&limit=3{cursor}",
                          house.anna).json
        seen += [s["session"] for s in got["items"]]
        if not got["next_cursor"]:
            break
        cursor = f"&cursor={got['next_cursor']}"
    assert sorted(seen) == list(range(1, 8))


def test_a_foreign_grant_tells_nothing(house):
    """A host that names a grant not for it learns nothing of it."""
    grant = house.grant()  # db1's
    r = Reporter(house, "s3")
    r.report(r.text("session.opened", session=3, grant=grant["id"]))
    one = house.b.get("/v1/sessions?host=s3", house.anna).json["items"][0]
    assert (one["ends_at"], one["engineer"]) == (None, None)


def test_database_of_the_first_schema(build):
    """Brought up to date at start, and nothing is lost."""
    h = House(build)
    try:
        grant = h.grant()
        h.b.stop()
        h.b.take_schema_back(1)
        h.b.start()
        assert h.b.ask(h.host, h.trust, login=grant["logins"][0])[0][
            "verdict"] == "allow"
        r = Reporter(h, "late")
        assert r.report(r.text("session.opened", session=1, login="x")) == 1
        assert h.b.get("/v1/sessions", h.anna).json["items"]
    finally:
        h.b.end()
