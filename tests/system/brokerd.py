"""A real lockbox-broker on a free loopback port, and people who use it.

Speaks HTTPS and JSON with Python's own modules; documents and signatures come
from papers.py. Needs no root.
"""

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import secrets
import shutil
import signal
import sqlite3
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import papers

BROKER, TENANT, HOST = "support", "acme", "db1"
CROCKFORD = papers.CROCKFORD
SCHEMA = Path(__file__).resolve().parents[2] / "broker" / "schema"


def crockford_decode(text, bits):
    number = 0
    for char in text:
        number = number * 32 + CROCKFORD.index(char)
    number >>= len(text) * 5 - bits
    return number.to_bytes(bits // 8, "big")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Person:
    """Somebody with a key, and a token once signed in."""

    def __init__(self, name, key=None):
        self.name = name
        self.key = key or papers.Ed25519()
        self.token = None


class Brokerd:
    def __init__(self, build, **settings):
        self.program = str(build / "broker" / "lockbox-broker")
        self.dir = Path(tempfile.mkdtemp(prefix="lockbox-broker-test-"))
        self.home = self.dir / "broker"
        self.operator = Person("olga@provider.example")
        self.connection = None
        pub = self.dir / "operator.pub"
        pub.write_text(self.operator.key.public() + " olga\n")
        self.run("init", "--dir", str(self.home), "--name", BROKER, "--url",
                 "https://127.0.0.1", "--operator", self.operator.name,
                 "--operator-key", str(pub), "--listen", "127.0.0.1:0")
        rates = {f"rate_{name}": 1000000 for name in
                 ("signin", "request", "enrol", "decision", "read", "report")}
        with open(self.conf, "a", encoding="ascii") as conf:
            for name, value in {**rates, **settings}.items():
                conf.write(f"{name} = {value}\n")
        self.key = papers.Ed25519.load(self.home / "broker.key")
        self.process = None
        self.start()

    @property
    def conf(self):
        return self.home / "broker.conf"

    def run(self, *arguments, check=True):
        done = subprocess.run([self.program, *arguments], capture_output=True,
                              text=True, check=False, timeout=60)
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def start(self, **env):
        self.shift = int(env.get("SHIFT_CLOCK", 0))
        self.log = open(self.dir / "log", "ab")
        at = (self.dir / "log").stat().st_size
        self.process = subprocess.Popen(
            [self.program, "serve", "-c", str(self.conf)],
            stdout=self.log, stderr=self.log, env={**os.environ, **env})
        end = time.monotonic() + 20
        while time.monotonic() < end:
            text = (self.dir / "log").read_text()[at:]
            if ", port " in text:
                self.port = int(text.split(", port ")[1].split()[0])
                return
            assert self.process.poll() is None, text
            time.sleep(0.02)
        raise AssertionError("the broker did not start")

    def stop(self, how=signal.SIGTERM):
        self.close()
        self.process.send_signal(how)
        code = self.process.wait(20)
        self.log.close()
        return code

    def take_schema_back(self, version):
        """The stopped broker's database as an older broker would have it."""
        now, old = self.home / "broker.db", self.home / "old.db"
        with contextlib.closing(sqlite3.connect(old)) as db:
            for n in range(1, version + 1):
                db.executescript((SCHEMA / f"{n:03}.sql").read_text())
            db.execute("ATTACH ? AS now", (str(now),))
            for (table,) in db.execute("SELECT name FROM main.sqlite_schema "
                                       "WHERE type = 'table'").fetchall():
                names = ", ".join(row[1] for row in db.execute(
                    f"PRAGMA main.table_info({table})"))
                db.execute(f"INSERT INTO main.{table} ({names}) "
                           f"SELECT {names} FROM now.{table}")
            [mark] = db.execute("PRAGMA now.application_id").fetchone()
            db.commit()
            db.execute(f"PRAGMA main.application_id = {mark}")
            db.execute(f"PRAGMA main.user_version = {version}")
        old.chmod(0o600)
        old.replace(now)

    def end(self):
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    # --- HTTP -------------------------------------------------------------

    def connect(self):
        context = ssl.create_default_context(cafile=str(self.home / "ca.pem"))
        return http.client.HTTPSConnection("127.0.0.1", self.port,
                                           context=context, timeout=20)

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def http(self, method, path, body=None, who=None, type=None, **headers):
        """One request; a dict is sent as JSON. headers: if_match=..."""
        send = {name.replace("_", "-"): value
                for name, value in headers.items()}
        if isinstance(body, (dict, list)):
            body, type = json.dumps(body), type or "application/json"
        if isinstance(body, str):
            body = body.encode()
        if body is not None:
            send.setdefault("Content-Type", type or "application/json")
        if who is not None and who.token:
            send["Authorization"] = f"Bearer {who.token}"
        for attempt in (0, 1):
            if self.connection is None:
                self.connection = self.connect()
            try:
                self.connection.request(method, path, body, send)
                got = self.connection.getresponse()
                data = got.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError,
                    BrokenPipeError, ssl.SSLError):
                self.close()
                if attempt:
                    raise
        if got.will_close:
            self.close()
        return Answer(got.status, got.headers, data)

    def get(self, path, who=None, **more):
        return self.http("GET", path, who=who, **more)

    def post(self, path, body=None, who=None, **more):
        return self.http("POST", path, {} if body is None else body, who,
                         **more)

    def bundle(self, path, text, who=None):
        return self.http("POST", path, text, who, type="text/plain")

    # --- people -------------------------------------------------------------

    def signin_text(self, person, nonce=None, at=None):
        nonce = nonce or self.post("/v1/signin/nonce").json["nonce"]
        return papers.document("signin", broker=BROKER, principal=person.name,
                               nonce=nonce,
                               time=papers.stamp(
                                   at or time.time() + self.shift))

    def signin(self, person, key=None):
        text = self.signin_text(person)
        got = self.post("/v1/signin", {
            "text": text,
            "signature": (key or person.key).sign("signin", text)})
        if got.status == 200:
            person.token = got.json["token"]
        return got

    def enter(self, person):
        got = self.signin(person)
        assert got.status == 200, got
        return person

    def add_person(self, name, *roles, key=None):
        person = Person(name, key)
        got = self.post("/v1/people", {
            "principal": name, "roles": list(roles),
            "keys": [person.key.public()]}, self.operator)
        assert got.status == 201, got
        return person

    # --- trust and hosts ----------------------------------------------------

    def trust_text(self, tenant, owners, **fields):
        now = time.time()
        lines = {
            "tenant": tenant, "serial": 1,
            "good_until": papers.stamp(now + 90 * 86400), "threshold": 1,
            "require": "any", "longest": 86400, "lease": 1800,
            "offline": "deny",
            "broker": [self.key.pinned(BROKER, "answer")],
            "approver": [o.key.pinned(o.name, "approve", "deny", "revoke",
                                      "trust") for o in owners],
        }
        lines.update(fields)
        return papers.document("trust", **lines)

    def add_tenant(self, tenant, owners, settings=None, **fields):
        text = self.trust_text(tenant, owners, **fields)
        bundle = text + "".join(o.key.sign("trust", text) for o in owners)
        body = {"bundle": bundle}
        if settings is not None:
            body["settings"] = settings
        got = self.post("/v1/tenants", body, self.operator)
        assert got.status == 201, got
        return text

    def invite(self, tenant, host):
        got = self.post("/v1/hosts", {"tenant": tenant, "name": host},
                        self.operator)
        assert got.status == 201, got
        return got.json["code"]

    def enrol_body(self, tenant, host, code, key, machine=None):
        broker, keyid, secret = code.rsplit("-", 2)
        body = {"host": host, "tenant": tenant, "keyid": keyid,
                "key": key.public(),
                "machine_id": machine or secrets.token_hex(16),
                "nonce": secrets.token_hex(16)}
        text = "\n".join(["lockbox-enrol-v1", host, tenant, broker, keyid,
                          body["key"], body["machine_id"], body["nonce"]])
        body["mac"] = hmac.new(crockford_decode(secret, 128),
                               (text + "\n").encode(),
                               hashlib.sha256).hexdigest()
        return body

    def add_host(self, tenant, host):
        key = papers.Ed25519()
        code = self.invite(tenant, host)
        body = self.enrol_body(tenant, host, code, key)
        got = self.post("/v1/enrol", body)
        assert got.status == 201, got
        secret = crockford_decode(code.rsplit("-", 1)[1], 128)
        text = "\n".join(["lockbox-enrolled-v1", host, tenant, BROKER,
                          self.key.public(), key.public(), body["nonce"]])
        assert got.json["mac"] == hmac.new(
            secret, (text + "\n").encode(), hashlib.sha256).hexdigest()
        return key

    # --- requests, grants, questions ------------------------------------------

    def request_text(self, by, **fields):
        lines = {
            "request": papers.new_id(), "tenant": TENANT, "broker": BROKER,
            "engineer": by.name,
            "engineer_key": [by.key.fingerprint()], "host": [HOST],
            "login": ["deploy"], "service": ["sshd"], "duration": 7200,
            "reason_type": "customer_initiated_support",
            "reason": "disk is full", "requested": papers.stamp(time.time()),
        }
        lines.update(fields)
        return papers.document("request", **lines)

    def ask_for(self, by, text=None, **fields):
        """Make a request; returns the answer."""
        text = text or self.request_text(by, **fields)
        return self.post("/v1/requests", {
            "text": text, "signature": by.key.sign("request", text)}, by)

    def endorsed(self, engineer, manager, **fields):
        """A request nobody made before (its login is new), endorsed."""
        fields.setdefault("login", ["u" + secrets.token_hex(6)])
        got = self.ask_for(engineer, **fields)
        assert got.status == 201, got
        got = self.endorse(manager, got.json)
        assert got.status == 200, got
        return got.json

    def endorse(self, manager, request):
        return self.post(f"/v1/requests/{request['id']}/endorse", {
            "signature": manager.key.sign("endorse", request["text"])})

    def draft(self, who, request, **narrowing):
        return self.post(f"/v1/requests/{request['id']}/draft", narrowing, who)

    def approve(self, approver, request, text=None):
        if text is None:
            text = self.draft(approver, request).json["text"]
        return self.post(f"/v1/requests/{request['id']}/approve", {
            "text": text, "signature": approver.key.sign("approve", text)})

    def deny(self, approver, request, reason=None):
        body = {"signature": approver.key.sign("deny", request["text"])}
        if reason:
            body["reason"] = reason
        return self.post(f"/v1/requests/{request['id']}/deny", body)

    def revoke(self, approver, grant):
        return self.post(f"/v1/grants/{grant['id']}/revoke", {
            "signature": approver.key.sign("revoke", grant["text"])})

    def question(self, trust, **fields):
        lines = {
            "host": HOST, "tenant": TENANT, "broker": BROKER,
            "trust": papers.doc_id(trust), "nonce": secrets.token_hex(16),
            "login": "deploy", "service": "sshd",
            "asked": papers.stamp(time.time()),
        }
        lines.update(fields)
        return papers.document("question", **lines)

    def ask(self, key, trust, **fields):
        """A host's question; the answer's lines, and the whole bundle."""
        text = self.question(trust, **fields)
        got = self.bundle("/v1/ask", text + key.sign("question", text))
        if got.status != 200:
            return None, got
        first = papers.split(got.text)[0]
        return papers.fields(first[0]), got
