"""A broker that tells people: one tenant, everybody with an address."""

import secrets

from brokerd import HOST, TENANT, Brokerd, Person

ADDRESS = {"anna@acme.example": "anna.mail@acme.example",
           "bert@acme.example": "bert.mail@acme.example"}


class Town:
    """Brokerd with people who have mail addresses, and a mail server."""

    def __init__(self, build, box=None, endorsement=False, threshold=1,
                 tenant_settings=None, **settings):
        if box:
            settings.setdefault("smtp", f"smtp://127.0.0.1:{box.port}")
            settings.setdefault("smtp_from", "lockbox@provider.example")
            settings.setdefault("smtp_tls", "never")
        self.b = b = Brokerd(build, **settings)
        b.enter(b.operator)
        self.avm = b.enter(self.person("avm", "engineer"))
        self.mia = b.enter(self.person("mia", "manager"))
        self.anna, self.bert = map(Person, ADDRESS)
        self.owners = [self.anna, self.bert]
        self.trust = b.add_tenant(
            TENANT, self.owners, threshold=threshold,
            settings={"endorsement": endorsement, **(tenant_settings or {})})
        for who in self.owners:
            b.enter(who)
            self.contact(who, ADDRESS[who.name])
        self.host = b.add_host(TENANT, HOST)

    def person(self, name, role):
        """One of the provider's people, with an address."""
        who = self.b.add_person(f"{name}@provider.example", role)
        got = self.b.post(f"/v1/people/{who.name}",
                          {"mail": f"{name}.mail@provider.example"},
                          self.b.operator)
        assert got.status == 200, got
        return who

    def contact(self, who, mail, links=True):
        got = self.b.post(f"/v1/tenants/{TENANT}/contacts", {
            "principal": who.name, "mail": mail, "links": links,
            "language": "en"}, self.b.operator)
        assert got.status in (200, 201), got

    def ask(self, **fields):
        """A request nobody has made before."""
        fields.setdefault("login", ["u" + secrets.token_hex(6)])
        got = self.b.ask_for(self.avm, **fields)
        assert got.status == 201, got
        return got.json

    def deliveries(self, who=None, **query):
        tail = "&".join(f"{k}={v}" for k, v in {"limit": 200, **query}.items())
        got = self.b.get(f"/v1/deliveries?{tail}", who or self.b.operator)
        assert got.status == 200, got
        return got.json["items"]

    def end(self):
        self.b.end()
