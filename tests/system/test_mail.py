"""Mail that the broker sends: a real SMTP server takes it, Python reads it."""

import html
import re
import secrets

import pytest
from brokerd import TENANT
from postbox import Postbox, Receiver, certificate, free_port, until
from townhall import Town

APPROVERS = {"anna.mail@acme.example", "bert.mail@acme.example"}
ENGINEER, MANAGER = "avm.mail@provider.example", "mia.mail@provider.example"


@pytest.fixture(name="box")
def fixture_box():
    box = Postbox()
    yield box
    box.close()


@pytest.fixture(name="town")
def fixture_town(build, box):
    town = Town(build, box)
    yield town
    town.end()


def later(town, build, seconds):
    """The same broker, so many seconds later."""
    town.b.stop()
    town.b.start(LD_PRELOAD=str(build / "tests" / "tools" / "shift_clock.so"),
                 SHIFT_CLOCK=str(seconds))


def test_who_waits_is_told(town, box):
    request = town.ask(ticket="INC-42", reason="disk is full on db1")
    box.wait(2)
    assert {m.to[0] for m in box.mails} == APPROVERS
    mail = box.mails[0]
    assert mail.sender == "lockbox@provider.example"
    assert mail["To"] == mail.to[0]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@provider.example>")
    assert request["code"] in mail["Subject"]
    for text in (mail.text, mail.html):
        for word in ("avm@provider.example", "disk is full on db1", "INC-42",
                     "db1", request["logins"][0], "log in over ssh", "2h",
                     request["code"], request["lapses_at"][:10],
                     "If you do nothing",
                     f"https://127.0.0.1/#/requests/{request['id']}"):
            assert word in text, word
    assert [p.get_content_type() for p in mail.message.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html"]
    assert max(map(len, mail.raw.split(b"\r\n"))) < 500


def test_everybody_hears_what_is_theirs(build, box):
    town = Town(build, box, endorsement=True)
    try:
        first = town.ask()
        box.wait(1)
        assert [m.to[0] for m in box.mails] == [MANAGER]
        assert "endorse" in box.mails[0]["Subject"]
        assert town.b.endorse(town.mia, first).status == 200
        box.wait(3)
        assert {m.to[0] for m in box.mails[1:]} == APPROVERS
        assert "mia@provider.example" in box.mails[1].text

        assert town.b.approve(town.anna, first).status == 200
        box.wait(4)
        assert box.mails[3].to == [ENGINEER]
        assert "approved" in box.mails[3]["Subject"]
        assert "anna@acme.example" in box.mails[3].text
        assert re.search(r"until +20\d\d-", box.mails[3].text)
        # Bert hears of it, though not at once; Anna did it herself.
        settled = town.deliveries(request=first["id"])
        assert [d["receiver"] for d in settled
                if d["type"] == "request.settled"] == [town.bert.name]

        grant = town.b.get("/v1/grants", town.anna).json["items"][0]
        assert town.b.post(f"/v1/grants/{grant['id']}/revoke", {
            "signature": town.anna.key.sign("revoke", grant["text"]),
            "reason": "the disk is fine"}).status == 200
        box.wait(5)
        assert box.mails[4].to == [ENGINEER]
        assert "revoked" in box.mails[4]["Subject"]
        assert "the disk is fine" in box.mails[4].text

        second = town.ask()
        assert town.b.endorse(town.mia, second).status == 200
        assert town.b.deny(town.bert, second, "not today").status == 200
        box.wait(6)
        assert box.mails[5].to == [ENGINEER]
        assert "denied" in box.mails[5]["Subject"]
        assert "not today" in box.mails[5].text
    finally:
        town.end()


def test_many_are_one_mail(build, town, box):
    first = town.ask()
    box.wait(2)
    more = [town.ask() for _ in range(4)]
    assert town.b.deny(town.anna, more[3]).status == 200
    until(lambda: {d["request"] for d in town.deliveries(state="waiting")}
          >= {r["id"] for r in more[:3]})
    assert len([m for m in box.mails if m.to[0] in APPROVERS]) == 2
    later(town, build, 301)
    until(lambda: len([m for m in box.mails if m.to[0] in APPROVERS]) == 4)
    for address in APPROVERS:
        early, late = box.to(address)
        assert first["code"] in early["Subject"]
        assert all(r["code"] in late.text for r in more[:3])
        assert "3 of 3 messages wait" in late["Subject"]
        # Settled before he heard of it: he need not hear of it at all.
        assert more[3]["code"] not in late.text


def test_reminders_until_it_is_settled(build, town, box):
    request, other = town.ask(), town.ask()
    box.wait(2)
    hour = 3600
    for at, count in ((2.9, 4), (3.1, 6), (6.1, 8), (10.9, 10)):
        later(town, build, int(at * hour))
        box.wait(count)
        if at == 3.1:
            assert request["code"] in box.mails[-1].text
            assert other["code"] in box.mails[-1].text
            town.b.enter(town.avm)
            assert town.b.post(f"/v1/requests/{other['id']}/cancel", {},
                               town.avm).status == 200
    mails = [m for m in box.mails if m.to == ["anna.mail@acme.example"]]
    assert len(mails) == 5
    assert "waits for your answer" in mails[-1]["Subject"]
    assert request["code"] in mails[-1]["Subject"]
    assert other["code"] in mails[-2].text
    assert "withdrawn" in mails[-2].text
    later(town, build, int(12.1 * hour))
    until(lambda: box.to(ENGINEER))
    assert "nobody answered" in box.to(ENGINEER)[0]["Subject"]
    assert request["code"] in box.to(ENGINEER)[0].text
    assert len(box.to("anna.mail@acme.example")) == 5
    # Nobody is reminded of what was over before he could be.
    assert {d["code"] for d in town_deliveries(town)
            if d["state"] == "dropped"} <= {"settled", "repeated"}


def town_deliveries(town):
    town.b.enter(town.b.operator)
    return town.deliveries()


def test_no_link_at_all(build, box):
    town = Town(build, box)
    try:
        town.contact(town.anna, "anna.mail@acme.example", links=False)
        town.ask(reason="see https://evil.example/x and www.evil.example")
        box.wait(2)
        mail = box.to("anna.mail@acme.example")[0]
        for text in (mail.text, mail.html):
            assert "http" not in text.replace("https[link] ://", "")
            assert " www." not in text.replace("[link] www.", "")
            assert "holds no links" in text
        assert "href" not in mail.html
        other = box.to("bert.mail@acme.example")[0]
        assert "https://127.0.0.1/#/" in other.text
    finally:
        town.end()


def test_no_links_for_anybody(build, box):
    town = Town(build, box, mail_links="no")
    try:
        town.ask()
        box.wait(2)
        assert not any("://" in m.text + m.html.replace(
            "http-equiv", "") for m in box.mails)
    finally:
        town.end()


HARMLESS = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    '"><a href="https://evil.example">approve here</a>',
    "=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)",
    "%0d%0aBcc: eve@evil.example", "\\r\\nBcc: eve@evil.example",
    "=?utf-8?q?=0D=0ABcc=3A?= eve@evil.example", ".", "..", "From here on",
    "-----", "&lt;b&gt; &amp; &#39;", "größer ≠ kleiner, 日本語",
    "{{7*7}} ${7*7} <%= 7*7 %>", "'; DROP TABLE request; --", "x" * 512,
    "\\x1b[31mred", "--boundary--", "Content-Type: text/html",
]
HEADERS = {"Content-Type", "Mime-Version", "Date", "From", "To", "Subject",
           "Message-ID", "Auto-Submitted", "References", "X-Peer",
           "X-MailFrom", "X-RcptTo"}


@pytest.mark.parametrize("reason", HARMLESS)
def test_words_are_inert(reason, shared):
    town, box = shared
    box.mails.clear()
    request = town.ask(reason=reason, ticket=reason.encode()[:60].decode(
        errors="ignore").strip())
    assert town.b.deny(town.anna, request, reason).status == 200
    box.wait(1)
    mail = box.to(ENGINEER)[0]
    assert set(mail.message.keys()) <= HEADERS
    assert len(mail.message.keys()) == len(set(mail.message.keys()))
    assert mail.message["To"].addresses[0].addr_spec == ENGINEER
    assert "evil" not in mail["Subject"]
    assert [p.get_content_type() for p in mail.message.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html"]
    assert reason in mail.text
    assert not re.search(r"<(script|img|a [^>]*evil)", mail.html)
    assert reason in html.unescape(mail.html)


@pytest.fixture(name="shared", scope="module")
def fixture_shared(build):
    box = Postbox()
    town = Town(build, box)
    yield town, box
    town.end()
    box.close()


@pytest.mark.parametrize("reason", [
    "a\r\nBcc: eve@evil.example", "a\nb", "a\rb", "a\0b", "\x1b[31mred",
    "a\u202eb", "a\u200bb", "a\u2066b", "a\u0085b", "a\u2028b", " a", "a  b",
    "\ufeffa", "a\U000e0041"])
def test_words_that_hide_are_refused(reason, shared):
    town, _ = shared
    assert town.b.ask_for(town.avm, reason="a b", login=[
        "u" + secrets.token_hex(6)]).status == 201
    text = town.b.request_text(town.avm, reason=reason,
                               login=["u" + secrets.token_hex(6)])
    got = town.b.post("/v1/requests", {
        "text": text, "signature": town.avm.key.sign("request", text)},
        town.avm)
    assert got.status == 400, got


@pytest.mark.parametrize("mail", [
    "a@b.example\r\nBcc: c@d.example", "a b@c.example", "<a@b.example>",
    "a@b.example,c@d.example", "a@b.example;c@d.example", '"a"@b.example',
    "a@b@c.example", "@b.example", "a@", "a", "é@b.example", "a@b.example ",
    "a\0@b.example", "a(comment)@b.example", "x" * 250 + "@b.example"])
def test_addresses_that_are_none(mail, shared):
    town, _ = shared
    path = f"/v1/tenants/{TENANT}/contacts"
    body = {"principal": town.anna.name, "links": True, "language": "en"}
    good = {**body, "mail": "anna.mail@acme.example"}
    assert town.b.post(path, good, town.b.operator).status in (200, 201)
    got = town.b.post(path, {**body, "mail": mail}, town.b.operator)
    assert got.status == 400, got


def test_who_has_no_address_is_seen(town, box):
    town.contact(town.bert, None)
    request = town.ask()
    box.wait(1)
    assert box.mails[0].to == ["anna.mail@acme.example"]
    [none] = [d for d in town.deliveries(request=request["id"])
              if d["receiver"] == town.bert.name]
    assert (none["state"], none["code"]) == ("dropped", "no_address")
