"""The attacker: a broker that owns the real one's keys and lies.

Each attack prints "NAME: control ok, attack refused". The control is the
honest case through the same path (real sshd, module, agent, courier), the
attack differs from it in one thing, and must be refused for the right reason:
the code in the one syslog line of the attempt.
"""

import time

import papers
import pytest
from papers import TOUCH, VERIFIED, stamp
from stage import Stage

from world import HOST, World

ATTACKS = []


def attack(function):
    """Collect a function as one named attack."""
    ATTACKS.append(function)
    return function


# --- what was approved ----------------------------------------------------


@attack
def unapproved(s, c):
    s.compare("approvals_missing", c.grant(s.avm, c.bert), c.grant(s.avm))


@attack
def approved_by_the_broker(s, c):
    s.compare("approvals_missing", c.grant(s.avm, c.bert),
              c.grant(s.avm, s.liar.key))


@attack
def approved_by_a_stranger(s, c):
    s.compare("approvals_missing", c.grant(s.avm, c.bert),
              c.grant(s.avm, papers.Ed25519()))


def altered(grant, old, new):
    assert old in grant.text, (old, grant.text)
    grant.text = grant.text.replace(old, new)
    return grant


@attack
def widened_host(s, c):
    other = {"host": ["other1"]}
    s.compare("approval_signature", c.grant(s.avm, c.bert), altered(
        c.grant(s.avm, c.bert, request_knobs=other), "host: other1",
        f"host: other1\nhost: {HOST}"))


@attack
def widened_login(s, c):
    s.compare("approval_signature", c.grant(s.avm, c.bert), altered(
        c.grant(s.avm, c.bert, login="deploy"), "login: deploy",
        "login: avm\nlogin: deploy"))


@attack
def widened_service(s, c):
    s.compare("approval_signature", c.grant(s.avm, c.bert), altered(
        c.grant(s.avm, c.bert, service="sudo"), "service: sudo",
        "service: sshd\nservice: sudo"))


@attack
def prolonged(s, c):
    now = int(time.time())
    over = c.grant(s.avm, c.bert, not_before=stamp(now - 600),
                   not_after=stamp(now - 1), issued=stamp(now - 600))
    s.compare("approval_signature", c.grant(s.avm, c.bert),
              altered(over, stamp(now - 1), stamp(now + 600)))


@attack
def other_host(s, c):
    s.compare("grant_host", c.grant(s.avm, c.bert), c.grant(
        s.avm, c.bert, request_knobs={"host": ["other1"]}))


@attack
def other_login(s, c):
    s.compare("grant_login", c.grant(s.avm, c.bert),
              c.grant(s.avm, c.bert, request_knobs={"login": ["deploy"]}))


@attack
def other_service(s, c):
    s.compare("grant_service", c.grant(s.avm, c.bert),
              c.grant(s.avm, c.bert, request_knobs={"service": ["sudo"]}))


@attack
def other_tenant(s, c):
    s.compare("grant_tenant", c.grant(s.avm, c.bert),
              c.grant(s.avm, c.bert, request_knobs={"tenant": "globex"}))


@attack
def other_broker(s, c):
    s.compare("grant_broker", c.grant(s.avm, c.bert),
              c.grant(s.avm, c.bert, request_knobs={"broker": "rival"}))


@attack
def mixed_of_two_grants(s, c):
    """One grant has the host, the other the login: together nothing."""
    honest = c.grant(s.avm, c.bert)
    host = c.grant(s.avm, c.bert, request_knobs={"login": ["deploy"]})
    login = c.grant(s.avm, c.bert, request_knobs={"host": ["other1"]})
    s.opens(lambda q: s.liar.allow(q, honest, host, login))
    s.refused(("grant_host", "grant_login"),
              lambda q: s.liar.allow(q, host, login))


@attack
def a_second_late(s, c):
    now = int(time.time())
    s.compare("grant_over", c.grant(s.avm, c.bert), c.grant(
        s.avm, c.bert, not_before=stamp(now - 600), not_after=stamp(now - 1),
        issued=stamp(now - 600)))


@attack
def early(s, c):
    now = int(time.time())
    s.compare("grant_not_yet", c.grant(s.avm, c.bert), c.grant(
        s.avm, c.bert, not_before=stamp(now + 15), not_after=stamp(now + 600)))


@attack
def longer_than_trust_allows(s, c):
    s.pin(c.trust(longest=900))
    now = int(time.time())
    s.compare("grant_too_long", c.grant(s.avm, c.bert), c.grant(
        s.avm, c.bert, not_before=stamp(now - 60), not_after=stamp(now + 841)))


@attack
def approved_long_ago(s, c):
    now = int(time.time())
    s.compare("grant_malformed", c.grant(s.avm, c.bert), c.grant(
        s.avm, c.bert, issued=stamp(now - 31 * 86400 + 599)))


@attack
def grant_that_the_answer_does_not_name(s, c):
    honest = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, honest))
    s.refused(("grant_absent", "no_grant"),
              lambda q: s.liar.allow(q, honest, ids=["sha256:" + "0" * 64]))


@attack
def signed_for_another_purpose(s, c):
    for namespace in ("deny", "trust", "endorse", "request"):
        s.compare("approvals_missing", c.grant(s.avm, c.anna),
                  c.grant(s.avm, c.anna, namespace=namespace))


# --- who approved -----------------------------------------------------------


@attack
def own_approval_by_key(s, c):
    s.pin(c.trust(approver=[
        c.anna.pinned("anna@acme.example", "approve", "trust"),
        s.avm.pinned("anton@acme.example", "approve")]))
    s.compare(("approval_own", "approvals_missing"), c.grant(s.avm, c.anna),
              c.grant(s.avm, s.avm))


@attack
def own_approval_by_name(s, c):
    second = papers.Ed25519()
    s.pin(c.trust(approver=[
        c.anna.pinned("anna@acme.example", "approve", "trust"),
        second.pinned("avm@provider.example", "approve")]))
    s.compare(("approval_own", "approvals_missing"), c.grant(s.avm, c.anna),
              c.grant(s.avm, second))


def two_needed(c, **knobs):
    """Threshold two; anna and bert own and approve."""
    approver = knobs.pop("approver", []) + [
        c.anna.pinned("anna@acme.example", "approve", "trust"),
        c.bert.pinned("bert@acme.example", "approve", "trust")]
    return c.trust(threshold=2, approver=approver, **knobs)


@attack
def one_of_two(s, c):
    s.pin(two_needed(c))
    s.compare("approvals_missing", c.grant(s.avm, c.anna, c.bert),
              c.grant(s.avm, c.anna))


@attack
def one_signature_twice(s, c):
    s.pin(two_needed(c))
    s.compare("approvals_missing", c.grant(s.avm, c.anna, c.bert),
              c.grant(s.avm, c.anna, c.anna))


@attack
def one_key_under_two_names(s, c):
    s.pin(two_needed(c, approver=[
        c.anna.pinned("annette@acme.example", "approve")]))
    s.compare("approvals_missing", c.grant(s.avm, c.anna, c.bert),
              c.grant(s.avm, c.anna, c.anna))


@attack
def one_person_with_two_keys(s, c):
    second = papers.Ed25519()
    s.pin(two_needed(c, approver=[
        second.pinned("anna@acme.example", "approve")]))
    s.compare("approvals_missing", c.grant(s.avm, second, c.bert),
              c.grant(s.avm, c.anna, second))


@attack
def two_hooks_of_two(s, c):
    one, two = papers.Ed25519(), papers.Ed25519()
    s.pin(two_needed(c, hook=[one.pinned("tickets", "approve"),
                              two.pinned("rota", "approve")]))
    s.compare("approvals_missing", c.grant(s.avm, one, c.bert),
              c.grant(s.avm, one, two))


@attack
def approver_out_of_his_dates(s, c):
    now = int(time.time())
    late, soon = papers.Ed25519(), papers.Ed25519()
    s.pin(c.trust(approver=[
        c.anna.pinned("anna@acme.example", "approve", "trust",
                      after=now - 60, before=now + 3600),
        late.pinned("late@acme.example", "approve", before=now - 1),
        soon.pinned("soon@acme.example", "approve", after=now + 600)]))
    for key in (late, soon):
        s.compare("approval_dates", c.grant(s.avm, c.anna),
                  c.grant(s.avm, key))


@attack
def approver_who_may_only_deny(s, c):
    denier = papers.Ed25519()
    s.pin(c.trust(approver=[
        c.anna.pinned("anna@acme.example", "approve", "trust"),
        denier.pinned("dora@acme.example", "deny")]))
    s.compare("approvals_missing", c.grant(s.avm, c.anna),
              c.grant(s.avm, denier))


def with_keys(c, require, *keys, **knobs):
    """anna owns with the first key; each key approves under its own name."""
    lines = [keys[0].pinned("anna@acme.example", "approve", "trust")]
    lines += [key.pinned(f"person{n}@acme.example", "approve")
              for n, key in enumerate(keys[1:])]
    return c.trust(require=require, approver=lines, **knobs)


@attack
def touchless_security_key(s, c):
    good, lazy = papers.SkEd25519(TOUCH), papers.SkEd25519(0)
    s.pin(with_keys(c, "touch", good, lazy))
    s.compare(("approval_touch", "approvals_missing"), c.grant(s.avm, good),
              c.grant(s.avm, lazy))


@attack
def plain_key_where_touch_is_required(s, c):
    good = papers.SkP256(TOUCH)
    s.pin(with_keys(c, "touch", good, c.bert))
    s.compare(("approval_touch", "approvals_missing"), c.grant(s.avm, good),
              c.grant(s.avm, c.bert))


@attack
def unverified_where_verification_is_required(s, c):
    good = papers.SkEd25519(TOUCH | VERIFIED)
    touched = papers.SkEd25519(TOUCH)
    s.pin(with_keys(c, "verified", good, touched))
    s.compare(("approval_touch", "approvals_missing"), c.grant(s.avm, good),
              c.grant(s.avm, touched))


PAGE = "approve.acme.example https://approve.acme.example"


@attack
def passkey_from_another_origin(s, c):
    key = papers.Passkey("approve.acme.example",
                         "https://approve.acme.example")
    s.pin(with_keys(c, "any", c.anna, key, page=[PAGE]))
    honest = c.grant(s.avm, key)
    key.origin = "https://evil.example"
    s.compare(("approval_page", "approvals_missing"), honest,
              c.grant(s.avm, key))


@attack
def passkey_without_a_page(s, c):
    key = papers.Passkey("approve.acme.example",
                         "https://approve.acme.example")
    s.pin(with_keys(c, "any", c.anna, key, page=[PAGE]))
    grant = c.grant(s.avm, key)
    s.opens(lambda q: s.liar.allow(q, grant))
    s.pin(with_keys(c, "any", c.anna, key))
    s.refused(("approval_page", "approvals_missing"),
              lambda q: s.liar.allow(q, grant))


# --- lockbox off: delegation ------------------------------------------------


def delegated(c, until, *delegates):
    return c.trust(delegate=[key.pinned(name, "approve")
                             for key, name in delegates],
                   delegate_until=stamp(until))


@attack
def delegation_past_its_end(s, c):
    boss = papers.Ed25519()
    grant = c.grant(s.avm, boss)
    now = int(time.time())
    s.pin(delegated(c, now + 3600, (boss, "max@provider.example")))
    s.opens(lambda q: s.liar.allow(q, grant))
    s.pin(delegated(c, now - 1, (boss, "max@provider.example")))
    s.refused(("approvals_missing", "delegation_over"),
              lambda q: s.liar.allow(q, grant))


@attack
def delegate_approves_himself(s, c):
    boss = papers.Ed25519()
    now = int(time.time())
    s.pin(delegated(c, now + 3600, (boss, "max@provider.example"),
                    (s.avm, "avm@provider.example")))
    s.compare(("approval_own", "approvals_missing"), c.grant(s.avm, boss),
              c.grant(s.avm, s.avm))


# --- deny and revoke --------------------------------------------------------


@attack
def revoked_then_replayed(s, c):
    """Once the host has seen the revocation, the broker cannot hide it."""
    grant, other = c.grant(s.avm, c.bert), c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    revoked = grant.text + "".join(grant.signatures) + c.anna.sign(
        "revoke", grant.text)
    s.refused("no_grant", lambda q: s.liar.signed(papers.answer(
        q, "deny", "no_grant")) + revoked)
    s.refused("grant_revoked", lambda q: s.liar.allow(q, grant))
    s.opens(lambda q: s.liar.allow(q, other))


@attack
def denied_then_approved(s, c):
    request = c.request(s.avm)
    grant, other = c.grant(s.avm, c.bert, request=request), c.grant(
        s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    denial = request[0] + request[1][0] + c.anna.sign("deny", request[0])
    s.refused("no_grant", lambda q: s.liar.signed(papers.answer(
        q, "deny", "no_grant")) + denial)
    s.refused("request_denied", lambda q: s.liar.allow(q, grant))
    s.opens(lambda q: s.liar.allow(q, other))


# --- trust ------------------------------------------------------------------


def successor(c, trust, *owners, **knobs):
    """The next trust document, signed by the given owners."""
    serial = int(papers.fields(trust)["serial"])
    text = c.trust(**{"serial": serial + 1, "previous": papers.doc_id(trust),
                      **knobs})
    return text, text + "".join(key.sign("trust", text) for key in owners)


def trust_first(s, bundle):
    """Answer trust_first with the bundle once, then allow the grant."""
    def reply_with(grant):
        served = []

        def reply(question):
            if not served:
                served.append(True)
                return s.liar.signed(papers.answer(
                    question, "deny", "trust_first")) + bundle
            return s.liar.allow(question, grant)
        return reply
    return reply_with


@attack
def removed_approver(s, c):
    """A later trust document without bert ends his approvals at once."""
    grant, other = c.grant(s.avm, c.bert), c.grant(s.avm, c.anna)
    s.opens(lambda q: s.liar.allow(q, grant))
    _, bundle = successor(c, s.trust, c.anna, approver=[
        c.anna.pinned("anna@acme.example", "approve", "trust")])
    s.opens(trust_first(s, bundle)(other))
    s.refused("approvals_missing", lambda q: s.liar.allow(q, grant))


@attack
def trust_signed_by_the_broker(s, c):
    thief = papers.Ed25519()
    approver = [c.anna.pinned("anna@acme.example", "approve", "trust"),
                thief.pinned("thief@acme.example", "approve")]
    grant = c.grant(s.avm, thief)
    _, forged = successor(c, s.trust, s.liar.key, thief, approver=approver)
    s.refused(("trust_refused", "trust_first", "approvals_missing"),
              trust_first(s, forged)(grant))
    _, true = successor(c, s.trust, c.anna, approver=approver)
    s.opens(trust_first(s, true)(grant))


@attack
def trust_below_the_owners_threshold(s, c):
    s.pin(two_needed(c))
    alone = [c.anna.pinned("anna@acme.example", "approve", "trust")]
    grant = c.grant(s.avm, c.anna)
    knobs = {"threshold": 1, "approver": alone}
    _, forged = successor(c, s.trust, c.anna, **knobs)
    s.refused(("trust_refused", "trust_first", "approvals_missing"),
              trust_first(s, forged)(grant))
    _, true = successor(c, s.trust, c.anna, c.bert, **knobs)
    s.opens(trust_first(s, true)(grant))


@attack
def stale_trust_again(s, c):
    """After the successor, the older document is no successor any more."""
    grant = c.grant(s.avm, c.bert)
    first = s.trust
    text, bundle = successor(c, first, c.anna, approver=[
        c.anna.pinned("anna@acme.example", "approve", "trust")])
    s.opens(trust_first(s, bundle)(c.grant(s.avm, c.anna)))
    s.refused(("trust_refused", "trust_first", "approvals_missing"),
              trust_first(s, first + c.anna.sign("trust", first))(grant))
    _, again = successor(c, text, c.anna)
    s.opens(trust_first(s, again)(grant))


@attack
def forked_trust(s, c):
    """Two successors of one document: the first one taken stays."""
    grant = c.grant(s.avm, c.bert)
    first = s.trust
    _, one = successor(c, first, c.anna, approver=[
        c.anna.pinned("anna@acme.example", "approve", "trust")])
    _, two = successor(c, first, c.anna, longest=7200)
    s.opens(trust_first(s, one)(c.grant(s.avm, c.anna)))
    s.refused(("trust_refused", "trust_first", "approvals_missing"),
              trust_first(s, two)(grant))


@attack
def trust_of_another_tenant(s, c):
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    _, other = successor(c, s.trust, c.anna, tenant="globex")
    s.refused(("trust_refused", "trust_first"), lambda q: s.liar.signed(
        papers.answer(q, "deny", "trust_first")) + other)


@attack
def trust_past_its_good_until(s, c):
    now = int(time.time())
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    s.pin(c.trust(good_until=stamp(now - 1)))
    s.refused("trust_over", lambda q: s.liar.allow(q, grant))


@attack
def request_not_signed_by_the_engineer(s, c):
    """With engineer lines the broker cannot say whose keys are whose."""
    s.pin(c.trust(engineer=[s.avm.pinned("avm@provider.example", "request")]))
    forged = c.request(s.avm, sign_with=s.liar.key)
    s.compare("request_unsigned", c.grant(s.avm, c.bert),
              c.grant(s.avm, c.bert, request=forged))


@attack
def request_withheld(s, c):
    s.pin(c.trust(engineer=[s.avm.pinned("avm@provider.example", "request")]))
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    s.refused(("request_unsigned", "request_missing"),
              lambda q: s.liar.allow(q, grant, with_request=False))


@attack
def grant_beyond_the_request(s, c):
    s.pin(c.trust(engineer=[s.avm.pinned("avm@provider.example", "request")]))
    asked = c.request(s.avm, login=["deploy"])
    s.compare(("request_exceeded"),
              c.grant(s.avm, c.bert),
              c.grant(s.avm, c.bert, request=asked, login="avm"))


# --- the answer -------------------------------------------------------------


@attack
def replayed_answer(s, c):
    grant = c.grant(s.avm, c.bert)
    kept = []

    def keep(question):
        kept.append(s.liar.allow(question, grant))
        return kept[-1]
    s.opens(keep) # two questions: at account and at open_session
    for answer in list(kept):
        s.refused("answer_question", lambda q: answer)


def substituted(s, grant, name, value):
    """A signed answer to a question in which one line was changed."""
    def reply(question):
        lines = [f"{name}: {value}" if line.startswith(name + ": ") else line
                 for line in question.splitlines()]
        return s.liar.allow("\n".join(lines) + "\n", grant)
    return reply


@attack
def answer_to_another_question(s, c):
    grant = c.grant(s.avm, c.bert)
    for name, value in (("host", "other1"), ("tenant", "globex"),
                        ("login", "deploy"), ("service", "sudo"),
                        ("nonce", "0" * 32), ("trust", "sha256:" + "0" * 64),
                        ("asked", "2026-01-01T00:00:00Z")):
        s.opens(lambda q: s.liar.allow(q, grant))
        s.refused("answer_question", substituted(s, grant, name, value))


@attack
def answer_by_another_key(s, c):
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    for key in (papers.Ed25519(), c.anna):
        s.refused("answer_signature", lambda q: s.liar.allow(q, grant, key=key))


@attack
def answer_unsigned(s, c):
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    s.refused("answer_signature", lambda q: papers.answer(
        q, grants=[grant.id]) + grant.parts())


@attack
def answer_altered_after_signing(s, c):
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))

    def lie(question):
        text = papers.answer(question, "deny", "no_grant")
        changed = papers.answer(question, grants=[grant.id])
        return changed + s.liar.key.sign("answer", text) + grant.parts()
    s.refused("answer_signature", lie)


@attack
def clocks_apart(s, c):
    grant = c.grant(s.avm, c.bert)
    for shift in (-90, 90):
        s.opens(lambda q: s.liar.allow(q, grant))
        s.refused("clock_skew", lambda q: s.liar.allow(
            q, grant, now=time.time() + shift))


@attack
def answer_past_its_good_until(s, c):
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    now = int(time.time())
    s.refused("answer_over", lambda q: s.liar.allow(
        q, grant, answered=now - 20, good_until=now - 5))


@attack
def verdict_deny_with_grants(s, c):
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    s.refused("no_grant", lambda q: s.liar.signed(papers.answer(
        q, "deny", "no_grant")) + grant.parts())


@attack
def damaged_bytes(s, c):
    """Truncated and bit-flipped bundles, a sample of each."""
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    for part in (0.1, 0.5, 0.9, 0.999):
        s.refused(("broker_garbage", "answer_signature", "answer_missing",
                   "grant_absent", "no_grant", "approvals_missing"),
                  lambda q: (lambda b: b[:int(len(b) * part)])(
                      s.liar.allow(q, grant)))
    for part in (0.05, 0.3, 0.55, 0.62):
        def flip(question):
            sent = bytearray(s.liar.allow(question, grant).encode())
            sent[int(len(sent) * part)] ^= 1
            return bytes(sent)
        s.refused(("broker_garbage", "answer_signature", "answer_missing",
                   "answer_question", "grant_absent", "no_grant",
                   "approvals_missing"), flip)


@attack
def host_clock_set_back(s, c):
    """An hour back, where an old grant still ran; the broker plays along."""
    hour = 3600
    now = int(time.time())
    grant = c.grant(s.avm, c.bert, not_before=stamp(now - 2 * hour),
                    not_after=stamp(now + 600), issued=stamp(now - 2 * hour))

    def in_the_past(question):
        return s.liar.allow(question, grant, now=time.time() - hour)
    back = {"SHIFT_CLOCK": str(-hour), "LD_PRELOAD": str(
        s.world.build / "tests" / "tools" / "shift_clock.so")}
    # A host that never heard a later answer believes its clock.
    s.world.services["agent"].stop()
    s.world.start_agent(env=back)
    s.opens(in_the_past)
    # One that did, does not.
    s.pin(c.trust())
    s.opens(lambda q: s.liar.allow(q, grant))
    s.world.services["agent"].stop()
    s.world.start_agent(env=back)
    s.refused("clock_floor", in_the_past)


# --- the engineer's side -----------------------------------------------------


def deploy_grant(s, c, key):
    return c.grant(key, c.bert, request_knobs={"login": ["deploy"]})


@attack
def another_engineers_key_on_a_shared_login(s, c):
    """avm has the grant for deploy; eve's key is in authorized_keys too."""
    grant = deploy_grant(s, c, s.avm)
    for port in (s.world.ssh_port, s.world.ssh_port_kbdint):
        s.opens(lambda q: s.liar.allow(q, grant), person="avm",
                login="deploy", port=port)
        s.refused("grant_key", lambda q: s.liar.allow(q, grant),
                  person="eve", login="deploy", port=port)


@attack
def key_forged_in_pam_environment(s, c):
    """eve writes avm's key into deploy's ~/.pam_environment."""
    grant = deploy_grant(s, c, s.avm)
    path = s.world.path("home", "deploy", ".pam_environment")
    path.write_text("SSH_AUTH_INFO_0 DEFAULT=\"publickey "
                    f"{s.avm.public()}\"\n")
    try:
        s.opens(lambda q: s.liar.allow(q, grant), person="avm", login="deploy")
        s.refused("grant_key", lambda q: s.liar.allow(q, grant),
                  person="eve", login="deploy")
    finally:
        path.unlink()


@attack
def keyboard_interactive_without_a_key(s, c):
    """A site that also takes passwords: no key is known, nobody gets in."""
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    s.refused(("key_unknown",), lambda q: s.liar.allow(q, grant),
              port=s.world.ssh_port_password, password=True)


@attack
def expired_password(s, c):
    """pam_unix's "new password required" never replaces our answer."""
    grant = c.grant(s.avm, c.bert)
    s.opens(lambda q: s.liar.allow(q, grant))
    with s.world.expired_password("avm"):
        s.refused("no_grant", lambda q: s.liar.signed(papers.answer(
            q, "deny", "no_grant")))


@pytest.fixture(scope="module")
def stage(build):
    with World(build) as world:
        stage = Stage(world)
        yield stage
        stage.liar.close()


@pytest.mark.parametrize("run", ATTACKS, ids=lambda f: f.__name__)
def test_attack(stage, run, capsys):
    run(stage, stage.begin())
    with capsys.disabled():
        print(f"\n{run.__name__}: control ok, attack refused", end="")


def test_there_are_at_least_thirty_attacks():
    assert len(ATTACKS) >= 30
