"""Between courier and broker: names nobody answers for, certificates that do
not fit, answers cut, altered or reset at any byte. Each denies within 5 s,
with exactly one line of cause, after the same path has let somebody in.
"""

import contextlib
import datetime
import ipaddress
import random
import socket
import struct
import threading
import time

import papers
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from stage import Stage

from world import World, free_port

LIMIT = 8.0 # seconds for the whole ssh; the door's own limit is 5 s


@pytest.fixture(scope="module")
def stage(build):
    with World(build) as world:
        stage = Stage(world)
        stage.conf = stage.confdir / "courier.conf"
        stage.grant = stage.customer.grant(stage.avm, stage.customer.bert)
        stage.honest = lambda q: stage.liar.allow(q, stage.grant)
        yield stage
        stage.liar.close()


def point_to(stage, url, ca="/etc/lockbox/ca.pem"):
    stage.conf.write_text(f"url = {url}\nca = {ca}\n")
    stage.world.restart_courier()


@pytest.fixture
def door(stage):
    """A door with a grant that opens it, and a courier that asks the liar."""
    yield stage
    point_to(stage, f"https://127.0.0.1:{stage.liar.port}")


def refused(stage, *codes):
    """One refusal, in time, with exactly one line that names one of codes."""
    began = time.monotonic()
    stage.refused(codes, stage.honest)
    assert time.monotonic() - began < LIMIT


# --- names -------------------------------------------------------------------


def test_a_name_that_nobody_answers_for(door):
    etc = door.world.path("etc")
    address = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.53"
    with (etc / "hosts").open("a") as hosts:
        hosts.write("127.0.0.1 broker.example.net\n")
    certify(door, name="broker.example.net")
    try:
        (etc / "resolv.conf").unlink(missing_ok=True)
        (etc / "resolv.conf").write_text(
            f"nameserver {address}\noptions timeout:30 attempts:5\n")
        (etc / "nsswitch.conf").write_text("hosts: files dns\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind((address, 53)) # it hears, and never answers
            point_to(door, f"https://broker.example.net:{door.liar.port}",
                     "/etc/lockbox/made-ca.pem")
            door.opens(door.honest)
            point_to(door, f"https://nobody.example.net:{door.liar.port}")
            refused(door, "broker_timeout")
            silent.setblocking(False)
            assert b"\6nobody\7example" in silent.recv(512)
    finally:
        door.liar.close()
        door.reopen_liar()


# --- certificates --------------------------------------------------------------


def made_key():
    return ec.generate_private_key(ec.SECP256R1())


def made_certificate(key, subject, issuer, issuer_key, more, days=(-1, 2)):
    now = datetime.datetime.utcnow()

    def named(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    builder = x509.CertificateBuilder().subject_name(named(subject)) \
        .issuer_name(named(issuer)).public_key(key.public_key()) \
        .serial_number(x509.random_serial_number()) \
        .not_valid_before(now + datetime.timedelta(days=days[0])) \
        .not_valid_after(now + datetime.timedelta(days=days[1]))
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def certify(stage, days=(-1, 2), name="127.0.0.1", usage=None, trusted=True,
            self_signed=False):
    """A new CA, which the courier may believe, and the liar's certificate."""
    base = stage.world.path("broker")
    ca_key, key = made_key(), made_key()
    ca = made_certificate(ca_key, "made CA", "made CA", ca_key, [
        x509.BasicConstraints(ca=True, path_length=None)])
    try:
        san = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        san = x509.DNSName(name)
    more = [x509.SubjectAlternativeName([san])]
    more += [x509.ExtendedKeyUsage([usage])] if usage else []
    made = made_certificate(key, "broker", "broker" if self_signed
                            else "made CA", key if self_signed else ca_key,
                            more, days)
    pem = serialization.Encoding.PEM
    (base / "made.pem").write_bytes(made.public_bytes(pem))
    (base / "made-key.pem").write_bytes(key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    (stage.confdir / "other-ca.pem").write_bytes(ca.public_bytes(pem))
    if trusted:
        (stage.confdir / "made-ca.pem").write_bytes(ca.public_bytes(pem))
    stage.liar.close()
    stage.liar.open(base / "made.pem", base / "made-key.pem")


@pytest.mark.parametrize("wrong", [
    {"days": (-3, -1)}, {"days": (1, 3)}, {"name": "127.0.0.2"},
    {"name": "broker.example.net"}, {"self_signed": True},
    {"usage": ExtendedKeyUsageOID.CLIENT_AUTH}, {"trusted": False},
], ids=["expired", "not yet", "other address", "a name", "self-signed",
        "client's", "other CA"])
def test_a_certificate_that_does_not_fit(door, wrong):
    url = f"https://127.0.0.1:{door.liar.port}"
    try:
        certify(door)
        point_to(door, url, "/etc/lockbox/made-ca.pem")
        door.opens(door.honest)
        certify(door, **wrong)
        # What the machine believes is not what the courier believes.
        store = door.world.path("etc", "ssl", "certs", "ca-certificates.crt")
        store.parent.mkdir(parents=True, exist_ok=True)
        with store.open("ab") as f:
            f.write((door.confdir / "other-ca.pem").read_bytes())
        door.world.restart_courier()
        refused(door, "broker_tls")
    finally:
        door.liar.close()
        door.reopen_liar()


# --- bytes ---------------------------------------------------------------------


class Wire:
    """A cable to the liar that damages what comes back on it."""

    def __init__(self, stage):
        self.stage = stage
        self.port = free_port()
        self.whole_again()
        self.carried = 0 # bytes of the answering side, in one connection
        self.server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            self.carried = 0
            far = socket.create_connection(
                ("127.0.0.1", self.stage.liar.port))
            for source, sink, back in ((near, far, False), (far, near, True)):
                threading.Thread(target=self.carry, args=(source, sink, back),
                                 daemon=True).start()

    def carry(self, source, sink, back):
        at = 0
        try:
            while data := source.recv(65536):
                if not back:
                    sink.sendall(data)
                    continue
                count = len(data)
                if at <= self.flipped[0] < at + count:
                    data = bytearray(data)
                    data[self.flipped[0] - at] ^= 1 << self.flipped[1]
                sink.sendall(data[:self.ends - at])
                at += count
                self.carried = at
                if at > self.ends:
                    break
            if back and self.reset and at > self.ends:
                sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack("ii", 1, 0))
                sink.shutdown(socket.SHUT_RD) # wakes the other thread
                sink.close()
                source.shutdown(socket.SHUT_RDWR)
                return
        except OSError:
            pass
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def whole_again(self):
        self.flipped, self.ends, self.reset = (-1, 0), 1 << 60, False

    def cut(self, where, reset=False):
        """Every connection ends after so many bytes."""
        self.whole_again()
        self.ends, self.reset = where, reset

    def flip(self, where, bit):
        self.whole_again()
        self.flipped = where, bit

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


@pytest.fixture(scope="module")
def wire(stage):
    wire = Wire(stage)
    point_to(stage, f"https://127.0.0.1:{wire.port}")
    # How many bytes bring a refusal: an allow is longer, so every byte before
    # is one of the first answer's, or of the handshake's.
    stage.refused("no_grant", lambda q: stage.liar.signed(
        papers.answer(q, "deny", "no_grant")))
    wire.whole = wire.carried
    assert wire.whole > 1000
    yield wire
    wire.close()
    point_to(stage, f"https://127.0.0.1:{stage.liar.port}")


CODES = ("broker_tls", "broker_unreachable", "broker_garbage",
         "broker_timeout")


@pytest.mark.parametrize("how", ["cut", "reset", "flip"])
def test_bytes(stage, wire, how):
    wire.whole_again()
    stage.world.restart_courier()
    stage.opens(stage.honest)
    chance = random.Random(7)
    places = sorted(chance.sample(range(wire.whole), 9)) + [wire.whole - 1]
    for where in [0, 5, *places]:
        if how == "flip":
            wire.flip(where, chance.randrange(8))
        else:
            wire.cut(where, how == "reset")
        stage.world.restart_courier() # no connection that it has
        refused(stage, *CODES)
    wire.whole_again()
    stage.world.restart_courier()
    stage.opens(stage.honest)
