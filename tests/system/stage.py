"""A host whose broker is a liar: for attacks, faults and doors.

The world is furnished by the real broker; then the liar takes its place, with
its keys. Each test sets the customer's keys and trust document.
"""

import os
import shutil
import time

import papers
from liar import Customer, Liar

from world import BROKER, HOST, SYSTEM_USERS, TENANT, World


class Stage:
    """A host whose broker lies; each attack sets the customer's trust."""

    def __init__(self, world):
        self.world = world
        world.furnish()
        world.services["broker"].stop()
        self.liar = Liar(world.broker_port, *world.broker_certificate(),
                         world.broker_key())
        self.state = world.path("var-lib", "lockbox")
        self.pristine = world.path("state-after-enrolment")
        shutil.copytree(self.state, self.pristine)
        self.avm = papers.Ed25519.load(world.key("avm"))
        self.eve = papers.Ed25519.load(world.key("eve"))
        world.authorize("avm", "avm")
        world.authorize("deploy", "avm", "eve")
        self.customer = None

    def reopen_liar(self, certificate=None, key=None):
        """The liar again, after liar.close()."""
        mine = self.world.broker_certificate()
        self.liar.open(certificate or mine[0], key or mine[1])

    def begin(self):
        """New keys for the customer and a host that knows nothing yet."""
        self.customer = Customer(TENANT, BROKER, HOST, self.liar.key)
        self.pin(self.customer.trust())
        return self.customer

    def pin(self, trust):
        """What root's configuration management puts on the host."""
        self.trust = trust
        self.world.services["agent"].stop()
        shutil.rmtree(self.state)
        shutil.copytree(self.pristine, self.state)
        World._copy_owners(self.pristine, self.state)
        for path in (self.state, *self.state.rglob("*")):
            os.chown(path, SYSTEM_USERS["lockbox"], SYSTEM_USERS["lockbox"])
        self.world.path("etc", "lockbox", "trust").write_text(trust)
        self.world.start_agent()

    def login(self, person="avm", login="avm", **options):
        """One attempt: (got in, the module's lines about it)."""
        before = len(self.world.syslog())
        done = self.world.ssh(person, login, "echo in", **options)
        time.sleep(0.15) # rsyslogd writes a moment later
        return done.stdout == "in\n", self.world.decisions(before)

    def opens(self, reply, **attempt):
        self.liar.reply = reply
        got_in, lines = self.login(**attempt)
        assert got_in, f"the control was not let in: {lines}"

    def refused(self, code, reply, **attempt):
        self.liar.reply = reply
        got_in, lines = self.login(**attempt)
        assert not got_in, f"THE ATTACK GOT IN: {lines}"
        codes = [line["code"] for line in lines
                 if line.get("decision") == "deny" or
                 line["event"] == "session.refused"]
        wanted = code if isinstance(code, tuple) else (code,)
        assert len(codes) == 1 and codes[0] in wanted, \
            f"refused for {codes}, not {wanted}"

    def compare(self, code, honest, lie):
        """Two grants: the honest one opens, the other is refused."""
        self.opens(lambda q: self.liar.allow(q, honest))
        self.refused(code, lambda q: self.liar.allow(q, lie))
