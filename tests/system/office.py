"""A broker, a customer and people who all use lockbox, each from a home."""

import json
import os
import re
import subprocess
from pathlib import Path

from brokerd import BROKER, TENANT, Brokerd

ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}\b")
PEOPLE = {
    "avm": ("avm@provider.example", ["engineer"]),
    "eve": ("eve@provider.example", ["engineer"]),
    "max": ("max@provider.example", ["manager"]),
    "anna": ("anna@acme.example", None),
    "bert": ("bert@acme.example", None),
}


def keygen(path, *options):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-C", path.stem, "-f",
                    str(path), *(options or ("-N", ""))], check=True)
    return path


class Someone:
    """A person with a home of their own, who runs lockbox."""

    def __init__(self, office, name, principal):
        self.office, self.name, self.principal = office, name, principal
        self.home = office.base / name
        self.key = self.home / "id_ed25519"
        if not self.key.exists():
            keygen(self.key)

    @property
    def env(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "TZ": "UTC",
                "XDG_CONFIG_HOME": str(self.home / "config"),
                "XDG_STATE_HOME": str(self.home / "state"), "LANG": "C.UTF-8"}

    def __call__(self, *arguments, code=0, env=None, cwd=None, **options):
        done = subprocess.run(
            [self.office.lockbox, *map(str, arguments)], text=True,
            env={**self.env, **(env or {})}, capture_output=True, check=False,
            cwd=cwd or self.home, timeout=60,
            stdin=None if "input" in options else subprocess.DEVNULL, **options)
        assert done.returncode == code, (
            f"{arguments}: {done.returncode}, not {code}\n"
            f"{done.stdout}{done.stderr}")
        return done

    def json(self, *arguments, **options):
        return json.loads(self(*arguments, "--format", "json", **options).stdout)

    def signin(self, key=None, **options):
        return self("signin", "--url", self.office.url, "--ca", self.office.ca,
                    "--as", self.principal, "--key", key or self.key, **options)


class Office:
    """A broker, a customer with two approvers, and the provider's people."""

    def __init__(self, build, base, **settings):
        self.lockbox = str(build / "cli" / "lockbox")
        self.base = base
        self.broker = Brokerd(build, **settings)
        self.url = f"https://127.0.0.1:{self.broker.port}"
        self.ca = self.broker.home / "ca.pem"
        operator = base / "olga" / "id_ed25519"
        operator.parent.mkdir()
        self.broker.operator.key.save(operator)
        operator.chmod(0o600)
        Path(f"{operator}.pub").write_text(
            self.broker.operator.key.public() + " olga\n")
        self.olga = Someone(self, "olga", self.broker.operator.name)
        self.people = {name: Someone(self, name, principal)
                       for name, (principal, _) in PEOPLE.items()}
        self.olga.signin()
        for name, (principal, roles) in PEOPLE.items():
            if roles:
                self.olga("person", "add", principal, "--key",
                          f"{self.people[name].key}.pub",
                          *(x for role in roles for x in ("--role", role)))
        key = base / "broker.pub"
        key.write_text(self.broker.key.public() + "\n")
        self.trust(TENANT, "acme.trust", "anna", "bert")
        self.olga("tenant", "add", "--trust", base / "acme.trust")
        for host in ("db1", "db2"):
            self.olga("host", "invite", host, "--tenant", TENANT)
        for person in self.people.values():
            person.signin()

    def __getattr__(self, name):
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    def trust(self, tenant, name, *owners, threshold=1, more=()):
        lines = [x for owner in owners for x in (
            "--approver", f"{PEOPLE[owner][0]}={self.people[owner].key}.pub")]
        first = self.people[owners[0]]
        first("trust", "new", "--tenant", tenant, "--broker",
              f"{BROKER}={self.base / 'broker.pub'}", "--threshold", threshold,
              *lines, *more, "-o", self.base / name)
        for owner in owners[:threshold]:
            self.people[owner]("trust", "sign", self.base / name, "--key",
                               self.people[owner].key, "--yes")
        return self.base / name

    def ask(self, *more, tenant=TENANT, host="db1"):
        """A request of avm's: its whole id."""
        done = self.avm("request", "create", "--tenant", tenant, "--host", host,
                        "--login", "deploy", "--duration", "2h", "--ticket",
                        "INC-42", "--reason", "replica lag", "--no-wait", *more)
        return ID.search(done.stdout)[0]

    def endorsed(self, *more, **where):
        asked = self.ask(*more, **where)
        self.max("request", "endorse", asked, "--yes")
        return asked

    @staticmethod
    def example(name):
        """The text of one of conf/examples/."""
        top = Path(__file__).resolve().parents[2]
        return (top / "conf" / "examples" / name).read_text()

    def tidy(self):
        """Nothing open stays: one request per engineer and scope may be."""
        for item in self.avm.json("request", "ls", "--limit", 200):
            if item["state"].startswith("pending"):
                self.avm("request", "cancel", item["id"])
        for item in self.avm.json("grant", "ls", "--limit", 200):
            if item["state"] in ("active", "scheduled"):
                self.avm("grant", "return", item["id"])

    def start_broker_again(self):
        """At the address that people know."""
        conf = self.broker.conf
        conf.write_text(conf.read_text().replace(
            "127.0.0.1:0\n", self.url.removeprefix("https://") + "\n"))
        self.broker.start()

    def close(self):
        self.broker.end()
