"""The customer decides with passkeys, on the customer's own page: a real broker,
web server, sshd and Chromium."""

import json

import pytest
from customer import Customer
from judges import Judges

from world import HOST, PEOPLE


@pytest.fixture(scope="module")
def acme(build):
    customer = Customer(build, passkeys=("anna", "bert"))
    yield customer
    customer.close()


def look(acme, name, request):
    """That person's page, at that request."""
    page = acme.page(name, f"requests/{request}")
    page.see("#decision")
    return page


def approve(page):
    page.choose("decision", "approve")
    page.press("Show the text to sign")
    page.press("Approve")


def shown_text(page):
    return page.see("#approve-text").get_attribute("textContent")


def test_approve_and_the_engineer_is_in(acme, build, tmp_path):
    assert not acme.is_in()
    request = acme.ask()
    anna = acme.page("anna")
    anna.press(f"{PEOPLE['avm']} asks for {HOST}")
    anna.reads(acme.request(request)["code"], "Look at the slow queries",
               f"Endorsed by {PEOPLE['max']}")
    anna.choose("decision", "approve")
    anna.press("Show the text to sign")
    text = shown_text(anna)
    assert not acme.is_in(), "showing a text opens nothing"
    anna.press("Approve")
    anna.reads("Access is open")
    assert acme.is_in()
    given = acme.request(request)["approvals"][0]
    judges = Judges(build, tmp_path)
    key = acme.passkeys["anna"].public()
    asked = {"namespace": "lockbox-approve-v1", "message": text.encode()}
    assert judges.openssh(key, given["signature"], **asked), \
        "stock ssh-keygen verifies what the browser signed"
    said, = judges.lockbox(key, [given["signature"]], **asked)
    assert said.split()[1:] == ["5", acme.site.origin]


def test_revoke_and_the_engineer_is_out(acme):
    assert acme.is_in(), "as the test before left it"
    anna = acme.page("anna", "access")
    anna.press(f"{PEOPLE['avm']} on {HOST}")
    anna.press("Revoke this access")
    anna.fill("Why", "Enough for today")
    anna.press("Revoke now")
    anna.reads("Revoked", "“Enough for today”")
    assert not acme.is_in()


def test_deny_with_a_reason(acme):
    request = acme.ask()
    bert = look(acme, "bert", request)
    bert.choose("decision", "deny")
    bert.fill("Why not", "Not during the audit")
    bert.press("Deny")
    bert.reads("Denied", "“Not during the audit”")
    assert acme.request(request)["state"] == "denied"
    done = acme.world.ssh("avm", "avm", "true")
    assert done.returncode == 255 and "Not during the audit" in done.stderr


def test_approve_less(acme):
    request = acme.ask("--login", "deploy", "--service", "sshd",
                       "--service", "sudo")
    anna = look(acme, "anna", request)
    anna.choose("decision", "approve")
    anna.choose("how-much", "less")
    anna.choose("less-logins", "deploy", False)
    anna.choose("less-services", "sudo", False)
    anna.press("Show the text to sign")
    anna.reads("Less than asked")
    text = shown_text(anna)
    assert "login: avm\n" in text and "login: deploy" not in text
    assert "service: sshd\n" in text and "service: sudo" not in text
    anna.press("Approve")
    anna.reads("Access is open")
    assert acme.is_in() and not acme.is_in(login="deploy")
