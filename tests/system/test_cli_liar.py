"""A broker that lies to people: lockbox signs nothing that is not as asked.

The liar stands before a real broker with its own certificate and passes
everything on, but for what a test twists. Each lie has its control: the same
call through the same liar, untwisted.
"""

import base64
import hashlib
import http.server
import json
import re
import ssl
import threading
import time

import papers
import pytest

from brokerd import TENANT
from office import Office, Someone


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def relay(self):
        liar = self.server.liar
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else None
        up = liar.broker.connect()
        keep = {name: self.headers[name] for name in
                ("Authorization", "Content-Type", "Idempotency-Key")
                if name in self.headers}
        up.request(self.command, self.path, body, keep)
        reply = up.getresponse()
        answer, status = reply.read(), reply.status
        liar.seen.append((self.command, self.path))
        if liar.twist and reply.getheader("Content-Type", "").startswith(
                "application/json"):
            value = json.loads(answer)
            twisted = liar.twist(self.command, self.path, value)
            answer = json.dumps(value if twisted is None else twisted).encode()
        elif liar.twist_text and "text/plain" in reply.getheader(
                "Content-Type", ""):
            answer = liar.twist_text(self.path, answer.decode()).encode()
        self.send_response(status)
        self.send_header("Content-Type", reply.getheader("Content-Type") or "")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        up.close()

    do_GET = do_POST = relay


class Liar:
    def __init__(self, broker):
        self.broker, self.twist, self.twist_text, self.seen = broker, None, None, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(broker.home / "tls.pem", broker.home / "tls.key")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.liar = self
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket,
                                                 server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def office(build, tmp_path_factory):
    made = Office(build, tmp_path_factory.mktemp("office"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def liar(office):
    """Everybody signs in at the liar, and never notices."""
    made = Liar(office.broker)
    office.url = made.url
    for person in office.people.values():
        person.signin()
    office.olga.signin()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def honest_again(office, liar):
    yield
    liar.twist = liar.twist_text = None
    office.tidy()


def sha256(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def line(text, name, value):
    """The text with that line's value replaced, or the line added sorted."""
    return re.sub(rf"^{name}: .*$", f"{name}: {value}", text, count=1, flags=re.M)


def when(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def shifted(text, name, seconds):
    at = re.search(rf"^{name}: (.*)$", text, re.M)[1]
    then = time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")
    import calendar
    return line(text, name, when(calendar.timegm(then) + seconds))


# What a draft could be turned into; each would be a valid grant's text.
DRAFTS = {
    "another_host": lambda t: line(t, "host", "db2"),
    "one_host_more": lambda t: t.replace("host: db1\n", "host: db1\nhost: db2\n"),
    "another_login": lambda t: line(t, "login", "root"),
    "one_login_more": lambda t: t.replace("login: deploy\n",
                                          "login: deploy\nlogin: root\n"),
    "one_service_more": lambda t: t.replace("service: sshd\n",
                                            "service: sshd\nservice: sudo\n"),
    "another_key": lambda t: line(t, "engineer-key", "SHA256:" + "A" * 43),
    "one_key_more": lambda t: t.replace(
        "engineer-key:", "engineer-key: SHA256:" + "+" * 42 + "A\nengineer-key:"),
    "another_engineer": lambda t: line(t, "engineer", "eve@provider.example"),
    "another_tenant": lambda t: line(t, "tenant", "twins"),
    "another_broker": lambda t: line(t, "broker", "elsewhere"),
    "another_request": lambda t: line(t, "request", "sha256:" + "0" * 64),
    "another_reason": lambda t: line(t, "reason", "nothing much"),
    "another_ticket": lambda t: line(t, "ticket", "INC-43"),
    "longer": lambda t: shifted(t, "not-after", 600),
    "later": lambda t: shifted(shifted(t, "not-after", 86400), "not-before",
                               86400),
    "shorter_than_asked": lambda t: shifted(t, "not-after", -3600),
    "issued_tomorrow": lambda t: shifted(t, "issued", 3000),
    "an_unknown_line": lambda t: t + "command: any\n",
    "no_grant_at_all": lambda t: "I owe you one million\n",
    "hidden_text": lambda t: line(t, "reason", "replica\u202e lag"),
}


def test_widened_drafts_are_not_signed(office, liar):
    asked = office.endorsed()
    office.anna("request", "export", asked, "--grant")
    for name, change in DRAFTS.items():
        def twist(method, path, value):
            if path.endswith("/draft"):
                honest = value["text"]
                value["text"] = change(honest)
                assert value["text"] != honest, name
                value["sha256"] = sha256(value["text"])

        liar.twist = twist
        liar.seen.clear()
        command = ("export", "--grant") if len(name) % 2 else ("approve", "--yes")
        done = office.anna("request", *command, asked, code=1)
        assert "the broker's draft is not what it should be" in done.stderr, name
        assert not any(path.endswith("/approve") for _, path in liar.seen)
        assert "lockbox-grant-v1" not in done.stdout + done.stderr
    liar.twist = None
    office.anna("request", "approve", asked, "--yes")


def test_endorsements_are_held_to_the_request(office, liar):
    """Of another request, the engineer's own, or none at all."""
    other = office.endorsed()
    shown = office.max("request", "show", other, "--format", "json")
    foreign = json.loads(shown.stdout)["endorsement"]
    office.avm("request", "cancel", other)
    asked = office.endorsed()
    lies = {"another's": foreign, "by himself": {"principal": "avm@provider.example"},
            "unsigned": {"signature": None}}
    for name, lie in lies.items():
        liar.twist = lambda method, path, value, lie=lie: (
            value["endorsement"].update(lie)
            if value.get("endorsement") and value.get("id") == asked else None)
        liar.seen.clear()
        done = office.anna("request", "approve", asked, "--yes", code=1)
        assert "does not check out: the endorsement" in done.stderr, name
        assert not any(path.endswith("/approve") for _, path in liar.seen), name
    liar.twist = None
    done = office.anna("request", "approve", asked, "--yes")
    assert re.search(r"endorsed +by max@provider.example, with key SHA256:",
                     done.stderr)


def test_draft_with_another_sha256(office, liar):
    asked = office.endorsed()
    liar.twist = lambda m, path, v: (
        v.update(sha256="sha256:" + "1" * 64) if path.endswith("/draft") else None)
    office.anna("request", "approve", asked, "--yes", code=1)
    liar.twist = None
    office.anna("request", "approve", asked, "--yes")


def test_narrowed_draft_is_held_to_what_was_narrowed(office, liar):
    """The person says 10 minutes; the broker's draft says two hours."""
    asked = office.endorsed()
    first = []

    def twist(method, path, value):
        if path.endswith("/draft"):
            first.append(value["text"])
            value["text"] = shifted(value["text"], "not-after", 6600)
            value["sha256"] = sha256(value["text"])

    liar.twist = twist
    office.anna("request", "approve", asked, "--duration", "10m", "--yes", code=1)
    assert first
    liar.twist = None
    office.anna("request", "approve", asked, "--duration", "10m", "--yes")


REQUESTS = {
    "another_sha256": lambda r, o: r.update(sha256="sha256:" + "2" * 64),
    "another_code": lambda r, o: r.update(code="0000-0000-0000"),
    "another_tenant": lambda r, o: r.update(tenant="twins"),
    "no_signature": lambda r, o: r.update(signature=""),
    "changed_text": lambda r, o: r.update(
        text=line(r["text"], "login", "root"),
        sha256=sha256(line(r["text"], "login", "root"))),
    "changed_text_and_code": lambda r, o: r.update(
        text=line(r["text"], "login", "root"),
        sha256=sha256(line(r["text"], "login", "root")),
        code=code_of(line(r["text"], "login", "root"))),
    "signature_of_another_kind": lambda r, o: r.update(
        signature=papers.Ed25519.load(o.avm.key).sign(
            "approve", r["text"])),
}


def code_of(text):
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 4
    chars = "".join(papers.CROCKFORD[number >> (55 - 5 * i) & 31]
                    for i in range(12))
    return f"{chars[:4]}-{chars[4:8]}-{chars[8:]}"


def test_swapped_requests_are_not_signed(office, liar):
    asked = office.ask()
    office.avm("request", "show", asked)
    for change in REQUESTS.values():
        liar.twist = lambda method, path, value: (
            change(value, office)
            if method == "GET" and path.endswith(asked) else None)
        for person, verb in ((office.max, "endorse"), (office.anna, "deny")):
            liar.seen.clear()
            person("request", verb, asked, "--yes", code=1)
            assert not any(path.endswith(verb) for _, path in liar.seen)
        office.avm("request", "show", asked, code=1)
    liar.twist = None
    office.max("request", "endorse", asked, "--yes")
    office.anna("request", "deny", asked, "--yes")


def test_request_of_another_id(office, liar):
    """Asked for one request, shown another that is quite in order."""
    mine = office.ask()
    other = office.ask("--host", "db2")
    office.max("request", "show", mine)
    honest = office.max.json("request", "show", other)
    liar.twist = lambda method, path, value: (
        honest if method == "GET" and path.endswith(mine) else None)
    office.max("request", "endorse", mine, "--yes", code=69)
    liar.twist = None
    office.max("request", "endorse", mine, "--yes")


def test_unpinned_engineer_is_told(office, liar):
    """The customer pins engineers' keys: another key's request is not signed."""
    office.trust("pins", "pins.trust", "anna", more=(
        "--engineer", f"avm@provider.example={office.avm.key}.pub"))
    office.olga("tenant", "add", "--trust", office.base / "pins.trust")
    office.olga("host", "invite", "db1", "--tenant", "pins")
    office.anna.signin()
    asked = office.endorsed(tenant="pins")
    other = papers.Ed25519()

    def twist(method, path, value):
        if method == "GET" and path.endswith(asked):
            value["signature"] = other.sign("request", value["text"])

    liar.twist = twist
    done = office.anna("request", "approve", asked, "--yes", code=1)
    assert "does not pin" in done.stderr
    liar.twist = None
    done = office.anna("request", "approve", asked, "--yes")
    assert "(pinned)" in done.stderr


def test_forked_trust_is_seen_with_an_own_copy(office, liar):
    """The broker shows a chain of its own; anna has her own first document."""
    asked = office.endorsed()
    config = office.anna.home / "config" / "lockbox" / "config"
    before = config.read_text()
    office.trust(TENANT, "forged.trust", "bert")
    liar.twist_text = lambda path, text: (
        (office.base / "forged.trust").read_text()
        if path.split("?")[0].endswith("/trust") else text)
    try:
        config.write_text(before + f"trust = {office.base / 'acme.trust'}\n")
        done = office.anna("request", "approve", asked, "--yes", code=1)
        assert "another trust document" in done.stderr
        liar.twist_text = None
        done = office.anna("request", "approve", asked, "--yes")
        assert "as the broker shows it" not in done.stderr
    finally:
        config.write_text(before)


def test_broken_trust_chain(office, liar):
    asked = office.endorsed()
    liar.twist_text = lambda path, text: (
        text.replace("threshold: 1", "threshold: 2")
        if path.split("?")[0].endswith("/trust") else text)
    office.anna("request", "approve", asked, "--yes", code=1)
    liar.twist_text = None
    office.anna("request", "approve", asked, "--yes")


def test_another_brokers_nonce(office, liar):
    """A sign-in for another broker cannot be had by passing its nonce on."""
    liar.twist = lambda m, path, v: (
        v.update(broker="elsewhere") if path.endswith("/nonce") else None)
    done = office.anna("signin", code=77)
    assert "calls itself 'elsewhere'" in done.stderr
    assert ("POST", "/v1/signin") not in liar.seen[-1:]
    liar.twist = None
    office.anna("signin")


def test_grant_of_another_text_is_not_revoked(office, liar):
    asked = office.endorsed()
    office.anna("request", "approve", asked, "--yes")
    liar.twist = lambda m, path, v: (
        v.update(text=line(v["text"], "host", "db2"))
        if m == "GET" and "/v1/grants/" in path else None)
    office.anna("grant", "revoke", asked, "--yes", code=69)
    office.anna("grant", "show", asked, code=69)
    liar.twist = None
    office.anna("grant", "revoke", asked, "--yes")


def test_created_request_that_is_another(office, liar):
    liar.twist = lambda m, path, v: (
        v.update(sha256="sha256:" + "3" * 64)
        if m == "POST" and path == "/v1/requests" else None)
    office.avm("request", "create", "--tenant", TENANT, "--host", "db1", "--login",
               "deploy", "--reason", "x", "--no-wait", code=69)
    liar.twist = None
    office.tidy()
    office.ask()


def test_the_code_is_that_of_what_was_signed(office, liar):
    """Engineer and approver compare it: the broker's word is worth nothing."""
    false = "AAAA-BBBB-CCCC"
    create = ("request", "create", "--tenant", TENANT, "--host", "db1", "--login",
              "deploy", "--reason", "x")
    liar.twist = lambda m, path, v: (
        v.update(code=false) if m == "POST" and path == "/v1/requests" else None)
    done = office.avm(*create, "--no-wait")
    assert false not in done.stdout + done.stderr
    assert any(code_of(item["text"]) in done.stdout
               for item in office.avm.json("request", "ls"))
    office.tidy()
    # while waiting: another code, then another text under the same id
    other = office.ask("--host", "db2")
    liar.twist = None
    text = office.avm.json("request", "show", other)
    for lie in ({"code": false},
                {key: text[key] for key in ("text", "sha256", "code")}):
        liar.twist = lambda m, path, v: (
            v.update(lie) if m == "GET" and "/v1/requests/" in path else None)
        done = office.avm(*create, "--timeout", "5s", code=1)
        assert false not in done.stdout + done.stderr
        assert text["code"] not in done.stdout + done.stderr
        liar.twist = None
        office.tidy()


def test_what_is_shown_is_what_was_signed(office, liar):
    asked = office.ask()
    honest = office.avm("request", "show", asked)
    liar.twist = lambda m, path, v: (
        v.update(hosts=["db9"], logins=["nobody"], services=["cron"],
                 duration=60, reason="tea", reason_type="tea", ticket="TEA-1",
                 engineer="eve@provider.example", keys=["SHA256:tea"],
                 start="2026-01-01T00:00:00Z", requested_at=None)
        if path.endswith(asked) else None)
    lied = office.avm("request", "show", asked)
    moving = re.compile(r"\((in .*|.* ago|now)\)")
    assert moving.sub("", lied.stdout) == moving.sub("", honest.stdout)
    assert "db1" in lied.stdout and "deploy" in lied.stdout


def test_a_grant_counts_by_its_text(office, liar):
    """What stands beside the text, or another text, opens nothing."""
    asked = office.endorsed()
    office.anna("request", "approve", asked, "--yes")
    check = ("grant", "check", "--tenant", TENANT, "--login", "deploy", "--host")
    office.avm(*check, "db1")
    office.avm(*check, "db2", code=77)
    honest = office.avm.json("grant", "show", asked)
    text = line(honest["text"], "host", "db2")
    for lie in ({"hosts": ["db2"]}, {"hosts": ["db2"], "text": text},
                {"text": text, "id": sha256(text)[:-1]},
                {"text": "", "id": sha256("")}, {"text": 5, "id": []}):
        liar.twist = lambda m, path, v: (
            v.update(items=[honest | lie]) if path.startswith("/v1/grants?")
            else None)
        office.avm(*check, "db2", code=77)
    liar.twist = lambda m, path, v: (
        v.update(items=[honest]) if path.startswith("/v1/grants?") else None)
    office.avm(*check, "db1")


def test_a_made_up_open_request_is_not_waited_for(office, liar):
    """The engineer would tell its code to the approver as one of his own."""
    asked = office.ask()
    ssh = ("ssh", "deploy@db1", "--tenant", TENANT, "--timeout", "1s")
    done = office.avm(*ssh, code=124)
    assert asked in done.stderr
    other = papers.Ed25519()

    def twist(method, path, value):
        for item in value.get("items", []):
            text = line(item["text"], "reason", "tea")
            item.update(text=text, sha256=sha256(text), code=code_of(text),
                        signature=other.sign("request", text))

    liar.twist = lambda m, path, v: (
        twist(m, path, v) if path.startswith("/v1/requests?") else None)
    done = office.avm(*ssh, code=2)
    assert "--reason is missing" in done.stderr and "code " not in done.stderr


def test_nothing_moves_the_terminal(office, liar):
    """Escape sequences, bidi and newlines in what the broker says."""
    asked = office.ask()
    evil = "\x1b[2J\x1b]0;owned\x07\u202enoitcelfer\r\nlockbox: all is well\x9b31m"

    def twist(method, path, value):
        for item in value.get("items", [value]):
            if "waiting_for" in item:
                item["waiting_for"] = [evil]
                item["state"] += evil
                item["denial"] = {"principal": evil, "reason": evil, "at": evil}

    liar.twist = twist
    for arguments in (("request", "ls"), ("request", "show", asked),
                      ("request", "ls", "--format", "json"),
                      ("request", "show", asked, "--format", "json")):
        done = office.avm(*arguments)
        both = done.stdout + done.stderr
        assert "owned" in both
        for bad in ("\x1b", "\x07", "\r", "\u202e", "\x9b"):
            assert bad not in both
        assert not re.search(r"^lockbox: all is well", both, re.M)
    json.loads(office.avm("request", "show", asked, "--format", "json").stdout)


@pytest.mark.parametrize("body", [
    [], "text", {"items": 3}, {"items": [], "next_cursor": 5}, {},
    {"items": [{"id": "x" * 300}], "next_cursor": None},
    {"items": [None, 3, {}], "next_cursor": None},
])
def test_nonsense_is_no_crash(office, liar, body):
    office.avm("request", "ls")
    liar.twist = lambda method, path, value: body
    for arguments in (("request", "ls"), ("grant", "ls"), ("tenant", "ls"),
                      ("host", "ls"), ("person", "ls"), ("whoami",),
                      ("request", "show", "0" * 26), ("request", "show", "0000"),
                      ("grant", "show", "0" * 64), ("tenant", "show", "acme"),
                      ("host", "show", "db1"), ("signin",), ("session", "ls"),
                      ("session", "show", "0" * 64), ("session", "show", "0000"),
                      ("grant", "extend", "0" * 64), ("ssh", "x@db1", "--print"),
                      ("ssh", "x@db1", "--tenant", TENANT, "--print"),
                      ("grant", "check", "--host", "db1", "--login", "x")):
        import subprocess
        done = subprocess.run([office.lockbox, *arguments], env=office.olga.env,
                              capture_output=True, check=False, timeout=30,
                              stdin=subprocess.DEVNULL)
        assert done.returncode in (0, 1, 69), (arguments, done)
    done = subprocess.run(
        [office.lockbox, "grant", "check", "--host", "db1", "--login", "x",
         "--tenant", TENANT], env=office.olga.env, capture_output=True,
        check=False, timeout=30, stdin=subprocess.DEVNULL)
    assert done.returncode in (69, 77), done


# --- who signs trust, and whose key it is ---------------------------------------

@pytest.fixture(scope="module")
def proposed(office, liar):
    """What anna proposes for a tenant of two owners; the document and its text."""
    office.trust("duo", "duo.trust", "anna", "bert", threshold=2)
    office.olga("tenant", "add", "--trust", office.base / "duo.trust")
    for name in ("anna", "bert"):
        getattr(office, name)("signin", "--trust", office.base / "duo.trust")
    path = office.base / "duo-2.trust"
    office.anna("trust", "edit", office.base / "duo.trust", "--lease", "45m",
                "-o", path)
    office.anna("trust", "propose", path, "--yes")
    return path


def of_proposal(change):
    def twist(method, path, value):
        if method == "GET" and path.endswith("/proposal"):
            before = dict(value)
            change(value)
            assert value != before
    return twist


def test_signatures_of_a_proposal_are_counted(office, liar, proposed):
    """Whatever the broker says of who signed: bert sees anna alone."""
    anna, bert = office.anna.principal, office.bert.principal

    def both(value):
        value["signatures"].append({"principal": bert, "at": value["at"]})
        value["needed"] = 1

    liar.twist = of_proposal(both)
    shown = office.bert.json("trust", "proposal", "duo")
    assert [s["principal"] for s in shown["signatures"]] == [anna]
    assert shown["needed"] == 2
    text = office.bert("trust", "proposal", "duo").stdout
    assert bert not in text and re.search(r"^needed +2$", text, re.M)


def test_a_false_proposal_is_not_shown(office, liar, proposed):
    text = proposed.read_text()
    stranger = papers.Ed25519()
    first = (office.base / "duo.trust").read_text()
    other = line(text, "lease", "7200")
    false = {
        "nobody signed it": other,
        "a stranger signed it": other + stranger.sign("trust", other),
        "signed, and changed then": None,
        "the one in force": first,
        "two of them": text + stranger.sign("trust", text) + other,
        "none": "",
        "no document": "I owe you one million\n",
    }
    for name, bundle in false.items():
        def change(value):
            value["bundle"] = bundle if bundle is not None else \
                value["bundle"].replace("lease: 2700", "lease: 7200")

        liar.twist = of_proposal(change)
        mine = office.bert.home / "false.trust"
        done = office.bert("trust", "proposal", "duo", "-o", mine,
                           code=69 if name in ("two of them", "none",
                                               "no document") else 1)
        assert not mine.exists() and "lease" not in done.stdout, name
    liar.twist = None
    done = office.bert("trust", "proposal", "duo", "-o", mine)
    assert "lease: 30m becomes 45m" in done.stdout and mine.exists()


def test_the_code_of_a_candidate_is_its_keys(office, liar):
    code = office.anna("tenant", "invite", TENANT, "dora@acme.example").stdout
    dora = Someone(office, "dora", "dora@acme.example")
    done = dora("invitation", "accept", "--url", office.url, "--ca", office.ca,
                "--tenant", TENANT, "--as", dora.principal, "--key", dora.key,
                input=code)
    hers = re.search(r"^code +(\S+)$", done.stdout, re.M)[1]
    other = papers.Ed25519()

    def twist(change):
        def it(method, path, value):
            if path.split("?")[0].endswith("/candidates"):
                for item in value["items"]:
                    change(item)
        return it

    def another_key(item):
        item["key"] = other.public()

    def another_code(item):
        item["code"] = "0000-0000-0000"

    def all_of_another(item):
        item["key"], item["fingerprint"] = other.public(), other.fingerprint()

    liar.twist = twist(another_key)
    done = office.anna("tenant", "candidates", TENANT, code=69)
    assert dora.principal not in done.stdout
    liar.twist = twist(another_code)
    assert hers in office.anna("tenant", "candidates", TENANT).stdout
    assert office.anna.json("tenant", "candidates", TENANT)[0]["code"] == hers
    # another key under her name has another code: that is why it is compared
    liar.twist = twist(all_of_another)
    assert hers not in office.anna("tenant", "candidates", TENANT).stdout
    liar.twist = None
    assert hers in office.anna("tenant", "candidates", TENANT).stdout
