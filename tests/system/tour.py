"""Every page there is, with something on it: for axe-core and for pictures."""


from world import HOST, PEOPLE, TENANT

REASON = ("Replication lags since the nightly backup: look at the slow queries "
          "and at the disk, as agreed with Zoë")


class Tour:
    """Walks through the pages; each stop is (name, browser)."""

    def __init__(self, acme):
        self.acme = acme
        self.portal = acme.world.url
        self.page = acme.site.origin

    def settle(self):
        """Requests in several states, a live grant, somebody logged in."""
        acme, world = self.acme, self.acme.world
        self.live = acme.ask("--ticket", "INC-4711", "--service", "sshd",
                             "--service", "sudo", reason=REASON)
        world.cli("anna", "request", "approve", self.live, "--yes")
        self.grant = acme.request(self.live)["grant"]
        self.shell = world.session("avm", "avm")
        denied = acme.ask(person="eve", login="eve", reason="Have a look around")
        world.cli("bert", "request", "deny", denied, "--reason",
                  "Please name a ticket", "--yes")
        self.waiting = acme.ask(
            "--login", "deploy", "--ticket", "INC-4712", "--service", "sshd",
            "--service", "sudo", person="eve", login="eve", reason=REASON)
        self.unendorsed = acme.ask("--login", "deploy", login="eve",
                                   endorsed=False, reason="Update the kernel")

    def stops(self):
        yield from self.strangers()
        self.settle()
        yield from self.own_page()
        yield from self.approver()
        yield from self.engineer()
        yield from self.manager()
        yield from self.operator()

    def at(self, browser, url, css):
        """That page, ready. A stop's address may be the one before's."""
        browser.go("about:blank")
        browser.go(url)
        browser.see(css)
        browser.until("the page to be there", lambda: not browser.all(".waiting"))
        return browser

    def strangers(self):
        browser = self.acme.browser("stranger")
        yield "portal-signin", self.at(browser, f"{self.portal}/",
                                       "#signin-code-show")
        browser.click("#signin-code-show")
        browser.see("#signin-code")
        yield "portal-signin-code", browser
        yield "portal-accept", self.at(browser, f"{self.portal}/#/accept",
                                       "#accept")
        browser.press("Accept the invitation")
        browser.reads("A name such as")
        yield "portal-accept-wrong", browser
        yield "page-signin", self.at(browser, f"{self.page}/", "#signin")
        yield "page-invitation", self.at(browser, f"{self.page}/#/invitation",
                                         "#enrol")
        self.acme.configure(tenant=TENANT)
        yield "page-not-set-up", self.at(browser, f"{self.page}/", ".notice.bad")
        self.acme.configure(broker=self.portal, tenant=TENANT)

    def own_page(self):
        browser = self.acme.page("anna")
        browser.see("[data-request]")
        yield "page-inbox", browser
        browser.press(f"{PEOPLE['eve']} asks for {HOST}")
        browser.see("#decision input")
        yield "page-request", browser
        browser.choose("decision", "approve")
        browser.press("Show the text to sign")
        browser.see("#approve-text")
        yield "page-approve", browser
        browser.choose("how-much", "less")
        yield "page-approve-less", browser
        browser.choose("decision", "deny")
        browser.see("#deny-text")
        yield "page-deny", browser
        browser.press("Access")
        browser.see("[data-session]")
        yield "page-access", browser
        browser.press(f"{PEOPLE['avm']} on {HOST}")
        browser.press("Revoke this access")
        browser.see("#revoke-text")
        yield "page-grant", browser
        browser.press("Rules")
        browser.see("#switch-state")
        yield "page-rules", browser
        browser.press("Switch lockbox off for a time …")
        yield "page-switch", browser
        browser.press("Change")
        browser.see("#rules-show")
        yield "page-rules-change", browser

    def walk(self, name, browser, *stops):
        for stop, where, css in stops:
            yield f"{name}-{stop}", self.at(browser, f"{self.portal}/#/{where}",
                                            css)

    def approver(self):
        browser = self.acme.portal("anna")
        yield from self.walk(
            "approver", browser, ("inbox", "", "[data-request]"),
            ("request", f"requests/{self.waiting}", "#decision input"))
        browser.choose("decision", "approve")
        browser.press("Show the text to sign")
        browser.see("#approve-text")
        yield "approver-approve", browser
        tenant = f"tenants/{TENANT}"
        yield from self.walk(
            "approver", browser, ("access", "access", "[data-session]"),
            ("grant", f"grants/{self.grant}", "#revoke"),
            ("history", "history", "[data-state=denied]"),
            ("events", "history/events", "table"),
            ("rules", tenant, "#switch-state"),
            ("rules-change", f"{tenant}/rules", "#rules-show"),
            ("people", f"{tenant}/people", "#invite"),
            ("webhooks", f"{tenant}/webhooks", "h1"),
            ("me", "me", "h1"), ("nothing", "nothing-here", "h1"))

    def engineer(self):
        browser = self.acme.portal("avm")
        yield from self.walk(
            "engineer", browser, ("inbox", "", "[data-request]"),
            ("request", f"requests/{self.unendorsed}", "#decision input"),
            ("ask", "ask", "form, .field"),
            ("grant", f"grants/{self.grant}", "#return"),
            ("me", "me", "h1"))

    def manager(self):
        browser = self.acme.portal("max")
        yield from self.walk(
            "manager", browser, ("inbox", "", "[data-request]"),
            ("request", f"requests/{self.unendorsed}", "#decision input"))
        browser.choose("decision", "endorse")
        browser.see("#endorse-text")
        yield "manager-endorse", browser
        yield from self.walk("manager", browser,
                             ("grant", f"grants/{self.grant}", "#stop"))

    def operator(self):
        browser = self.acme.portal("olga")
        yield from self.walk(
            "operator", browser, ("customers", "tenants", "h1"),
            ("people", f"tenants/{TENANT}/people", "#invite"),
            ("events", "history/events", "table"))

    def close(self):
        if hasattr(self, "shell"):
            self.shell.terminate()
            self.shell.wait(20)
