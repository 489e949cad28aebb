"""lib's HTTPS client against servers that misbehave in every way we know.

Each refusal is shown beside the answer that the same server, or one that
differs in that point only, is let in with.
"""

import datetime
import ipaddress
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

OK, FORMAT, RANGE, MEMORY, TIMEOUT, PEER, UNREACHABLE = \
    0, -1, -2, -3, -9, -10, -11
GOOD = (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"v1\"\r\n"
        b"Content-Type: text/plain\r\n\r\nhello")
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0,
                                reason="private namespaces need root")


# ---- certificates ----

class Authority:
    """A CA of its own; writes what it signs into a directory."""

    def __init__(self, directory, name):
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        cert = self.build(self.name, self.key.public_key(), days=(-1, 1)) \
            .add_extension(x509.BasicConstraints(True, 0), critical=True) \
            .sign(self.key, hashes.SHA256())
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        self.file.chmod(0o644)

    def build(self, subject, public_key, days):
        now = datetime.datetime.utcnow()
        return (x509.CertificateBuilder().subject_name(subject)
                .issuer_name(self.name).public_key(public_key)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now + datetime.timedelta(days=days[0]))
                .not_valid_after(now + datetime.timedelta(days=days[1])))

    def issue(self, names, days=(-1, 1)):
        """A TLS server context for names."""
        key = ec.generate_private_key(ec.SECP256R1())
        alt = [x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit()
               else x509.DNSName(n) for n in names]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        cert = self.build(subject, key.public_key(), days) \
            .add_extension(x509.SubjectAlternativeName(alt), critical=False) \
            .sign(self.key, hashes.SHA256())
        path = self.directory / f"server-{x509.random_serial_number()}.pem"
        path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM,
                              serialization.PrivateFormat.PKCS8,
                              serialization.NoEncryption()) +
            cert.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


# ---- servers ----

class Server:
    """Accepts connections and hands each to serve(conn, server)."""

    def __init__(self, context, serve, raw=False):
        self.context, self.serve, self.raw = context, serve, raw
        self.connections = 0
        self.requests = []
        self.stop = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}/v1/thing"
        self.threads = [threading.Thread(target=self.run, daemon=True)]
        self.threads[0].start()

    def run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self.one, args=(plain,),
                                      daemon=True)
            thread.start()

    def one(self, plain):
        try:
            conn = plain if self.raw else \
                self.context.wrap_socket(plain, server_side=True)
            self.serve(conn, self)
            conn.close()
        except (OSError, ValueError):
            pass
        finally:
            plain.close()

    def read_request(self, conn):
        """Head and body of the next request; None at the end."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = conn.recv(65536)
            if not more:
                return None
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, value = line.split(b": ", 1)
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += conn.recv(65536)
        self.requests.append((head.decode(), body.decode()))
        return head, body

    def close(self):
        self.stop.set()
        # close() alone does not wake accept()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def answering(*parts, pause=0.0, end=True):
    """Reads one request, then sends parts; keeps the line open unless end."""
    def serve(conn, server):
        server.read_request(conn)
        for part in parts:
            conn.sendall(part)
            if pause and server.stop.wait(pause):
                return
        if not end:
            server.stop.wait(20)
    return serve


def keeping(answer=GOOD):
    """Answers every request on one connection."""
    def serve(conn, server):
        while server.read_request(conn) is not None:
            conn.sendall(answer)
    return serve


def endless(first, again, pause=0.0):
    def serve(conn, server):
        server.read_request(conn)
        conn.sendall(first)
        while not server.stop.is_set():
            conn.sendall(again)
            if pause:
                server.stop.wait(pause)
    return serve


# ---- the client ----

class Answer:
    def __init__(self, line):
        fields = line.split("\t")
        self.error, self.status, self.len, self.ms = map(int, fields[:4])
        self.etag, self.body, self.why = fields[4:]

    def __repr__(self):
        return f"<{self.error} {self.status} {self.ms} ms: {self.why}>"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    path = tmp_path_factory.mktemp("https")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def authority(place):
    return Authority(place, "right")


@pytest.fixture(scope="module")
def stranger(place):
    return Authority(place, "stranger")


@pytest.fixture(scope="module")
def context(authority):
    return authority.issue(["127.0.0.1", "localhost", "broker.test"])


@pytest.fixture
def start(context):
    servers = []

    def begin(serve, context=context, raw=False):
        servers.append(Server(context, serve, raw))
        return servers[-1]
    yield begin
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def program(build):
    return str(build / "tests" / "tools" / "https_ask")


@pytest.fixture
def ask(program, authority):
    def run(*urls, ca=authority.file, env=None, wrap=(), flags=(), **options):
        flags = list(flags)
        for name, value in options.items():
            for one in value if isinstance(value, list) else [value]:
                flags += [f"-{name}", str(one)]
        done = subprocess.run(
            [*wrap, program, "-a", str(ca), *flags, *urls], text=True,
            env={**os.environ, **(env or {})}, timeout=30,
            stdout=subprocess.PIPE, check=True)
        lines = done.stdout.splitlines()
        assert lines[-1].startswith("closed\t")
        assert int(lines[-1].split("\t")[1]) < 1000
        answers = [Answer(line) for line in lines[:-1]]
        assert len(answers) == len(urls)
        return answers[0] if len(urls) == 1 else answers
    return run


# ---- what is let in ----

def test_plain_answer(start, ask):
    got = ask(start(keeping()).url)
    assert (got.error, got.status, got.body) == (OK, 200, "hello")
    assert got.etag == r'\"v1\"' or got.etag == '"v1"'
    assert got.why == ""


def test_any_status_but_redirects(start, ask):
    for status in (200, 201, 204, 304, 400, 404, 409, 429, 500, 503, 599):
        length = b"" if status in (204, 304) else b"Content-Length: 0\r\n"
        answer = b"HTTP/1.1 %d X\r\n%s\r\n" % (status, length)
        got = ask(start(answering(answer)).url)
        assert (got.error, got.status, got.len) == (OK, status, 0)
    for status in (300, 301, 302, 303, 307, 308, 600, 999):
        answer = b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status
        assert ask(start(answering(answer)).url).error == PEER


def test_chunks_and_interim_answers(start, ask):
    chunked = (b"HTTP/1.1 103 Early\r\nETag: \"no\"\r\n\r\n"
               b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"3\r\nhel\r\n2\r\nlo\r\n0\r\nETag: \"late\"\r\n\r\n")
    got = ask(start(answering(chunked, end=False)).url)
    assert (got.error, got.body) == (OK, "hello")
    assert got.etag == "-"  # neither the interim one's nor the trailer's


def test_what_is_sent(start, ask):
    server = start(keeping())
    got = ask(server.url, m="POST", b="a=b", H=["X-One: 1", "Accept: a/b"])
    assert got.error == OK
    head, body = server.requests[0]
    lines = head.split("\r\n")
    assert lines[0] == "POST /v1/thing HTTP/1.1"
    names = sorted(line.split(":")[0].lower() for line in lines[1:])
    assert names == ["accept", "content-length", "host", "user-agent", "x-one"]
    assert body == "a=b"

    for method in ("GET", "DELETE", "PUT", "PATCH", "POST"):
        server = start(keeping())
        assert ask(server.url, m=method).error == OK
        assert server.requests[0][0].startswith(method + " /v1/thing ")
        assert server.requests[0][1] == ""

    server = start(keeping())
    assert ask(server.url, m="POST", b="x" * 100000,
               H="Content-Type: text/plain").error == OK
    head, body = server.requests[0]
    assert "Expect" not in head and "Content-Type: text/plain" in head
    assert body == "x" * 100000


def test_nothing_of_a_request_stays(start, ask):
    server = start(keeping())
    answers = ask(server.url, server.url, m="POST", b="a=b", H="X-One: 1",
                  flags=["-g"])
    assert [a.error for a in answers] == [OK, OK]
    head, body = server.requests[1]
    assert head.startswith("GET ") and body == ""
    assert "X-One" not in head and "Content-" not in head
    assert server.connections == 1


def test_one_connection_is_kept(start, ask):
    server = start(keeping())
    answers = ask(*[server.url] * 5)
    assert [a.error for a in answers] == [OK] * 5
    assert server.connections == 1
    assert len(server.requests) == 5


def test_a_closed_connection_is_replaced(start, ask):
    server = start(answering(GOOD))
    answers = ask(*[server.url] * 3, w=100)
    assert [a.error for a in answers] == [OK] * 3
    assert server.connections == 3


def test_goes_on_after_failures(start, ask):
    good, silent = start(keeping()), start(answering(end=False))
    answers = ask(good.url, silent.url, good.url, "https://127.0.0.1:1/",
                  good.url, t=500)
    assert [a.error for a in answers] == [OK, TIMEOUT, OK, UNREACHABLE, OK]


# ---- requests that are not sent ----

def test_requests_that_are_refused(start, ask):
    server = start(keeping())
    rest = server.url[len("https://"):]
    assert ask(server.url).error == OK
    for url in ("http://" + rest, "file:///etc/passwd", "https://", "HTTPS://x",
                "ftp://" + rest, "https://user:pw@" + rest, rest,
                "https://" + rest + " x", "https://" + rest + "\nX: y",
                "https://" + rest + "/" + "x" * 2100, "https://b\xfccher/"):
        assert ask(url).error == FORMAT, url
    for header in ("X-One", "X-One:1", ": 1", "X One: 1", "X-One: 1\r\nY: 2",
                   "X-One: \x1b", "X-One: " + "x" * 5000, "X-One: "):
        assert ask(server.url, H=header).error == FORMAT, header
    assert ask(server.url, H=["A: 1"] * 16).error == OK
    assert ask(server.url, H=["A: 1"] * 17).error == FORMAT
    for method in ("get", "HEAD", "CONNECT", "", "GET /x"):
        assert ask(server.url, m=method).error == FORMAT
    assert ask(server.url, b="body").error == FORMAT


# ---- who is believed ----

def test_only_the_given_authority(start, ask, stranger):
    server = start(keeping())
    assert ask(server.url).error == OK
    got = ask(server.url, ca=stranger.file)
    assert got.error == PEER and "certificate" in got.why


def test_environment_adds_no_authority(start, ask, authority, stranger, place):
    server = start(keeping())
    env = {"SSL_CERT_FILE": str(authority.file), "SSL_CERT_DIR": str(place),
           "CURL_CA_BUNDLE": str(authority.file)}
    assert ask(server.url, env=env).error == OK
    assert ask(server.url, ca=stranger.file, env=env).error == PEER


@NEEDS_ROOT
def test_system_directory_adds_no_authority(start, ask, authority, stranger,
                                            place):
    """The trap is shown to be one: curl itself walks into it."""
    server = start(keeping())
    certs = place / "certs"
    certs.mkdir()
    (certs / "right.pem").write_bytes(authority.file.read_bytes())
    (certs / "ca-certificates.crt").write_bytes(authority.file.read_bytes())
    subprocess.run(["openssl", "rehash", str(certs)], check=True)
    wrap = ("unshare", "-m", "sh", "-ec", 'mount --bind "$0" /etc/ssl/certs\n'
            'exec "$@"', str(certs))
    curl = subprocess.run(
        [*wrap, "curl", "-s", "--cacert", str(stranger.file), server.url],
        stdout=subprocess.PIPE, check=False)
    assert (curl.returncode, curl.stdout) == (0, b"hello")
    assert ask(server.url, wrap=wrap).error == OK
    assert ask(server.url, ca=stranger.file, wrap=wrap).error == PEER


def test_name_and_dates(start, ask, authority):
    for names, days, want in (
            (["127.0.0.1"], (-1, 1), OK),
            (["127.0.0.2"], (-1, 1), PEER),
            (["broker.test"], (-1, 1), PEER),
            (["127.0.0.1"], (-2, -1), PEER),
            (["127.0.0.1"], (1, 2), PEER)):
        server = start(keeping(), context=authority.issue(names, days))
        assert ask(server.url).error == want, (names, days)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls(start, ask, authority):
    for version, want in ((ssl.TLSVersion.TLSv1_3, OK),
                          (ssl.TLSVersion.TLSv1_2, OK),
                          (ssl.TLSVersion.TLSv1_1, PEER)):
        context = authority.issue(["127.0.0.1"])
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        assert ask(start(keeping(), context=context).url).error == want


def test_an_authority_that_is_none(ask, place, program, start):
    url = start(keeping()).url
    for content, want in ((b"", FORMAT), (b"not a certificate\n", FORMAT),
                          (b"-----BEGIN CERTIFICATE-----\n" * 50000, RANGE)):
        path = place / "broken.pem"
        path.write_bytes(content)
        path.chmod(0o644)
        done = subprocess.run([program, "-a", str(path), url], check=False,
                              text=True, stdout=subprocess.PIPE)
        assert done.returncode == 1 and done.stdout == f"open\t{want}\n"
    path.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n"
                     b"-----END CERTIFICATE-----\n")
    assert ask(url, ca=path).error in (FORMAT, PEER)


# ---- where it goes ----

def test_environment_leads_nowhere(start, ask, place):
    server = start(keeping())
    log = place / "keys.log"
    dead = "http://127.0.0.1:1"
    env = {name: dead for name in ("http_proxy", "https_proxy", "HTTPS_PROXY",
                                   "all_proxy", "ALL_PROXY")}
    env["SSLKEYLOGFILE"] = str(log)
    env["OPENSSL_CONF"] = "/nonexistent"
    assert ask(server.url, env=env).error == OK
    assert not log.exists()


def proxy(target):
    """A CONNECT proxy that leads everything to target."""
    def serve(conn, server):
        server.read_request(conn)
        conn.sendall(b"HTTP/1.1 200 go\r\n\r\n")
        with socket.create_connection(("127.0.0.1", target.port)) as other:
            back = threading.Thread(target=pump, args=(other, conn),
                                    daemon=True)
            back.start()
            pump(conn, other)
            back.join(5)
    return serve


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_configured_proxy(start, ask):
    server = start(keeping())
    through = start(proxy(server), raw=True)
    got = ask("https://broker.test/x", p=f"http://127.0.0.1:{through.port}",
              H="Authorization: secret", env={"no_proxy": "*"})
    assert got.error == OK and got.etag != "-"
    assert through.requests[0][0].startswith("CONNECT broker.test:443 ")
    assert "secret" not in through.requests[0][0]
    assert "secret" in server.requests[0][0]
    # A proxy that refuses, and one that is not there.
    refusing = start(answering(b"HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n"),
                     raw=True)
    assert ask("https://broker.test/x",
               p=f"http://127.0.0.1:{refusing.port}").error == PEER
    assert ask("https://broker.test/x",
               p="http://127.0.0.1:1").error == UNREACHABLE


def test_proxies_that_are_none(program, authority):
    for bad in ("", "http://", "socks5://127.0.0.1:1", "127.0.0.1:1",
                "https://127.0.0.1:1", "http://a\nb"):
        done = subprocess.run([program, "-a", str(authority.file), "-p", bad,
                               "https://127.0.0.1:1/"], check=False, text=True,
                              stdout=subprocess.PIPE)
        assert done.stdout == f"open\t{FORMAT}\n"


def test_redirects_are_not_followed(start, ask):
    other = start(keeping())
    for status in (301, 302, 303, 307, 308):
        answer = (b"HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
                  % (status, other.url.encode()))
        assert ask(start(answering(answer)).url).error == PEER
    assert other.connections == 0
    assert ask(other.url).error == OK


def test_nobody_there(ask):
    assert ask("https://127.0.0.1:1/").error == UNREACHABLE
    got = ask("https://nobody.invalid/", t=3000)
    assert got.error in (UNREACHABLE, TIMEOUT) and got.ms < 3500


# ---- one deadline ----

def in_time(got, ms=1000):
    assert got.error == TIMEOUT, got
    assert ms - 50 <= got.ms < ms + 1500, got


@pytest.mark.parametrize("serve, raw", [
    (answering(end=False), False),                        # silent
    (lambda conn, server: server.stop.wait(20), True),    # no TLS either
    (answering(*[GOOD[i:i + 1] for i in range(len(GOOD))], pause=1), False),
    (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx", end=False),
     False),
    (endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", pause=0.2), False),
    (endless(b"", b"HTTP/1.1 100 Go on\r\n\r\n", pause=0.2), False),
    (endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
             b"1\r\nx\r\n", pause=0.2), False),
], ids=["silent", "no-tls", "drip", "half", "drip-head", "drip-interim",
        "drip-chunks"])
def test_deadline(start, ask, serve, raw):
    in_time(ask(start(serve, raw=raw).url, t=1000))


def test_deadline_lets_a_slow_answer_in(start, ask):
    parts = [GOOD[i:i + 20] for i in range(0, len(GOOD), 20)]
    got = ask(start(answering(*parts, pause=0.1)).url, t=3000)
    assert got.error == OK and 200 < got.ms < 2000


def test_deadline_while_sending(start, ask):
    """A server that takes the connection and never reads."""
    def serve(conn, server):
        server.stop.wait(20)
    in_time(ask(start(serve).url, m="POST", b="x" * 120000, t=1000))


def test_peer_that_hangs_up_while_we_send(start, ask):
    """It says why, and is not ended by a signal."""
    def serve(conn, server):
        conn.recv(1000)
        linger = struct.pack("ii", 1, 0)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        os.close(conn.detach())
    for _ in range(20):
        got = ask(start(serve).url, m="POST", b="x" * 120000)
        assert got.error == PEER, got


SILENT_DNS = """
rm -f "$0/ready"
ip link set lo up
mount --bind "$0/resolv.conf" /etc/resolv.conf
mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf
python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print(flush=True)
time.sleep(15)' > "$0/ready" &
dns=$!
while ! test -s "$0/ready"; do sleep 0.05; done
code=0
"$@" || code=$?
kill $dns
exit $code
"""


@NEEDS_ROOT
def test_deadline_when_no_name_server_answers(ask, place):
    (place / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (place / "nsswitch.conf").write_text("hosts: files dns\n")
    wrap = ("unshare", "-mn", "sh", "-ec", SILENT_DNS, str(place))
    # How long getaddrinfo itself hangs: that is the trap.
    before = time.monotonic()
    subprocess.run([*wrap, "timeout", "3", "getent", "hosts", "broker.test"],
                   check=False)
    assert time.monotonic() - before >= 2.5
    before = time.monotonic()
    answers = ask(*["https://broker.test/"] * 3, "https://127.0.0.1:1/",
                  wrap=wrap, t=1000)
    for got in answers[:3]:
        in_time(got)
    assert answers[3].error == UNREACHABLE
    assert time.monotonic() - before < 8  # and the process ended with it


# ---- how much is read ----

def test_body_cap(start, ask):
    for size, want in ((99, OK), (100, OK), (101, RANGE)):
        body = b"x" * size
        length = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
        chunk = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 b"%x\r\n" % size)
        for answer in (length + body, chunk + body + b"\r\n0\r\n\r\n"):
            got = ask(start(answering(answer)).url, c=100)
            assert got.error == want, got
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    assert ask(start(answering(huge, end=False)).url, c=100).error == RANGE


@pytest.mark.parametrize("first, again", [
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4096),
    (b"HTTP/1.1 200 OK\r\n", b"X-Filler: y\r\n"),
    (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 4096),
    (b"", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
     b"X-Trailer: y\r\n"),
], ids=["chunks", "close", "heads", "head", "interim", "trailers"])
def test_endless(start, ask, first, again):
    got = ask(start(endless(first, again)).url, c=65536)
    # libcurl calls a line of 100 KiB "out of memory"
    assert got.error in (RANGE, PEER, MEMORY), got
    assert got.ms < 4000


def test_head_cap(start, ask):
    line = b"X-Filler: " + b"y" * 988 + b"\r\n"
    for lines, want in ((15, OK), (17, RANGE)):
        answer = (b"HTTP/1.1 200 OK\r\n" + line * lines +
                  b"Content-Length: 2\r\n\r\nok")
        assert ask(start(answering(answer)).url).error == want


# ---- what is no answer ----

def test_cut_anywhere(start, ask):
    """Every beginning of a good answer that is not the whole of it."""
    assert ask(start(answering(GOOD)).url).error == OK
    cut = {"at": 0}

    def serve(conn, server):
        server.read_request(conn)
        conn.sendall(GOOD[:cut["at"]])

    server = start(serve)
    for cut["at"] in range(len(GOOD)):
        got = ask(server.url)
        assert got.error == PEER, (cut, got)


def test_cut_without_goodbye(start, ask):
    """The TCP connection ends, TLS never said so."""
    def serve(answer):
        def cut(conn, server):
            server.read_request(conn)
            conn.sendall(answer)
            os.close(conn.detach())
        return cut

    assert ask(start(serve(GOOD)).url).error == OK  # it said how long
    for answer in (GOOD[:-1], b"HTTP/1.1 200 OK\r\n\r\nhello",
                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"5\r\nhello\r\n"):
        assert ask(start(serve(answer)).url).error == PEER


@pytest.mark.parametrize("answer", [
    b"hello\r\n\r\n",
    b"\x00" * 100,
    b"\xff\xfe" * 5000,
    b"HTTP/0.9 200 OK\r\n\r\n",
    b"HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 0 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
], ids=range(12))
def test_garbage(start, ask, answer):
    got = ask(start(answering(answer)).url)
    assert got.error in (PEER, RANGE), got


def test_garbage_instead_of_tls(start, ask):
    for bytes_ in (GOOD, b"\x16\x03\x01" + b"\x00" * 200, b"\xff" * 200):
        def serve(conn, server, bytes_=bytes_):
            conn.recv(100)
            conn.sendall(bytes_)
        assert ask(start(serve, raw=True).url).error == PEER


def test_nothing_is_decoded(start, ask):
    answer = GOOD.replace(b"Content-Type: text/plain",
                          b"Content-Encoding: gzip")
    got = ask(start(answering(answer)).url)
    assert (got.error, got.body) == (OK, "hello")


def test_doubled_header_is_no_header(start, ask):
    answer = GOOD.replace(b"Content-Type: text/plain", b"etag: \"v2\"")
    got = ask(start(answering(answer)).url)
    assert (got.error, got.etag) == (OK, "-")
