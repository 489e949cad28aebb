"""What other pages and mail scanners do with a browser changes nothing.

A real engine runs the attacker's page beside a signed-in portal, and a scanner
without a session opens, presses and posts everything it finds.
"""

import sqlite3

import pytest
from customer import Customer

from website import Website, certificate
from world import PEOPLE, TENANT

EVIL = "evil.localhost"
# Who is signed in, and what comes and goes without anybody's decision.
FLEETING = ("session", "browser_signin", "spent_nonce", "stay", "intake",
            "notice", "delivery", "host")
# Runs on the attacker's page. given: the broker's URL, a path, a body.
FETCHES = """
const [broker, path, body] = given;
const said = [];
for (const more of [
  { headers: { "Content-Type": "application/json" }, credentials: "include" },
  { headers: { "Content-Type": "text/plain" }, credentials: "include" },
  { mode: "no-cors", credentials: "include" },
  { mode: "no-cors", credentials: "include", referrerPolicy: "no-referrer" },
]) {
  try {
    const got = await fetch(broker + path, { method: "POST", body, ...more });
    said.push(got.type === "opaque" ? "opaque" : String(got.status));
  } catch (error) {
    said.push(error.name);
  }
}
try {
  said.push(await (await fetch(broker + "/v1/whoami",
    { credentials: "include" })).text());
} catch (error) {
  said.push(error.name);
}
return said;
"""
# Opens a window, and reaches for what is in it until that is the portal.
REACH = """
const other = window.open(given[0]);
for (let tries = 0; tries < 150; tries++) {
  await new Promise((done) => setTimeout(done, 100));
  if (other.closed) return "severed";
  try {
    other.document.title;
  } catch (error) {
    return error.name;
  }
}
return "reached";
"""
# A form of the attacker's, whose body is what a broker reads as JSON.
FORM = """
const [action, enctype, target] = given;
const form = document.createElement("form");
Object.assign(form, { method: "POST", action, enctype, target });
const input = document.createElement("input");
input.name = '{"a":"';
input.value = '"}';
form.append(input);
document.body.append(form);
form.submit();
"""
# A scanner fills everything and presses everything, on each page that it meets.
PRESS = """
const names = new Set();
for (let round = 0; round < 4; round++) {
  for (const one of document.querySelectorAll(
    "button, summary, a[href^='#'], input, textarea")) {
    if (one.matches("textarea, input:not([type=checkbox], [type=radio])")) {
      one.value = "anna@acme.example";
      one.dispatchEvent(new Event("input", { bubbles: true }));
      continue;
    }
    names.add(one.textContent.trim());
    one.click();
    await new Promise((done) => setTimeout(done, 20));
  }
  await new Promise((done) => setTimeout(done, 500));
}
return [...names];
"""
# What a scanner's engine posts from the page that it was led to.
SCAN_POSTS = """
const said = [];
for (const path of given[0])
  for (const body of ["{}", '{"reason":"scan"}', ""])
    said.push((await fetch(path, { method: "POST", body,
      headers: { "Content-Type": "application/json" } })).status);
return said;
"""


@pytest.fixture(scope="module")
def acme(build):
    customer = Customer(build)
    yield customer
    customer.close()


@pytest.fixture(scope="module")
def evil(acme, tmp_path_factory):
    base = tmp_path_factory.mktemp("evil")
    (base / "www").mkdir()
    (base / "www" / "index.html").write_text(
        "<!doctype html><html lang=en><title>Evil</title><h1>Win a prize</h1>")
    site = Website(base / "www", EVIL, certificate(base, "evil", f"DNS:{EVIL}"),
                   headers={})
    acme.authorities.append(site.ca)
    yield site
    site.close()


def everything(acme):
    """Every row that says what was decided, and every event of it."""
    with sqlite3.connect(f"file:{acme.world.database}?mode=ro", uri=True) as db:
        names = [name for name, in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'")
            if name not in FLEETING and not name.startswith("sqlite_")]
        return {name: sorted(map(repr, db.execute(f"SELECT * FROM {name}")))
                for name in names}


@pytest.fixture
def victim(acme, evil):
    """An engineer, whose session alone can withdraw a request: its id, too."""
    request = acme.ask(endorsed=False)
    page = acme.portal("avm")
    page.reads("Waits for the provider's manager")
    yield page, request
    acme.world.cli("avm", "request", "cancel", request, check=False)


def pending(acme, request):
    return acme.request(request)["state"] == "pending_endorsement"


def test_fetches_of_another_origin_change_and_read_nothing(acme, evil, victim):
    page, request = victim
    before = everything(acme)
    page.go(f"{evil.origin}/")
    said = page.run(FETCHES, acme.world.url, f"/v1/requests/{request}/cancel",
                    "{}")
    assert set(said) <= {"TypeError", "opaque"}, said
    assert pending(acme, request) and everything(acme) == before
    page.go(f"{acme.world.url}/")
    page.see("#whoami")
    said = page.run(FETCHES, "", f"/v1/requests/{request}/cancel", "{}")
    assert said[0] == "200" and not pending(acme, request), \
        "the same from the portal's own page withdraws it"


@pytest.mark.parametrize("enctype", [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_forms_of_another_origin_change_nothing(acme, evil, victim, enctype):
    page, request = victim
    before = everything(acme)
    page.go(f"{evil.origin}/")
    page.run(FORM, f"{acme.world.url}/v1/requests/{request}/cancel", enctype,
             "_self")
    page.until("the answer to the form",
               lambda: page.driver.current_url.startswith(acme.world.url))
    said = page.driver.page_source
    assert "foreign_origin" in said or "wrong_type" in said
    assert pending(acme, request) and everything(acme) == before


def test_the_portal_shows_in_no_frame(acme, evil, victim):
    page, _ = victim
    page.go(f"{evil.origin}/")
    for origin in (acme.world.url, acme.site.origin):
        page.go(origin + "/")
        page.see("#top .brand")
        page.go(f"{evil.origin}/")
        page.run("const frame = document.createElement('iframe');"
                 "document.body.append(frame); frame.src = given[0];"
                 "await new Promise(done => frame.onload = done);", origin + "/")
        page.driver.switch_to.frame(0)
        try:
            assert not page.all("#top .brand")
        finally:
            page.driver.switch_to.default_content()
    assert any("frame-ancestors" in line or "X-Frame-Options" in line
               for line in page.console())


def test_an_attacker_cannot_open_the_portal_and_reach_into_it(acme, evil, victim):
    page, _ = victim
    page.go(f"{evil.origin}/")
    said = page.run(REACH, f"{acme.world.url}/")
    assert said in ("severed", "SecurityError")
    for handle in page.driver.window_handles[1:]:
        page.driver.switch_to.window(handle)
        page.driver.close()
    page.driver.switch_to.window(page.driver.window_handles[0])


def press_everything(scanner, url):
    """Open the address, fill and press what is there, and what comes then."""
    scanner.go("about:blank")
    scanner.go(url)
    scanner.see("h1")
    return set(scanner.run(PRESS))


def test_a_mail_scanner_changes_and_burns_nothing(acme):
    acme.world.cli("anna", "tenant", "contact", TENANT, PEOPLE["anna"],
                   "--mail", PEOPLE["anna"])
    request = acme.ask()
    mail = acme.mails.wait(PEOPLE["anna"])
    grant = acme.ask(person="eve", login="eve")
    acme.world.cli("anna", "request", "approve", grant, "--yes")
    grant = acme.request(grant)["grant"]
    before = everything(acme)
    scanner = acme.browser("scanner")
    url = acme.world.url
    pressed = set()
    assert f"{url}/#/requests/{request}" in mail.links()
    for where in (*mail.links(), f"{url}/#/grants/{grant}",
                  f"{url}/#/accept", f"{acme.site.origin}/"):
        pressed |= press_everything(scanner, where)
    assert {"Sign in with a passkey", "Accept the invitation",
            "Sign in with your passkey"} <= pressed
    scanner.go(f"{url}/#/requests/{request}")
    said = scanner.run(SCAN_POSTS, [
        f"/v1/requests/{request}/{verb}" for verb in
        ("approve", "deny", "cancel", "draft", "endorse")] + [
        f"/v1/grants/{grant}/{verb}" for verb in ("revoke", "return", "stop")] + [
        "/v1/hook", "/v1/tenants/acme/trust", "/v1/tenants/acme/proposal",
        "/v1/requests", f"/#/requests/{request}"])
    assert not [status for status in said if status < 400], said
    assert everything(acme) == before
    acme.world.cli("anna", "request", "approve", request, "--yes")
    assert acme.request(request)["state"] == "active", "a person still decides"
    assert everything(acme) != before
