"""The customer decides with passkeys, on the customer's own page: a real broker,
web server, sshd and Chromium."""

import shutil

import pytest
from browser import Browser
from customer import SITE, Customer
from judges import Judges
from papers import doc_id
from selenium.webdriver.common.keys import Keys

from website import Website, certificate
from world import HOST, PEOPLE, TENANT

NASTY = ("<img src=x onerror=\"document.title='HIT'\"> "
         "</script><script>document.title='HIT'</script> "
         "=HYPERLINK(\"https://evil.example\") {{7*7}} &lt;b&gt; %0d%0a")


@pytest.fixture(scope="module")
def acme(build):
    customer = Customer(build, passkeys=("anna", "bert"))
    yield customer
    customer.close()

# What a broker that lies could send: given a pattern, instead of it, and in
# which answers ("" is all of them).
LIE = """
const honest = window.fetch;
const [pattern, instead, path] = given;
window.fetch = async (where, how) => {
  const got = await honest(where, how);
  if (!String(where).includes(path)) return got;
  const text = (await got.text()).replaceAll(new RegExp(pattern, "g"), instead);
  return new Response(text, { status: got.status, headers: got.headers });
};
"""


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
    bert = acme.look("bert", request)
    bert.choose("decision", "deny")
    bert.fill("Why not", "Not during the audit")
    bert.press("Deny")
    bert.reads("Denied", "“Not during the audit”")
    assert acme.request(request)["state"] == "denied"
    done = acme.world.ssh("avm", "avm", "true")
    assert done.returncode == 255 and "Not during the audit" in done.stderr


def test_on_a_phone_and_by_keyboard_alone(acme):
    """The pointer is not touched; what is said aloud is said."""
    request = acme.ask(person="eve", login="eve", reason="By keyboard")
    anna = acme.page("anna")
    anna.dress("light", "phone")
    try:
        anna.see(f"[data-request='{request}']")
        assert anna.driver.title.startswith("(1) ")
        anna.tab_to(f"{PEOPLE['eve']} asks for {HOST}")
        anna.type(Keys.ENTER)
        anna.see("#decision input")
        anna.tab_to("Approve Let them in, wholly or in part")
        anna.type(Keys.SPACE)
        anna.tab_to("Show the text to sign")
        anna.type(Keys.ENTER)
        anna.see("#approve-text")
        anna.tab_to("Approve")
        anna.type(Keys.ENTER)
        anna.reads("Access is open")
        anna.until("it to be said", lambda: anna.find("#live").get_attribute(
            "textContent") == "You approved.")
    finally:
        anna.dress("light", "desktop")
    assert acme.is_in("eve", "eve")
    acme.world.cli("eve", "grant", "return", acme.request(request)["grant"])


def test_approve_less(acme):
    request = acme.ask("--login", "deploy", "--service", "sshd",
                       "--service", "sudo")
    anna = acme.look("anna", request)
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


def test_a_settled_request_is_shown_as_it_is_now(acme):
    """Two people look; one denies; the other's text is worth nothing."""
    request = acme.ask(person="eve", login="eve")
    anna = acme.look("anna", request)
    anna.choose("decision", "approve")
    anna.press("Show the text to sign")
    shown_text(anna)
    anna.quiet()
    acme.world.cli("bert", "request", "deny", request, "--yes")
    anna.press("Approve")
    anna.reads("Denied")
    assert acme.request(request)["state"] == "denied"
    assert not anna.all("#decision-panel")
    assert not acme.is_in("eve", "eve")


def test_a_hostile_reason_is_only_text(acme):
    request = acme.ask("--ticket", "<b>bold</b>", person="eve", login="eve",
                       reason=NASTY)
    anna = acme.page("anna")
    anna.reads(NASTY)
    anna.press(f"{PEOPLE['eve']} asks for {HOST}")
    anna.reads(NASTY, "<b>bold</b>")
    anna.choose("decision", "approve")
    anna.press("Show the text to sign")
    assert f"reason: {NASTY}\n" in shown_text(anna)
    assert not anna.all("img, main b, [onerror]") and \
        "HIT" not in anna.driver.title
    anna.choose("decision", "deny")
    anna.press("Deny")
    anna.reads("Denied")
    assert acme.request(request)["state"] == "denied"


@pytest.mark.parametrize("pattern, instead, said", [
    ("host: web1", "host: web9", "nobody asked for the host web9"),
    ("login: eve", "login: eve\\nlogin: root", "asked for the account root"),
    ("not-after: 20(..)-", "not-after: 20$1x-", "is not a time"),
    ("lockbox-grant-v1", "lockbox-trust-v1", "this is no lockbox-grant-v1"),
])
def test_a_draft_that_goes_beyond_the_request_is_not_signed(
        acme, pattern, instead, said):
    request = acme.ask(person="eve", login="eve", reason="A lying broker")
    anna = acme.look("anna", request)
    anna.run(LIE, pattern, instead, "/draft")
    anna.choose("decision", "approve")
    anna.press("Show the text to sign")
    anna.reads(said)
    assert not anna.all("#approve-passkey, #approve-send")
    acme.world.cli("eve", "request", "cancel", request)


def test_a_request_that_the_engineer_did_not_sign_is_not_approved(acme):
    request = acme.ask(person="eve", login="eve", reason="A lying broker")
    anna = acme.page("anna")
    anna.see("[data-request]")
    anna.run(LIE, "duration: 1800", "duration: 3600", f"/requests/{request}")
    anna.press(f"{PEOPLE['eve']} asks for {HOST}")
    anna.reads("Do not sign this", "signature does not verify")
    assert not anna.all("[name=decision][value=approve]")
    assert anna.all("[name=decision][value=deny]"), "no is always possible"
    acme.world.cli("eve", "request", "cancel", request)


def test_rules_that_do_not_follow_from_the_pinned_ones_are_not_believed(acme):
    first = doc_id(acme.world.trust.read_text().split("-----BEGIN")[0])
    asked = {"broker": acme.world.url, "tenant": TENANT}
    try:
        acme.configure(**asked, trust=first)
        acme.page("anna", f"tenants/{TENANT}").see("#switch-state")
        acme.configure(**asked, trust="sha256:" + "0" * 64)
        anna = acme.page("anna", f"tenants/{TENANT}")
        anna.reads("does not show the rules that are pinned here")
        assert not anna.all("#switch-state")
    finally:
        acme.configure(**asked)


def test_off_is_a_delegation_that_the_customer_signs(acme):
    """With passkeys alone: an owner switches lockbox off, and on again."""
    request = acme.ask(person="eve", login="eve")
    assert acme.world.cli("max", "request", "approve", request, "--yes",
                          check=False).returncode != 0
    anna = acme.page("anna", "tenants/acme")
    anna.see("#switch-state[data-state=on]")
    anna.press("Switch lockbox off for a time …")
    anna.fill("Who at the provider may approve alone", PEOPLE["max"])
    anna.fill("Their public key", acme.world.public_key("max"))
    anna.press("Show what changes")
    anna.reads(f"{PEOPLE['max']} with SSH key")
    anna.press("Sign the new rules")
    anna.see("#switch-state[data-state=off]")
    acme.world.cli("max", "request", "approve", request, "--yes")
    assert acme.is_in("eve", "eve")
    anna.press("Switch lockbox on …")
    anna.press("Sign the new rules")
    anna.see("#switch-state[data-state=on]")
    assert not acme.is_in("eve", "eve"), "what rested on a delegate is over"


def test_a_page_that_another_one_frames_does_not_run(acme, tmp_path):
    """Also where the web server forgets to forbid it."""
    www = shutil.copytree(acme.world.path("site", "www"), tmp_path / "www")
    (www / "other.html").write_text("<iframe src=approve.html></iframe>")
    plain = Website(www, SITE, certificate(tmp_path, "plain", f"DNS:{SITE}"),
                    headers={})
    browser = Browser(plain.ca)
    try:
        browser.go(f"{plain.origin}/approve.html")
        browser.see("#signin")
        browser.go(f"{plain.origin}/other.html")
        browser.driver.switch_to.frame(0)
        browser.reads("does not run inside another one")
        assert not browser.all("#signin")
    finally:
        browser.close()
        plain.close()
