"""lockbox-courier by itself: a broker made here answers, or misbehaves.

Each fault comes after the exchange that works, through the same courier.
"""

import contextlib
import ctypes
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

UID = pwd.getpwnam("nobody").pw_uid
OK, UNREACHABLE, TIMEOUT, TLS, GARBAGE, REFUSED, TOO_LARGE, BUSY, FAILED = \
    range(9)

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="root is needed: the courier changes its user")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True,
                   capture_output=True)


def make_certificates(base):
    """Two CAs; from the first: for 127.0.0.1, for another name, an old one."""
    for ca in ("ca", "other-ca"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", f"/CN={ca}", "-keyout", base / f"{ca}.key",
                "-out", base / f"{ca}.pem")
    for name, ca, san in (("good", "ca", "IP:127.0.0.1,IP:10.77.0.2"),
                          ("elsewhere", "ca", "DNS:elsewhere.example"),
                          ("foreign", "other-ca", "IP:127.0.0.1")):
        (base / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=x",
                "-keyout", base / f"{name}.key", "-out", base / f"{name}.csr")
        openssl("x509", "-req", "-in", base / f"{name}.csr", "-days", "1",
                "-CA", base / f"{ca}.pem", "-CAkey", base / f"{ca}.key",
                "-CAcreateserial", "-extfile", base / f"{name}.ext",
                "-out", base / f"{name}.pem")


def plain(body, status="200 OK", kind="text/plain", more=""):
    body = body.encode() if isinstance(body, str) else body
    return (f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class Broker:
    """A TLS server; `serve(connection, head, body)` says what it answers."""

    def __init__(self, base, certificate="good", tls=True, server=None):
        self.base, self.tls = base, tls
        self.connections = self.asked = 0
        self.heads = []
        self.serve = lambda c, head, body: c.sendall(plain(body[::-1]))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.use(certificate)
        self.server = server or socket.create_server(
            ("127.0.0.1", 0), backlog=512)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def use(self, certificate):
        self.context.load_cert_chain(self.base / f"{certificate}.pem",
                                     self.base / f"{certificate}.key")

    def accept(self):
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            self.connections += 1
            self.peer = peer.getpeername()
            self.last = peer
            threading.Thread(target=self.talk, args=(peer,),
                             daemon=True).start()

    def talk(self, peer):
        try:
            if self.tls:
                peer = self.last = self.context.wrap_socket(
                    peer, server_side=True)
            with peer, peer.makefile("rb") as stream:
                while True:
                    head = b""
                    while not head.endswith(b"\r\n\r\n"):
                        line = stream.readline()
                        if not line:
                            return
                        head += line
                    length = int(re.search(rb"(?i)content-length: (\d+)",
                                           head)[1])
                    body = stream.read(length)
                    self.asked += 1
                    self.heads.append(head)
                    self.serve(peer, head, body)
        except OSError:
            pass

    def hang_up(self):
        """Close the last connection, as if it had been silent too long."""
        with contextlib.suppress(OSError, AttributeError):
            self.last.shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


class Courier:
    def __init__(self, base, program, url, wrap=(), env=None, more=""):
        self.path = base / "courier.sock"
        conf = base / "courier.conf"
        conf.write_text(f"url = {url}\nca = {base}/ca.pem\nuser = nobody\n"
                        f"agent_user = nobody\nsocket = {self.path}\n{more}")
        self.lines = []
        self.ready = threading.Event()
        self.popen = subprocess.Popen(
            [*map(str, wrap), str(program), "-v", "-c", str(conf)],
            # Its sandbox keeps a sanitizer's leak check from /proc.
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0",
                 **(env or {})},
            stderr=subprocess.PIPE, text=True, errors="replace")
        threading.Thread(target=self.read, daemon=True).start()
        assert self.ready.wait(10), self.lines

    def read(self):
        for line in self.popen.stderr:
            self.lines.append(line)
            if "ready for" in line:
                self.ready.set()

    def connect(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(15)
        s.connect(str(self.path))
        return s

    @staticmethod
    def hear(s):
        """(outcome, text), or None when it hung up."""
        stream = s.makefile("rb")
        try:
            head = stream.read(5)
        except ConnectionResetError:
            return None
        if len(head) < 5:
            return None
        length, outcome = struct.unpack(">IB", head)
        text = stream.read(length - 1)
        assert len(text) == length - 1
        return outcome, text.decode()

    def send(self, body, timeout_ms=4000, op=1):
        s = self.connect()
        body = body.encode()
        try:
            s.sendall(struct.pack(">IBI", len(body) + 5, op, timeout_ms) + body)
        except BrokenPipeError:
            pass # it hung up already: hear() says so
        return s

    def ask(self, body="question", timeout_ms=4000, op=1):
        with self.send(body, timeout_ms, op) as s:
            return self.hear(s)

    def close(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        code = self.popen.wait(10)
        self.popen.stderr.close()
        return code


class Stand:
    def __init__(self, build):
        self.base = Path(tempfile.mkdtemp(prefix="lockbox-courier-"))
        self.base.chmod(0o755)
        make_certificates(self.base)
        self.program = build / "agent" / "lockbox-courier"
        self.open = []

    def broker(self, *args, **more):
        broker = Broker(self.base, *args, **more)
        self.open.append(broker)
        return broker

    def courier(self, url, **more):
        courier = Courier(self.base, self.program, url, **more)
        self.open.append(courier)
        return courier

    def clear(self):
        for one in reversed(self.open):
            one.close()
        self.open.clear()


@pytest.fixture(scope="module")
def ground(build):
    stand = Stand(build)
    yield stand
    shutil.rmtree(stand.base)


@pytest.fixture
def stand(ground):
    yield ground
    ground.clear()


@pytest.fixture
def pair(stand):
    """A broker that answers, and a courier that has proved it can ask."""
    stand.b = stand.broker()
    stand.c = stand.courier(f"https://127.0.0.1:{stand.b.port}")
    assert stand.c.ask("abc") == (OK, "cba")
    return stand


def test_what_is_posted(pair):
    head = pair.b.heads[0].decode()
    assert head.startswith("POST /v1/ask HTTP/1.1\r\n")
    assert "\r\nContent-Type: text/plain\r\n" in head
    assert "Expect" not in head and "Accept-Encoding" not in head
    body = "x" * 100000
    assert pair.c.ask(body) == (OK, body)
    assert pair.c.ask("") == (OK, "")


def test_reports_have_a_place_and_a_type_of_their_own(pair):
    """And an answer to one is none to the other."""
    pair.b.serve = say('{"sequence":1}', kind="application/json")
    assert pair.c.ask("report", op=3) == (OK, '{"sequence":1}')
    assert pair.b.heads[-1].startswith(b"POST /v1/report HTTP/1.1\r\n")
    assert pair.c.ask("question")[0] == GARBAGE
    pair.b.serve = say("plain")
    assert pair.c.ask("question") == (OK, "plain")
    assert pair.b.heads[-1].startswith(b"POST /v1/ask HTTP/1.1\r\n")
    assert pair.c.ask("report", op=3)[0] == GARBAGE


def test_one_connection_is_kept(pair):
    for _ in range(20):
        assert pair.c.ask("abc") == (OK, "cba")
    assert pair.b.connections == 1


def test_two_hundred_at_once_over_a_few(pair):
    began = time.monotonic()
    open_ones = [pair.c.send(f"{i:03}") for i in range(200)]
    got = [pair.c.hear(s) for s in open_ones]
    assert got == [(OK, f"{i:03}"[::-1]) for i in range(200)]
    assert time.monotonic() - began < 4
    assert pair.b.connections <= 4 + 2 # what waits for news, and reports


def test_a_closed_connection_is_made_anew(pair):
    def close(c, head, body):
        c.sendall(plain(body[::-1]))
        c.shutdown(socket.SHUT_RDWR)
    pair.b.serve = close
    for _ in range(5):
        assert pair.c.ask("abc") == (OK, "cba")
        time.sleep(0.05)


def stall(c, head, body):
    time.sleep(5)


def drip(c, head, body):
    for byte in plain("slow" * 20):
        c.sendall(bytes([byte]))
        time.sleep(0.2)


def endless(c, head, body):
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
              b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        c.sendall(b"2000\r\n" + b"y" * 8192 + b"\r\n")


def many_headers(c, head, body):
    c.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-More: " + b"z" * 4000 + b"\r\n")
    while True:
        c.sendall(b"X-More: " + b"z" * 4000 + b"\r\n")


def hang_up(c, head, body):
    c.shutdown(socket.SHUT_RDWR)


def cut(c, head, body):
    c.sendall(plain("whole answer")[:-4])
    c.shutdown(socket.SHUT_RDWR)


def say(*args, **more):
    return lambda c, head, body: c.sendall(plain(*args, **more))


@pytest.mark.parametrize("serve,outcomes", [
    (stall, (TIMEOUT,)), (drip, (TIMEOUT,)), (endless, (TOO_LARGE,)),
    (many_headers, (TOO_LARGE, GARBAGE)), (hang_up, (UNREACHABLE,)),
    (cut, (GARBAGE, UNREACHABLE)), (say("x" * 131073), (TOO_LARGE,)),
    (say("{}", kind="application/json"), (GARBAGE,)),
    (say("x", kind="text/plainer"), (GARBAGE,)),
    (say("", status="204 No Content"), (REFUSED,)),
    (say("", status="401 Unauthorized"), (REFUSED,)),
    (say("", status="500 Internal"), (FAILED,)),
    (say("", status="503 Busy"), (FAILED,)),
    (lambda c, h, b: c.sendall(b"SMTP ready\r\n\r\n"), (GARBAGE,)),
], ids=["stall", "drip", "endless", "headers", "hang up", "cut", "large", "json",
        "plainer", "204", "401", "500", "503", "no http"])
def test_a_broker_that_misbehaves(pair, serve, outcomes):
    good = pair.b.serve
    pair.b.serve = serve
    began = time.monotonic()
    outcome, text = pair.c.ask(timeout_ms=1000)
    assert outcome in outcomes, (outcome, text)
    assert time.monotonic() - began < 1.5
    assert 0 < len(text) <= 120
    pair.b.serve = good
    assert pair.c.ask("abc") == (OK, "cba")


def test_the_largest_answer_passes(pair):
    pair.b.serve = say("x" * 131072)
    assert pair.c.ask() == (OK, "x" * 131072)


def test_a_problem_documents_code_is_passed_on(pair):
    pair.b.serve = say('{"title": "no", "code" : "unknown_host"}',
                       status="403 Forbidden", kind="application/problem+json")
    assert pair.c.ask() == (REFUSED, "HTTP status 403 unknown_host")
    pair.b.serve = say('{"code":"bad\\nword"}', status="403 Forbidden")
    assert pair.c.ask() == (REFUSED, "HTTP status 403")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary",
                                    "308 Permanent"])
def test_no_redirect_is_followed(pair, status):
    trap = pair.broker()
    for to in (f"https://127.0.0.1:{trap.port}/v1/ask", "file:///etc/passwd",
               f"https://127.0.0.1:{pair.b.port}/v1/ask"):
        pair.b.serve = say("", status=status, more=f"Location: {to}\r\n")
        before = pair.b.asked
        assert pair.c.ask()[0] == REFUSED
        assert trap.connections == 0 and pair.b.asked == before + 1


@pytest.mark.parametrize("certificate", ["elsewhere", "foreign"])
def test_a_wrong_certificate(stand, certificate):
    broker = stand.broker()
    courier = stand.courier(f"https://127.0.0.1:{broker.port}")
    assert courier.ask("abc") == (OK, "cba")
    bad = stand.broker(certificate)
    courier.close()
    # SSL_CERT_FILE and a default CA path shall not help it.
    courier = stand.courier(
        f"https://127.0.0.1:{bad.port}",
        env={"SSL_CERT_FILE": str(stand.base / "other-ca.pem"),
             "CURL_CA_BUNDLE": str(stand.base / "other-ca.pem")})
    assert courier.ask("abc")[0] == TLS
    assert bad.asked == 0


def test_no_tls_and_nobody(pair):
    speaker = pair.broker(tls=False)
    pair.c.close()
    courier = pair.courier(f"https://127.0.0.1:{speaker.port}")
    # It waits for a request, we for its hello.
    assert courier.ask(timeout_ms=700)[0] in (TLS, TIMEOUT, UNREACHABLE)
    courier.close()
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    courier = pair.courier(f"https://127.0.0.1:{port}")
    assert courier.ask()[0] == UNREACHABLE


def test_the_environment_is_not_asked(stand):
    broker, trap = stand.broker(), stand.broker(tls=False)
    keys = stand.base / "keylog"
    url = f"http://127.0.0.1:{trap.port}"
    courier = stand.courier(f"https://127.0.0.1:{broker.port}", env={
        "https_proxy": url, "HTTPS_PROXY": url, "ALL_PROXY": url,
        "all_proxy": url, "SSLKEYLOGFILE": str(keys), "HOME": "/nonexistent",
        "OPENSSL_CONF": "/nonexistent"})
    assert courier.ask("abc") == (OK, "cba")
    assert trap.connections == 0 and not keys.exists()


def test_a_configured_proxy_is_used(stand):
    broker = stand.broker()
    server = socket.create_server(("127.0.0.1", 0))
    seen = []

    def proxy():
        peer, _ = server.accept()
        head = peer.recv(4096)
        seen.append(head.split(b"\r\n")[0])
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        up = socket.create_connection(("127.0.0.1", broker.port))

        def pump(a, b):
            with contextlib.suppress(OSError):
                while data := a.recv(65536):
                    b.sendall(data)
        threading.Thread(target=pump, args=(peer, up), daemon=True).start()
        pump(up, peer)
    threading.Thread(target=proxy, daemon=True).start()
    courier = stand.courier(
        f"https://127.0.0.1:{broker.port}",
        more=f"proxy = http://127.0.0.1:{server.getsockname()[1]}\n")
    assert courier.ask("abc") == (OK, "cba")
    assert seen == [f"CONNECT 127.0.0.1:{broker.port} HTTP/1.1".encode()]
    server.close()


SILENT_DNS = """
ip link set lo up
ip link add silent type veth peer name end
ip addr add 10.9.9.1/24 dev silent
ip link set silent up
ip link set end up
ip neigh replace 10.9.9.9 lladdr 02:00:00:00:00:99 nud permanent dev silent
printf 'nameserver 10.9.9.9\\noptions timeout:30 attempts:5\\n' >"$0/resolv.conf"
mount --bind "$0/resolv.conf" /etc/resolv.conf
# Not even localhost is known: to start, the courier may not wait for it.
[ ! -e /etc/hosts ] || mount --bind /dev/null /etc/hosts
exec "$@"
"""


def test_names_that_nobody_answers_for(stand):
    courier = stand.courier(
        "https://broker.example.com", wrap=[
            "unshare", "--mount", "--net", "--propagation", "private", "sh",
            "-ec", SILENT_DNS, stand.base])
    for _ in range(3):
        began = time.monotonic()
        open_ones = [courier.send("abc", 700) for _ in range(60)]
        assert {courier.hear(s)[0] for s in open_ones} == {TIMEOUT}
        assert time.monotonic() - began < 2
    assert courier.close() == 0


class Networks:
    """Two hosts of their own, one cable: 10.77.0.1 asks, 10.77.0.2 answers."""

    def __enter__(self):
        self.hosts = [subprocess.Popen(["unshare", "--net", "sleep", "60"])
                      for _ in range(2)]
        for host in self.hosts: # until it has left ours
            while os.path.samefile(f"/proc/{host.pid}/ns/net",
                                   "/proc/self/ns/net"):
                time.sleep(0.01)
        self.run(0, "ip link add eth type veth peer name eth netns "
                 f"{self.hosts[1].pid}")
        for n in range(2):
            self.run(n, f"ip addr add 10.77.0.{n + 1}/24 dev eth")
            self.run(n, "ip link set eth up")
        # Packets of known connections, too, shall go by the rules, and there
        # shall be room for one before all others.
        self.run(1, "sh -c 'echo 0 >/proc/sys/net/ipv4/tcp_early_demux'")
        self.run(1, "ip rule add pref 10 lookup local")
        self.run(1, "ip rule del pref 0")
        return self

    def __exit__(self, *_):
        for host in self.hosts:
            host.kill()
            host.wait()

    def enter(self, n):
        return ["nsenter", f"--net=/proc/{self.hosts[n].pid}/ns/net"]

    def run(self, n, command):
        subprocess.run([*self.enter(n), *shlex.split(command)], check=True)

    def listen(self, n):
        """A socket of that host in this process."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/proc/{self.hosts[n].pid}/ns/net", "rb") as there, \
                open("/proc/thread-self/ns/net", "rb") as here:
            assert libc.setns(there.fileno(), 0) == 0
            try:
                return socket.create_server((f"10.77.0.{n + 1}", 0))
            finally:
                assert libc.setns(here.fileno(), 0) == 0


def test_a_connection_that_died_silently(stand):
    """A firewall forgot it, say: no login is lost."""
    with Networks() as net:
        broker = stand.broker(server=net.listen(1))
        courier = stand.courier(f"https://10.77.0.2:{broker.port}",
                                wrap=net.enter(0))
        assert courier.ask("abc") == (OK, "cba")
        assert courier.ask("abc") == (OK, "cba") and broker.connections == 1
        net.run(1, "ip rule add pref 1 from 10.77.0.1 ipproto 6 sport "
                f"{broker.peer[1]} blackhole")
        began = time.monotonic()
        assert courier.ask("abc") == (OK, "cba")
        assert 1 < time.monotonic() - began < 3.5
        assert broker.connections == 2 and broker.asked == 3
        assert courier.close() == 0


# --- who may speak, and how ------------------------------------------------------


def test_only_the_agent_is_heard(pair):
    os.chmod(pair.c.path, 0o666)
    done = subprocess.run(
        ["setpriv", "--reuid=2", "--regid=2", "--clear-groups",
         "/usr/bin/python3", "-c",
         "import socket, sys; s = socket.socket(socket.AF_UNIX); "
         "s.connect(sys.argv[1]); s.settimeout(5); print(len(s.recv(9)))",
         str(pair.c.path)], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
    done = subprocess.run(
        ["setpriv", f"--reuid={UID}", "--regid=65534", "--clear-groups",
         "/usr/bin/python3", "-c",
         "import socket, struct, sys; s = socket.socket(socket.AF_UNIX); "
         "s.connect(sys.argv[1]); s.settimeout(5); "
         "s.send(struct.pack('>IBI', 6, 1, 4000) + b'a'); "
         "print(len(s.recv(9)))",
         str(pair.c.path)], capture_output=True, text=True, check=True)
    assert done.stdout == "6\n"


@pytest.mark.parametrize("frame", [
    struct.pack(">IBI", 5, 0, 1000), struct.pack(">IBI", 5, 4, 1000),
    struct.pack(">IBI", 4, 1, 1000), struct.pack(">IBI", 5, 1, 0),
    struct.pack(">IBI", 5, 1, 60001), struct.pack(">IBI", 131078, 1, 1000),
    struct.pack(">IBI", 0xffffffff, 1, 1000), b"GET / HTTP/1.1\r\n\r\n"])
def test_frames_that_are_none(pair, frame):
    with pair.c.connect() as s:
        s.sendall(frame)
        assert pair.c.hear(s) is None
    assert pair.c.ask("abc") == (OK, "cba")


def test_an_agent_that_gives_up(pair):
    pair.b.serve = stall
    for _ in range(20):
        pair.c.send("abc").close()
    pair.b.serve = lambda c, head, body: c.sendall(plain("after"))
    time.sleep(0.3)
    assert pair.c.ask("abc") == (OK, "after")


def test_what_it_gave_up(pair):
    for task in Path(f"/proc/{pair.c.popen.pid}/task").iterdir():
        gave_up((task / "status").read_text(), pair.program)


def gave_up(status, program):
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Uid"].split() == [str(UID)] * 4
    assert fields["Groups"].split() == ["65534"]
    for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
        assert int(fields[name], 16) == 0
    assert fields["NoNewPrivs"] == "1"
    if b"__asan_init" not in program.read_bytes(): # else without the filter
        assert fields["Seccomp"] == "2"


@pytest.mark.parametrize("line,word", [
    ("url = http://127.0.0.1", "url"), ("url = https://", "url"),
    ("url = https://a/", "url"), ("url = https://u@a", "url"),
    ("surprise = 1", "surprise"), ("user = root", "user"),
    ("proxy = socks5://a", "proxy"), ("connections = 99", "connections")])
def test_the_configuration_is_checked(stand, line, word):
    conf = stand.base / "checked.conf"
    good = f"url = https://127.0.0.1:1\nca = {stand.base}/ca.pem\n"

    def check(text):
        conf.write_text(text)
        return subprocess.run([stand.program, "-t", "-c", conf], check=False,
                              capture_output=True, text=True, timeout=10)
    assert check(good).returncode == 0
    if line.startswith("url"):
        good = good.split("\n", 1)[1]
    done = check(good + line + "\n")
    assert done.returncode == 1 and word in done.stderr
    (stand.base / "empty.pem").write_text("")
    assert check(f"url = https://a\nca = {stand.base}/empty.pem\n"
                 ).returncode == 1
