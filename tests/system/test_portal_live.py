"""The broker's own pages while things happen: what is typed stays, what is new
comes by itself, and what a person copies into a terminal does what it says."""

import csv
import subprocess

import pytest
from customer import Customer

from world import HOST, PEOPLE


@pytest.fixture(scope="module")
def acme(build):
    customer = Customer(build, passkeys=("anna",))
    yield customer
    customer.close()


def decide(acme, name, request, decision):
    page = acme.portal(name, f"requests/{request}")
    page.choose("decision", decision)
    return page


def content(page, css):
    return page.see(css).get_attribute("textContent")


def paste(page, css, text):
    page.driver.execute_script("arguments[0].value = arguments[1]",
                               page.see(css), text)


def click(page, css):
    """In the middle of the window: no bar lies over it there."""
    def clicked():
        element = page.see(css)
        page.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        return True
    page.until(f"'{css}' to be clicked", clicked)


def sign(acme, person, namespace, text, base):
    path = base / "text"
    path.write_text(text)
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", acme.world.key(person),
                    "-n", namespace, path], check=True, capture_output=True)
    signature = path.with_name("text.sig")
    armor = signature.read_text()
    signature.unlink()
    return armor


def test_a_request_comes_by_itself_and_the_title_says_so(acme):
    page = acme.portal("anna")
    page.reads("Nothing waits for you")
    request = acme.ask(reason="Come in by yourself")
    page.reads("Come in by yourself", "Waiting for you (1)")
    assert page.driver.title.startswith("(1) Requests")
    acme.world.cli("bert", "request", "deny", request, "--yes")
    page.reads("Nothing waits for you")


def test_what_is_typed_stays_and_what_is_settled_goes(acme):
    request = acme.ask(reason="Let me type", endorsed=False)
    page = decide(acme, "anna", request, "deny")
    page.field("Why not").send_keys("half a rea")
    acme.world.cli("max", "request", "endorse", request, "--yes")
    page.reads(f"{PEOPLE['max']} endorsed")
    # Now approving is possible as well, and the panel another one.
    page.choose("decision", "deny")
    page.field("Why not").send_keys("half a rea")
    page.until("two looks at the broker", lambda: page.run(
        "return performance.getEntriesByType('resource')"
        ".filter(x => x.name.includes('/v1/requests/')).length > 4"))
    page.field("Why not").send_keys("son")
    assert page.field("Why not").get_attribute("value") == "half a reason"
    acme.world.cli("bert", "request", "deny", request, "--reason", "no", "--yes")
    page.reads(f"{PEOPLE['bert']} denied")
    assert not page.all("[name=decision]")


def test_a_pasted_signature_is_looked_at_before_it_is_sent(acme, tmp_path):
    request = acme.ask(reason="Paste it")
    page = decide(acme, "anna", request, "approve")
    page.press("Show the text to sign")
    text = content(page, "#approve-text")
    for person, namespace, why in (
            ("anna", "lockbox-deny-v1", "not over this text"),
            ("eve", "lockbox-approve-v1", "none that the customer pinned")):
        paste(page, "#approve-paste", sign(acme, person, namespace, text, tmp_path))
        click(page, "#approve-send")
        page.reads(why)
    paste(page, "#approve-paste", "nonsense")
    click(page, "#approve-send")
    page.reads("Paste the whole signature")
    assert acme.request(request)["state"] == "pending_approval"
    paste(page, "#approve-paste",
          sign(acme, "anna", "lockbox-approve-v1", text, tmp_path))
    click(page, "#approve-send")
    page.reads("Access is open")
    assert acme.is_in()
    click(page, "[href^='#/grants/']")
    page.reads("Revoke this access")
    page.press("Revoke this access")
    text = content(page, "#revoke-text")
    paste(page, "#revoke-paste",
          sign(acme, "anna", "lockbox-revoke-v1", text, tmp_path))
    click(page, "#revoke-send")
    page.reads("Revoked")
    page.until("the engineer to be out", lambda: not acme.is_in())


def test_the_lines_for_a_terminal_do_it(acme, tmp_path):
    """ssh-keygen, jq and curl, as they stand on the page."""
    request = acme.ask(reason="It's $(not) \"run\"")
    page = decide(acme, "anna", request, "approve")
    page.press("Show the text to sign")
    page.see("#approve-terminal")
    lines = page.run("return [...document.querySelectorAll("
                     "'#approve-terminal pre')].map(x => x.textContent)")
    assert lines[0].startswith(f"lockbox request approve {request}")
    script = "\n".join(lines[1:]).replace(
        "~/.ssh/id_ed25519", str(acme.world.key("anna"))).replace(
        "curl ", f"curl -sS --cacert {acme.world.ca} ")
    done = subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    page.reads("Access is open")


def test_a_browser_that_has_not_met_the_passkey_finds_its_key(acme):
    page = acme.portal("bert", "me")
    page.fill("A name for it", "laptop")
    page.press("Make a passkey on this device")
    page.reads("laptop")
    for forget in ("0", "localStorage.clear()"):
        page.press("Sign out")
        page.run(f"return {forget}")
        page.driver.refresh()
        page.fill("Your name here", PEOPLE["bert"])
        page.press("Sign in with a passkey")
        page.until("to be signed in", lambda: page.all("#whoami"))
        assert page.find("#whoami").text == PEOPLE["bert"]
        acme.portal("bert", "me").reads("a sign-in passkey")
    # A session ends with the key that opened it.
    page.press("Remove the passkey laptop")
    page.reads("Your session is over")


def test_a_session_that_is_over_asks_and_goes_on_there(acme):
    request = acme.ask(person="eve", login="eve", reason="Where was I")
    page = acme.portal("anna", f"requests/{request}")
    page.reads("Where was I")
    page.driver.delete_all_cookies()
    page.reads("Your session is over")
    assert acme.portal("anna", f"requests/{request}").reads("Where was I") is None
    acme.world.cli("bert", "request", "deny", request, "--yes")


def test_a_broker_that_is_away_is_said_and_comes_back(acme):
    page = acme.portal("anna", "access")
    page.reads("Who may enter now or soon")
    acme.world.services["broker"].stop()
    page.reads("The broker cannot be reached")
    acme.world.start_broker()
    page.until("the words to go",
               lambda: "cannot be reached" not in page.text())


def test_history_is_a_file_without_formulas(acme, tmp_path):
    request = acme.ask("--ticket", "-1", person="eve", login="eve",
                       reason="=HYPERLINK(\"http://x\")")
    acme.world.cli("bert", "request", "deny", request, "--yes")
    page = acme.portal("anna", "history")
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
        "behavior": "allow", "downloadPath": str(tmp_path)})
    page.reads("=HYPERLINK")
    page.press("Download as CSV")
    file = tmp_path / "lockbox-requests.csv"
    page.until("the file", file.exists)
    with open(file, newline="", encoding="utf-8") as opened:
        row = next(r for r in csv.DictReader(opened) if r["request"] == request)
    assert row["reason"] == "'=HYPERLINK(\"http://x\")"
    assert row["ticket"] == "'-1"
    assert row["hosts"] == HOST and row["state"] == "denied"
    page.fill("Find", "no such thing")
    page.reads("0 entries")


def test_an_address_that_is_none_is_said(acme):
    for where, words in (("nothing/here", "There is no such page"),
                         ("requests/01ARZ3NDEKTSV4RRFFQ69G5FAV", "no such thing"),
                         ("grants/%E0%A4%A", "no such thing")):
        acme.portal("anna", where).reads(words)
