"""lockbox session ls and show: who is in where, as a host reported it."""

import re
import time

import papers
import pytest

from brokerd import BROKER, TENANT
from office import ID, Office


class Host:
    """An enrolled host that reports."""

    def __init__(self, office, name):
        self.broker, self.name, self.sequence = office.broker, name, 0
        self.trust = (office.base / "acme.trust").read_text().split("-----")[0]
        self.broker.enter(self.broker.operator)
        self.key = self.broker.add_host(TENANT, name)

    def report(self, event, session, at=None, **fields):
        self.sequence += 1
        text = papers.document("report", **{
            "host": self.name, "tenant": TENANT, "broker": BROKER,
            "trust": papers.doc_id(self.trust), "sequence": self.sequence,
            "event": event, "session": session,
            "at": papers.stamp(at or time.time()), **fields})
        got = self.broker.bundle("/v1/report", text + self.key.sign("report", text))
        assert got.status == 200, got


@pytest.fixture(scope="module")
def office(build, tmp_path_factory):
    made = Office(build, tmp_path_factory.mktemp("office"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def host(office):
    return Host(office, "s1")


@pytest.fixture(scope="module")
def grant(office, host):
    asked = office.endorsed(host="s1")
    office.anna("request", "approve", asked, "--yes")
    return office.avm.json("grant", "show", asked)


def test_who_is_in_where_and_until_when(office, host, grant):
    done = office.avm("session", "ls")
    assert done.stdout == "" and "no live sessions" in done.stderr
    host.report("session.opened", 11, at=time.time() - 30, grant=grant["id"],
                login="deploy", service="sshd", engineer=office.avm.principal,
                rhost="192.0.2.9")
    [one] = office.avm.json("session", "ls")
    assert (one["state"], one["ends_at"]) == ("live", grant["not_after"])
    title, row = office.avm("session", "ls", "--host", "s1").stdout.splitlines()
    assert title.split() == ["SESSION", "STATE", "TENANT", "HOST", "LOGIN",
                             "ENGINEER", "SINCE", "UNTIL", "GRANT", "CAUSE"]
    assert re.fullmatch(
        rf"{one['id'][:19]} +live +{TENANT} +s1 +deploy +avm@provider.example +"
        rf"3\ds ago +in (2h|1h59m\d+s) +{grant['id'][:19]} *", row), row
    for who in (office.anna, office.max, office.olga):
        assert [x["id"] for x in who.json("session", "ls")] == [one["id"]]
    assert office.eve.json("session", "ls", "--all") == []
    assert office.avm.json("session", "ls", "--host", "db1") == []
    assert office.avm.json("session", "ls", "--state", "ended") == []

    done = office.avm("session", "show", one["id"][7:15])
    for field in (rf"session +{one['id']}", "state +live", "host +s1", "sid +11",
                  "login +deploy", "from +192.0.2.9", rf"grant +{grant['id']}",
                  r"since .*\(3\ds ago\)", r"until .*\(in "):
        assert re.search(f"^{field}", done.stdout, re.M), (field, done.stdout)
    assert f"lockbox grant show {grant['id'][:19]}" in done.stderr
    office.eve("session", "show", one["id"], code=1)

    host.report("session.ended", 11, at=time.time() - 5, cause="revoked")
    assert office.avm.json("session", "ls") == []
    [ended] = office.avm.json("session", "ls", "--state", "ended")
    assert ended == office.avm.json("session", "ls", "--all")[0]
    assert ended["cause"] == "revoked"
    row = office.avm("session", "ls", "--all").stdout.splitlines()[1]
    assert re.search(r" ended .* ago +sha256:\w+  revoked$", row), row
    done = office.avm("session", "show", one["id"])
    assert re.search(r"^ended .*ago\)$", done.stdout, re.M)
    assert re.search(r"^cause +revoked$", done.stdout, re.M)
    assert re.search(r"^would end .*in ", done.stdout, re.M)
    assert done.stderr == ""


def test_a_session_whose_grant_the_broker_does_not_have(office, host):
    host.report("session.opened", 12, login="other")
    row = office.anna("session", "ls").stdout.splitlines()[1]
    assert re.search(r" live +acme +s1 +other +(\S+ ago|now) +- ", row), row
    [one] = office.anna.json("session", "ls")
    done = office.anna("session", "show", one["id"])
    assert "until" not in done.stdout and done.stderr == ""


# --- ending one -------------------------------------------------------------------


def fresh(office, host, *sids):
    """A grant of avm's and live sessions under it."""
    office.tidy()
    asked = office.endorsed(host="s1")
    office.anna("request", "approve", asked, "--yes")
    grant = office.avm.json("grant", "show", asked)
    for sid in sids:
        host.report("session.opened", sid, grant=grant["id"], login="deploy",
                    service="sshd", engineer=office.avm.principal)
    found = {s["session"]: s["id"] for s in office.avm.json("session", "ls")}
    return grant["id"], [found[sid] for sid in sids]


@pytest.mark.parametrize("who,more,state", [
    ("avm", (), "returned"),
    ("max", ("--reason", "wrong host"), "revoked"),
    ("anna", ("--reason", "enough"), "revoked"),
])
def test_end_by_whoever_may(office, host, who, more, state):
    first = {"avm": 21, "max": 31, "anna": 41}[who]
    grant, (one, two) = fresh(office, host, first, first + 1)
    person = getattr(office, who)
    done = person("session", "end", one[7:19], *more, code=1) # nobody says yes
    assert "nothing was" in done.stderr
    assert office.avm.json("grant", "show", grant)["state"] == "active"
    done = person("session", "end", one, *more, "--yes")
    assert f"ends with it: {two[:19]}, deploy on s1" in done.stderr
    assert one[:19] in done.stderr and grant[:19] in done.stderr
    ended = office.avm.json("grant", "show", grant)
    assert ended["state"] == state, ended
    signed = (ended.get("revocation") or {}).get("signature")
    assert bool(signed) == (who == "anna"), ended
    for sid in (first, first + 1):
        host.report("session.ended", sid, cause="returned")
    done = person("session", "end", one, *more, "--yes", code=77)
    assert "has ended" in done.stderr


def test_end_of_an_extended_session(office, host):
    """It began with a grant in whose place another may stand by now."""
    grant, [one] = fresh(office, host, 71)
    done = office.avm("grant", "extend", grant, "--duration", "3h", "--reason",
                      "it takes longer", "--no-wait")
    asked = ID.search(done.stdout)[0]
    office.max("request", "endorse", asked, "--yes")
    office.anna("request", "approve", asked, "--yes")
    longer = office.avm.json("grant", "show", asked)["id"]
    done = office.anna("session", "end", one, "--yes")
    for id in (grant, longer):
        assert f"may rest on grant {id[:19]}" in done.stderr
        assert office.avm.json("grant", "show", id)["state"] == "revoked"
    host.report("session.ended", 71, cause="revoked")


def test_end_when_no_grant_is_left(office, host):
    grant, [one] = fresh(office, host, 81)
    office.avm("grant", "return", grant)
    done = office.avm("session", "end", one, "--yes", code=77)
    assert "no live grant is left" in done.stderr
    host.report("session.ended", 81, cause="returned")


def test_end_by_nobody_else(office, host):
    grant, [one] = fresh(office, host, 51)
    office.eve("session", "end", one, "--yes", code=1) # not hers to see
    done = office.olga("session", "end", one, "--yes", code=77)
    assert "only its engineer" in done.stderr
    done = office.max("session", "end", one, "--yes", code=2)
    assert "--reason is needed" in done.stderr
    assert office.avm.json("grant", "show", grant)["state"] == "active"
    office.avm("session", "end", one, "--yes")
    host.report("session.ended", 51, cause="returned")


def test_end_of_a_session_without_a_known_grant(office, host):
    host.report("session.opened", 61, login="other")
    [one] = [s for s in office.anna.json("session", "ls") if s["session"] == 61]
    done = office.anna("session", "end", one["id"], "--yes", code=1)
    assert "session end SID --local" in done.stderr
    host.report("session.ended", 61, cause="closed")


def test_wrong_command_lines(office):
    office.avm("session", "end", code=2)
    office.avm("session", "end", "17", code=2)
    office.avm("session", "ls", "--state", "dead", code=1)
    office.avm("session", "ls", "--all", "--state", "live", code=2)
    office.avm("session", "show", "abc", code=2)
    office.avm("session", "show", code=2)
    office.avm("session", "show", "0" * 8, code=1)
