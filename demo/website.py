"""The customer's own web server: static files over TLS, at a port of loopback.

Serves what stands in one directory with the headers that
doc/customer-page.md asks for, under names that end in .localhost, which every
browser and curl lead to loopback by themselves.
"""

import functools
import http.server
import ssl
import subprocess
import threading
from pathlib import Path

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True,
                   capture_output=True)


def certificate(directory, name, *alt_names):
    """A CA of its own and a server certificate: (ca, certificate, key)."""
    base = Path(directory)
    made = base / f"{name}-ca.pem", base / f"{name}.pem", base / f"{name}-key.pem"
    if made[1].exists():
        return made
    ca_key = base / f"{name}-ca-key.pem"
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt",
           "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl(*new, "-out", made[0], "-keyout", ca_key, "-subj", f"/CN={name} CA")
    openssl(*new, "-out", made[1], "-keyout", made[2], "-subj", f"/CN={name}",
            "-CA", made[0], "-CAkey", ca_key,
            "-addext", "basicConstraints=critical,CA:FALSE",
            "-addext", "subjectAltName=" + ",".join(alt_names))
    return made


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of one directory; says nothing on standard error."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map,
                      ".js": "text/javascript", ".html": "text/html;charset=utf-8"}

    def end_headers(self):
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Whoever breaks off, or does not trust us, is no event here."""


class Website:
    """https://NAME:PORT from a directory, until close()."""

    def __init__(self, directory, name, certificates, headers=None):
        self.directory, self.name = Path(directory), name
        self.ca, self.certificate, key = certificates
        self.server = Server(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=directory))
        self.server.headers = HEADERS if headers is None else headers
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        # The handshake belongs to the connection's thread, not to accept.
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True,
            do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever,
                                       kwargs={"poll_interval": 0.05},
                                       daemon=True)
        self.thread.start()

    @property
    def origin(self):
        return f"https://{self.name}:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)
