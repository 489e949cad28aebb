"""A real SMTP server, and a real receiver of webhooks, for tests.

The SMTP server is aiosmtpd's, with what a test wants to go wrong; the receiver
is Python's own HTTP server. Both run in threads and keep what they got.
"""

import base64
import contextlib
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time

from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric import ed25519


def until(what, seconds=60, every=0.1):
    """Wait for a condition; its value."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got or time.monotonic() > end:
            assert got, "it did not happen in time"
            return got
        time.sleep(every)


def certificate(directory, *names):
    """A certificate for addresses and names, its own authority."""
    names = names or ("127.0.0.1",)
    cert, key = directory / "self.pem", directory / "self.key"
    alt = ",".join(("IP:" if name.replace(".", "").isdigit() else "DNS:") +
                   name for name in names)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/CN=lockbox test", "-addext", f"subjectAltName={alt}", "-keyout",
         str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


class Mail:
    """One mail as the server took it."""

    def __init__(self, envelope):
        self.sender, self.to = envelope.mail_from, envelope.rcpt_tos
        self.raw = envelope.content
        self.message = email.message_from_bytes(
            self.raw, policy=email.policy.default)

    def __getitem__(self, name):
        return self.message[name]

    @property
    def text(self):
        return self.message.get_body(("plain",)).get_content()

    @property
    def html(self):
        return self.message.get_body(("html",)).get_content()


class Postbox:
    """An SMTP server on a free loopback port."""

    def __init__(self, tls=None, login=None, port=0):
        self.mails, self.answers = [], []
        options = {}
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, tls))
            options.update(tls_context=context, require_starttls=True)
        if login:
            options.update(auth_required=True, authenticator=self.knows)
        self.login = login
        self.controller = Controller(
            self, hostname="127.0.0.1", port=port or free_port(), **options)
        self.controller.start()
        self.port = self.controller.port

    def knows(self, server, session, envelope, mechanism, data):
        from aiosmtpd.smtp import AuthResult
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login, handled=False)

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            self.mails.append(Mail(envelope))
        return answer

    def wait(self, count, seconds=60):
        until(lambda: len(self.mails) >= count, seconds)
        return self.mails

    def to(self, address):
        return [m for m in self.mails if m.to == [address]]

    def close(self):
        with contextlib.suppress(Exception):
            self.controller.stop()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Call:
    """One webhook as the receiver got it."""

    def __init__(self, headers, body, path):
        self.headers, self.body, self.path = headers, body, path
        self.at = time.time()

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def json(self):
        return json.loads(self.body)

    def signed_by(self, key):
        """Is one of its signatures by that secret or public key?"""
        said = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + \
            self.body
        for one in self.headers["webhook-signature"].split(" "):
            version, value = one.split(",", 1)
            value = base64.b64decode(value)
            if version == "v1" and key.startswith("whsec_"):
                mac = hmac.new(base64.b64decode(key[6:]), said, hashlib.sha256)
                if hmac.compare_digest(mac.digest(), value):
                    return True
            if version == "v1a" and key.startswith("whpk_"):
                public = ed25519.Ed25519PublicKey.from_public_bytes(
                    base64.b64decode(key[5:]))
                with contextlib.suppress(Exception):
                    public.verify(value, said)
                    return True
        return False


class Receiver:
    """An HTTP or HTTPS server that takes webhooks. answers: what it says to
    the next ones, (status, headers, body), then 204."""

    def __init__(self, tls=None, address="127.0.0.1", port=0):
        self.calls, self.answers, self.delay = [], [], 0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append(Call(self.headers, body, self.path))
                if receiver.delay:
                    time.sleep(receiver.delay)
                status, headers, answer = receiver.answers.pop(0) \
                    if receiver.answers else (204, {}, b"")
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            do_GET = do_POST

            def log_message(self, *arguments):
                pass

        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        kind = type("Server", (http.server.ThreadingHTTPServer,),
                    {"address_family": family, "daemon_threads": True})
        self.server = kind((address, port), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, tls))
            self.server.socket = context.wrap_socket(self.server.socket,
                                                     server_side=True)
        self.port = self.server.server_address[1]
        shown = f"[{address}]" if ":" in address else address
        self.url = f"http{'s' if tls else ''}://{shown}:{self.port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count, seconds=60):
        until(lambda: len(self.calls) >= count, seconds)
        return self.calls

    def types(self):
        return [c.json["type"] for c in self.calls]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
