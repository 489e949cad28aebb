"""Take single checks out of the decision: the unit tests must notice.

Each mutation below removes or weakens one check in a copy of lib/ or of one of
the agent's or the broker's pure rooms. The copy of that file is loaded before
the others into the tests of the decision, and at least one of them must fail. A mutation that survives, or whose text is not
found exactly once any more, is a failure of this run.

  mutate.py [--list] [--jobs N] [--verbose] [WORD ...]

With words only the mutations are run whose name contains one of them.
"""

import argparse
import concurrent.futures
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TESTS = ("judge", "trust", "kills", "match", "papers", "decide", "rules",
         "origin", "passkey", "candidate", "address")
# Pure rooms that decide besides lib/: what needs nobody's answer at the door,
# who may do what, where a browser's call may come from, which keys may be
# brought for signing into trust, whom a webhook may reach.
ROOMS = {path.name: path for path in (
    TOP / "agent" / "decide.c",
    *(TOP / "broker" / name for name in
      ("rules.c", "origin.c", "passkey.c", "candidate.c", "address.c")))}
# What those need.
BESIDE = (*(TOP / "agent" / name for name in
            ("procs.c", "sessions.c", "state.c")),
          TOP / "broker" / "rows.c")
PACKAGES = ("libsodium", "libutf8proc", "cmocka")
# Every call between files goes through the dynamic linker (-fPIC, nothing
# hidden), so that one file can be exchanged by LD_PRELOAD.
FLAGS = ("-std=gnu11", "-O1", "-w", "-fPIC", "-fno-ipa-cp", "-fno-inline",
         "-fsemantic-interposition", "-D_GNU_SOURCE",
         "-ftrivial-auto-var-init=zero")
TIMEOUT = 60  # seconds for one test program


class Mutation:
    """Replace the only place of old in file by new."""

    def __init__(self, name, file, old, new):
        self.name, self.file, self.old, self.new = name, file, old, new
        self.path = ROOMS.get(file, TOP / "lib" / file)
        self.where = self.path.relative_to(TOP)

    def apply(self, text):
        if text.count(self.old) != 1:
            return None
        return text.replace(self.old, self.new)


class Unchanged(Mutation):
    """No change at all."""

    def __init__(self, file):
        super().__init__("unchanged", file, "", "")

    def apply(self, text):
        return text


def row(name, code, check, when="EVER"):
    """A row of the table of terms, taken out."""
    return Mutation(name, "judge.c", f'\t{{ "{code}", {check}, {when} }},\n', "")


def gone(name, file, condition, never="false"):
    """A condition that never holds, or always."""
    return Mutation(name, file, condition, never)


MUTATIONS = [
    # The answer.
    gone("answer: one answer only", "judge.c",
         "b->part[i].type == &lb_answer_type &&\n\t\t    &b->part[i] != h->part",
         "false"),
    gone("answer: signature", "judge.c",
         "!lb_trust_answer_signed(\n\t\th->c->trust, h->part, "
         "h->question.broker, h->c->now)"),
    gone("answer: by the broker that was asked", "quorum.c",
         "signed_by(t, part, LB_KIND_BROKER, broker, LB_NS_ANSWER, now)",
         "signed_by(t, part, LB_KIND_BROKER, t->broker.item[t->broker.count - 1]"
         ".principal, LB_NS_ANSWER, now) || signed_by(t, part, LB_KIND_BROKER, "
         "broker, LB_NS_ANSWER, now)"),
    gone("answer: namespace", "quorum.c",
         "signed_by(t, part, LB_KIND_BROKER, broker, LB_NS_ANSWER, now)",
         "signed_by(t, part, LB_KIND_BROKER, broker, LB_NS_REPORT, now)"),
    gone("answer: repeats the question (nonce)", "judge.c",
         "!lb_answer_repeats(h->part->doc.text, h->part->doc.len,\n"
         "\t\th->c->question, h->c->question_len)"),
    gone("answer: repeats it to the last byte", "papers_relate.c",
         "memcmp(a, q, q_len) == 0", "memcmp(a, q, q_len / 2) == 0"),
    gone("question: this tenant's", "judge.c",
         "strcmp(h->question.tenant, c->trust->tenant) != 0"),
    gone("question: under this trust", "judge.c",
         "strcmp(h->question.trust, c->trust->id) != 0"),
    gone("clock: broker behind", "judge.c",
         "now - answered > LB_CLOCK_SKEW_MAX"),
    gone("clock: broker ahead", "judge.c",
         "answered - now > LB_CLOCK_SKEW_MAX"),
    gone("clock: floor", "judge.c", "now < h->c->floor"),
    gone("clock: floor rises", "judge.c",
         "ret->floor = earlier(h->answer.answered, h->c->now);",
         "ret->floor = floor;"),
    gone("clock: floor never past our own clock", "judge.c",
         "ret->floor = earlier(h->answer.answered, h->c->now);",
         "ret->floor = h->answer.answered;"),
    gone("clock: floor never falls", "judge.c", "if (ret->floor < floor)",
         "if (false)"),
    gone("clock: floor is proven first", "judge.c",
         "\t\tdeny(ret, code);\n\t\tret->floor = floor;",
         "\t\tdeny(ret, code);\n\t\tret->floor = h->answer.answered > floor ? "
         "h->answer.answered : floor;"),
    gone("answer: good-until", "judge.c", "now >= h->answer.good_until"),
    gone("answer: good-until reached", "judge.c",
         "now >= h->answer.good_until", "now > h->answer.good_until"),
    gone("answer: good for a day at most", "judge.c",
         "h->answer.good_until - answered > LB_LEASE_MAX"),
    gone("answer: verdict", "judge.c", 'strcmp(a->verdict, "allow") == 0',
         "true"),
    gone("answer: names the grant", "judge.c",
         "!named(&h->answer, gc.part->id)"),
    gone("answer: the broker's code is a word", "judge.c",
         "a->code[strspn(a->code, ALL_LETTERS)] != '\\0'"),
    gone("answer: not our word for yes", "judge.c",
         'strcmp(a->code, "granted") == 0'),

    # The terms of the grant.
    row("grant: tenant", "grant_tenant", "tenant_fits"),
    row("grant: broker", "grant_broker", "broker_fits"),
    row("grant: host", "grant_host", "host_fits"),
    row("grant: login", "grant_login", "login_fits", "ASKED"),
    row("grant: service", "grant_service", "service_fits", "ASKED"),
    row("grant: key", "grant_key", "keys_fit", "ASKED"),
    gone("grant: every key", "judge.c",
         "c->keys != NULL && i < c->keys->count",
         "c->keys != NULL && i < c->keys->count && i < 1"),
    row("grant: longest", "grant_too_long", "span_fits"),
    row("grant: issued in the future", "grant_not_yet", "issued_fits"),
    row("grant: not-before", "grant_not_yet", "begun", "ASKED"),
    row("grant: not-after", "grant_over", "not_over"),
    gone("grant: not-after half open", "judge.c", "c->now < g->not_after",
         "c->now <= g->not_after"),
    gone("grant: longest to the second", "judge.c",
         "g->not_after - g->not_before <= c->trust->longest",
         "g->not_after - g->not_before <= c->trust->longest + 1"),
    gone("grant: age", "papers.c",
         "!span_within(g->issued, g->not_after, LB_GRANT_AGE_MAX)"),
    row("revoked, kept", "grant_revoked", "not_revoked"),
    row("revoked, in the bundle", "grant_revoked", "not_revoked_here"),
    row("denied, kept", "request_denied", "not_denied"),
    row("denied, in the bundle", "request_denied", "not_denied_here"),
    gone("grant: exact host", "papers_relate.c",
         "strcmp(l.item + i * l.size, s) == 0",
         "strstr(l.item + i * l.size, s) != NULL"),
    gone("trust: good-until", "judge.c", "c->now >= c->trust->good_until"),
    gone("trust: good-until half open", "judge.c",
         "c->now >= c->trust->good_until", "c->now > c->trust->good_until"),
    gone("provisional is said", "judge.c",
         "c->keys == NULL || c->keys->count == 0", "false"),
    gone("grants: the latest is taken", "judge.c",
         "one.not_after > ret->not_after", "false"),
    gone("lease: answer's good-until", "judge.c",
         "earlier(ret->not_after, earlier(a->good_until, lease))",
         "earlier(ret->not_after, lease)"),
    gone("lease: trust's lease", "judge.c",
         "earlier(ret->not_after, earlier(a->good_until, lease))",
         "earlier(ret->not_after, a->good_until)"),
    gone("lease: not-after", "judge.c",
         "earlier(ret->not_after, earlier(a->good_until, lease))",
         "earlier(a->good_until, lease)"),

    # Without any answer.
    gone("offline: the customer lets", "judge.c",
         "\telse if (c->trust->offline)\n\t\tlb_grant_judge(c, ret);",
         "\telse\n\t\tlb_grant_judge(c, ret);"),
    gone("offline: floor", "judge.c", "c->trust->offline && c->now < floor"),
    gone("offline: the floor is told", "judge.c", "\tret->floor = floor;\n\tif "
         "(ret->verdict", "\tif (ret->verdict"),
    gone("offline: is said", "judge.c", "\tret->offline = true;\n", ""),
    gone("offline: has its own word", "judge.c",
         'code_set(ret, "granted_offline")', 'code_set(ret, "granted")'),
    gone("offline: all terms", "judge.c",
         "(void)grant_weigh(c, ASKED, w, ret);",
         "(void)grant_weigh(c, EVER, w, ret);"),
    gone("kept: the customer lets", "judge.c",
         "r.verdict == LB_VERDICT_ALLOW && !c->trust->offline"),
    gone("kept: by all that holds ever", "judge.c",
         "if (terms[i].when > when ||", "if (when == EVER ||"),
    gone("kept: whoever will ask", "judge.c",
         "(void)grant_weigh(c, EVER, w, &r);",
         "(void)grant_weigh(c, ASKED, w, &r);"),

    # The engineer's own request.
    gone("request: asked for at all", "judge.c",
         "c->trust->engineer.count == 0", "true"),
    gone("request: there", "judge.c",
         'if (part == NULL)\n\t\treturn "request_missing";',
         "if (part == NULL)\n\t\treturn NULL;"),
    gone("request: signed", "judge.c",
         "!lb_trust_request_signed(c->trust, part, &w->request, c->now)"),
    gone("request: signed by that engineer", "quorum.c",
         "strcmp(l->item[i].principal, principal) == 0", "true"),
    gone("request: namespace", "quorum.c",
         "t, part, LB_KIND_ENGINEER, request->engineer, LB_NS_REQUEST, now)",
         "t, part, LB_KIND_APPROVER, request->engineer, LB_NS_REQUEST, now)"),
    gone("request: within it", "judge.c",
         "!lb_grant_within(&w->grant, &w->request, part->id)"),
    gone("within: tenant", "papers_relate.c",
         "strcmp(g->tenant, r->tenant) == 0", "true"),
    gone("within: broker", "papers_relate.c",
         "strcmp(g->broker, r->broker) == 0", "true"),
    gone("within: engineer", "papers_relate.c",
         "strcmp(g->engineer, r->engineer) == 0", "true"),
    gone("within: ticket", "papers_relate.c",
         "strcmp(g->ticket, r->ticket) == 0", "true"),
    gone("within: reason type", "papers_relate.c",
         "strcmp(g->reason_type, r->reason_type) == 0", "true"),
    gone("within: reason", "papers_relate.c",
         "strcmp(g->reason, r->reason) == 0", "true"),
    gone("within: duration", "papers_relate.c",
         "g->not_after - g->not_before > r->duration + LB_BACKDATE_MAX"),
    gone("within: start", "papers_relate.c",
         "r->start == 0 || g->not_before >= r->start - LB_BACKDATE_MAX",
         "true"),
    gone("within: key", "papers_relate.c",
         "list_within(\n\t\tLIST(&grant->engineer_key), "
         "LIST(&request->engineer_key))", "true"),
    gone("within: host", "papers_relate.c",
         "list_within(LIST(&grant->host), LIST(&request->host))", "true"),
    gone("within: login", "papers_relate.c",
         "list_within(LIST(&grant->login), LIST(&request->login))", "true"),
    gone("within: service", "papers_relate.c",
         "list_within(LIST(&grant->service), LIST(&request->service))", "true"),

    # One grant in another's place.
    gone("extension: services", "papers_relate.c",
         "list_within(LIST(&earlier->service), LIST(&later->service))",
         "true"),
    gone("extension: logins", "papers_relate.c",
         "list_within(LIST(&earlier->login), LIST(&later->login))", "true"),

    # Who may approve.
    gone("approvals: threshold", "quorum.c",
         "ret->reached = ret->counted >= ret->needed;",
         "ret->reached = ret->counted >= 1;"),
    gone("approvals: signature", "quorum.c",
         "lb_sshsig_verify(&sig, ns, part->doc.text, part->doc.len) !=\n"
         "\t    LB_OK"),
    gone("approvals: namespace of the signature", "quorum.c",
         "strcmp(sig.ns, lb_ns_name(ns)) != 0 ||", ""),
    gone("approvals: namespace of the line", "quorum.c",
         "(line->namespaces & (unsigned int)ns) == 0"),
    gone("approvals: key of the line", "quorum.c",
         "!lb_sshkey_equal(&l->item[i].key, &sig->key)"),
    gone("approvals: dates", "quorum.c", "!lb_pinned_in_dates(line, now)"),
    gone("dates: not before", "pinned.c", "now >= pinned->valid_after",
         "true"),
    gone("dates: not after", "pinned.c", "now < pinned->valid_before", "true"),
    gone("approvals: page", "quorum.c",
         "lb_sshkey_is_passkey(&line->key) &&\n", "false &&\n"),
    gone("page: RP-ID", "quorum.c", "strcmp(p->rp_id, rp_id) != 0"),
    gone("page: origin", "quorum.c",
         "origin != NULL && strcmp(p->origin, origin) != 0"),
    gone("page: the broker's for trust", "quorum.c",
         "ns == LB_NS_TRUST && p->broker"),
    gone("require: touch", "quorum.c", "\t\tneed = LB_SIG_TOUCH;\n",
         "\t\tneed = 0;\n"),
    gone("require: verified", "quorum.c",
         "need = LB_SIG_TOUCH | LB_SIG_VERIFIED", "need = LB_SIG_TOUCH"),
    gone("require: verified needs touch", "quorum.c",
         "need = LB_SIG_TOUCH | LB_SIG_VERIFIED", "need = LB_SIG_VERIFIED"),
    gone("require: a device", "quorum.c",
         "return lb_sshkey_is_sk(&sig->key) && (sig->flags & need) == need;",
         "return !lb_sshkey_is_sk(&sig->key) || (sig->flags & need) == need;"),
    gone("require: not of hooks", "quorum.c", "|| kind == LB_KIND_HOOK)",
         ")"),
    gone("require: of approvals and trust only", "quorum.c",
         "if ((ns != LB_NS_APPROVE && ns != LB_NS_TRUST) ||", "if ("),
    gone("require: of trust too", "quorum.c",
         "(ns != LB_NS_APPROVE && ns != LB_NS_TRUST)", "ns != LB_NS_APPROVE"),
    gone("hooks: one counts", "quorum.c",
         "best = n;\n\t\tmemcpy(ret_who",
         "best = n;\n\t\tcount++;\n\t\tmemcpy(ret_who"),
    gone("hooks: they count", "quorum.c",
         "if (!h->line[LB_KIND_HOOK][i])", "if (true)"),
    gone("doubled keys", "match.c",
         "while (!same_point(&line[k]->key, &line[i]->key))",
         "while (k != i)"),
    gone("doubled principals", "match.c",
         "while (strcmp(line[p]->principal, line[i]->principal) != 0)",
         "while (p != i)"),
    gone("same point, another type", "match.c",
         "return a->pk_len == b->pk_len &&",
         "return a->type == b->type && a->pk_len == b->pk_len &&"),
    gone("moving aside", "match.c",
         "|| place(m, m->key[m->taken[p]])", ""),
    gone("own approval: by login key", "quorum.c",
         "lb_keyfps_has(&grant->engineer_key, key->fp) ||", ""),
    gone("own approval: by name", "quorum.c",
         "||\n\t\t    key_of_engineer(t, key, grant->engineer)", ""),
    gone("own approval: by another name's key", "quorum.c",
         "key_of_engineer(t, key, grant->engineer)",
         "strcmp(l->item[i].principal, grant->engineer) == 0"),
    gone("own approval: approvers", "quorum.c",
         "\tdrop_own(t, h, LB_KIND_APPROVER, grant);\n", ""),
    gone("own approval: hooks", "quorum.c",
         "\tdrop_own(t, h, LB_KIND_HOOK, grant);\n", ""),
    gone("own approval: delegates", "quorum.c",
         "\tdrop_own(t, h, LB_KIND_DELEGATE, grant);\n", ""),
    gone("delegate: until", "quorum.c", "now < t->delegate_until", "true"),
    gone("delegate: until, half open", "quorum.c", "now < t->delegate_until",
         "now <= t->delegate_until"),
    gone("delegate: signed at all", "quorum.c",
         "lb_heard_any(h, LB_KIND_DELEGATE)", "t->delegate.count > 0"),
    gone("delegate: cuts not-after", "judge.c",
         "earlier(g->not_after, c->trust->delegate_until)", "g->not_after"),
    gone("delegate: only where approvals lack", "quorum.c",
         "n < t->threshold && lb_heard_any", "lb_heard_any"),

    # Closing.
    gone("kills: until", "kills.c", "kill != NULL && now < kill->until",
         "kill != NULL && now + 1 < kill->until"),
    gone("kills: later end stands", "kills.c", "until > old->until",
         "true"),
    gone("kills: deny over requests", "kills.c",
         "part->type == &lb_request_type &&", "false &&"),
    gone("kills: only deny over requests", "kills.c",
         "part->type == &lb_request_type &&", ""),
    gone("kills: revoke over grants", "kills.c",
         "part->type == &lb_grant_type &&\n", "false &&\n"),
    gone("kills: only revoke over grants", "kills.c",
         "part->type == &lb_grant_type &&\n", ""),
    gone("kills: deny is kept long enough", "kills.c",
         "LB_GRANT_AGE_MAX +\n\t\t    LB_CLOCK_SKEW_MAX",
         "LB_GRANT_AGE_MAX"),
    gone("kills: deny from the later clock", "kills.c",
         "(now > floor ? now : floor)", "now"),
    gone("kills: over by the floor", "kills.c", "until <= floor"),
    gone("kills: limit", "kills.c", "k->count >= LB_KILLS_MAX"),
    gone("kills: pruned", "kills.c", "if (floor < k->item[i].until)",
         "if (true)"),
    gone("closing: delegates", "quorum.c",
         "kind < LB_KINDS; kind++) {\n\t\tif (heard_lines",
         "kind < LB_KIND_DELEGATE; kind++) {\n\t\tif (heard_lines"),
    gone("closing: hooks", "quorum.c",
         "if (heard_lines(t, &h, (enum lb_kind)kind, who) == 0)",
         "if (kind == LB_KIND_HOOK || heard_lines(t, &h, (enum lb_kind)kind, "
         "who) == 0)"),

    # Trust documents.
    gone("trust: kinds of namespaces", "trust.c",
         "(line->namespaces & ~kind_namespaces[kind]) != 0"),
    gone("trust: hooks do not own", "trust.c",
         "[LB_KIND_HOOK] = LB_NS_APPROVE | CLOSING",
         "[LB_KIND_HOOK] = LB_NS_APPROVE | CLOSING | LB_NS_TRUST"),
    gone("trust: engineers do not approve", "trust.c",
         "[LB_KIND_ENGINEER] = LB_NS_REQUEST",
         "[LB_KIND_ENGINEER] = LB_NS_REQUEST | LB_NS_APPROVE"),
    gone("trust: delegates do not own", "trust.c",
         "[LB_KIND_DELEGATE] = LB_NS_APPROVE | CLOSING",
         "[LB_KIND_DELEGATE] = LB_NS_APPROVE | CLOSING | LB_NS_TRUST"),
    gone("trust: approvers do not answer", "trust.c",
         "[LB_KIND_APPROVER] = LB_NS_APPROVE | CLOSING | LB_NS_TRUST",
         "[LB_KIND_APPROVER] = ~0U"),
    gone("trust: broker's name", "trust.c",
         "lb_name_valid(line->principal) && ", ""),
    gone("trust: broker's key", "trust.c",
         " && !lb_sshkey_is_sk(&line->key);", ";"),
    gone("trust: owners can reach the threshold", "trust.c",
         "|| !reachable(t, LB_NS_TRUST)", ""),
    gone("trust: approvers can reach the threshold", "trust.c",
         "!reachable(t, LB_NS_APPROVE) ||", ""),
    gone("reach: namespace", "trust.c",
         "(line->namespaces & (unsigned int)ns) == 0"),
    gone("reach: require", "trust.c",
         "t->require != LB_REQUIRE_ANY && kind != LB_KIND_HOOK &&\n"
         "\t    !lb_sshkey_is_sk(&line->key)"),
    gone("reach: hooks without device", "trust.c",
         "kind != LB_KIND_HOOK &&", ""),
    gone("reach: page", "trust.c",
         "return !lb_sshkey_is_passkey(&line->key) ||", "return true ||"),
    gone("trust: page's origin agrees", "trust.c",
         "t->page[i].broker != t->page[j].broker"),
    gone("trust: origin within RP-ID", "trust.c",
         "return host_within(host, ret->rp_id) ? LB_OK : LB_ERR_FORMAT;",
         "return LB_OK;"),
    gone("trust: origin's dot", "trust.c",
         "host_len == len || host[host_len - len - 1] == '.'", "true"),
    gone("trust: origin's scheme", "trust.c",
         "if (strncmp(origin, scheme, sizeof(scheme) - 1) != 0)",
         "if (strlen(origin) < sizeof(scheme))"),
    gone("trust: default port", "trust.c", "port == 443"),
    gone("trust: page's last word", "trust.c",
         "!ret->broker && *rest != '\\0'"),
    gone("owners: namespace", "trust.c",
         "lb_heard_read(t, part, LB_NS_TRUST, now, &h);",
         "lb_heard_read(t, part, LB_NS_APPROVE, now, &h);"),
    gone("owners: that signature", "trust.c",
         "one.sigs = &part->sigs[i];", "one.sigs = part->sigs;"),
    gone("follow: signed", "trust.c", "signers < least"),
    gone("follow: threshold", "trust.c",
         "successor_read(current, next, current->threshold,",
         "successor_read(current, next, 1,"),
    gone("follow: tenant", "trust.c",
         "strcmp(next->tenant, current->tenant) == 0", "true"),
    gone("follow: serial", "trust.c",
         "next->serial == current->serial + 1", "true"),
    gone("follow: serial, by one", "trust.c",
         "next->serial == current->serial + 1",
         "next->serial > current->serial"),
    gone("follow: previous", "trust.c",
         "strcmp(next->previous, current->id) == 0", "true"),
    gone("selfsigned: that document", "trust.c",
         "strcmp(part->id, t->id) != 0"),
    gone("selfsigned: signed", "trust.c",
         "return owners_heard(t, part, now, who) >= t->threshold\n",
         "return owners_heard(t, part, now, who) < 99\n"),
    gone("selfsigned: threshold", "trust.c",
         "owners_heard(t, part, now, who) >= t->threshold\n",
         "owners_heard(t, part, now, who) >= 1\n"),
    # A browser's call.
    gone("origin: one proof", "origin.c", "v->bearer && v->cookie"),
    gone("origin: changes from elsewhere", "origin.c",
         "!v->get && v->from == ORIGIN_FOREIGN"),
    gone("origin: site of a cookie", "origin.c", "!site_good(v)"),
    gone("origin: site, changes", "origin.c",
         "(v->get && strcmp(v->site, \"none\") == 0)",
         "(strcmp(v->site, \"none\") == 0)"),
    gone("origin: page of a cookie", "origin.c", "v->from != ORIGIN_OWN",
         "v->from == ORIGIN_FOREIGN"),
    gone("origin: none changes nothing", "origin.c",
         "!(v->get && v->from == ORIGIN_NONE)", "v->from != ORIGIN_NONE"),
    gone("origin: url", "origin.c",
         "strncmp(url, SCHEME, strlen(SCHEME)) != 0"),
    gone("origin: behind the host", "origin.c",
         "(port[digits] != '\\0' && port[digits] != '/')"),
    gone("passkey: a passkey", "passkey.c", "!sig->webauthn"),
    gone("passkey: of a page", "passkey.c",
         "!lb_sshkey_is_passkey(&sig->key)"),
    gone("passkey: site", "passkey.c",
         "strcmp(sig->key.application, rp_id) != 0"),
    gone("passkey: page", "passkey.c", "strcmp(sig->origin, origin) != 0"),
    gone("passkey: verified", "passkey.c", "(sig->flags & flags) != flags"),
    gone("passkey: both flags", "passkey.c", "(sig->flags & flags) != flags",
         "(sig->flags & flags) == 0 && flags != 0"),
    # A key that somebody brings.
    *(gone(f"candidate: {kind} has it", "candidate.c",
           f"pinned_in(&t->{kind}, key)") for kind in
      ("broker", "approver", "hook", "engineer", "delegate")),
    gone("candidate: page", "candidate.c",
         "!page_pinned(t, sig->key.application, sig->origin)"),
    gone("candidate: page's RP-ID", "candidate.c",
         "strcmp(t->page[i].rp_id, rp_id) == 0", "true"),
    gone("candidate: page's origin", "candidate.c",
         "strcmp(t->page[i].origin, origin) == 0", "true"),
    # What needs nobody's answer at the door.
    gone("door: key told", "decide.c", "!f->keys_told || ", ""),
    gone("door: key readable", "decide.c",
         "!f->keys_told || !f->keys_readable ||", "!f->keys_told ||"),
    gone("door: a key at all", "decide.c", " || f->key_count == 0", ""),
    gone("door: session id set", "decide.c", "f->sid == PROCS_SID_UNSET"),
    gone("door: session id new", "decide.c", "f->sid == f->parent_sid"),
    gone("door: session asked", "decide.c", "fault = session_fault(f);",
         "fault = NULL;"),
    gone("door: phase", "decide.c", "f->phase != LB_PHASE_ACCOUNT"),
    gone("door: key readable at account", "decide.c",
         "f->keys_told && !f->keys_readable"),
    gone("door: login", "decide.c", "!lb_login_valid(f->login)"),
    gone("door: unable", "decide.c",
         "\tif (fault == NULL)\n\t\tfault = f->unable;\n", ""),
    gone("door: within one is never exempt", "decide.c",
         "\tif (f->in_session)\n\t\tway_within(f, &w);\n"
         "\telse if (f->exempt_rule)\n\t\tw.course = COURSE_EXEMPT;\n",
         "\tif (f->exempt_rule)\n\t\tw.course = COURSE_EXEMPT;\n"
         "\telse if (f->in_session)\n\t\tway_within(f, &w);\n"),
    gone("door: exempt by a rule", "decide.c", "f->exempt_rule", "true"),
    gone("door: only sshd", "decide.c", 'strcmp(f->service, "sshd") != 0'),
    gone("door: only sshd, to the last letter", "decide.c",
         'strcmp(f->service, "sshd") != 0',
         'strncmp(f->service, "sshd", 4) != 0'),
    gone("within: service", "decide.c", "\treturn NULL;\n}\n\n/* A new",
         '\treturn "sudo";\n}\n\n/* A new'),
    gone("within: su is not sudo", "decide.c", '{ "su", "su" }',
         '{ "su", "sudo" }'),
    gone("within: su-l is not sudo", "decide.c", '{ "su-l", "su" }',
         '{ "su-l", "sudo" }'),
    gone("within: unable", "decide.c",
         "\telse if (f->unable != NULL)\n\t\tw->code = f->unable;\n", ""),
    gone("within: su's target", "decide.c", "!target_fits(w, c.part)"),
    gone("within: su's target is the grant's", "decide.c",
         "lb_logins_has(&grant.login, w->target)", "true"),
    gone("within: only su's target", "decide.c",
         'strcmp(w->service, "su") != 0'),
    gone("within: nothing passes without a key", "decide.c",
         "ret->provisional || w->session->keys.count == 0"),
    gone("within: kept denies and revokes", "decide.c",
         ".kills = &w->state->kills,\n\t\t.tenant = w->tenant",
         ".kills = NULL,\n\t\t.tenant = w->tenant"),
    gone("session: ended already", "decide.c", "s->ending[0] != '\\0'"),
    gone("session: floor", "decide.c", "w->now < w->state->floor"),
    gone("session: deadline", "decide.c",
         "w->now >= s->deadline ||", ""),
    gone("session: deadline, half open", "decide.c",
         "w->now >= s->deadline ||", "w->now > s->deadline ||"),
    gone("session: deadline since boot", "decide.c",
         " || w->now_boot_ms >= s->deadline_boot_ms", ""),
    gone("session: deadline since boot, half open", "decide.c",
         "w->now_boot_ms >= s->deadline_boot_ms",
         "w->now_boot_ms > s->deadline_boot_ms"),
    gone("session: lease", "decide.c", "w->now >= s->lease_end ||", ""),
    gone("session: lease, half open", "decide.c", "w->now >= s->lease_end ||",
         "w->now > s->lease_end ||"),
    gone("session: lease since boot", "decide.c",
         " || w->now_boot_ms >= s->lease_end_boot_ms", ""),
    gone("session: offline still let", "decide.c",
         "s->offline && !w->trust->offline"),
    gone("session: only offline ones", "decide.c",
         "s->offline && !w->trust->offline", "!w->trust->offline"),
    gone("session: grants it rests on", "decide.c",
         "lb_kills_has(&w->state->kills, s->rests.item[i], w->now)"),
    gone("session: over whatever its grants say", "decide.c",
         "if (over != NULL)", "if (false)"),
    gone("within: the one that it rests on", "decide.c",
         "\tif (a_rests != b_rests)\n\t\treturn a_rests;\n", ""),
    gone("within: the later one", "decide.c",
         "return a->not_after > b->not_after;", "return true;"),
    gone("within: a failure hides none", "decide.c",
         "else if (one.verdict != LB_VERDICT_ALLOW &&\n"
         "\t\t    best.verdict != LB_VERDICT_ALLOW)", "else"),
    gone("away: only when nobody was there", "decide.c",
         "strcmp(code, row[i]) == 0", "code[0] == row[i][0]"),
    gone("away: handed by root", "decide.c", "!kept->handed ||", ""),
    gone("away: for this login", "decide.c",
         "LB_OK &&\n\t    lb_logins_has(&grant.login, o->login)", "LB_OK"),
    gone("away: floor", "decide.c",
         "lb_offline_judge(&c, o->state->floor, ret)",
         "lb_offline_judge(&c, 0, ret)"),
    gone("away: kept denies and revokes", "decide.c",
         ".kills = &o->state->kills,", ".kills = NULL,"),
    gone("away: keys", "decide.c", ".keys = o->keys,", ".keys = NULL,"),
    gone("away: the latest is taken", "decide.c",
         "one.not_after > ret->not_after", "true"),
    # Who may do what at the broker.
    gone("moves: what may follow", "rules.c", "moves[from][what] == 0"),
    gone("moves: no approval without endorsement", "rules.c",
         "[HAPPENS_ENDORSE] = STATE_PENDING_APPROVAL,",
         "[HAPPENS_ENDORSE] = STATE_PENDING_APPROVAL,\n"
         "\t\t[HAPPENS_ADMIT] = STATE_ACTIVE,"),
    gone("states: lapsed", "rules.c", "now >= lapses_at", "now > lapses_at"),
    gone("states: expired", "rules.c",
         "\tif (now >= not_after)\n\t\treturn STATE_EXPIRED;\n", ""),
    gone("states: expired, half open", "rules.c",
         "if (now >= not_after)", "if (now > not_after)"),
    gone("states: begun", "rules.c", "now >= not_before ?", "true ?"),
    gone("states: closed stays closed", "rules.c",
         "\tif (!rules_state_live(stored))\n\t\treturn stored;\n", ""),
    gone("see: tenant", "rules.c",
         "\t\tif (strcmp(c->tenant[i], tenant) == 0)\n\t\t\treturn true;",
         "\t\tif (true)\n\t\t\treturn true;"),
    gone("see: nobody", "rules.c",
         "\tif (c->principal[0] == '\\0')\n\t\treturn false;\n"
         "\treturn rules_sees_all(c)", "\treturn rules_sees_all(c)"),
    gone("see: all", "rules.c", "return rules_sees_all(c) ||",
         "return c->roles != 0 ||"),
    gone("see: an engineer's own", "rules.c",
         "strcmp(c->principal, engineer) == 0", "true"),
    gone("see: as an engineer", "rules.c",
         "(c->roles & ROLE_ENGINEER) != 0 &&", ""),
    gone("see: the tenant, nobody", "rules.c",
         "\tif (c->principal[0] == '\\0')\n\t\treturn false;\n"
         "\treturn (c->roles & ROLES_PROVIDER)",
         "\treturn (c->roles & ROLES_PROVIDER)"),
    gone("see: the tenant, by role", "rules.c",
         "(c->roles & ROLES_PROVIDER) != 0", "c->roles != 0"),
    gone("see: events, nobody", "rules.c",
         "\tif (c->principal[0] == '\\0')\n\t\treturn false;\n"
         "\treturn (c->roles & (ROLE_OPERATOR",
         "\treturn (c->roles & (ROLE_OPERATOR"),
    gone("see: events, by role", "rules.c",
         "(c->roles & (ROLE_OPERATOR | ROLE_AUDITOR)) != 0",
         "(c->roles & ROLES_PROVIDER) != 0"),
    gone("tend: approvers", "rules.c",
         "return (c->part[i] & PART_APPROVER) != 0;", "return true;"),
    gone("tend: approvers of that tenant", "rules.c",
         "\t\tif (strcmp(c->tenant[i], tenant) == 0)\n"
         "\t\t\treturn (c->part[i]",
         "\t\tif (true)\n\t\t\treturn (c->part[i]"),
    gone("tend: operators", "rules.c",
         "(c->roles & ROLE_OPERATOR) != 0 || rules_is_approver(c, tenant)",
         "(c->roles & ROLES_PROVIDER) != 0 || rules_is_approver(c, tenant)"),
    gone("own: by name", "rules.c",
         "strcmp(principal, request->engineer) == 0 ||", ""),
    gone("own: by login key", "rules.c",
         "||\n\t    lb_keyfps_has(&request->engineer_key, key_fp)", ""),
    gone("own: by another of his keys", "rules.c",
         "strcmp(engineer->key[i].fp, key_fp) == 0"),
    gone("endorse: active", "rules.c", "!manager->active ||", ""),
    gone("endorse: key", "rules.c", "!has ||", ""),
    gone("endorse: a manager", "rules.c",
         " || (manager->roles & ROLE_MANAGER) == 0", ""),
    gone("endorse: not one's own", "rules.c",
         "rules_is_own(manager->principal, key_fp, request, engineer)"),
    gone("approvable: no page, no passkey", "rules.c",
         "lb_sshkey_is_passkey(&line->key) && t->page_count == 0"),
    gone("approvable: require", "rules.c",
         "t->require == LB_REQUIRE_ANY || lb_sshkey_is_sk(&line->key)",
         "true"),
    gone("approvable: namespace", "rules.c",
         "(line->namespaces & LB_NS_APPROVE) != 0 &&", ""),
    gone("approvable: dates", "rules.c", "lb_pinned_in_dates(line, now) &&",
         ""),
    gone("approvable: not by the engineer", "rules.c",
         "strcmp(line->principal, r->engineer) != 0 &&", ""),
    gone("approvable: not by the engineer's key", "rules.c",
         "&&\n\t    !lb_keyfps_has(&r->engineer_key, line->key.fp)", ""),
    gone("approvable: different principals", "rules.c", "n += !seen;",
         "n += 1;"),
    gone("approvable: threshold", "rules.c", "n >= t->threshold", "n >= 1"),
    gone("approvable: one hook", "rules.c",
         "n++; /* at most one hook counts */", "n += 2;"),
    gone("approvable: good-until", "rules.c",
         "\tif (now >= t->good_until)\n\t\treturn false;\n", ""),
    gone("approvable: delegate-until", "rules.c",
         "now < t->delegate_until &&", ""),
    gone("approvable: delegates that may", "rules.c",
         "list_may_approve(&t->delegate, r, now)", "true"),
    gone("keys left: of the roster", "rules.c",
         "if (has && engineer->active)", "if (engineer->active)"),
    gone("keys left: of the active", "rules.c",
         "if (has && engineer->active)", "if (has)"),
    gone("ask: one's own name", "rules.c",
         "strcmp(r->engineer, c->principal) != 0"),
    gone("ask: broker", "rules.c", "strcmp(r->broker, broker) != 0"),
    gone("ask: known keys", "rules.c",
         "!keys_known(&r->engineer_key, engineer)"),
    gone("ask: of the future", "rules.c",
         "r->requested > now + RULES_CLOCK_SKEW ||", ""),
    gone("ask: fresh", "rules.c",
         "r->requested < now - RULES_REQUEST_FRESH"),
    gone("ask: longest", "rules.c", "r->duration > longest"),
    gone("ask: start not past", "rules.c",
         "r->start < now - RULES_CLOCK_SKEW ||", ""),
    gone("ask: start not far", "rules.c",
         "r->start > now + RULES_START_MAX"),
    gone("ask: trust's good-until", "rules.c",
         "\telse if (now >= t->good_until)\n\t\tcode = \"trust_over\";\n",
         ""),
    *(gone(f"covers: {line}", "rules.c",
           f"!lb_{line}s_has(&g->{line}, r->{line}.item[i])")
      for line in ("host", "login", "service")),
    gone("covers: key", "rules.c",
         "!lb_keyfps_has(&g->engineer_key, r->engineer_key.item[i])"),
    gone("covers: tenant", "rules.c",
         "strcmp(g->tenant, r->tenant) != 0 ||", ""),
    gone("covers: engineer", "rules.c",
         "strcmp(g->engineer, r->engineer) != 0 ||", ""),
    gone("covers: start", "rules.c", " || r->start != 0 ||", " ||"),
    gone("covers: extends", "rules.c", "r->extends[0] != '\\0' ||", ""),
    gone("covers: not-before", "rules.c", " || now < g->not_before ||", " ||"),
    gone("covers: half of it is left", "rules.c",
         "g->not_after - now < r->duration / 2 ||", ""),
    gone("draft: at least a second", "rules.c", "span < 1 ||", ""),
    gone("draft: not longer", "rules.c", "span > r->duration ||", ""),
    gone("draft: trust's longest", "rules.c",
         "g->not_after - g->not_before > longest)\n\t\tg->",
         "false)\n\t\tg->"),
    gone("draft: not earlier", "rules.c", "n->not_before < r->start ||", ""),
    gone("draft: not in the past", "rules.c", "n->not_before < now ||", ""),
    gone("draft: start not far", "rules.c",
         " ||\n\t\t    n->not_before > now + RULES_START_MAX", ""),
    gone("draft: within the request", "rules.c",
         "!lb_grant_within(&g, r, request_id)"),
    gone("grant: within the request", "rules.c",
         "!lb_grant_within(g, r, request_id)"),
    gone("grant: longest at the broker", "rules.c",
         "g->not_after - g->not_before > longest)\n\t\tcode",
         "false)\n\t\tcode"),
    gone("grant: over", "rules.c",
         "\telse if (now >= g->not_after)\n\t\tcode", "\telse if (false)\n"
         "\t\tcode"),
    gone("grant: issued in the future, at the broker", "rules.c",
         "g->issued > now + RULES_CLOCK_SKEW ||", ""),
    gone("grant: draft's age", "rules.c",
         "(!fixed && g->issued < now - RULES_DRAFT_TTL) ||", ""),
    gone("grant: backdated", "rules.c",
         " ||\n\t    g->not_before < g->issued - RULES_BACKDATE", ""),
    *(gone(f"scope: {line}", "rules.c",
           f'"{line} %s\\n", q->{line}.item[i]', f'"{line}\\n"')
      for line in ("host", "login", "service")),
    gone("scope: tenant", "rules.c", '"tenant %s\\n", q->tenant',
         '"tenant\\n"'),
    # Whom a webhook may reach.
    *(Mutation(f"address: {net}", "address.c", f"\t{{ {{ {net} }},",
               "\t{ { 255, 255, 255, 255 },")
      for net in ("0", "10", "100, 64", "127", "169, 254", "172, 16",
                  "192, 0, 0", "192, 0, 2", "192, 31, 196", "192, 52, 193",
                  "192, 88, 99", "192, 168", "192, 175, 48", "198, 18",
                  "198, 51, 100", "203, 0, 113", "224")),
    gone("address: 240", "address.c", "{ { 240 }, 4 }", "{ { 240 }, 32 }"),
    *(Mutation(f"address: {net}", "address.c", f"\t{{ {{ {net} }},",
               "\t{ { 0 },")
      for net in ("0x20, 0x01, 0x00", "0x20, 0x01, 0x0d, 0xb8", "0x20, 0x02",
                  "0x26, 0x20, 0x00, 0x4f, 0x80", "0x3f, 0xff")),
    gone("address: within a byte", "address.c",
         "((address[whole] ^ b->net[whole]) & mask) == 0", "true"),
    gone("address: global unicast", "address.c",
         "(address[0] & 0xe0) != 0x20"),
    gone("address: family", "address.c",
         "\tif (sa->sa_family == AF_INET6)\n"
         "\t\treturn public6(bytes6(sa)->s6_addr);\n\treturn false;",
         "\treturn public6(bytes6(sa)->s6_addr);"),
    gone("address: http", "address.c",
         "!t->tls && !(private && address_loopback(sa))"),
    gone("address: http to itself only", "address.c",
         "(private && address_loopback(sa))", "private"),
    gone("address: not private", "address.c",
         "private || address_public(sa) ? LB_OK : LB_ERR_FORBIDDEN", "LB_OK"),
    gone("address: one spelling", "address.c",
         "&&\n\t    strcmp(s, again) == 0", ""),
    gone("address: other spellings are no names", "address.c",
         "ends_in_number(t.host) ||", "false ||"),
    gone("address: http to a name", "address.c", "!t.tls || brackets ||",
         "brackets ||"),
    gone("address: names", "address.c", "||\n\t    !lb_host_valid(t.host)",
         ""),
    gone("address: path", "address.c", "!path_good(s + len) ||", ""),
]


def pkg_config(*arguments):
    done = subprocess.run(["pkg-config", *arguments], check=False, text=True,
                          capture_output=True)
    return shlex.split(done.stdout) if done.returncode == 0 else None


class Workshop:
    """The unchanged programs, and how one file of theirs is exchanged."""

    def __init__(self, room, cc):
        self.room, self.cc = Path(room), cc
        self.libs = pkg_config("--libs", *PACKAGES)
        if self.libs is None:
            sys.exit(f"mutate: {', '.join(PACKAGES)} must be installed")
        crypto = pkg_config("--libs", "libcrypto")
        self.p256 = crypto is not None
        self.libs += crypto or []
        self.flags = [*FLAGS, f"-DHAVE_P256={int(self.p256)}",
                      f"-I{TOP / 'include'}", f"-I{TOP / 'lib'}",
                      f"-I{TOP / 'tests' / 'unit'}",
                      *pkg_config("--cflags", *PACKAGES)]

    def sources(self):
        """Base, as lib/meson.build lists it."""
        lists = re.findall(r"^lb_(?:libc|base)_sources = files\((.*?)\)",
                           (TOP / "lib" / "meson.build").read_text(),
                           re.M | re.S)
        names = re.findall(r"'([a-z0-9_]+\.c)'", "".join(lists))
        names.append("p256.c" if self.p256 else "p256_none.c")
        return [TOP / "lib" / name for name in names]

    def near(self, name):
        """Where that file, or the test of that name, finds its headers: in
        quotes only, because of broker/limits.h."""
        room = ROOMS.get(name.removesuffix(".c") + ".c")
        return [] if room is None else ["-iquote", room.parent]

    def make(self, *arguments):
        subprocess.run([self.cc, *self.flags, *arguments], check=True)

    def prepare(self, jobs):
        unit = TOP / "tests" / "unit"
        fixture = [unit / "fixture.c", unit / "fixture_key.c"]
        objects = {path: self.room / f"{path.stem}.o"
                   for path in [*self.sources(), *ROOMS.values(), *BESIDE,
                                *fixture]}
        base = self.room / "libbase.so"
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda pair: self.make(
                "-c", pair[0], "-o", pair[1], *self.near(pair[0].name)),
                          objects.items()))
            self.make("-shared", "-o", base, *objects.values(), *self.libs)
            list(pool.map(lambda name: self.make(
                "-o", self.room / name, unit / f"test_{name}.c",
                *self.near(name), base,
                f"-Wl,-rpath,{self.room}", *self.libs), TESTS))

    def noticed(self, room, file="", preload=None):
        """The first test that fails so, or None."""
        env = {**os.environ, "CMOCKA_TEST_ABORT": "1"}
        if preload is not None:
            env["LD_PRELOAD"] = str(preload)
        likely = next((name for name in TESTS if file.startswith(name)), None)
        for test in sorted(TESTS, key=lambda name: name != likely):
            try:
                done = subprocess.run(
                    [self.room / test], cwd=room, env=env, check=False,
                    timeout=TIMEOUT, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            except subprocess.TimeoutExpired:
                return f"{test} (too slow)"
            if done.returncode != 0:
                return test
        return None

    def attempt(self, mutation):
        """(what became of it, more)"""
        text = mutation.apply(mutation.path.read_text())
        if text is None:
            return "STALE", f"not found exactly once in {mutation.where}"
        with tempfile.TemporaryDirectory(dir=self.room) as room:
            source = Path(room) / mutation.file
            source.write_text(text)
            changed = Path(room) / "changed.so"
            try:
                self.make("-O0", "-shared", "-o", changed, source,
                          *self.near(mutation.file))
            except subprocess.CalledProcessError:
                return "STALE", "does not compile"
            test = self.noticed(room, mutation.file, changed)
        if test is None:
            return "SURVIVED", f"in {mutation.where}"
        return "KILLED", f"by test_{test}"


def run(chosen, jobs, verbose):
    started = time.monotonic()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory(prefix="lockbox-mutate-") as room:
        shop = Workshop(room, os.environ.get("CC", "gcc"))
        shop.prepare(jobs)
        bad = 0
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            files = sorted({mutation.file for mutation in chosen})
            # The control: each file exchanged for itself is not noticed.
            for file, (word, more) in zip(
                    files, pool.map(shop.attempt, map(Unchanged, files))):
                if word != "SURVIVED":
                    print(f"mutate: {file} unchanged: {word} {more}")
                    return 1
            for mutation, (word, more) in zip(
                    chosen, pool.map(shop.attempt, chosen)):
                bad += word != "KILLED"
                if verbose or word != "KILLED":
                    print(f"{word:8} {mutation.name}: {more}", flush=True)
    spent = time.monotonic() - started
    print(f"mutate: {len(chosen) - bad} of {len(chosen)} noticed, {spent:.0f} s")
    return int(bad != 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    chosen = [m for m in MUTATIONS if not arguments.words
              or any(word in m.name for word in arguments.words)]
    if arguments.list:
        print("\n".join(m.name for m in chosen))
        return 0
    return run(chosen, arguments.jobs, arguments.verbose)


if __name__ == "__main__":
    sys.exit(main())
