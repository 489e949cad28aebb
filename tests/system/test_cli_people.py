"""What customers' people do at the command line beside deciding: bring keys,
sign trust one by one, switch lockbox off and on.

A broker and people of the test's own, each with a home.
"""

import json
import re
import time

import pytest
from office import CODE, PEOPLE, Office, Someone

TENANT = "pair"


@pytest.fixture(name="office", scope="module")
def make_office(build, tmp_path_factory):
    """As the other tests' office, with a tenant whose owners are two of two."""
    made = Office(build, tmp_path_factory.mktemp("people"))
    made.trust(TENANT, "pair.trust", "anna", "bert", threshold=2)
    made.olga("tenant", "add", "--trust", made.base / "pair.trust")
    made.now = made.base / "pair.trust"
    for name in ("anna", "bert"):
        person = getattr(made, name)
        person("signin", "--trust", made.now)
    yield made
    made.close()


def put_in_force(office, path):
    """Both owners sign it at the broker."""
    office.anna("trust", "propose", path, "--yes")
    done = office.bert("trust", "propose", path, "--yes")
    assert "is in force at the broker" in done.stdout
    office.now = path
    for name in ("anna", "bert"):
        getattr(office, name)("signin", "--trust", path)


def edited(office, name, *flags):
    path = office.base / name
    office.anna("trust", "edit", office.now, *flags, "-o", path)
    return path


def test_owners_sign_one_by_one(office):
    path = edited(office, "lease.trust", "--lease", "45m")
    office.anna("trust", "proposal", TENANT, code=1)  # nothing yet
    done = office.anna("trust", "propose", path, "--yes")
    assert "lease: 30m becomes 45m" in done.stderr
    assert "1 of 2 owners have signed" in done.stdout
    bert = PEOPLE["bert"][0]
    assert f"next: {bert}: lockbox trust proposal {TENANT}" in done.stderr
    # the other one looks, gets it and signs
    done = office.bert("trust", "proposal", TENANT)
    assert "lease: 30m becomes 45m" in done.stdout
    assert re.search(rf"^signed by +{PEOPLE['anna'][0]}$", done.stdout, re.M)
    assert bert not in done.stdout
    shown = office.bert.json("trust", "proposal", TENANT)
    assert shown["needed"] == 2 and len(shown["signatures"]) == 1
    mine = office.base / "got.trust"
    done = office.bert("trust", "proposal", TENANT, "-o", mine)
    assert f"next: lockbox trust propose {mine}" in done.stderr
    done = office.bert.json("trust", "propose", mine, "--yes")
    assert done["proposal"] is None
    assert done["tenant"]["trust"]["lease"] == 45 * 60
    office.bert("trust", "proposal", TENANT, code=1)
    # what is in force verifies from the first document
    office.anna("trust", "fetch", TENANT, "-o", office.base / "chain")
    office.anna("trust", "verify", office.base / "chain")
    office.now = path
    office.anna("trust", "propose", path, "--yes", code=1)  # in force
    for person in (office.anna, office.bert):
        person("signin", "--trust", path)


def test_who_signs_at_the_broker(office):
    path = edited(office, "longest.trust", "--longest", "2h")
    # a manager sees it, but his key is no owner's
    done = office.max("trust", "propose", path, "--yes", code=77)
    assert "is no owner's" in done.stderr
    # not a word is signed without a yes
    done = office.anna("trust", "propose", path, code=1)
    assert "nothing was signed" in done.stderr
    old = edited(office, "old.trust", "--longest", "3h")
    text = old.read_text().replace("serial: ", "serial: 9")
    old.write_text(text)
    office.anna("trust", "propose", old, "--yes", code=1)
    office.anna("trust", "propose", path, "--yes")
    # another one needs --replace
    other = edited(office, "other.trust", "--longest", "3h")
    done = office.bert("trust", "propose", other, "--yes", code=1)
    assert "proposed already" in done.stderr
    done = office.bert("trust", "propose", other, "--yes", "--replace")
    assert "1 of 2" in done.stdout
    office.max("trust", "withdraw", TENANT, "--yes", code=77)
    office.anna("trust", "withdraw", TENANT, code=1)  # not asked
    office.anna("trust", "withdraw", TENANT, "--yes")
    office.anna("trust", "withdraw", TENANT, "--yes", code=1)


def test_the_switch(office):
    first, off, on = office.now, office.base / "off", office.base / "on"
    office.anna("trust", "off", first, "-o", off, code=2)
    office.anna("trust", "off", first, "--delegate",
                f"{office.max.principal}={office.max.key}.pub", "--until",
                "2020-01-01T00:00:00Z", "-o", off, code=2)
    done = office.anna("trust", "on", first, "-o", on, code=1)
    assert "lockbox is on" in done.stderr and not on.exists()
    done = office.anna("trust", "off", first, "--delegate",
                       f"{office.max.principal}={office.max.key}.pub",
                       "--until", "8h", "-o", off)
    assert "any one of the delegates may approve alone" in done.stderr
    assert "delegation begins" in done.stderr
    assert "next: the owners in" in done.stderr
    put_in_force(office, off)
    until = office.olga.json("tenant", "show", TENANT)["off_until"]
    assert until
    assert "lockbox off until" in office.olga("tenant", "show", TENANT).stdout
    # off once more: a new end takes the place of the old
    later = office.base / "later"
    done = office.anna("trust", "off", off, "--delegate",
                       f"{office.max.principal}={office.max.key}.pub",
                       "--until", "9h", "-o", later)
    assert "delegated until" in done.stderr
    assert later.read_text().count("delegate: ") == 1
    done = office.anna("trust", "on", off, "-o", on)
    assert "delegation ends: only approvers decide" in done.stderr
    put_in_force(office, on)
    assert office.olga.json("tenant", "show", TENANT)["off_until"] is None


def test_the_manager_approves_while_it_is_off(office):
    """One manager alone, and nobody more once it is on again."""
    office.olga("host", "invite", "p1", "--tenant", TENANT)
    off, on = office.base / "off2", office.base / "on2"
    asked = office.endorsed(tenant=TENANT, host="p1")
    office.max("request", "approve", asked, "--yes", code=77)
    office.anna("trust", "off", office.now, "--delegate",
                f"{office.max.principal}={office.max.key}.pub", "--until",
                "8h", "-o", off)
    put_in_force(office, off)
    office.max("request", "approve", asked, "--yes")
    office.tidy()
    office.anna("trust", "on", off, "-o", on)
    put_in_force(office, on)
    again = office.endorsed(tenant=TENANT, host="p1")
    office.max("request", "approve", again, "--yes", code=77)
    office.tidy()


def invited(office, name, *more):
    """Somebody new, and his code."""
    person = Someone(office, name, f"{name}@acme.example")
    done = office.anna("tenant", "invite", TENANT, person.principal, *more)
    assert "good until" in done.stderr and "next: " in done.stderr
    assert "lockbox invitation accept" in done.stderr
    return person, done.stdout.strip()


def accept(person, typed, *more, **options):
    return person("invitation", "accept", "--url", person.office.url, "--ca",
                  person.office.ca, "--tenant", TENANT, "--as",
                  person.principal, "--key", person.key, *more,
                  input=typed + "\n", **options)


def test_from_invitation_to_trust(office):
    dora, code = invited(office, "dora", "--owner", "--mail",
                         "dora@acme.example")
    done = accept(dora, "0000-0000-0000-0000", code=77)
    assert "no such invitation" in done.stderr
    done = accept(dora, code.lower(), "--label", "Dora's laptop")
    mine = CODE.search(done.stdout)[0]
    assert "decides nothing yet" in done.stderr
    shown = office.bert("tenant", "candidates", TENANT)
    assert mine in shown.stdout and "Dora's laptop" in shown.stdout
    assert "by another way than the broker" in shown.stderr
    listed = office.bert.json("tenant", "candidates", TENANT)
    key = listed[0]["key"]
    assert listed[0]["code"] == mine and key in shown.stdout
    dora("signin", code=77)  # what was learnt was kept; not pinned yet
    path = edited(office, "dora.trust", "--approver",
                  f"{dora.principal}={key}")
    put_in_force(office, path)
    assert office.bert.json("tenant", "candidates", TENANT) == []
    dora("signin")
    shown = office.olga("tenant", "show", TENANT).stdout
    assert re.search(r"^approver, owner +dora@acme.example$", shown, re.M)
    assert re.search(r"^approver, owner +bert@acme.example \(no mail address",
                     shown, re.M)


def test_a_code_is_never_an_argument(office):
    emil, code = invited(office, "emil")
    emil("invitation", "accept", code, "--tenant", TENANT, code=2,
         input="")
    done = accept(emil, "", code=1)  # nothing typed
    done = accept(emil, "x", code=1)
    assert "XXXX-XXXX-XXXX-XXXX" in done.stderr
    done = json.loads(accept(emil, code, "--format", "json").stdout)
    assert done["candidate"].startswith("SHA256:")
    assert CODE.fullmatch(done["code"])


def test_invitations(office):
    fred, code = invited(office, "fred")
    again = office.anna.json("tenant", "invite", TENANT, fred.principal)
    assert again["code"] != code
    listed = office.bert.json("tenant", "invitations", TENANT)
    mine = next(i for i in listed if i["principal"] == fred.principal)
    assert mine["state"] == "open" and "code" not in mine
    assert fred.principal in office.bert("tenant", "invitations",
                                         TENANT).stdout
    office.avm("tenant", "invitations", TENANT, code=77)
    office.avm("tenant", "invite", TENANT, fred.principal, code=77)
    office.bert("invitation", "withdraw", mine["id"][:8], code=2)
    office.bert("invitation", "withdraw", mine["id"])
    accept(fred, again["code"], code=77)
    office.anna("tenant", "invite", TENANT, "two words", code=2)
    office.anna("tenant", "invite", "No Tenant", fred.principal, code=2)


def test_remove_a_candidate(office):
    gus, code = invited(office, "gus")
    accept(gus, code)
    mine = next(c for c in office.anna.json("tenant", "candidates", TENANT)
                if c["principal"] == gus.principal)
    office.avm("candidate", "remove", mine["id"], code=77)
    office.anna("candidate", "remove", "xyz", code=2)
    office.anna("candidate", "remove", mine["id"])
    assert gus.principal not in office.anna("tenant", "candidates",
                                            TENANT).stdout


def test_contacts(office):
    bert = PEOPLE["bert"][0]
    office.anna("tenant", "contact", TENANT, bert, code=2)
    office.anna("tenant", "contact", TENANT, bert, "--mail", "a@b.example",
                "--no-mail", code=2)
    office.anna("tenant", "contact", TENANT, bert, "--mail", "no address",
                code=1)
    done = office.anna("tenant", "contact", TENANT, bert, "--mail",
                       "bert@acme.example", "--no-links")
    assert done.stdout.split() == [bert, "approver,", "owner",
                                   "bert@acme.example", "no"]
    listed = office.bert.json("tenant", "contacts", TENANT)
    mine = next(c for c in listed if c["principal"] == bert)
    assert (mine["mail"], mine["links"]) == ("bert@acme.example", False)
    table = office.bert("tenant", "contacts", TENANT).stdout
    assert table.startswith("PRINCIPAL") and "bert@acme.example" in table
    office.anna("tenant", "contact", TENANT, bert, "--links")
    mine = office.anna.json("tenant", "contact", TENANT, bert, "--no-mail")
    assert (mine["mail"], mine["links"]) == (None, True)
    office.avm("tenant", "contacts", TENANT, code=77)


def test_the_broker_is_not_believed(office, tmp_path):
    """Another document than the one in force is noticed before the signature."""
    path = edited(office, "real.trust", "--lease", "1h")
    fork = tmp_path / "fork.trust"
    office.anna("trust", "edit", office.now, "--lease", "2h", "-o", fork)
    for name in ("anna", "bert"):
        person = getattr(office, name)
        person("trust", "sign", fork, "--pin", office.now, "--key",
               person.key, "--yes")
    put_in_force(office, path)
    office.anna("signin", "--trust", fork)  # her own copy says otherwise
    last = edited(office, "last.trust", "--lease", "3h")
    done = office.anna("trust", "propose", last, "--yes", code=1)
    assert "somebody is wrong, sign nothing" in done.stderr
    office.anna("signin", "--trust", path)
    office.anna("trust", "propose", last, "--yes")
    office.anna("trust", "withdraw", TENANT, "--yes")
