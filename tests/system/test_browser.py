"""A passkey made in Chromium signs as SSH does: stock ssh-keygen agrees."""

import shutil

import papers
import pytest
from browser import Browser, Unreachable
from conftest import TOP
from judges import NAMESPACE, OTHER_NAMESPACE, Judges

from website import Website, certificate

NAME, RP_ID = "lockbox.acme.example", "acme.example"
MIA = "mia@acme.example"
TEXT = "lockbox-request-v1\nrequest: for the signature any text does – Zoë\n"

CREATE = """
const passkeys = await import("/portal/passkey.js");
return passkeys.create({ rpId: given[0], rpName: "Acme", principal: given[1] });
"""
SIGN = """
const passkeys = await import("/portal/passkey.js");
const [rpId, namespace, message, known] = given;
return passkeys.sign({ rpId, namespace, message, known: known ?? undefined });
"""
VERIFY = """
const sshsig = await import("/portal/sshsig.js");
const [signature, namespace, message] = given;
return sshsig.verify(sshsig.parseSignature(signature), namespace, message);
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    base = tmp_path_factory.mktemp("site")
    shutil.copytree(TOP / "broker" / "portal", base / "www" / "portal")
    (base / "www" / "index.html").write_text(
        "<!doctype html><html lang=en><title>A page</title><h1>A page</h1>")
    site = Website(base / "www", NAME, certificate(base, "acme", f"DNS:{NAME}"))
    yield site
    site.close()


@pytest.fixture(scope="module")
def mia(site):
    browser = Browser(site.ca, names={NAME: site.port})
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def passkey(mia):
    mia.go(f"https://{NAME}/")
    made = mia.run(CREATE, RP_ID, MIA)
    assert "error" not in made, made
    return made["key"]


def sign(browser, namespace, known, text=TEXT):
    return browser.run(SIGN, RP_ID, namespace, text, known)


def test_only_known_authorities_are_trusted(mia, site, tmp_path):
    mia.go(f"https://{NAME}/")
    mia.reads("A page")
    other = Website(site.directory, NAME,
                    certificate(tmp_path, "other", "DNS:*.localhost",
                                "DNS:other.acme.localhost"))
    try:
        with pytest.raises(Unreachable, match="ERR_CERT_AUTHORITY_INVALID"):
            mia.go(f"https://other.acme.localhost:{other.port}/")
    finally:
        other.close()


@pytest.fixture(scope="module")
def judges(build, tmp_path_factory):
    return Judges(build, tmp_path_factory.mktemp("judges"))


def test_a_passkey_signs_what_ssh_keygen_and_lockbox_verify(mia, passkey, judges):
    for namespace in (NAMESPACE, OTHER_NAMESPACE):
        made, = sign(mia, namespace, [passkey])
        assert made["key"] == passkey
        given = passkey, made["signature"]
        asked = {"namespace": namespace, "message": TEXT.encode()}
        assert judges.openssh(*given, **asked)
        said, = judges.lockbox(passkey, [made["signature"]], **asked)
        assert said.split() == ["ok", "5", f"https://{NAME}"]
        assert not judges.openssh(*given, **{**asked, "message": b"another"})
        other = papers.Passkey(RP_ID, f"https://{NAME}").public()
        assert not judges.openssh(other, made["signature"], **asked)


def test_the_page_verifies_what_it_signed(mia, passkey):
    made, = sign(mia, NAMESPACE, [passkey])
    given = made["signature"], NAMESPACE
    assert mia.run(VERIFY, *given, TEXT) == "good"
    assert mia.run(VERIFY, *given, TEXT + "x") == "bad"
    assert mia.run(VERIFY, made["signature"], OTHER_NAMESPACE, TEXT) == "bad"


def test_without_known_keys_two_are_possible(mia, passkey, judges):
    both = sign(mia, NAMESPACE, None)
    assert len(both) == 2 and passkey in [x["key"] for x in both]
    for made in both: # that is why the page must know whose key it may be
        assert judges.openssh(made["key"], made["signature"],
                              message=TEXT.encode())
    other = papers.Passkey(RP_ID, f"https://{NAME}").public()
    refused = sign(mia, NAMESPACE, [other])
    assert "none of those that count" in refused["message"]


def test_nothing_is_signed_when_the_person_is_not_verified(mia, passkey):
    assert len(sign(mia, NAMESPACE, [passkey])) == 1
    mia.verifying(False)
    try:
        refused = sign(mia, NAMESPACE, [passkey])
    finally:
        mia.verifying(True)
    assert "Nothing was signed" in refused["message"]
