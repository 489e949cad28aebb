"""The mail server of a private world: takes every mail and keeps it.

Python's aiosmtpd on a free port of loopback. Each message becomes a file, so
that people may read it, too.
"""

import email
import email.policy
import re
from pathlib import Path

from aiosmtpd.controller import Controller

from world import free_port, wait_for


class Mail:
    """One message, as its reader sees it."""

    def __init__(self, path):
        self.raw = path.read_bytes()
        self.message = email.message_from_bytes(self.raw,
                                                policy=email.policy.default)

    @property
    def to(self):
        return str(self.message["To"])

    @property
    def subject(self):
        return str(self.message["Subject"])

    @property
    def text(self):
        return self.message.get_body(("plain",)).get_content()

    @property
    def html(self):
        return self.message.get_body(("html",)).get_content()

    def links(self):
        return re.findall(r"https://[^\s>\"<]+", self.text)


class Maildrop:
    """smtp://127.0.0.1:PORT, until close(); mails lie in a directory."""

    @property
    def settings(self):
        """What broker.conf says to bring mail here."""
        return {"smtp": f"smtp://127.0.0.1:{self.port}", "smtp_tls": "never",
                "smtp_from": "lockbox@provider.example"}

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.count = 0
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port,
                                     ready_timeout=60)
        self.controller.start()

    # aiosmtpd calls this for each message.
    async def handle_DATA(self, _server, _session, envelope):
        self.count += 1
        part = self.directory / "part"
        part.write_bytes(envelope.content)
        part.rename(self.directory / f"{self.count:04}.eml")
        return "250 kept"

    def mails(self, to=None, subject=""):
        """What came so far, oldest first."""
        found = [Mail(path) for path in sorted(self.directory.glob("*.eml"))]
        return [x for x in found if (to is None or to in x.to)
                and subject in x.subject]

    def wait(self, to, subject="", after=0, seconds=60):
        """The first such mail behind the first `after` of them."""
        wait_for(f"a mail to {to} about '{subject}'",
                 lambda: len(self.mails(to, subject)) > after, seconds)
        return self.mails(to, subject)[after]

    def close(self):
        self.controller.stop()
