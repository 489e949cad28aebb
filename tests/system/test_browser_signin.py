"""A page without a key is signed in by "lockbox signin --browser CODE".

Each refusal stands beside the same steps that are let in.
"""

import concurrent.futures
import json
import re
import time

import papers
import pytest
from brokerd import BROKER, Brokerd, Person
from office import Office

OWN = "https://127.0.0.1"
CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")


class Pages:
    """The broker's page in some browser, and who confirms it."""

    def __init__(self, b):
        self.b = b

    def open(self, **headers):
        got = self.b.post("/v1/signin/browser", origin=OWN, **headers)
        assert got.status == 200, got
        return got.json

    def look(self, code):
        return self.b.post("/v1/signin/browser/look", {"code": code})

    def text(self, person, nonce, **fields):
        return papers.document("signin", **{
            "broker": BROKER, "principal": person.name, "nonce": nonce,
            "time": papers.stamp(time.time()), **fields})

    def confirm(self, person, code, text=None, key=None):
        if text is None:
            text = self.text(person, self.look(code).json["nonce"])
        return self.b.post("/v1/signin/browser/confirm", {
            "code": code, "text": text,
            "signature": (key or person.key).sign("signin", text)})

    def poll(self, page, **headers):
        headers.setdefault("origin", OWN)
        return self.b.post("/v1/signin/browser/poll", {"poll": page["poll"]},
                           **headers)


@pytest.fixture(scope="module")
def b(build):
    broker = Brokerd(build)
    broker.enter(broker.operator)
    broker.avm = broker.enter(
        broker.add_person("avm@provider.example", "engineer"))
    broker.anna = Person("anna@acme.example")
    broker.add_tenant("acme", [broker.anna])
    yield broker
    broker.end()


@pytest.fixture
def pages(b):
    return Pages(b)


def refused(got, status, code):
    assert (got.status, got.code) == (status, code), got
    assert got.headers["Set-Cookie"] is None


@pytest.mark.parametrize("who", ["avm", "anna"])
def test_a_page_is_signed_in_once(b, pages, who):
    person = getattr(b, who)
    page = pages.open(user_agent="Mozilla/5.0 (test)")
    assert set(page) == {"code", "poll", "expires_at"}
    assert CODE.fullmatch(page["code"]) and len(page["poll"]) == 43
    waiting = pages.poll(page)
    assert waiting.status == 202 and waiting.json == {"state": "waiting"}
    assert waiting.headers["Set-Cookie"] is None
    seen = pages.look(page["code"]).json
    assert (seen["broker"], seen["address"], seen["here"], seen["agent"]) == \
        (BROKER, "127.0.0.1", "127.0.0.1", "Mozilla/5.0 (test)")
    got = pages.confirm(person, page["code"])
    assert got.status == 200, got
    assert got.json["principal"] == person.name
    got = pages.poll(page)
    assert got.status == 200 and "token" not in got.json, got
    assert (got.json["principal"], got.json["sign_in"]) == (person.name, "ssh")
    cookie = got.headers["Set-Cookie"].split(";")[0]
    who = b.get("/v1/whoami", cookie=cookie)
    assert who.status == 200 and who.json["principal"] == person.name
    # and once only
    refused(pages.poll(page), 410, "code_over")
    refused(pages.look(page["code"]), 410, "code_over")
    refused(pages.confirm(person, page["code"],
                          pages.text(person, seen["nonce"])), 410,
            "code_over")
    events = b.get("/v1/events?limit=5", b.operator).json["items"]
    assert [e["event"] for e in events[:2]] == \
        ["person.signed_in", "person.browser_confirmed"]
    assert person.key.fingerprint() in events[1]["detail"]
    assert "127.0.0.1" in events[1]["detail"]


def test_confirmed_once(b, pages):
    page = pages.open()
    text = pages.text(b.avm, pages.look(page["code"]).json["nonce"])
    assert pages.confirm(b.avm, page["code"], text).status == 200
    refused(pages.confirm(b.avm, page["code"], text), 410, "code_over")
    refused(pages.confirm(b.anna, page["code"], pages.text(
        b.anna, papers.fields(text)["nonce"])), 410, "code_over")
    got = pages.poll(page)
    assert got.status == 200 and got.json["principal"] == b.avm.name


def test_codes_as_people_type_them(b, pages):
    page = pages.open()
    code = page["code"]
    for typed in (code.lower(), code.replace("-", ""), f" {code} ",
                  code.replace("0", "o").replace("1", "l")):
        assert pages.look(typed).status == 200, typed
    for typed in ("", code[:-1], code + "0", "0000-0000", code + "\n"):
        refused(pages.look(typed), 410, "code_over")
    refused(b.post("/v1/signin/browser/look", {"code": 7}), 400, "bad_json")
    refused(b.post("/v1/signin/browser/look", {"code": code, "x": 1}), 400,
            "bad_json")


def test_a_signature_is_for_one_page_alone(b, pages):
    """Also not for /v1/signin, and a sign-in opens no page."""
    one, two = pages.open(), pages.open()
    nonce = pages.look(one["code"]).json["nonce"]
    text = pages.text(b.avm, nonce)
    refused(pages.confirm(b.avm, two["code"], text), 401, "nonce_over")
    refused(b.post("/v1/signin", {
        "text": text, "signature": b.avm.key.sign("signin", text)}), 401,
        "nonce_over")
    refused(pages.confirm(b.avm, one["code"], b.signin_text(b.avm)), 401,
            "nonce_over")
    assert pages.confirm(b.avm, one["code"], text).status == 200
    assert pages.poll(two).status == 202
    assert pages.poll(one).status == 200


def test_who_may_confirm(b, pages):
    page = pages.open()
    code, nonce = page["code"], pages.look(page["code"]).json["nonce"]
    stranger = Person("mallory")
    refused(pages.confirm(stranger, code), 401, "signin_refused")
    refused(pages.confirm(b.avm, code, key=papers.Ed25519()), 401,
            "signin_refused")
    refused(pages.confirm(b.avm, code, key=b.anna.key), 401, "signin_refused")
    passkey = papers.Passkey("127.0.0.1", OWN)
    refused(pages.confirm(b.avm, code, key=passkey), 401, "signin_refused")
    refused(pages.confirm(b.avm, code, pages.text(
        b.avm, nonce, broker="other")), 401, "signin_refused")
    refused(pages.confirm(b.avm, code, pages.text(
        b.avm, nonce, time=papers.stamp(time.time() - 400))), 401,
        "signin_refused")
    text = pages.text(b.avm, nonce)
    refused(b.post("/v1/signin/browser/confirm", {
        "code": code, "text": text,
        "signature": b.avm.key.sign("approve", text)}), 400, "bad_signature")
    assert pages.poll(page).status == 202
    assert pages.confirm(b.avm, code).status == 200


def test_who_left_meanwhile_gets_no_session(b, pages):
    gone = b.add_person("gone@provider.example", "engineer")
    page = pages.open()
    assert pages.confirm(gone, page["code"]).status == 200
    for active, status in ((False, 401), (True, 200)):
        assert b.post(f"/v1/people/{gone.name}", {"active": active},
                      b.operator).status == 200
        assert pages.poll(page).status == status


def test_only_our_own_page_waits(b, pages):
    for headers in ({}, {"origin": "https://evil.example"},
                    {"origin": "null"}):
        refused(b.post("/v1/signin/browser", **headers), 403,
                "foreign_origin")
    page = pages.open()
    assert pages.confirm(b.avm, page["code"]).status == 200
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}):
        refused(pages.poll(page, **headers), 403, "foreign_origin")
    refused(b.post("/v1/signin/browser/poll", {"poll": page["poll"]}), 403,
            "foreign_origin")
    refused(b.post("/v1/signin/browser/poll", {"poll": "x" * 43}, origin=OWN),
            410, "code_over")
    assert pages.poll(page).status == 200


def test_what_a_browser_calls_itself_is_shown_inert(b, pages):
    page = pages.open(user_agent="a\x1b[2J<b>\u00e9" + "x" * 300)
    agent = pages.look(page["code"]).json["agent"]
    assert agent.startswith("a?[2J<b>") and len(agent) == 160
    assert agent.isascii() and agent.isprintable()


def test_many_poll_at_once(b, pages):
    """One session comes of it."""
    page = pages.open()
    assert pages.confirm(b.avm, page["code"]).status == 200

    def poll(_):
        connection = b.connect()
        connection.request("POST", "/v1/signin/browser/poll",
                           '{"poll":"%s"}' % page["poll"],
                           {"Content-Type": "application/json",
                            "Origin": OWN})
        status = connection.getresponse().status
        connection.close()
        return status
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = sorted(pool.map(poll, range(16)))
    assert got == [200] + [410] * 15


def test_guessing_is_slowed_down(build):
    """By the guesser's own address: a code of somebody else stays good."""
    b = Brokerd(build, rate_signin=40)
    try:
        pages = Pages(b)
        page = pages.open()
        got = [pages.look(f"0000-{i:04}").status for i in range(12)]
        assert got[0] == 410 and got[-1] == 429
        assert pages.poll(page).status == 202
        assert pages.look(page["code"]).status == 200
    finally:
        b.end()


# --- the command ------------------------------------------------------------------

@pytest.fixture(scope="module")
def office(build, tmp_path_factory):
    made = Office(build, tmp_path_factory.mktemp("office"))
    yield made
    made.close()


def test_the_command_confirms(office):
    pages = Pages(office.broker)
    office.avm.signin()
    page = pages.open(user_agent="Mozilla/5.0 (test)")
    done = office.avm("signin", "--browser", page["code"].lower(), "--yes")
    assert done.stdout == f"the page is signed in as {office.avm.principal}\n"
    assert "127.0.0.1" in done.stderr and "Mozilla/5.0 (test)" in done.stderr
    assert "not the address of this command" not in done.stderr
    got = pages.poll(page)
    assert got.status == 200
    assert got.json["principal"] == office.avm.principal
    # a customer, with a key that a trust document pins, in JSON
    office.anna.signin()
    page = pages.open()
    said = office.anna.json("signin", "--browser", page["code"], "--yes")
    assert said["principal"] == office.anna.principal
    assert pages.poll(page).status == 200


def test_the_command_signs_nothing_without_a_yes(office):
    pages = Pages(office.broker)
    office.avm.signin()
    page = pages.open()
    done = office.avm("signin", "--browser", page["code"], code=1)
    assert "nothing was signed" in done.stderr and "--yes" in done.stderr
    assert pages.poll(page).status == 202
    office.avm("signin", "--browser", page["code"], "--yes")
    done = office.avm("signin", "--browser", page["code"], "--yes", code=1)
    assert "unknown, used or too old" in done.stderr
    assert pages.poll(page).status == 200


def test_the_command_tells_of_a_page_elsewhere(office):
    """One that somebody else opened, and wants to have confirmed."""
    office.avm.signin()
    elsewhere = office.broker.connect()
    elsewhere.source_address = ("127.0.0.2", 0)
    elsewhere.request("POST", "/v1/signin/browser", "{}",
                      {"Content-Type": "application/json", "Origin": OWN})
    page = json.loads(elsewhere.getresponse().read())
    elsewhere.close()
    done = office.avm("signin", "--browser", page["code"], code=1)
    assert re.search("opened at +127.0.0.2\n", done.stderr)
    assert "not the address of this command, 127.0.0.1" in done.stderr
    assert "Only if you opened this page yourself" not in done.stdout
    assert Pages(office.broker).poll(page).status == 202


def test_the_command_leaves_its_own_session_alone(office):
    office.avm.signin()
    page = Pages(office.broker).open()
    office.avm("signout")
    office.avm("signin", "--browser", page["code"], "--yes")
    done = office.avm("whoami", code=77)
    assert "signin" in done.stderr
    office.avm.signin()
    office.avm("whoami")
