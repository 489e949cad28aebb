"""Two of the customer's people must approve, and two must sign other rules."""

import pytest
from customer import Customer

from world import PEOPLE


@pytest.fixture(scope="module")
def acme(build):
    customer = Customer(build, passkeys=("anna", "bert"), flags=(
        "--threshold", "2"))
    yield customer
    customer.close()


def draft(acme, name, request):
    page = acme.look(name, request)
    page.choose("decision", "approve")
    page.press("Show the text to sign")
    page.see("#approve-text")
    return page


def test_one_is_not_enough_and_two_are(acme):
    request = acme.ask()
    anna = draft(acme, "anna", request)
    anna.press("Approve")
    anna.reads(f"{PEOPLE['anna']} approved")
    assert acme.request(request)["state"] == "pending_approval"
    assert not acme.is_in(), "one is not enough"
    bert = draft(acme, "bert", request)
    bert.reads("Somebody has approved this very text already")
    bert.press("Approve")
    bert.reads("Access is open")
    assert acme.is_in()


def test_who_comes_second_signs_the_text_of_the_first(acme):
    """Both look at a text of their own; the later one must read the other's."""
    request = acme.ask(person="eve", login="eve")
    anna = acme.look("anna", request)
    anna.choose("decision", "approve")
    anna.choose("how-much", "less")
    anna.pick("For how long", "900")
    anna.press("Show the text to sign")
    anna.reads("15 min instead of 30 min")
    anna.quiet()
    bert = draft(acme, "bert", request)
    bert.press("Approve")
    bert.reads(f"{PEOPLE['bert']} approved")
    theirs = acme.request(request)["draft"]["text"]
    anna.press("Approve")
    anna.reads("Nothing was approved", "read it again")
    assert anna.see("#approve-text").get_attribute("textContent") == theirs
    assert len(acme.request(request)["approvals"]) == 1
    assert not acme.is_in("eve", "eve")
    anna.press("Approve")
    anna.reads("Access is open")
    assert acme.is_in("eve", "eve")


def test_a_passkey_that_did_not_verify_the_person_signs_nothing(acme):
    request = acme.ask("--login", "deploy")
    anna = draft(acme, "anna", request)
    anna.verifying(False)
    anna.press("Approve")
    anna.reads("Nothing was signed")
    assert not acme.request(request)["approvals"]
    anna.verifying(True)
    anna.press("Approve")
    anna.reads(f"{PEOPLE['anna']} approved")


def test_two_owners_sign_rules_in_their_browsers(acme):
    """From then on only keys that verify the person count."""
    request = acme.ask(person="eve", login="deploy", reason="Once more")
    anna = acme.page("anna", "tenants/acme/rules")
    anna.see("#rules-show")
    anna.pick("Keys that approve", "verified")
    anna.press("Show the text to sign")
    anna.press("Sign the new rules")
    anna.reads("New rules are proposed", f"Signed by {PEOPLE['anna']}: 1 of 2")
    bert = acme.page("bert", "tenants/acme")
    bert.reads("New rules are proposed", "a key that checks the person")
    bert.press("Sign the new rules")
    bert.reads("A key that checks the person")
    bert.until("the proposal to go", lambda: "New rules" not in bert.text())
    done = acme.world.cli("bert", "request", "approve", request, "--yes",
                          check=False)
    assert done.returncode != 0 and not acme.request(request)["approvals"]
    bert = draft(acme, "bert", request)
    bert.press("Approve")
    bert.reads(f"{PEOPLE['bert']} approved")
