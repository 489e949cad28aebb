"""What browsers may: sessions in cookies, foreign origins, customers' pages.

Each refusal stands beside the same call that is let in.
"""

import re

import papers
import pytest
from brokerd import HOST, Brokerd, Person

OWN = "https://127.0.0.1"  # the broker's url in these tests
PAGE = "https://door.acme.example"
ZETA = "https://door.zeta.example:8443"
MARKED = "https://shared.example"
FOREIGN = ("https://evil.example", "null", "http://127.0.0.1",
           "https://127.0.0.1.evil.example", "https://127.0.0.1:8443", "",
           OWN + "/", PAGE + ":8443", "https://zoor.acme.example", MARKED)


class House:
    def __init__(self, build):
        self.b = b = Brokerd(build)
        b.enter(b.operator)
        self.avm = b.enter(b.add_person("avm@provider.example", "engineer"))
        self.mia = b.enter(b.add_person("mia@provider.example", "manager"))
        self.anna = Person("anna@acme.example")
        self.zoe = Person("zoe@zeta.example")
        self.trust = b.add_tenant("acme", [self.anna], page=[
            f"door.acme.example {PAGE}",
            f"shared.example {MARKED} broker"])
        b.add_tenant("zeta", [self.zoe],
                     page=[f"door.zeta.example {ZETA}"])
        b.enter(self.anna)
        b.enter(self.zoe)
        b.add_host("acme", HOST)

    def signin(self, person, **headers):
        """Sign in for a cookie; the answer."""
        text = self.b.signin_text(person)
        return self.b.post("/v1/signin", {
            "text": text, "signature": person.key.sign("signin", text),
            "cookie": True}, **headers)

    def cookie(self, person):
        got = self.signin(person, origin=OWN)
        assert got.status == 200, got
        return got.headers["Set-Cookie"].split(";")[0]

    def request(self):
        return self.b.endorsed(self.avm, self.mia)


@pytest.fixture(scope="module")
def house(build):
    h = House(build)
    yield h
    h.b.end()


def refused(got, status, code):
    assert (got.status, got.code) == (status, code), got


# --- cookies ------------------------------------------------------------------

def test_a_cookie_session(house):
    b = house.b
    got = house.signin(house.anna, origin=OWN, sec_fetch_site="same-origin")
    assert got.status == 200 and "token" not in got.json
    assert re.fullmatch(
        r"__Host-lockbox=[A-Za-z0-9_-]{43}; Path=/; Secure; HttpOnly; "
        r"SameSite=Strict; Max-Age=3600", got.headers["Set-Cookie"])
    cookie = got.headers["Set-Cookie"].split(";")[0]
    assert b.get("/v1/whoami").status == 401
    who = b.get("/v1/whoami", cookie="theme=dark; " + cookie)
    assert who.status == 200 and who.json["principal"] == house.anna.name
    assert who.json["tenant_roles"] == {"acme": ["approver", "owner"]}
    assert who.headers["Set-Cookie"] is None
    got = b.post("/v1/signout", cookie=cookie, origin=OWN)
    assert got.status == 204
    assert got.headers["Set-Cookie"] == (
        "__Host-lockbox=; Path=/; Secure; HttpOnly; SameSite=Strict; "
        "Max-Age=0")
    assert b.get("/v1/whoami", cookie=cookie).status == 401


def test_only_our_own_page_gets_a_cookie(house):
    assert house.signin(house.anna, origin=OWN).status == 200
    for headers in ({}, {"origin": PAGE}, {"origin": "https://evil.example"}):
        got = house.signin(house.anna, **headers)
        refused(got, 403, "foreign_origin")
        assert got.headers["Set-Cookie"] is None


def test_one_proof_of_who_calls(house):
    b, cookie = house.b, house.cookie(house.anna)
    assert b.get("/v1/whoami", cookie=cookie).status == 200
    assert b.get("/v1/whoami", house.anna).status == 200
    refused(b.get("/v1/whoami", house.anna, cookie=cookie), 400,
            "bad_request")
    refused(b.get("/v1/whoami", cookie=f"{cookie}; {cookie}"), 400,
            "bad_request")
    refused(b.get("/v1/whoami", cookie=cookie, authorization="Basic eA=="),
            400, "bad_request")
    for bad in ("__Host-lockbox=", "__Host-lockbox=x", cookie + "x",
                cookie[:-1], cookie.replace("__Host-", ""),
                cookie.lower()):
        refused(b.get("/v1/whoami", cookie=bad), 401, "signin_needed")


def test_headers_that_come_twice(house):
    b, cookie = house.b, house.cookie(house.anna)

    def call(*headers):
        connection = b.connect()
        connection.putrequest("GET", "/v1/whoami")
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        status = connection.getresponse().status
        connection.close()
        return status
    assert call(("Cookie", cookie), ("Origin", OWN)) == 200
    assert call(("Cookie", cookie), ("Cookie", cookie)) == 400
    assert call(("Cookie", cookie), ("Origin", OWN),
                ("origin", "https://evil.example")) == 400


def test_a_cookie_changes_something_only_from_our_own_page(house):
    b, cookie = house.b, house.cookie(house.avm)
    path = f"/v1/requests/{house.request()['id']}/cancel"
    for origin in (*FOREIGN, PAGE, None):
        headers = {} if origin is None else {"origin": origin}
        refused(b.post(path, cookie=cookie, **headers), 403, "foreign_origin")
    for site in ("cross-site", "same-site", "none", "", "x"):
        refused(b.post(path, cookie=cookie, origin=OWN, sec_fetch_site=site),
                403, "foreign_origin")
    got = b.post(path, cookie=cookie, origin=OWN,
                 sec_fetch_site="same-origin")
    assert got.status == 200 and got.json["state"] == "cancelled"


def test_a_cookie_reads_only_for_our_own_page(house):
    b, cookie = house.b, house.cookie(house.anna)
    for headers in ({}, {"sec_fetch_site": "same-origin"},
                    {"sec_fetch_site": "none"}, {"origin": OWN}):
        assert b.get("/v1/requests", cookie=cookie, **headers).status == 200
    for headers in ({"sec_fetch_site": "cross-site"},
                    {"sec_fetch_site": "same-site"},
                    {"origin": "https://evil.example"}, {"origin": PAGE},
                    {"origin": OWN, "sec_fetch_site": "cross-site"}):
        refused(b.get("/v1/requests", cookie=cookie, **headers), 403,
                "foreign_origin")
    # the page itself opens from anywhere: it is the same for everybody
    assert b.get("/", cookie=cookie, sec_fetch_site="cross-site").status == 200


def test_a_foreign_origin_changes_nothing(house):
    """Neither with a token, nor where the signature alone decides."""
    b = house.b
    request = house.request()
    body = {"signature": house.anna.key.sign("deny", request["text"])}
    deny = f"/v1/requests/{request['id']}/deny"
    cancel = f"/v1/requests/{request['id']}/cancel"
    bundle = request["text"] + body["signature"]
    for origin in FOREIGN:
        refused(b.post(deny, body, origin=origin), 403, "foreign_origin")
        refused(b.post(cancel, who=house.avm, origin=origin), 403,
                "foreign_origin")
        refused(b.http("POST", "/v1/hook", bundle, type="text/plain",
                       origin=origin), 403, "foreign_origin")
        refused(b.post("/v1/signin/nonce", origin=origin), 403,
                "foreign_origin")
        got = b.get("/v1/whoami", house.anna, origin=origin)
        refused(got, 401, "signin_needed")
        assert got.headers["Access-Control-Allow-Origin"] is None
    refused(b.post(cancel, who=house.avm, origin=PAGE), 403,
            "foreign_origin")  # its own page has no business with that
    got = b.get(f"/v1/requests/{request['id']}", house.anna)
    assert got.json["state"] == "pending_approval"
    assert b.post(deny, body, origin=OWN).json["state"] == "denied"


# --- customers' pages ------------------------------------------------------------

def shared(got):
    return {name.lower(): value for name, value in got.headers.items()
            if name.lower().startswith("access-control-") or
            name.lower() == "vary"}


def test_the_customers_own_page_reads_and_decides(house):
    b, request = house.b, house.request()
    path = f"/v1/requests/{request['id']}"
    want = {"access-control-allow-origin": PAGE, "vary": "Origin",
            "access-control-expose-headers": "etag, retry-after"}
    got = b.get(path, house.anna, origin=PAGE)
    assert got.status == 200 and shared(got) == want
    got = b.post(f"{path}/draft", {}, house.anna, origin=PAGE)
    assert got.status == 200 and shared(got) == want
    text = got.json["text"]
    got = b.post(f"{path}/approve", {
        "text": text, "signature": house.anna.key.sign("approve", text)},
        origin=PAGE)
    assert got.status == 200 and shared(got) == want
    # a refusal can be read as well
    got = b.get("/v1/requests/" + papers.new_id(), house.anna, origin=PAGE)
    refused(got, 404, "not_found")
    assert shared(got) == want
    # and nobody else gets such headers
    for origin in (None, OWN, "https://evil.example", MARKED):
        headers = {} if origin is None else {"origin": origin}
        assert not shared(b.get(path, house.anna, **headers))
    assert not shared(b.get("/v1/hosts", house.anna, origin=PAGE))


def test_a_page_speaks_for_its_own_tenant_alone(house):
    b = house.b
    assert b.get("/v1/whoami", house.anna, origin=PAGE).status == 200
    assert b.get("/v1/whoami", house.zoe, origin=ZETA).status == 200
    for who, origin in ((house.anna, ZETA), (house.zoe, PAGE),
                        (house.avm, PAGE), (b.operator, PAGE)):
        assert b.get("/v1/whoami", who).status == 200
        refused(b.get("/v1/whoami", who, origin=origin), 401, "signin_needed")


def test_preflight_for_every_route(house):
    """Only what the route table marks, only for pinned pages."""
    b = house.b
    headers = {"access_control_request_headers":
               "authorization,content-type,if-match"}
    marked = 0
    for line in b.run("routes").stdout.splitlines():
        method, path, _, _, pages = line.split()
        path = path.replace("{id}", papers.new_id()).replace(
            "{name}", "acme").replace("{principal}", "x").replace(
            "{file}", "app.js")
        for origin in (PAGE, ZETA, OWN, MARKED, "https://evil.example",
                       "null"):
            got = b.http("OPTIONS", path, origin=origin,
                         access_control_request_method=method, **headers)
            if pages == "pages" and origin in (PAGE, ZETA):
                assert (got.status, got.body) == (204, b""), line
                assert shared(got) == {
                    "access-control-allow-origin": origin, "vary": "Origin",
                    "access-control-allow-methods": method,
                    "access-control-allow-headers":
                        "authorization, content-type, if-match, "
                        "idempotency-key",
                    "access-control-max-age": "600",
                    "access-control-expose-headers": "etag, retry-after"}
                marked += 1
            else:
                assert got.status == 405 and not shared(got), (line, origin)
    assert marked >= 2 * 17
    for wrong in ({}, {"access_control_request_method": "PUT"},
                  {"access_control_request_method": "POST"}):
        got = b.http("OPTIONS", "/v1/whoami", origin=PAGE, **wrong)
        assert got.status == 405 and not shared(got), wrong
    assert b.http("OPTIONS", "/v1/whoami",
                  access_control_request_method="GET").status == 405


def test_a_page_ends_with_the_trust_that_pins_it(house):
    b = house.b
    carl = Person("carl@moving.example")
    page = "https://old.moving.example"
    first = b.add_tenant("moving", [carl],
                         page=[f"moving.example {page}"])
    b.enter(carl)
    assert b.get("/v1/whoami", carl, origin=page).status == 200
    second = b.trust_text("moving", [carl], serial=2,
                          previous=papers.doc_id(first))
    assert b.bundle("/v1/tenants/moving/trust", second +
                    carl.key.sign("trust", second)).status == 200
    got = b.get("/v1/whoami", carl, origin=page)
    refused(got, 401, "signin_needed")
    assert not shared(got)
    assert b.get("/v1/whoami", carl).status == 200
