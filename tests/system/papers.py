"""Lockbox documents and SSH signatures, written a second time.

An independent implementation of doc/wire-format.md for tests: composes
documents, signs them with Ed25519, P-256, security-key and passkey keys made
here, and can do everything wrong that an attacker would.
"""

import base64
import hashlib
import json
import os
import struct
import time
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import \
    decode_dss_signature

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TOUCH, VERIFIED = 0x01, 0x04

ORDER = {
    "request": ("request", "tenant", "broker", "engineer", "engineer-key", "host",
                "login", "service", "duration", "start", "extends", "ticket",
                "reason-type", "reason", "requested"),
    "grant": ("request", "tenant", "broker", "engineer", "engineer-key", "host",
              "login", "service", "not-before", "not-after", "ticket",
              "reason-type", "reason", "issued"),
    "question": ("host", "tenant", "broker", "trust", "nonce", "login", "service",
                 "engineer-key", "rhost", "asked"),
    "trust": ("tenant", "serial", "previous", "good-until", "threshold",
              "require", "longest", "lease", "offline", "page", "broker",
              "approver", "hook", "engineer", "delegate", "delegate-until"),
    "report": ("host", "tenant", "broker", "trust", "sequence", "event", "cause",
               "login", "service", "engineer-key", "rhost", "engineer",
               "grant", "session", "seconds", "killed", "at"),
    "signin": ("broker", "principal", "nonce", "time"),
}


def stamp(at):
    """UNIX seconds in a document's spelling."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def document(kind, **fields):
    """Compose a document; a list repeats its line, sorted; None leaves out."""
    lines = [f"lockbox-{kind}-v1"]
    for name in ORDER[kind]:
        value = fields.pop(name.replace("-", "_"), None)
        if value is None:
            continue
        values = sorted(set(value)) if isinstance(value, (list, tuple, set)) \
            else [value]
        lines += [f"{name}: {item}" for item in values]
    assert not fields, f"no such lines in a {kind}: {sorted(fields)}"
    return "\n".join(lines) + "\n"


def fields(text):
    """A document's lines as a dict; a repeated line becomes a list."""
    found = {}
    for line in text.splitlines()[1:]:
        name, value = line.split(": ", 1)
        if name in found:
            if not isinstance(found[name], list):
                found[name] = [found[name]]
            found[name].append(value)
        else:
            found[name] = value
    return found


def doc_id(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def new_id(at=None):
    """26 chars, time-ordered."""
    number = (int((at or time.time()) * 1000) << 80) | int.from_bytes(
        os.urandom(10), "big")
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def string(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack(">I", len(value)) + value


def mpint(number):
    raw = number.to_bytes((number.bit_length() + 8) // 8, "big")
    return string(raw if number else b"")


def armored(blob, width=70):
    text = base64.b64encode(blob).decode()
    lines = [text[i:i + width] for i in range(0, len(text), width)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines,
                      "-----END SSH SIGNATURE-----"]) + "\n"


class Key:
    """An SSH key that signs. Subclasses say how."""

    kind = ""

    def blob(self):
        raise NotImplementedError

    def sign_blob(self, data):
        raise NotImplementedError

    def public(self):
        return f"{self.kind} {base64.b64encode(self.blob()).decode()}"

    def fingerprint(self):
        digest = hashlib.sha256(self.blob()).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def pinned(self, principal, *namespaces, after=None, before=None):
        """An allowed_signers line in its one spelling."""
        names = ",".join(sorted(f"lockbox-{n}-v1" for n in namespaces))
        line = f'{principal} namespaces="{names}"'
        for option, at in (("valid-after", after), ("valid-before", before)):
            if at is not None:
                when = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(at))
                line += f',{option}="{when}"'
        return f"{line} {self.public()}"

    def sign(self, namespace, message, digest="sha512"):
        """An armored SSHSIG over message in lockbox-NAMESPACE-v1."""
        return self.sign_as(f"lockbox-{namespace}-v1", message, digest)

    def sign_as(self, name, message, digest="sha512"):
        """An armored SSHSIG over message in any namespace."""
        message = message.encode() if isinstance(message, str) else message
        signed = b"SSHSIG" + string(name) + string("") + string(digest) + string(
            hashlib.new(digest, message).digest())
        return armored(b"SSHSIG" + struct.pack(">I", 1) + string(self.blob()) +
                       string(name) + string("") + string(digest) +
                       string(self.sign_blob(signed)))


class Ed25519(Key):
    kind = "ssh-ed25519"

    def __init__(self, private=None):
        self.private = private or ed25519.Ed25519PrivateKey.generate()

    @classmethod
    def load(cls, path):
        """An unencrypted OpenSSH private key file."""
        return cls(serialization.load_ssh_private_key(
            Path(path).read_bytes(), None))

    def save(self, path):
        Path(path).write_bytes(self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption()))
        os.chmod(path, 0o600)
        return path

    def raw(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    def blob(self):
        return string(self.kind) + string(self.raw())

    def sign_blob(self, data):
        return string(self.kind) + string(self.private.sign(data))


class P256(Key):
    kind = "ecdsa-sha2-nistp256"

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())

    def point(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.X962,
            serialization.PublicFormat.UncompressedPoint)

    def blob(self):
        return string(self.kind) + string("nistp256") + string(self.point())

    def ecdsa(self, data):
        r, s = decode_dss_signature(
            self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return string(mpint(r) + mpint(s))

    def sign_blob(self, data):
        return string(self.kind) + self.ecdsa(data)


def device_data(application, flags, counter, data):
    return (hashlib.sha256(application.encode()).digest() +
            struct.pack(">BI", flags, counter) + hashlib.sha256(data).digest())


class SkEd25519(Ed25519):
    """A security key; `flags` says what the person did."""

    kind = "sk-ssh-ed25519@openssh.com"

    def __init__(self, flags=TOUCH, application="ssh:"):
        super().__init__()
        self.flags, self.application, self.counter = flags, application, 7

    def blob(self):
        return string(self.kind) + string(self.raw()) + string(self.application)

    def sign_blob(self, data):
        signature = self.private.sign(device_data(
            self.application, self.flags, self.counter, data))
        return string(self.kind) + string(signature) + struct.pack(
            ">BI", self.flags, self.counter)


class SkP256(P256):
    kind = "sk-ecdsa-sha2-nistp256@openssh.com"

    def __init__(self, flags=TOUCH, application="ssh:"):
        super().__init__()
        self.flags, self.application, self.counter = flags, application, 7

    def blob(self):
        return string(self.kind) + string("nistp256") + string(
            self.point()) + string(self.application)

    def sign_blob(self, data):
        return string(self.kind) + self.ecdsa(device_data(
            self.application, self.flags, self.counter, data)) + struct.pack(
                ">BI", self.flags, self.counter)


class Passkey(SkP256):
    """A browser's passkey: signs as WebAuthn from the page at `origin`."""

    def __init__(self, rp_id, origin, flags=TOUCH | VERIFIED):
        super().__init__(flags, rp_id)
        self.origin, self.cross_origin = origin, False

    def sign_blob(self, data):
        challenge = base64.urlsafe_b64encode(data).decode().rstrip("=")
        client = json.dumps({"type": "webauthn.get", "challenge": challenge,
                             "origin": self.origin,
                             "crossOrigin": self.cross_origin},
                            separators=(",", ":")).encode()
        return (string("webauthn-sk-ecdsa-sha2-nistp256@openssh.com") +
                self.ecdsa(device_data(self.application, self.flags,
                                       self.counter, client)) +
                struct.pack(">BI", self.flags, self.counter) +
                string(self.origin) + string(client) + string(""))


def split(bundle):
    """A bundle's parts: [(document text, [armor, ...]), ...]."""
    parts = []
    lines = bundle.splitlines(keepends=True)
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("-----BEGIN SSH SIGNATURE"):
            end = lines.index("-----END SSH SIGNATURE-----\n", at) + 1
            parts[-1][1].append("".join(lines[at:end]))
            at = end
            continue
        if line.startswith("lockbox-") and line.rstrip().endswith("-v1") and \
                ": " not in line:
            parts.append(["", []])
        parts[-1][0] += line
        at += 1
    return [(text, signatures) for text, signatures in parts]


class Intake:
    """What a broker makes of reports: taken in order, each once."""

    def __init__(self):
        self.kept, self.reports, self.gaps = 0, [], []

    def take(self, bundle):
        """The answer; what is new stands in reports, as dicts."""
        for text, signatures in split(bundle):
            assert text.startswith("lockbox-report-v1\n") and signatures
            report = fields(text)
            number = int(report["sequence"])
            if number <= self.kept:
                continue
            if number != self.kept + 1:
                self.gaps.append((self.kept + 1, number - 1))
            self.kept = number
            self.reports.append(report)
        return '{"sequence":%d}' % self.kept

    def events(self):
        return [report["event"] for report in self.reports]


def answer(question, verdict="allow", code="granted", grants=(), message=None,
           answered=None, good_until=None, now=None):
    """A lockbox-answer-v1 that repeats the question's lines."""
    now = int(now or time.time())
    text = "lockbox-answer-v1\n" + question.split("\n", 1)[1]
    text += f"verdict: {verdict}\ncode: {code}\n"
    if message:
        text += f"message: {message}\n"
    for grant in sorted(grants):
        text += f"grant: {grant}\n"
    return text + (f"answered: {stamp(answered or now)}\n"
                   f"good-until: {stamp(good_until or now + 600)}\n")
