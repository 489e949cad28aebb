"""A world to look around in: ./dev demo --stay.

Broker, host and people as in the story, requests in several states, and the
customer's own page on a web server. Says how to be each person, in a browser
and on the command line.
"""

import json
import re
import shlex
import subprocess
import sys
import textwrap

from maildrop import Maildrop
from website import Website, certificate
from world import HOST, PEOPLE, TENANT

SITE = "lockbox.acme.localhost"
GUEST = "mia@acme.example"
WHO = {
    "anna": "the customer's admin and owner: approves, revokes, changes rules",
    "bert": "the customer's other one",
    "avm": "the provider's engineer: asks, follows, hands back",
    "eve": "another engineer",
    "max": "the provider's manager: endorses, stops",
    "olga": "the provider's operator: customers, hosts, invitations",
}
ID = re.compile(r"\b([0-9A-HJKMNP-TV-Z]{26})\b")
INVITATION = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){3}\b")


def key_hash(certificate_file):
    """The hash by which Chromium can be told to trust a certificate's key."""
    key = subprocess.run(["openssl", "x509", "-in", str(certificate_file),
                          "-noout", "-pubkey"], check=True, capture_output=True)
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"],
                         input=key.stdout, check=True, capture_output=True)
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"],
                            input=der.stdout, check=True, capture_output=True)
    return subprocess.run(["openssl", "base64", "-A"], input=digest.stdout,
                          check=True, capture_output=True).stdout.decode()


class Stay:
    """Furnish the world, until it is left: with Stay(world) as stay."""

    def __init__(self, world):
        self.world = world

    def __enter__(self):
        base = self.world.path("site")
        (base / "www").mkdir(parents=True)
        self.site = Website(base / "www", SITE,
                            certificate(base, "acme", f"DNS:{SITE}"))
        self.page()
        self.mails = Maildrop(self.world.path("mails"))
        self.world.furnish(self.mails.settings,
                           ["--page", f"{SITE} {self.site.origin}"])
        self.people()
        self.requests()
        done = self.world.cli("anna", "tenant", "invite", TENANT, GUEST)
        self.invitation = INVITATION.search(done.stdout)[0]
        return self

    def __exit__(self, *_):
        self.mails.close()
        self.site.close()

    def page(self):
        """The customer's own page, as it is released, and its configuration."""
        www = self.site.directory
        page = self.world.build / "broker" / "page" / "approve.html"
        (www / "approve.html").write_bytes(page.read_bytes())
        (www / "index.html").write_bytes(page.read_bytes())
        (www / "approve.json").write_text(json.dumps(
            {"broker": self.world.url, "tenant": TENANT}))

    def people(self):
        """Where mail goes, and a command that signs a page in as somebody."""
        world = self.world
        for name in ("anna", "bert"):
            world.cli("olga", "tenant", "contact", TENANT, PEOPLE[name],
                      "--mail", PEOPLE[name])
        lines = ["#!/bin/sh", "# portal PERSON CODE: sign in the page that "
                 "shows the code, as that person", "set -eu", 'case "$1" in']
        for name in PEOPLE:
            env = " ".join(f"{k}={shlex.quote(v)}"
                           for k, v in world.person_env(name).items())
            lines.append(f"{name}) exec env {env} {world.program('lockbox')} "
                         'signin --yes --browser "$2" ;;')
        lines += ['*) echo "nobody here is called $1" >&2; exit 2 ;;', "esac", ""]
        self.portal = world.path("portal")
        self.portal.write_text("\n".join(lines))
        self.portal.chmod(0o755)

    def ask(self, person, *more, endorse=True):
        done = self.world.cli(
            person, "request", "create", "--tenant", TENANT, "--host", HOST,
            "--no-wait", *more)
        request = ID.search(done.stdout)[1]
        if endorse:
            self.world.cli("max", "request", "endorse", request, "--yes")
        return request

    def requests(self):
        """One of each: open, denied, waiting for anna, waiting for max."""
        world = self.world
        live = self.ask("avm", "--login", "avm", "--duration", "2h", "--ticket",
                        "INC-42", "--reason", "Replica lag: look at the slow "
                        "queries")
        world.cli("anna", "request", "approve", live, "--yes")
        denied = self.ask("eve", "--login", "eve", "--duration", "8h",
                          "--reason", "Have a look around")
        world.cli("bert", "request", "deny", denied, "--reason",
                  "Please name a ticket", "--yes")
        self.ask("eve", "--login", "deploy", "--duration", "1h", "--service",
                 "sshd", "--service", "sudo", "--ticket", "INC-43", "--reason",
                 "The nightly backup fails: look at disk and logs")
        self.ask("avm", "--login", "deploy", "--duration", "30m", "--reason",
                 "Update the monitoring agent", endorse=False)

    def say(self):
        world, site = self.world, self.site
        trusted = ",".join(map(key_hash, (
            world.path("broker", "lockbox", "tls.pem"), site.certificate)))
        print(textwrap.dedent(f"""
            The world keeps running. Paste what follows into another root shell.

            In a browser
              the portal, served by the provider's broker:
                {world.url}/
              the customer's own page, the only one where passkeys count:
                {site.origin}/
              a browser that knows just these two (others must be told to trust
              {world.ca} and {site.ca}):
                chromium --user-data-dir=$(mktemp -d) --no-first-run \\
                  --ignore-certificate-errors-spki-list={trusted} \\
                  {world.url}/

            Be somebody: press "Show a code" in the portal, then run
            """))
        for name, what in WHO.items():
            print(f"  {self.portal} {name} CODE".ljust(52) + f"# {what}")
        print(textwrap.dedent(f"""
            Have a passkey: you are {GUEST}, your invitation is
              {self.invitation}, at {site.origin}/#/invitation
            Then, as anna in the portal: Rules, Change, "Add as approver".

            Mail that the broker has sent lies in {self.mails.directory}

            On the command line
            """))
        for name, value in world.exports().items():
            print(f"export {name}={shlex.quote(str(value))}")
        print(textwrap.dedent("""
            # a command inside the world (mount and pid namespaces):
            $INSIDE ps aux
            # an engineer at the door:
            ssh -F none -p $SSH_PORT -i $KEY_AVM -o IdentitiesOnly=yes \\
                -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no avm@127.0.0.1
            # the command line as one of them:
            $AS_AVM $LOCKBOX request ls
            # what the host logged:
            tail -f $SYSLOG

            Ctrl-C ends it; nothing stays behind."""))
        sys.stdout.flush()
