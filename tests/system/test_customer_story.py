"""From an invitation to an engineer who is in: nobody at the customer has more
than a browser, and nothing but what the customer signed opens the door."""

import re

import pytest
from customer import Customer

from world import HOST, PEOPLE, TENANT

MIA = "mia@acme.example"
MAIL = "mia.mail@acme.example"
INVITATION = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}\b")


@pytest.fixture(scope="module")
def acme(build):
    customer = Customer(build, passkeys=("anna",))
    PEOPLE["mia"] = MIA
    yield customer
    customer.close()
    del PEOPLE["mia"]


def enrol(page, site, code):
    page.go("about:blank")
    page.go(f"{site}/#/invitation")
    page.fill("Your name at the broker", MIA)
    page.fill("Invitation code", code)
    page.press("Make my passkey")


def test_an_invited_person_makes_a_passkey_that_has_no_power(acme):
    done = acme.world.cli("anna", "tenant", "invite", TENANT, MIA)
    code = INVITATION.search(done.stdout)[0]
    mia = acme.browser("mia")
    wrong = "0000-0000-0000-0000" if code[0] != "0" else "1111-1111-1111-1111"
    enrol(mia, acme.site.origin, wrong)
    mia.see(".notice.bad")
    mia.fill("Invitation code", code)
    mia.press("Make my passkey")
    shown = mia.see("#key-code").text
    assert len(mia.passkeys()) == 1, "a mistyped code makes no second passkey"
    listed = acme.world.cli("anna", "tenant", "candidates", TENANT).stdout
    assert shown in listed and MIA in listed
    mia.press("To sign in, once it is in the rules")
    mia.fill("Your name at the broker", MIA)
    mia.press("Sign in with your passkey")
    mia.see(".notice.bad")
    assert not mia.all("#top .who"), "a candidate cannot even look"
    enrol(acme.browser("stranger"), acme.site.origin, code)
    acme.browser("stranger").see(".notice.bad") # it works once
    acme.shown = shown


def test_an_owner_compares_the_code_and_signs_her_in(acme):
    anna = acme.page("anna", f"tenants/{TENANT}/rules")
    row = anna.see("[data-candidate]")
    assert MIA in row.text and acme.shown in row.text
    anna.press(f"Add {MIA} as approver")
    anna.reads("New: ")
    anna.press("Show the text to sign")
    anna.reads(f"Approver added: {MIA} with passkey for")
    anna.press("Sign the new rules")
    anna.see("#switch-state")
    anna.reads(MIA)
    assert acme.world.cli("anna", "tenant", "candidates", TENANT,
                          "--format", "json").stdout.count(MIA) == 0


def test_a_mail_leads_her_to_the_customers_own_page_and_he_is_in(acme):
    acme.world.cli("anna", "tenant", "contact", TENANT, MIA, "--mail", MAIL)
    assert not acme.is_in()
    request = acme.ask()
    mail = acme.mails.wait(MAIL)
    shown = acme.request(request)
    assert shown["code"] in mail.text and shown["reason"] in mail.text
    page = next(x for x in mail.links() if x.startswith(acme.site.origin))
    mia = acme.page("mia", at=page)
    mia.press(f"{PEOPLE['avm']} asks for {HOST}")
    mia.see("#decision")
    assert mia.see("#request-code").text == shown["code"]
    mia.choose("decision", "approve")
    mia.press("Show the text to sign")
    mia.press("Approve")
    mia.reads("Access is open")
    assert acme.request(request)["approvals"][0]["principal"] == MIA
    assert acme.is_in()


def test_she_is_no_owner(acme):
    mia = acme.page("mia", f"tenants/{TENANT}")
    mia.see("#switch-state")
    assert not mia.all("#switch-off, #on-show")
