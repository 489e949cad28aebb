"""SSH signatures: lockbox against stock ssh-keygen.

Whatever lockbox accepts, ssh-keygen must accept. Where ssh-keygen accepts and
lockbox refuses, the difference is wanted and stands in STRICTER below.
"""

import base64
import dataclasses
import hashlib
import json
import os
import random
import struct
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import \
    decode_dss_signature

import papers
from judges import MESSAGE, NAMESPACE, OTHER_NAMESPACE, PERSON, Judges
from papers import TOUCH, VERIFIED, mpint, string

HASHES = ("sha256", "sha512")
FLAGS = (0, TOUCH, TOUCH | VERIFIED)
SAMPLES = 30  # refused variants per case that ssh-keygen is asked about
P256_KINDS = ("ecdsa-sha2-nistp256", "sk-ecdsa-sha2-nistp256@openssh.com")

BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


def dearmor(armor):
    return base64.b64decode("".join(armor.splitlines()[1:-1]))


@pytest.fixture(scope="module")
def judges(build, tmp_path_factory):
    return Judges(build, tmp_path_factory.mktemp("sshsig"))


@pytest.fixture(scope="module")
def has_p256(build):
    """Was lockbox built with libcrypto?"""
    options = json.loads(
        (build / "meson-info" / "intro-buildoptions.json").read_text())
    return {o["name"]: o["value"] for o in options}["p256"] != "disabled"


def need(has_p256, public):
    if public.split()[0] in P256_KINDS and not has_p256:
        pytest.skip("built without P-256")


@dataclasses.dataclass
class Case:
    name: str
    public: str
    armor: str
    flags: int
    origin: str = "-"


class Keyring:
    """Signs by ssh-keygen where it can: sk keys through tests/tools/sk_soft,
    passkeys by papers.Passkey."""

    def __init__(self, build, directory):
        self.provider = build / "tests" / "tools" / "sk_soft.so"
        self.directory, self.made = directory, {}

    def public(self, kind):
        path = self.directory / kind
        if kind not in self.made:
            subprocess.run(
                ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path,
                 *(["-w", self.provider] if kind.endswith("-sk") else [])],
                stdout=subprocess.DEVNULL, check=True)
            public = (self.directory / f"{kind}.pub").read_text().split()
            self.made[kind] = " ".join(public[:2])
        return self.made[kind]

    def sign(self, kind, digest, flags):
        public = self.public(kind)
        armor = subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-f", self.directory / kind,
             "-n", NAMESPACE, "-O", f"hashalg={digest}"],
            input=MESSAGE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "SSH_SK_PROVIDER": str(self.provider),
                 "SK_SOFT_FLAGS": str(flags)}, check=True).stdout.decode()
        return Case(f"{kind} {digest} {flags}", public, armor, flags)

    def passkey(self, digest, flags):
        key = papers.Passkey("door.example", "https://door.example", flags)
        return Case(f"passkey {digest} {flags}", key.public(),
                    key.sign_as(NAMESPACE, MESSAGE, digest), flags,
                    key.origin)

    def case(self, kind, digest, flags):
        if kind == "passkey":
            return self.passkey(digest, flags)
        return self.sign(kind, digest, flags)


@pytest.fixture(scope="module")
def keyring(build, tmp_path_factory):
    return Keyring(build, tmp_path_factory.mktemp("keyring"))


CASES = [(kind, digest, flags)
         for kind in ("ed25519", "ecdsa", "ed25519-sk", "ecdsa-sk", "passkey")
         for digest in HASHES
         for flags in (FLAGS if kind not in ("ed25519", "ecdsa") else (0,))]


@pytest.fixture(params=CASES, ids=lambda c: "-".join(map(str, c)))
def case(request, keyring, has_p256):
    kind, _, flags = request.param
    if kind in ("ecdsa", "ecdsa-sk", "passkey") and not has_p256:
        pytest.skip("built without P-256")
    return keyring.case(*request.param)


def test_both_accept(judges, case):
    assert judges.lockbox(case.public, [case.armor]) == [
        f"ok {case.flags} {case.origin}"]
    assert judges.openssh(case.public, case.armor)


def test_both_refuse_another_namespace_message_or_key(judges, case):
    def both(public=case.public, **asked):
        verdict = judges.accepts(public, case.armor, **asked)
        assert judges.openssh(public, case.armor, **asked) == verdict
        return verdict

    assert both()
    assert not both(namespace=OTHER_NAMESPACE)
    assert not both(message=MESSAGE + b"\n")
    assert not both(message=b"")
    assert not both(public=papers.Ed25519().public())


# Single bits that ssh-keygen lets be changed and lockbox does not: version 0.
LOOSE_BITS = {(9, 0)}


def flip(blob, byte, bit):
    changed = bytearray(blob)
    changed[byte] ^= 1 << bit
    return bytes(changed)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c[2] != TOUCH], indirect=True,
    ids=lambda c: "-".join(map(str, c)))
def test_every_bit_and_every_truncation(judges, case):
    """All of them before lockbox; ssh-keygen sees what lockbox accepted, and
    a sample of what it refused."""
    blob = dearmor(case.armor)
    assert papers.armored(blob) == case.armor
    changed = {(n, bit): flip(blob, n, bit)
               for n in range(len(blob)) for bit in range(8)}
    changed.update({(n, None): blob[:n] for n in range(1, len(blob))})
    armors = {where: papers.armored(b) for where, b in changed.items()}
    verdicts = dict(zip(armors, judges.lockbox(
        case.public, [case.armor, *armors.values()])[1:]))
    let_in = [w for w, said in verdicts.items() if said.startswith("ok ")]
    assert all(judges.openssh(case.public, armors[w]) for w in let_in)
    assert not let_in, "nothing in a signature may be changed"
    chosen = random.Random(case.name).sample(sorted(
        armors, key=str), SAMPLES) + sorted(LOOSE_BITS)
    assert judges.openssh(case.public, case.armor)
    loose = {w for w in chosen if judges.openssh(case.public, armors[w])}
    assert loose == LOOSE_BITS


@pytest.mark.parametrize(
    "case", [("ed25519", "sha512", 0), ("passkey", "sha256", 5)],
    indirect=True, ids=lambda c: "-".join(map(str, c)))
def test_every_bit_of_the_armor(judges, case):
    text = case.armor.encode()
    verdicts = judges.lockbox(case.public, [text, *(
        flip(text, n, bit) for n in range(len(text))
        for bit in range(8))])
    assert verdicts[0].startswith("ok ")
    assert not any(said.startswith("ok ") for said in verdicts[1:])


# What follows is composed, so that one thing at a time can be wrong.

def compose(key, *, version=1, namespace=NAMESPACE, signed_namespace=None,
            reserved=b"", digest="sha512", inner=None, tail=b"", blob=None):
    signed = b"SSHSIG" + string(signed_namespace or namespace) + string("") + \
        string(digest) + string(hashlib.new(digest, MESSAGE).digest())
    return papers.armored(
        b"SSHSIG" + struct.pack(">I", version) + string(blob or key.blob()) +
        string(namespace) + string(reserved) + string(digest) +
        string((inner or key.sign_blob)(signed)) + tail)


def padded(number):
    """An mpint with one zero more than it needs."""
    raw = number.to_bytes((number.bit_length() + 8) // 8, "big")
    return string(b"\0" + raw)


def ecdsa_forms(key, form):
    def inner(data):
        r, s = decode_dss_signature(
            key.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return string(key.kind) + string(form(r, s))
    return inner


ORDER_25519 = 2**252 + 27742317777372353535851937790883648493
ORDER_P256 = int("ffffffff00000000ffffffffffffffff"
                 "bce6faada7179e84f3b9cac2fc632551", 16)


def unreduced(key):
    """S + L instead of S: the same equation, another spelling."""
    def inner(data):
        raw = key.private.sign(data)
        s = int.from_bytes(raw[32:], "little") + ORDER_25519
        return string(key.kind) + string(raw[:32] + s.to_bytes(32, "little"))
    return inner


class OddPasskey(papers.Passkey):
    """Its clientDataJSON ends as told; flags and extensions too."""

    def __init__(self, rest, rp_id="door.example",
                 origin="https://door.example", head=None, **more):
        super().__init__(rp_id, origin)
        self.rest, self.head = rest, head
        self.extensions = more.pop("extensions", b"")
        self.flags = more.pop("flags", self.flags)

    def sign_blob(self, data):
        challenge = base64.urlsafe_b64encode(data).decode().rstrip("=")
        head = self.head or '{"type":"webauthn.get","challenge":"%s","origin":"%s"'
        client = (head % (challenge, self.origin) + self.rest).encode()
        signed = hashlib.sha256(self.application.encode()).digest() + \
            struct.pack(">BI", self.flags, self.counter) + self.extensions + \
            hashlib.sha256(client).digest()
        return (string("webauthn-sk-ecdsa-sha2-nistp256@openssh.com") +
                self.ecdsa(signed) +
                struct.pack(">BI", self.flags, self.counter) +
                string(self.origin) + string(client) + string(self.extensions))


def passkey(rest='}', **more):
    key = OddPasskey(rest, **more)
    return key, compose(key)


def plain(**wrong):
    key = papers.Ed25519()
    return key, compose(key, **wrong)


def ecdsa(form):
    key = papers.P256()
    return key, compose(key, inner=ecdsa_forms(key, form))


def rewritten(change):
    key = papers.Ed25519()
    return key, change(compose(key))


def unreduced_s():
    key = papers.Ed25519()
    return key, compose(key, inner=unreduced(key))


def device(kind=papers.SkEd25519, **more):
    key = kind(**more)
    return key, compose(key)


def lines(armor, width, eol="\n"):
    body = "".join(armor.splitlines()[1:-1])
    return eol.join([BEGIN, *(body[i:i + width] for i in
                              range(0, len(body), width)), END]) + eol


def uneven(armor):
    body = "".join(armor.splitlines()[1:-1])
    return "\n".join([BEGIN, body[:60], body[60:130], body[130:], END]) + "\n"


def odd_bits(armor):
    """The unused bits of the last character set."""
    alphabet = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                "0123456789+/")
    body = "".join(armor.splitlines()[1:-1])
    kept = body.rstrip("=")
    assert kept != body
    last = alphabet[alphabet.index(kept[-1]) | 1]
    return "\n".join([BEGIN, kept[:-1] + last + body[len(kept):], END]) + "\n"


CROSS = ',"crossOrigin":false'

# name: what makes (key, armor), accepted by both
FINE = {
    "plain": plain,
    "P-256": lambda: ecdsa(lambda r, s: mpint(r) + mpint(s)),
    "P-256, s negated": lambda: ecdsa(
        lambda r, s: mpint(r) + mpint(ORDER_P256 - s)),
    "sk": device,
    "sk, application ssh:work": lambda: device(application="ssh:work"),
    "passkey": lambda: passkey(CROSS + "}"),
    "passkey, no crossOrigin": passkey,
    "passkey, more members": lambda: passkey(
        CROSS + ',"other_keys_can_be_added_here":"do not compare"}'),
    "passkey, backed up": lambda: passkey(CROSS + "}", flags=0x1d),
    "lines of 76": lambda: rewritten(lambda a: lines(a, 76)),
    "lines of 64": lambda: rewritten(lambda a: lines(a, 64)),
}

# name: what makes (key, armor): ssh-keygen accepts it, lockbox does not
STRICTER = {
    "version 0": lambda: plain(version=0),
    "reserved not empty": lambda: plain(reserved=b"x"),
    "S not reduced": unreduced_s,
    "P-256, needless zero before r": lambda: ecdsa(
        lambda r, s: padded(r) + mpint(s)),
    "P-256, needless zero before s": lambda: ecdsa(
        lambda r, s: mpint(r) + padded(s)),
    "sk signs as a passkey": lambda: passkey(rp_id="ssh:"),
    "passkey signs as sk": lambda: device(
        papers.SkP256, application="door.example"),
    "application with a space": lambda: device(application="ssh: work"),
    "application empty": lambda: device(application=""),
    "flag AT": lambda: device(flags=TOUCH | 0x40),
    "flag ED": lambda: device(flags=TOUCH | 0x80),
    "passkey, extensions": lambda: passkey(
        flags=0x85, extensions=b"\xa1\x61\x61\x01"),
    "passkey, crossOrigin true": lambda: passkey(',"crossOrigin":true}'),
    "passkey, crossOrigin spaced": lambda: passkey(',"crossOrigin": true}'),
    "passkey, crossOrigin escaped": lambda: passkey(
        ',"cross\\u004frigin":true}'),
    "passkey, crossOrigin twice": lambda: passkey(
        CROSS + ',"crossOrigin":true}'),
    "passkey, no end": lambda: passkey(""),
    "passkey, control character": lambda: passkey(',"a":\n1}'),
    "passkey, text after origin": lambda: passkey("x}"),
    "passkey, something after the end": lambda: passkey("}}"),
    "passkey, origin with a space": lambda: passkey(origin="https://a b"),
    "passkey, origin with a backslash": lambda: passkey(
        origin="https://a\\b"),
    "armor, uneven lines": lambda: rewritten(uneven),
    "armor, one long line": lambda: rewritten(lambda a: lines(a, 9999)),
    "armor, blank line": lambda: rewritten(
        lambda a: a.replace(BEGIN + "\n", BEGIN + "\n\n")),
    "armor, spaces": lambda: rewritten(
        lambda a: a.replace("\n" + END, " \n" + END)),
    "armor, text after it": lambda: rewritten(lambda a: a + "text\n"),
    "armor, no last newline": lambda: rewritten(lambda a: a[:-1]),
}

# name: what makes (key, armor): neither accepts it
WRONG = {
    "version 2": lambda: plain(version=2),
    "namespace of another signature": lambda: plain(
        signed_namespace=OTHER_NAMESPACE),
    "namespace empty": lambda: plain(namespace=""),
    "trailing byte": lambda: plain(tail=b"\0"),
    "hash sha384": lambda: plain(digest="sha384"),
    "hash sha1": lambda: plain(digest="sha1"),
    "P-256, r zero": lambda: ecdsa(lambda r, s: string("") + mpint(s)),
    "P-256, s zero": lambda: ecdsa(lambda r, s: mpint(r) + string("")),
    "P-256, r over the order": lambda: ecdsa(
        lambda r, s: mpint(r + ORDER_P256) + mpint(s)),
    "P-256, s over the order": lambda: ecdsa(
        lambda r, s: mpint(r) + mpint(s + ORDER_P256)),
    "P-256, r negative": lambda: ecdsa(
        lambda r, s: string(b"\x80") + mpint(s)),
    "P-256, trailing": lambda: ecdsa(
        lambda r, s: mpint(r) + mpint(s) + b"\0"),
    "passkey, no closing quote": lambda: passkey(
        head='{"type":"webauthn.get","challenge":"%s","origin":"%s', rest="}"),
    "passkey, made at creation": lambda: passkey(
        head='{"type":"webauthn.create","challenge":"%s","origin":"%s"'),
    "passkey, members in another order": lambda: passkey(
        head='{"challenge":"%s","type":"webauthn.get","origin":"%s"'),
    "passkey, origin with a quote": lambda: passkey(origin='https://a"b'),
    "passkey, flag AT": lambda: passkey(flags=0x45),
    "passkey, ED without extensions": lambda: passkey(flags=0x85),
    "passkey, extensions without ED": lambda: passkey(
        extensions=b"\xa1\x61\x61\x01"),
    "armor, no END": lambda: rewritten(lambda a: a.replace(END, "")),
    "armor, text before it": lambda: rewritten(lambda a: "text\n" + a),
    "armor, foreign character": lambda: rewritten(
        lambda a: a.replace(END, "~" + END)),
    "base64, unused bits set": lambda: rewritten(odd_bits),
    "nothing": lambda: rewritten(lambda a: ""),
}

# name: what makes (key, armor): lockbox does not accept it, and ssh-keygen's
# versions differ
EITHER = {
    "armor, CRLF": lambda: rewritten(lambda a: lines(a, 70, "\r\n")),
}


def control(judges, has_p256, key):
    """What is like it, but as it should be, is let in."""
    need(has_p256, key.public())
    name = {papers.P256: "P-256", papers.SkP256: "sk", papers.SkEd25519: "sk",
            OddPasskey: "passkey"}.get(type(key), "plain")
    fine, armor = FINE[name]()
    assert judges.accepts(fine.public(), armor)


@pytest.mark.parametrize("name", FINE)
def test_fine(judges, has_p256, name):
    key, armor = FINE[name]()
    need(has_p256, key.public())
    assert judges.accepts(key.public(), armor)
    assert judges.openssh(key.public(), armor)


@pytest.mark.parametrize("name", STRICTER)
def test_stricter(judges, has_p256, name):
    key, armor = STRICTER[name]()
    control(judges, has_p256, key)
    assert judges.openssh(key.public(), armor)
    assert not judges.accepts(key.public(), armor)


@pytest.mark.parametrize("name", WRONG)
def test_wrong(judges, has_p256, name):
    key, armor = WRONG[name]()
    control(judges, has_p256, key)
    assert not judges.openssh(key.public(), armor)
    assert not judges.accepts(key.public(), armor)


@pytest.mark.parametrize("name", EITHER)
def test_either(judges, has_p256, name):
    key, armor = EITHER[name]()
    control(judges, has_p256, key)
    assert not judges.accepts(key.public(), armor)


@pytest.mark.parametrize("kind", ["rsa", "dsa", "ecdsa:384", "ecdsa:521"])
def test_other_kinds_of_keys(judges, tmp_path, kind):
    """ssh-keygen takes them; lockbox pins only the four."""
    name, _, bits = kind.partition(":")
    subprocess.run(["ssh-keygen", "-q", "-t", name, *(["-b", bits] if bits
                   else []), "-N", "", "-f", tmp_path / "key"], check=True)
    armor = subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", tmp_path / "key", "-n",
         NAMESPACE], input=MESSAGE, stdout=subprocess.PIPE, check=True).stdout
    public = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    assert judges.openssh(public, armor)
    assert not judges.accepts(public, armor)


def test_pinned_dates(judges):
    """Half open here; ssh-keygen still takes the last second itself."""
    key, armor = plain()
    dates = (',valid-after="20260302140000Z"'
             ',valid-before="20260302150000Z"')
    start = 1772460000
    for at, want, openssh in ((start - 1, False, False), (start, True, True),
                              (start + 3599, True, True),
                              (start + 3600, False, True),
                              (start + 3601, False, False)):
        asked = {"dates": dates, "at": at}
        assert judges.accepts(key.public(), armor, **asked) == want
        assert judges.openssh(key.public(), armor, **asked) == openssh


# What sshd says of a key: its fingerprint is ssh-keygen's, also in a
# certificate.

@pytest.mark.parametrize("kind", [
    "ed25519", "ed25519-sk", "ecdsa:256", "ecdsa:384", "ecdsa:521", "ecdsa-sk",
    "rsa", "dsa"])
def test_auth_info(build, tmp_path, kind):
    name, _, bits = kind.partition(":")
    tools = build / "tests" / "tools"
    sk = ["-w", tools / "sk_soft.so"] if name.endswith("-sk") else []
    for key in ("ca", "key"):
        kind_of = ["-t", "ed25519"] if key == "ca" else [
            "-t", name, *(["-b", bits] if bits else []), *sk]
        subprocess.run(["ssh-keygen", "-q", *kind_of, "-N", "", "-f",
                        tmp_path / key], stdout=subprocess.DEVNULL, check=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-s", tmp_path / "ca", "-I", "id", "-n", "deploy",
         "-V", "+1h", "-z", "7", tmp_path / "key.pub"], check=True)
    want = subprocess.run(
        ["ssh-keygen", "-lf", tmp_path / "key.pub"], text=True, check=True,
        stdout=subprocess.PIPE).stdout.split()[1]
    for file in ("key.pub", "key-cert.pub"):
        public = " ".join((tmp_path / file).read_text().split()[:2])
        for note in ("", " signature count = 7"):
            said = subprocess.run(
                [tools / "auth_info"], input=f"publickey {public}{note}\n",
                text=True, stdout=subprocess.PIPE, check=True).stdout
            assert said == want + "\n"


# The key files that hosts and brokers keep.

def test_signer_files_are_openssh_files(build, judges, tmp_path):
    signer, path = build / "tests" / "tools" / "signer", tmp_path / "key"

    def run(*command, message=None):
        return subprocess.run(command, input=message, check=True,
                              stdout=subprocess.PIPE).stdout.decode().strip()

    public = run(signer, "new", path, "host db1")
    assert run("ssh-keygen", "-yf", path) == f"{public} host db1"
    (tmp_path / "pub").write_text(public + "\n")
    listed = run("ssh-keygen", "-lf", path).split()
    assert listed[1] == run("ssh-keygen", "-lf", tmp_path / "pub").split()[1]
    assert listed[2:] == ["host", "db1", "(ED25519)"]
    armor = run(signer, "sign", path, NAMESPACE, message=MESSAGE) + "\n"
    assert judges.openssh(public, armor)
    by_openssh = run("ssh-keygen", "-q", "-Y", "sign", "-f", path, "-n",
                     NAMESPACE, message=MESSAGE) + "\n"
    assert by_openssh == armor, "Ed25519 signs the same bytes the same way"
    # ssh-keygen reads and rewrites it; what it writes loads again.
    run("ssh-keygen", "-q", "-p", "-N", "", "-f", path)
    assert run(signer, "public", path) == public
