"""A customer's host whose broker is a liar: for attacks, faults and doors.

The host is real (sshd, module, agent, courier, rsyslogd); the liar stands
where its broker stands, with the broker's own key and certificate. Each test
sets the customer's keys and the trust document.
"""

import os
import shutil
import time

import papers
from liar import Customer, Liar

from website import certificate
from world import BROKER, HOST, SYSTEM_USERS, TENANT, free_port

AGENT_UID = SYSTEM_USERS["lockbox"]


class Stage:
    def __init__(self, world):
        self.world = world
        self.state = world.path("var-lib", "lockbox")
        self.confdir = world.path("etc", "lockbox")
        self.customer = self.trust = None
        self.liar = Liar(free_port(), *self.certificate("broker"),
                         world.keygen(world.path("broker", "key"), "broker"))
        self.enrol_by_hand()
        self.avm = papers.Ed25519.load(world.key("avm"))
        self.eve = papers.Ed25519.load(world.key("eve"))
        world.authorize("avm", "avm")
        world.authorize("deploy", "avm", "eve")
        world.start_syslog()
        world.start_courier()
        self.begin()
        world.start_sshd()

    def certificate(self, name):
        """A server certificate of a CA of its own, and its key."""
        return certificate(self.world.path("broker"), name, "IP:127.0.0.1")[1:]

    def enrol_by_hand(self):
        """What enrolment would have written."""
        self.confdir.mkdir(mode=0o755)
        self.state.mkdir(mode=0o700)
        os.chown(self.state, AGENT_UID, AGENT_UID)
        shutil.copy(self.world.path("broker", "broker-ca.pem"),
                    self.confdir / "ca.pem")
        for name, text in {
                "agent.conf": f"host = {HOST}\nbroker = {BROKER}\n",
                "courier.conf": f"url = https://127.0.0.1:{self.liar.port}\n"
                                "ca = /etc/lockbox/ca.pem\n",
                "pam.conf": "exempt = sshd root\nexempt = su root\n"
                            "exempt = sudo root\nexempt = cron @system\n",
        }.items():
            (self.confdir / name).write_text(text)
        self.world.path("run", "lockbox").mkdir(mode=0o755)
        self.host_key = papers.Ed25519()

    def fresh_state(self):
        """The agent's directory as right after enrolment."""
        for path in self.state.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        key = self.state / "host-key"
        self.host_key.save(key)
        empty = self.state / "state"
        text = "lockbox-state-v1\nboot: \nfloor: 0\ntrust: \nserial: 0\n"
        empty.write_text(text + f"sum: {papers.doc_id(text)}\n")
        empty.chmod(0o600)
        for path in (key, empty):
            os.chown(path, AGENT_UID, AGENT_UID)

    def pin(self, trust):
        """What root's configuration management puts on the host."""
        self.trust = trust
        if "agent" in self.world.services:
            self.world.services["agent"].stop()
        self.fresh_state()
        (self.confdir / "trust").write_text(trust)
        self.world.start_agent()

    def begin(self):
        """New keys for the customer and a host that knows nothing yet."""
        self.customer = Customer(TENANT, BROKER, HOST, self.liar.key)
        self.pin(self.customer.trust())
        return self.customer

    def reopen_liar(self, name="broker"):
        """The liar again, after liar.close(), with that certificate."""
        self.liar.open(*self.certificate(name))

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
