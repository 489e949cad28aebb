"""The portal's files as a browser gets them, and the headers around them."""

import re
from pathlib import Path

import pytest
from brokerd import Brokerd

PORTAL = Path(__file__).parents[2] / "broker" / "portal"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; "
          "img-src 'self' data:; connect-src 'self'; form-action 'none'; "
          "frame-ancestors 'none'; base-uri 'none'; "
          "require-trusted-types-for 'script'; trusted-types 'none'")


@pytest.fixture(scope="module")
def b(build):
    broker = Brokerd(build)
    yield broker
    broker.end()


def test_every_file_is_served_as_it_lies_there(b):
    files = [p for p in PORTAL.iterdir() if p.suffix in TYPES]
    assert len(files) >= 4
    for file in files:
        got = b.get(f"/portal/{file.name}")
        assert got.status == 200 and got.body == file.read_bytes(), file
        assert got.headers["Content-Type"] == TYPES[file.suffix]
        assert got.headers["Cache-Control"] == "no-cache"
    assert b.get("/").body == (PORTAL / "index.html").read_bytes()
    for name in ("nosuch.js", "embed.sh", "app.js.", "APP.JS", ".."):
        got = b.get(f"/portal/{name}")
        assert got.status == 404 and got.code == "not_found", name
        assert got.headers["Cache-Control"] == "no-store"


def test_headers(b):
    got = b.get("/")
    want = {
        "Content-Security-Policy": POLICY,
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "publickey-credentials-get=(self), "
                              "publickey-credentials-create=(self)",
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": "max-age=31536000",
    }
    for name, value in want.items():
        assert got.headers.get_all(name) == [value], name
    api = b.get("/v1/broker").headers
    assert api["Content-Security-Policy"] == \
        "default-src 'none'; frame-ancestors 'none'"
    assert api["Referrer-Policy"] == "no-referrer"
    assert api["Cross-Origin-Resource-Policy"] == "same-origin"


def test_unchanged_files_are_not_sent_again(b):
    first = b.get("/portal/app.js")
    tag = first.headers["ETag"]
    assert re.fullmatch('"[0-9a-f]{32}"', tag)
    assert b.get("/portal/app.css").headers["ETag"] != tag
    for value in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        got = b.get("/portal/app.js", if_none_match=value)
        assert (got.status, got.body) == (304, b""), value
        assert got.headers["ETag"] == tag
        assert got.headers["Content-Security-Policy"] == POLICY
    for value in ('"x"', tag[1:-1], ""):
        got = b.get("/portal/app.js", if_none_match=value)
        assert (got.status, got.body) == (200, first.body), value


def test_headers_as_long_as_a_browsers_fit(b):
    """Chromium sends some 700 bytes of them, and room is left for a cookie."""
    more = {"Cookie": "__Host-lockbox=" + "t" * 43,
            "User-Agent": "Mozilla/5.0 " + "x" * 150,
            "Accept": "text/html,application/xhtml+xml," + "x" * 100,
            "Accept-Encoding": "gzip, deflate, br, zstd",
            "Accept-Language": "de-AT,de;q=0.9,en-US;q=0.8,en;q=0.7",
            "Referer": f"https://127.0.0.1:{b.port}/"}
    for name in ("Ch-Ua", "Ch-Ua-Mobile", "Ch-Ua-Platform", "Fetch-Dest",
                 "Fetch-Mode", "Fetch-Site", "Fetch-User", "Gpc"):
        more[f"Sec-{name}"] = "y" * 60
    for path in ("/", "/portal/app.js", "/v1/broker"):
        assert b.get(path, **more).status == 200
    assert b.get("/", if_none_match=b.get("/").headers["ETag"],
                 **more).status == 304
    more.update({"Origin": "https://127.0.0.1",
                 "Sec-Fetch-Site": "same-origin"})
    assert b.post("/v1/signin/nonce", **more).status == 200
