"""The broker's own pages, with SSH keys and sign-in passkeys: ask, endorse,
decide, invite, hand back. What a page asks to be signed in a terminal is signed
there with stock ssh-keygen, and pasted."""

import subprocess

import pytest
from customer import Customer

from world import HOST, PEOPLE, TENANT

GUEST = "nora@acme.example"


@pytest.fixture(scope="module")
def acme(build):
    customer = Customer(build)
    yield customer
    customer.close()


def sign(key, namespace, text):
    """What ssh-keygen -Y sign prints for a text."""
    return subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", namespace],
        input=text.encode(), check=True, capture_output=True).stdout.decode()


def paste(acme, page, name, task, namespace):
    """Sign the text that a panel shows, in a terminal, and give it back."""
    text = page.see(f"#{task}-text").get_attribute("textContent")
    box = page.find(f"#{task}-terminal")
    if not box.get_attribute("open"):
        page.find("summary", box).click()
    page.see(f"#{task}-paste").send_keys(
        sign(acme.world.key(name), namespace, text))
    page.click(f"#{task}-send")
    return text


def test_asked_endorsed_approved_and_handed_back_in_the_portal(acme):
    avm = acme.portal("avm", "ask")
    avm.see("#ask-hosts").send_keys(HOST)
    avm.find("#ask-logins").send_keys("avm")
    avm.find("#ask-reason").send_keys("Look at the slow queries")
    avm.click("#ask-show")
    paste(acme, avm, "avm", "ask", "lockbox-request-v1")
    avm.reads(f"{PEOPLE['avm']} asks for access", "Waits for the provider")
    code = avm.see("#request-code").text
    maxi = acme.portal("max")
    maxi.press(f"{PEOPLE['avm']} asks for {HOST}")
    assert maxi.see("#request-code").text == code
    maxi.choose("decision", "endorse")
    paste(acme, maxi, "max", "endorse", "lockbox-endorse-v1")
    maxi.reads(f"{PEOPLE['max']} endorsed")
    anna = acme.portal("anna")
    anna.press(f"{PEOPLE['avm']} asks for {HOST}")
    anna.choose("decision", "approve")
    anna.press("Show the text to sign")
    paste(acme, anna, "anna", "approve", "lockbox-approve-v1")
    anna.reads("Access is open")
    assert acme.is_in()
    avm.reads("Access is open") # by itself: nobody reloads the page
    avm.press("See what is open, and revoke it")
    avm.click("#return")
    avm.reads("Handed back")
    assert not acme.is_in()


def test_a_signature_that_would_not_count_is_not_sent(acme):
    request = acme.ask(person="eve", login="eve")
    anna = acme.portal("anna", f"requests/{request}")
    anna.choose("decision", "deny")
    text = anna.see("#deny-text").get_attribute("textContent")
    for key, namespace, signed, why in (
            ("avm", "lockbox-deny-v1", text, "none that the customer pinned"),
            ("anna", "lockbox-approve-v1", text, "not over this text"),
            ("anna", "lockbox-deny-v1", text + "x", "not over this text")):
        box = anna.see("#deny-paste")
        box.clear()
        box.send_keys(sign(acme.world.key(key), namespace, signed))
        anna.click("#deny-send")
        anna.reads(why)
    assert acme.request(request)["state"] == "pending_approval"
    anna.find("#deny-paste").clear()
    paste(acme, anna, "anna", "deny", "lockbox-deny-v1")
    anna.reads("Denied")


def test_a_sign_in_passkey_opens_the_portal_and_nothing_else(acme):
    anna = acme.portal("anna", "me")
    anna.fill("A name for it", "my laptop")
    anna.press("Make a passkey on this device")
    anna.see("[data-key-id]")
    anna.press("Sign out")
    anna.fill("Your name here", PEOPLE["anna"])
    anna.press("Sign in with a passkey")
    assert anna.see("#whoami").text == PEOPLE["anna"]
    request = acme.ask(person="eve", login="eve", reason="Again")
    anna.go(f"{acme.world.url}/#/requests/{request}")
    anna.choose("decision", "approve")
    anna.press("Show the text to sign")
    anna.see("#approve-text")
    assert not anna.all("#approve-passkey"), "it cannot approve"
    acme.world.cli("eve", "request", "cancel", request)


def test_new_requests_come_without_a_reload(acme):
    bert = acme.portal("bert")
    bert.reads("Nothing waits for you")
    request = acme.ask(person="eve", login="eve", reason="Just now")
    bert.reads("Waiting for you (1)", "Just now")
    acme.world.cli("eve", "request", "cancel", request)
    bert.reads("Nothing waits for you")


def test_an_invited_person_brings_an_ssh_key(acme, tmp_path):
    anna = acme.portal("anna", f"tenants/{TENANT}/people")
    anna.see("#invite-principal").send_keys(GUEST)
    anna.click("#invite")
    code = anna.see("#invite-code").text
    nora = acme.browser("nora")
    nora.go(f"{acme.world.url}/#/accept")
    for name, value in (("tenant", TENANT), ("principal", GUEST), ("code", code)):
        nora.see(f"#accept-{name}").send_keys(value)
    nora.choose("accept-candidate", "ssh")
    key = acme.world.keygen(tmp_path / "nora", "nora")
    nora.see("#accept-pub").send_keys((tmp_path / "nora.pub").read_text())
    nora.click("#accept-prove")
    nora.see("#accept-signature")
    lines = nora.find("#accept-prove").find_element(
        "xpath", "ancestor::div[@class='sub']//pre").get_attribute("textContent")
    text = lines.split("\n", 1)[1].split("END_OF_TEXT")[0]
    nora.find("#accept-signature").send_keys(
        sign(key, "lockbox-signin-v1", text))
    nora.click("#accept")
    shown = nora.see("#candidate-code").text
    anna.until("her key to be shown to anna", lambda: any(
        GUEST in x.text and shown in x.text
        for x in anna.all("[data-candidate]")))
    nora.press("Sign in") # with the sign-in passkey that was made as well
    nora.press("Sign in with a passkey")
    nora.see(".notice.bad") # she is in nobody's rules yet
