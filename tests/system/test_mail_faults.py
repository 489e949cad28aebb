"""Mail servers that are down, slow, hostile or not what they should be:
nothing is lost, nothing else waits, and all of it is seen."""

import contextlib
import signal
import socket
import threading
import time

import pytest
from postbox import Postbox, Receiver, certificate, free_port, until
from townhall import Town


class Script:
    """A server that says what a test wants, line by line, and counts."""

    def __init__(self, talk, port=0):
        self.talk, self.count, self.said = talk, 0, []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                peer = self.listener.accept()[0]
                self.count += 1
                threading.Thread(target=self.serve, args=(peer,),
                                 daemon=True).start()

    def serve(self, peer):
        with peer, contextlib.suppress(OSError):
            self.talk(self, peer, peer.makefile("rb"))

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def smtp(upto, then):
    """SMTP as it should be up to a step, then something else."""
    steps = ["banner", "EHLO", "MAIL", "RCPT", "DATA", "."]

    def talk(script, peer, lines):
        answers = {"banner": b"220 hello\r\n", "EHLO": b"250 hello\r\n",
                   "MAIL": b"250 ok\r\n", "RCPT": b"250 ok\r\n",
                   "DATA": b"354 go on\r\n", ".": b"250 taken\r\n"}
        for step in steps:
            if step == ".":
                while lines.readline() not in (b".\r\n", b""):
                    pass
            elif step != "banner":
                script.said.append(lines.readline())
            if step == upto:
                then(peer)
                return
            peer.sendall(answers[step])
        lines.read()
    return talk


def shut(peer):
    peer.shutdown(socket.SHUT_RDWR)


def says(what):
    def then(peer):
        peer.sendall(what)
        time.sleep(1)
    return then


def drips(peer):
    with contextlib.suppress(OSError):
        for _ in range(600):
            peer.sendall(b"2")
            time.sleep(0.2)


def floods(peer):
    with contextlib.suppress(OSError):
        while True:
            peer.sendall(b"250-" + b"x" * 65536)


@pytest.fixture(name="town", scope="module")
def fixture_town(build):
    """A mail server's port that tests put servers on, one after another."""
    port = free_port()
    town = Town(build, smtp=f"smtp://127.0.0.1:{port}", smtp_tls="never",
                smtp_from="lockbox@provider.example", webhook_private="yes")
    town.port = port
    yield town
    town.end()


def fresh(town):
    """A request; its mail to the engineer is what the tests look at."""
    request = town.ask()
    assert town.b.deny(town.anna, request).status == 200
    return request


def mine(town, request):
    return [d for d in town.deliveries(request=request["id"])
            if d["receiver"] == town.avm.name]


def failed_once(town, request):
    return until(lambda: [d for d in mine(town, request)
                          if d["attempts"] > 0 and d["state"] == "waiting"])[0]


def arrives(town, request):
    """With a real server in place, it comes, and its state says so."""
    box = Postbox(port=town.port)
    try:
        [d] = mine(town, request)
        assert town.b.post(f"/v1/deliveries/{d['id']}/retry", {},
                           town.b.operator).status == 200
        until(lambda: [m for m in box.mails if request["code"] in m["Subject"]])
        until(lambda: mine(town, request)[0]["state"] == "sent")
        return [m for m in box.mails if request["code"] in m["Subject"]]
    finally:
        box.close()


def test_nobody_there(town):
    request = fresh(town)
    d = failed_once(town, request)
    assert (d["code"], d["status"]) == ("unreachable", None)
    assert d["next_at"] > d["created_at"]
    assert len(arrives(town, request)) == 1


STEPS = ["banner", "EHLO", "MAIL", "RCPT", "DATA", "."]


@pytest.mark.parametrize("step", STEPS)
def test_hangs_up(town, step):
    script = Script(smtp(step, shut), town.port)
    try:
        request = fresh(town)
        d = failed_once(town, request)
        assert d["code"] in ("broken", "smtp_status", "unreachable"), d
    finally:
        script.close()
    assert len(arrives(town, request)) == 1


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("answer, code", [
    (b"451 come later\r\n", "smtp_status"),
    (b"554 never\r\n", "smtp_status"),
    (b"250-" + b"x" * 100000 + b"\r\n", None),
    (b"\x1b[31m\0\xff\r\n", None)], ids=["4xx", "5xx", "long", "junk"])
def test_says_no(town, step, answer, code):
    script = Script(smtp(step, says(answer)), town.port)
    try:
        request = fresh(town)
        d = failed_once(town, request)
        if code:
            assert d["status"] == int(answer[:3]), d
        if answer.startswith(b"554"):  # hardly ever again by itself
            later = until(lambda: [x for x in mine(town, request)
                                   if x["attempts"] == d["attempts"]])[0]
            assert later["next_at"] >= d["created_at"]
    finally:
        script.close()
    assert len(arrives(town, request)) == 1


def test_slow_or_endless_servers_keep_nobody_waiting(town):
    receiver = Receiver()
    for behave in (drips, floods):
        script = Script(smtp("EHLO", behave), town.port)
        try:
            request = fresh(town)
            until(lambda: script.count > 0)
            got = town.b.post("/v1/tenants/acme/webhooks",
                              {"url": receiver.url}, town.anna)
            assert got.status == 201, got
            begun = time.monotonic()
            count = len(receiver.calls)
            other = town.ask()
            until(lambda: [c for c in receiver.calls[count:] if
                           c.json["data"]["request"]["id"] == other["id"]])
            assert town.b.get("/healthz").status == 200
            assert time.monotonic() - begun < 50
        finally:
            script.close()
        until(lambda: mine(town, request)[0]["attempts"] > 0, 90)
        assert len(arrives(town, request)) == 1
    receiver.close()


def test_the_same_message_again(town):
    """Taken, but the server dies before it says so: the same Message-ID."""
    taken = []

    def keep(peer):
        peer.shutdown(socket.SHUT_RDWR)

    def talk(script, peer, lines):
        for answer in (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n",
                       b"354 x\r\n"):
            peer.sendall(answer)
            if answer[:3] != b"354":
                lines.readline()
        text = b""
        while not text.endswith(b"\r\n.\r\n"):
            text += lines.readline()
        taken.append(text)
        keep(peer)

    script = Script(talk, town.port)
    try:
        request = fresh(town)
        failed_once(town, request)
    finally:
        script.close()
    [mail] = arrives(town, request)
    assert any(mail["Message-ID"].encode() in text for text in taken)


def test_kill_9_between_sending_and_marking(build):
    box = Postbox()
    town = Town(build, box)
    real = box.handle_DATA

    async def handle_DATA(server, session, envelope):
        answer = await real(server, session, envelope)
        if len(box.mails) == 1:
            town.b.process.send_signal(signal.SIGKILL)
            town.b.process.wait(20)
        return answer

    box.handle_DATA = handle_DATA
    try:
        town.contact(town.bert, None)
        request = town.b.request_text(town.avm)
        with contextlib.suppress(Exception):
            town.b.post("/v1/requests", {
                "text": request,
                "signature": town.avm.key.sign("request", request)}, town.avm)
        box.wait(1)
        town.b.process.wait(20)
        town.b.close()
        town.b.start()
        box.wait(2)
        assert box.mails[0]["Message-ID"] == box.mails[1]["Message-ID"]
        assert box.mails[0].to == box.mails[1].to
        until(lambda: not town.deliveries(state="waiting"))
        assert len(box.mails) == 2
    finally:
        town.end()
        box.close()


# --- TLS ----------------------------------------------------------------------

def secure(build, tmp_path, port, name="127.0.0.1", **more):
    settings = {"smtp": f"smtp://{name}:{port}",
                "smtp_from": "lockbox@provider.example",
                "smtp_ca": tmp_path / "ca.pem", **more}
    return Town(build, **settings)


@pytest.fixture(name="pem")
def fixture_pem(tmp_path):
    cert, key = certificate(tmp_path)
    (tmp_path / "ca.pem").write_bytes(cert.read_bytes())
    return cert, key


def test_tls_and_login(build, tmp_path, pem):
    word = tmp_path / "password"
    word.write_text("correct horse\n")
    word.chmod(0o600)
    box = Postbox(tls=pem, login=("lockbox", "correct horse"))
    town = secure(build, tmp_path, box.port, smtp_user="lockbox",
                  smtp_password_file=word)
    try:
        fresh(town)
        box.wait(1)
        assert "correct horse" not in (town.b.dir / "log").read_text()
        assert "correct horse" not in box.mails[0].raw.decode()
        town.b.stop()
        word.write_text("wrong\n")
        town.b.start()
        request = fresh(town)
        d = failed_once(town, request)
        assert d["code"] == "login_refused", d
        assert not any(request["code"] in m["Subject"] for m in box.mails)
    finally:
        town.end()
        box.close()


def test_starttls_stripped(build, tmp_path, pem):
    """A server, or somebody between, that offers no TLS gets nothing."""
    box = Postbox()
    town = secure(build, tmp_path, box.port)
    try:
        request = fresh(town)
        d = failed_once(town, request)
        assert d["code"] == "tls_missing", d
        assert not box.mails
    finally:
        town.end()
        box.close()


def test_a_certificate_of_somebody_else(build, tmp_path, pem):
    other = tmp_path / "other"
    other.mkdir()
    box = Postbox(tls=certificate(other))
    town = secure(build, tmp_path, box.port)
    try:
        request = fresh(town)
        d = failed_once(town, request)
        assert d["code"] == "tls_failed", d
        assert not box.mails
    finally:
        town.end()
        box.close()
