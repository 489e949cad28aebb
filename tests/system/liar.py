"""A broker that lies: it owns the real one's keys, certificate and papers.

Serves POST /v1/ask on the real broker's address with the real broker's TLS
key, and answers whatever `reply` makes of the question. What an attacker who
took the broker over could send, this sends. POST /v1/watch is answered in the
same way, but when `tell` is called. What comes to POST /v1/report is taken as a
broker takes it: see `intake`.
"""

import socket
import os
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import papers


class Grant:
    """A grant with its request and signatures, each of them replaceable."""

    def __init__(self, text, signatures, request, request_signatures):
        self.text, self.signatures = text, list(signatures)
        self.request, self.request_signatures = request, list(request_signatures)

    @property
    def id(self):
        return papers.doc_id(self.text)

    def parts(self, with_request=True):
        text = self.text + "".join(self.signatures)
        if with_request:
            text += self.request + "".join(self.request_signatures)
        return text


class Server(ThreadingHTTPServer):
    """Forgets no connection, so that closing it closes them all."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *arguments):
        self.peers = []
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        self.peers.append(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        pass # a peer that hangs up is what tests are about

    def close_all(self):
        self.server_close()
        for peer in self.peers:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Liar:
    """The server. `reply`, `status` and `drip` say what it does next."""

    def __init__(self, port, certificate, tls_key, broker_key):
        self.port = port
        self.key = papers.Ed25519.load(broker_key)
        self.reply = lambda question: ""
        self.status = 200
        self.drip = 0 # seconds between two bytes of an answer
        self.questions = []
        self.intake = papers.Intake()
        self.waiting = [] # questions that wait for news
        self.news = threading.Condition()
        self.told = 0
        self.server = None
        self.open(certificate, tls_key)

    def open(self, certificate, tls_key):
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                # A broker has a machine of its own; here it shares two cores
                # with every sshd and ssh of the test.
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -15)
                super().setup()

            def do_POST(self):
                liar.serve(self)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, tls_key)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def tell(self, reply=None):
        """There is news: answer every watch, from now on by that reply."""
        if reply:
            self.reply = reply
        with self.news:
            self.told += 1
            self.news.notify_all()

    def wait_for_news(self, question):
        with self.news:
            told = self.told
            self.waiting.append(question)
            self.news.wait_for(lambda: self.told != told, 50)
            self.waiting.remove(question)

    def serve(self, call):
        """Answer one POST /v1/ask, or /v1/watch when there is news."""
        body = call.rfile.read(int(call.headers["Content-Length"]))
        if call.path == "/v1/report":
            self.send(call, self.intake.take(body.decode()),
                      "application/json")
            return
        question = papers.split(body.decode())[0][0]
        if call.path == "/v1/watch":
            self.wait_for_news(question)
        else:
            self.questions.append(question)
        self.send(call, self.reply(question), "text/plain")

    def send(self, call, sent, kind):
        sent = sent.encode() if isinstance(sent, str) else sent
        call.send_response(self.status)
        call.send_header("Content-Type", kind)
        call.send_header("Content-Length", str(len(sent)))
        if 300 <= self.status < 400:
            call.send_header("Location", f"https://127.0.0.1:{self.port}/v1/ask")
        call.end_headers()
        try:
            if not self.drip:
                call.wfile.write(sent)
            for byte in sent if self.drip else b"":
                call.wfile.write(bytes([byte]))
                time.sleep(self.drip)
        except OSError:
            call.close_connection = True # the courier gave up, as it should

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.close_all()
            self.server = None
            self.tell() # those who wait find nobody there

    def signed(self, answer, key=None):
        return answer + (key or self.key).sign("answer", answer)

    def allow(self, question, *grants, key=None, ids=None, with_request=True,
              **knobs):
        """A signed allow naming the grants, and the grants themselves."""
        text = papers.answer(question, grants=ids if ids is not None else
                             sorted(g.id for g in grants), **knobs)
        return self.signed(text, key) + "".join(
            g.parts(with_request) for g in grants)


class Customer:
    """The customer's keys and the papers made with them."""

    def __init__(self, tenant, broker, host, broker_key):
        self.tenant, self.broker, self.host = tenant, broker, host
        self.broker_key = broker_key
        self.anna, self.bert = papers.Ed25519(), papers.Ed25519()
        self.owner = self.anna

    def trust(self, **knobs):
        """A trust document: anna owns and approves, bert approves."""
        now = int(time.time())
        lines = {
            "tenant": self.tenant, "serial": 1,
            "good_until": papers.stamp(now + 90 * 86400), "threshold": 1,
            "require": "any", "longest": 86400, "lease": 1800,
            "offline": "deny",
            "broker": [self.broker_key.pinned(self.broker, "answer")],
            "approver": [
                self.anna.pinned("anna@acme.example", "approve", "deny",
                                 "revoke", "trust"),
                self.bert.pinned("bert@acme.example", "approve", "deny",
                                 "revoke")],
        }
        lines.update(knobs)
        return papers.document("trust", **lines)

    def request(self, engineer_key, sign_with=None, **knobs):
        now = int(time.time())
        lines = {
            "request": papers.new_id(), "tenant": self.tenant,
            "broker": self.broker, "engineer": "avm@provider.example",
            "engineer_key": [engineer_key.fingerprint()], "host": [self.host],
            "login": ["avm"], "service": ["sshd"], "duration": 3600,
            "reason_type": "customer_initiated_support",
            "reason": "Mend the index", "requested": papers.stamp(now - 120),
        }
        lines.update(knobs)
        text = papers.document("request", **lines)
        return text, [(sign_with or engineer_key).sign("request", text)]

    def grant(self, engineer_key, *approvers, request=None, request_knobs=None,
              namespace="approve", **knobs):
        """A grant of the whole request, approved by the given keys."""
        now = int(time.time())
        text, signatures = request or self.request(
            engineer_key, **(request_knobs or {}))
        asked = papers.fields(text)
        lines = {
            "request": papers.doc_id(text),
            "not_before": papers.stamp(now - 60),
            "not_after": papers.stamp(now + 600), "issued": papers.stamp(now),
        }
        for name in ("tenant", "broker", "engineer", "engineer-key", "host",
                     "login", "service", "ticket", "reason-type", "reason"):
            lines[name.replace("-", "_")] = asked.get(name)
        lines.update(knobs)
        grant = papers.document("grant", **lines)
        return Grant(grant, [key.sign(namespace, grant) for key in approvers],
                     text, signatures)
