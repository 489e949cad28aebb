"""The example receiver, end to end: a webhook goes to a customer's system, a
signed grant comes back, and the door opens."""

import base64
import http.server
import os
import subprocess
import threading
from pathlib import Path

import papers
import pytest
from brokerd import BROKER, HOST, TENANT, Person
from postbox import until
from townhall import Town

SCRIPT = Path(__file__).resolve().parents[2] / "conf/examples/hook-receiver.sh"


class Cgi:
    """A web server that runs one CGI script, as RFC 3875 says."""

    def __init__(self, script, conf):
        self.runs = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.runs.append(server.run(self.headers, body))
                self.send_response(server.runs[-1][0])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.script, self.conf = script, conf
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/cgi"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def run(self, headers, body):
        env = {"PATH": os.environ["PATH"], "LOCKBOX_HOOK_CONF": str(self.conf),
               "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST",
               "CONTENT_LENGTH": str(len(body))}
        for name, value in headers.items():
            env["HTTP_" + name.upper().replace("-", "_")] = value
        done = subprocess.run([str(self.script)], input=body, env=env,
                              capture_output=True, check=False, timeout=60)
        status = 500
        if done.stdout.startswith(b"Status: "):
            status = int(done.stdout[8:11])
        return status, dict(headers), body, done.stderr.decode()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Desk:
    """A tenant whose ticket system decides."""

    def __init__(self, build, directory):
        self.hook = Person("tickets@acme.example")
        self.key = directory / "hook"
        self.hook.key.save(self.key)
        self.conf = directory / "hook.conf"
        self.town = Town(build, webhook_private="yes")
        b = self.town.b
        self.trust = b.trust_text(
            TENANT, self.town.owners, serial=2,
            previous=papers.doc_id(self.town.trust),
            hook=[self.hook.key.pinned(self.hook.name, "approve", "deny")])
        got = b.bundle(f"/v1/tenants/{TENANT}/trust",
                       self.trust + self.town.anna.key.sign(
                           "trust", self.trust))
        assert got.status == 200, got
        self.cgi = Cgi(SCRIPT, self.conf)
        got = b.post(f"/v1/tenants/{TENANT}/webhooks", {
            "url": self.cgi.url, "scheme": "v1a"}, self.town.anna)
        assert got.status == 201, got
        self.conf.write_text(
            f"url=https://127.0.0.1:{b.port}\nca={b.home}/ca.pem\n"
            f"broker={BROKER}\nprincipal={self.hook.name}\nkey={self.key}\n"
            f"webhook_key={got.json['public_key']}\ntenant={TENANT}\n"
            f"hosts='[\"{HOST}\"]'\n")

    def state(self, request):
        return self.town.b.get(f"/v1/requests/{request['id']}",
                               self.town.anna).json

    def asked(self, kind="request.pending_approval"):
        return [r for r in self.cgi.runs if kind.encode() in r[2][:60]]

    def end(self):
        self.cgi.close()
        self.town.end()


@pytest.fixture(name="desk")
def fixture_desk(build, tmp_path):
    desk = Desk(build, tmp_path)
    yield desk
    desk.end()


def ask(desk, **fields):
    """Something that the rule lets in, unless fields say otherwise."""
    fields = {"login": ["deploy"], "ticket": "INC-42", "duration": 7200,
              **fields}
    got = desk.town.b.ask_for(desk.town.avm, **fields)
    assert got.status == 201, got
    return got.json


def test_the_ticket_system_approves(desk):
    b = desk.town.b
    answer, _ = b.ask(desk.town.host, desk.trust)
    assert answer["verdict"] != "allow"
    request = ask(desk)
    until(lambda: desk.state(request)["state"] == "active")
    done = desk.state(request)
    assert [a["principal"] for a in done["approvals"]] == [desk.hook.name]
    answer, got = b.ask(desk.town.host, desk.trust)
    assert answer["verdict"] == "allow" and done["grant"] in got.text
    until(lambda: all(r[0] == 204 for r in desk.cgi.runs) and
          not desk.town.deliveries(state="waiting"))

    # The same webhook once more changes nothing, and is taken.
    _, headers, body, _ = desk.asked()[0]
    assert desk.cgi.run(headers, body)[0] == 204
    assert desk.state(request)["grant"] == done["grant"]
    # The same bundle once more has the first result.
    text = b.get(f"/v1/grants/{done['grant']}", desk.town.anna).json["text"]
    bundle = text + done["approvals"][0]["signature"]
    got = b.bundle("/v1/hook", bundle)
    assert (got.status, got.json["grant"]) == (200, done["grant"])


@pytest.mark.parametrize("fields", [
    {"login": ["root"]}, {"login": ["deploy", "root"]},
    {"service": ["sshd", "sudo"]}, {"ticket": None}, {"duration": 7320},
    {"host": ["db2"]}, {"host": [HOST, "db2"]}],
    ids=["login", "logins", "sudo", "ticket", "long", "host", "hosts"])
def test_what_the_rule_does_not_cover(desk, fields):
    desk.town.b.add_host(TENANT, "db2")
    request = ask(desk, **fields)
    until(lambda: desk.asked() and desk.asked()[0][0] == 204)
    assert desk.state(request)["state"] == "pending_approval"
    assert desk.state(request)["approvals"] == []


def test_what_is_not_from_the_broker(desk):
    """Altered, old, unsigned or signed by another: 401, and nothing happens."""
    desk.conf.write_text(desk.conf.read_text() + "hosts='[]'\n")
    request = ask(desk)  # not let in, so that it stays to be tried
    until(lambda: desk.asked())
    status, headers, body, _ = desk.asked()[0]
    assert status == 204
    desk.conf.write_text(desk.conf.read_text().replace("hosts='[]'\n", ""))
    other = papers.Ed25519()
    now = int(headers["webhook-timestamp"])

    def signed(at):
        said = f"{headers['webhook-id']}.{at}.".encode() + body
        return {**headers, "webhook-timestamp": str(at),
                "webhook-signature": "v1a," + base64.b64encode(
                    other.private.sign(said)).decode()}

    for bad in ({**headers, "webhook-id": "x"},
                {**headers, "webhook-timestamp": str(now - 1)},
                {**headers, "webhook-signature": ""},
                {**headers, "webhook-signature": "v1,AAAA v1a,!! v1a,"},
                signed(now), signed(now - 400), {"Content-Type": "text/plain"}):
        assert desk.cgi.run(bad, body)[0] == 401, bad
    assert desk.cgi.run(headers, body + b" ")[0] == 401
    assert desk.state(request)["state"] == "pending_approval"
    # As it came it is taken, and decided.
    assert desk.cgi.run(headers, body)[0] == 204
    assert desk.state(request)["state"] == "active"


def test_old_ones_are_refused(desk, tmp_path):
    request = ask(desk, ticket=None)
    until(lambda: desk.asked())
    _, headers, body, _ = desk.asked()[0]
    fake = tmp_path / "bin"
    fake.mkdir()
    date = fake / "date"
    date.write_text('#!/bin/sh\ncase $1 in +%s) echo $(($(/bin/date +%s) + '
                    '301));; *) exec /bin/date "$@";; esac\n')
    date.chmod(0o755)
    path = os.environ["PATH"]
    assert desk.cgi.run(headers, body)[0] == 204
    os.environ["PATH"] = f"{fake}:{path}"
    try:
        assert desk.cgi.run(headers, body)[0] == 401
    finally:
        os.environ["PATH"] = path
    assert desk.state(request)["state"] == "pending_approval"


def test_a_broker_that_is_away(desk):
    """Nothing is taken for done that was not: the broker sends it again."""
    request = ask(desk, ticket=None)
    until(lambda: desk.asked())
    _, headers, body, _ = desk.asked()[0]
    conf = desk.conf.read_text()
    desk.conf.write_text(conf.replace(str(desk.town.b.port), "9"))
    assert desk.cgi.run(headers, body)[0] == 500
    desk.conf.write_text(conf)
    assert desk.cgi.run(headers, body)[0] == 204
    assert desk.state(request)["state"] == "pending_approval"


def test_it_is_short():
    lines = SCRIPT.read_text().splitlines()
    assert len(lines) < 40
