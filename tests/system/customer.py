"""A customer who decides with passkeys, on a page of their own.

A whole world (broker, sshd, host), the customer's web server (nginx by our own
example), the mail server, and a browser for each person who needs one.
"""

import json
import re

import papers
from browser import Browser
from nginx import Nginx

from maildrop import Maildrop
from world import HOST, PEOPLE, TENANT, World

SITE = "lockbox.acme.localhost"
ID = re.compile(r"\b([0-9A-HJKMNP-TV-Z]{26})\b")


class Customer:
    """Everything, furnished, until close().

    passkeys  people of the customer whose passkeys are pinned from the first
              trust document on
    flags     more of lockbox trust new
    """

    def __init__(self, build, passkeys=(), flags=(), settings=None):
        self.browsers = {}
        self.world = World(build).__enter__()
        try:
            self._begin(build, passkeys, flags, settings or {})
        except BaseException:
            self.close()
            raise

    def _begin(self, build, passkeys, flags, settings):
        world = self.world
        self.mails = Maildrop(world.path("mails"))
        base = world.path("site")
        (base / "www").mkdir(parents=True)
        self.site = Nginx(base, SITE, world.url)
        (base / "www" / "approve.html").write_bytes(
            (build / "broker" / "page" / "approve.html").read_bytes())
        self.configure(broker=world.url, tenant=TENANT)
        self.passkeys = {name: papers.Passkey(SITE, self.site.origin)
                         for name in passkeys}
        lines = []
        for name, key in self.passkeys.items():
            path = world.path("people", f"{name}-passkey.pub")
            path.write_text(key.public() + "\n")
            lines += ["--approver", f"{PEOPLE[name]}={path}"]
        # Tests are in more of a hurry than people are.
        rates = {f"rate_{name}": 1000000 for name in (
            "signin", "request", "decision", "read")}
        world.furnish({**rates, **self.mails.settings, **settings}, [
            "--page", f"{SITE} {self.site.origin}", *lines, *flags])
        self.authorities = [world.ca, self.site.ca]

    def close(self):
        for browser in self.browsers.values():
            browser.close()
        for name in ("site", "mails"):
            if hasattr(self, name):
                getattr(self, name).close()
        self.world.__exit__(None, None, None)

    def configure(self, **members):
        """Write approve.json."""
        path = self.world.path("site", "www", "approve.json")
        path.write_text(json.dumps(members))

    # --- browsers -------------------------------------------------------------

    def browser(self, name):
        """That person's browser; it holds their pinned passkey."""
        if name not in self.browsers:
            made = Browser(*self.authorities)
            self.browsers[name] = made
            if name in self.passkeys:
                made.hold(self.passkeys[name])
        return self.browsers[name]

    def page(self, name, where="", at=None):
        """The customer's own page, as that person, signed in. at: its address
        as somebody else says it."""
        browser = self.browser(name)
        browser.go("about:blank")
        browser.go(at or f"{self.site.origin}/#/{where}")
        browser.fill("Your name at the broker", PEOPLE[name])
        browser.press("Sign in with your passkey")
        browser.until("to be signed in", lambda: browser.all("#top .who"))
        return browser

    def look(self, name, request):
        """That person's page, at that request."""
        page = self.page(name, f"requests/{request}")
        page.see("#decision")
        return page

    def portal(self, name, where=""):
        """The broker's own pages, signed in with that person's SSH key."""
        browser = self.browser(name)
        browser.go("about:blank")
        browser.go(f"{self.world.url}/#/{where}")
        browser.until("the portal to begin", lambda: browser.all(
            "#whoami, #signin-code-show"))
        if not browser.all("#whoami"):
            browser.click("#signin-code-show")
            code = browser.see("#signin-code").text
            self.world.cli(name, "signin", "--browser", code, "--yes")
            browser.see("#whoami")
        return browser

    # --- the provider's side --------------------------------------------------

    def ask(self, *more, login="avm", person="avm", endorsed=True,
            reason="Look at the slow queries"):
        """A request for the host: its id."""
        done = self.world.cli(
            person, "request", "create", "--tenant", TENANT, "--host", HOST,
            "--login", login, "--duration", "30m", "--reason",
            reason, "--no-wait", *more)
        request = ID.search(done.stdout)[1]
        if endorsed:
            self.world.cli("max", "request", "endorse", request, "--yes")
        return request

    def request(self, request):
        """What the broker says of it."""
        return json.loads(self.world.cli(
            "olga", "request", "show", request, "--format", "json").stdout)

    def is_in(self, login="avm", person="avm"):
        return self.world.ssh(person, login, "echo in").stdout == "in\n"
