"""The customer's own page, served by nginx as doc/customer-page.md says."""

import re
import subprocess

import pytest
from brokerd import Brokerd
from conftest import TOP
from nginx import Nginx

BROKER = "https://lockbox.provider.localhost:8443"


@pytest.fixture(scope="module")
def nginx(build, tmp_path_factory):
    base = tmp_path_factory.mktemp("nginx")
    (base / "www").mkdir()
    (base / "www" / "approve.html").write_bytes(
        (build / "broker" / "page" / "approve.html").read_bytes())
    (base / "www" / "approve.json").write_bytes(
        (TOP / "conf" / "examples" / "approve.json").read_bytes())
    (base / "www" / "other.html").write_text("<script>evil</script>")
    server = Nginx(base, "lockbox.acme.localhost", BROKER)
    yield server
    server.close()


@pytest.mark.parametrize("path, kind", [
    ("/", "text/html; charset=utf-8"),
    ("/approve.html", "text/html; charset=utf-8"),
    ("/approve.json", "application/json")])
def test_the_page_and_its_configuration_are_served(nginx, path, kind):
    status, headers, body = nginx.get(path)
    assert status == 200 and body
    assert headers["content-type"].startswith(kind.split(";")[0])
    policy = headers["content-security-policy"]
    assert f"connect-src 'self' {BROKER};" in policy
    assert "frame-ancestors 'none'" in policy
    for name, value in {"x-frame-options": "DENY",
                        "x-content-type-options": "nosniff",
                        "referrer-policy": "no-referrer",
                        "cross-origin-opener-policy": "same-origin",
                        "cache-control": "no-cache"}.items():
        assert headers[name] == value


def test_everybody_has_the_same_bytes(nginx, build):
    """From the command of doc/customer-page.md, Meson, the broker and nginx."""
    text = (TOP / "doc" / "customer-page.md").read_text()
    command = re.search(r"^(python3 broker/page/pack.py .*) \| sha256sum$", text,
                        re.M)[1]
    made = subprocess.run(command.split(), cwd=TOP, check=True,
                          capture_output=True).stdout
    assert made == (build / "broker" / "page" / "approve.html").read_bytes()
    assert made == nginx.get("/approve.html")[2]
    broker = Brokerd(build)
    try:
        assert made == broker.get("/approve.html").body
    finally:
        broker.end()


@pytest.mark.parametrize("path", ["/other.html", "/nginx.conf", "/approve.html/",
                                  "/approve.htm", "/../nginx.conf", "/x"])
def test_nothing_else_is(nginx, path):
    assert nginx.get("/approve.html")[0] == 200
    status, _, body = nginx.get(path)
    assert status in (400, 404) and b"evil" not in body
