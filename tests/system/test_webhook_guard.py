"""Webhooks reach nobody but whom everybody can reach: real names, a real name
server that lies, real listeners that count who connects. No network needed."""

import os

import pytest
from netless import Canary, Names, address, alone
from postbox import Receiver, certificate, until
from townhall import Town

PATH = "/v1/tenants/acme/webhooks"
PUBLIC, PUBLIC6 = "11.22.33.44", "2a00:1::1"
INNER = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "::1",
         "fd00::1", "100.64.0.1"]

# name -> addresses; a list of lists: what it says each time.
REFUSED = {
    "loopback.example": ["127.0.0.1"],
    "private.example": ["10.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "home.example": ["192.168.1.1"],
    "carrier.example": ["100.64.0.1"],
    "loopback6.example": ["::1"],
    "local6.example": ["fd00::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "mixed.example": [PUBLIC, "10.0.0.1"],
    "mixed6.example": [PUBLIC, "::1"],
    "any.example": ["0.0.0.0"],
}
GOOD = {"good.example": [PUBLIC], "good6.example": [PUBLIC6],
        "both.example": [PUBLIC6, PUBLIC]}


@pytest.fixture(name="world")
def fixture_world(build, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root, for a network of its own")
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
    return build, tmp_path, resolver


def scene(build, tmp_path, names, **settings):
    """Public listeners, canaries inside, a name server, a broker."""
    address(f"{PUBLIC}/32", f"{PUBLIC6}/128", "10.0.0.1/32",
            "169.254.169.254/32", "192.168.1.1/32", "fd00::1/128",
            "100.64.0.1/32")
    server = Names(names)
    pem = certificate(tmp_path, *names)
    good = [Receiver(tls=pem, address=a, port=443) for a in (PUBLIC, PUBLIC6)]
    canary = Canary(*((a, port) for a in INNER for port in (80, 443)))
    town = Town(build, webhook_ca=pem[0], **settings)
    return server, good, canary, town


def add(town, url):
    got = town.b.post(PATH, {"url": url, "types": ["request.created"]},
                      town.anna)
    assert got.status == 201, got
    return got.json["id"]


def attempts(town, request, count):
    return until(lambda: (d := [
        x for x in town.deliveries(request=request["id"])
        if x["attempts"]]) and len(d) == count and {
            x["receiver"]: x for x in d})


def inner_names(build, tmp_path):
    _, good, canary, town = scene(build, tmp_path, {**REFUSED, **GOOD})
    try:
        hooks = {name: add(town, f"https://{name}/hook")
                 for name in [*REFUSED, *GOOD]}
        got = attempts(town, town.ask(), len(hooks))
        for name in GOOD:
            assert got[hooks[name]]["state"] == "sent", got[hooks[name]]
        for name in REFUSED:
            assert got[hooks[name]]["code"] == "address_refused", (
                name, got[hooks[name]])
        assert sum(len(r.calls) for r in good) == len(GOOD)
        assert not canary.touched
    finally:
        town.end()


def test_names_of_inner_addresses(world):
    build, tmp_path, resolver = world
    alone(inner_names, build, tmp_path, resolver=resolver)


def rebinding(build, tmp_path):
    """Good when it is looked at, bad a moment later."""
    server, good, canary, town = scene(build, tmp_path, {
        "rebind.example": [[PUBLIC], ["127.0.0.1"]]})
    try:
        add(town, "https://rebind.example/hook")
        [d] = attempts(town, town.ask(), 1).values()
        assert d["state"] == "sent"
        assert len(good[0].calls) == 1
        assert server.asked.count(("rebind.example", 1)) == 1
        [d] = attempts(town, town.ask(), 1).values()
        assert d["code"] == "address_refused"
        assert len(good[0].calls) == 1
        assert not canary.touched
    finally:
        town.end()


def test_rebinding(world):
    build, tmp_path, resolver = world
    alone(rebinding, build, tmp_path, resolver=resolver)


def redirects(build, tmp_path):
    _, good, canary, town = scene(build, tmp_path, {"good.example": [PUBLIC]})
    try:
        add(town, "https://good.example/hook")
        for place in ("http://127.0.0.1/", "https://10.0.0.1/",
                      "http://169.254.169.254/latest/meta-data/",
                      "http://[::1]/", "//127.0.0.1/"):
            good[0].answers.append((307, {"Location": place}, b""))
            [d] = attempts(town, town.ask(), 1).values()
            assert d["status"] == 307
            # Its turn again only when somebody says so.
            town.b.post(f"/v1/deliveries/{d['id']}/retry", {}, town.anna)
            until(lambda i=d["id"]: [x for x in town.deliveries()
                                     if x["id"] == i][0]["state"] == "sent")
        assert not canary.touched
    finally:
        town.end()


def test_redirects(world):
    build, tmp_path, resolver = world
    alone(redirects, build, tmp_path, resolver=resolver)


def proxies(build, tmp_path):
    """Nor through a proxy that the environment speaks of."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        os.environ[name] = "http://10.0.0.1:80"
    _, good, canary, town = scene(build, tmp_path, {"good.example": [PUBLIC]})
    try:
        add(town, "https://good.example/hook")
        [d] = attempts(town, town.ask(), 1).values()
        assert d["state"] == "sent"
        assert len(good[0].calls) == 1
        assert not canary.touched
    finally:
        town.end()


def test_proxies(world):
    build, tmp_path, resolver = world
    alone(proxies, build, tmp_path, resolver=resolver)


def silence(build, tmp_path):
    """A name server that never answers keeps nobody else waiting."""
    _, good, canary, town = scene(build, tmp_path, {
        "silent.example": None, "good.example": [PUBLIC]})
    try:
        silent = [add(town, f"https://silent.example/{i}") for i in range(12)]
        add(town, "https://good.example/hook")
        request = town.ask()
        good[0].wait(1, 30)
        assert town.b.get("/healthz").status == 200
        got = attempts(town, request, 13)
        assert {got[h]["code"] for h in silent} == {"no_such_host"}
        assert not canary.touched
    finally:
        town.end()


def test_a_name_server_that_says_nothing(world):
    build, tmp_path, resolver = world
    alone(silence, build, tmp_path, resolver=resolver)


def allowed(build, tmp_path):
    """The operator may let them in; then to these as well."""
    _, good, canary, town = scene(build, tmp_path, {
        "private.example": ["10.0.0.1"]}, webhook_private="yes")
    try:
        add(town, "https://private.example/hook")
        attempts(town, town.ask(), 1)
        assert canary.touched == [("10.0.0.1", 443)]
    finally:
        town.end()


def test_where_the_operator_lets_them(world):
    build, tmp_path, resolver = world
    alone(allowed, build, tmp_path, resolver=resolver)


@pytest.mark.parametrize("url", [
    "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/",
    "https://169.254.169.254/", "https://[::ffff:127.0.0.1]/"])
def test_inner_addresses_themselves(build, url, town):
    got = town.b.post(PATH, {"url": url}, town.anna)
    assert (got.status, got.code) == (422, "address_refused"), got


@pytest.fixture(name="town", scope="module")
def fixture_town(build):
    town = Town(build)
    got = town.b.post(PATH, {"url": "https://93.184.216.34/"}, town.anna)
    assert got.status == 201, got
    yield town
    town.end()
