"""A PAM module in Python, and a courier that says what a test wants.

Run as a program (`knock.py SOCKET`) it is one process at the door: it reads
commands as JSON lines, so that each test has askers with pids and audit
sessions of their own.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

if __name__ != "__main__": # nothing that a process at the door needs
    import papers

ALLOW, DENY = 0x265a3c95, 0x59a5c36a
ACCOUNT, SESSION, CLOSE = 0x6131, 0x7332, 0x6333
VERSION = 1


class Ask(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_uint32), ("phase", ctypes.c_uint32),
        ("service", ctypes.c_char * 33), ("login", ctypes.c_char * 33),
        ("ruser", ctypes.c_char * 33), ("rhost", ctypes.c_char * 254),
        ("tty", ctypes.c_char * 65), ("exempt_rule", ctypes.c_uint8),
        ("auth_info_known", ctypes.c_uint8),
        ("auth_info", ctypes.c_char * 16385), ("zero", ctypes.c_uint8 * 3)]


class Reply(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_uint32), ("phase", ctypes.c_uint32),
        ("verdict", ctypes.c_uint32), ("provisional", ctypes.c_uint8),
        ("exempt", ctypes.c_uint8), ("code", ctypes.c_char * 48),
        ("ref", ctypes.c_char * 15), ("tenant", ctypes.c_char * 65),
        ("host", ctypes.c_char * 254), ("engineer", ctypes.c_char * 129),
        ("key", ctypes.c_char * 51), ("request", ctypes.c_char * 72),
        ("grant", ctypes.c_char * 72), ("sid", ctypes.c_int64),
        ("not_after", ctypes.c_int64), ("lease_end", ctypes.c_int64),
        ("tell", (ctypes.c_char * 201) * 3), ("zero", ctypes.c_uint8 * 5)]


class Final(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_uint32), ("phase", ctypes.c_uint32),
        ("verdict", ctypes.c_uint32), ("logged", ctypes.c_uint8),
        ("code", ctypes.c_char * 48), ("zero", ctypes.c_uint8 * 3)]


def packet(command):
    ask = Ask(version=VERSION, phase=command["phase"])
    for name in ("service", "login", "ruser", "rhost", "tty"):
        setattr(ask, name, command.get(name, "").encode())
    ask.exempt_rule = command.get("exempt_rule", 0)
    if command.get("key"):
        ask.auth_info_known = 1
        ask.auth_info = f"publickey {command['key']}\n".encode()
    return bytes(ask)


def told(reply):
    """The reply as a dict; text as text."""
    found = {}
    for name, _ in Reply._fields_:
        value = getattr(reply, name)
        found[name] = value.decode() if isinstance(value, bytes) else value
    found["tell"] = [line.value.decode() for line in reply.tell
                     if line.value]
    found["allow"] = reply.verdict == ALLOW
    del found["zero"]
    return found


def knock(path, command):
    """One visit: ask, read the reply, say the last word. None: hung up."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(8)
        try:
            s.connect(path)
        except ConnectionRefusedError:
            return None
        fds = [os.pidfd_open(command.get("pidfd_of") or os.getpid())
               for _ in range(command.get("fds", 1))]
        sent = packet(command)
        if "cut" in command:
            sent = sent[:command["cut"]]
        try:
            socket.send_fds(s, [sent], fds)
            got = s.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            return None
        finally:
            for fd in fds:
                os.close(fd)
        if not got:
            return None
        assert len(got) == ctypes.sizeof(Reply)
        reply = told(Reply.from_buffer_copy(got))
        last = command.get("final", "allow" if reply["allow"] else "deny")
        own = b"no_record" if reply["allow"] and last == "deny" else b""
        if last and not reply["exempt"]:
            with contextlib.suppress(BrokenPipeError): # it had enough
                s.send(bytes(Final(
                    version=VERSION, phase=command["phase"], logged=1,
                    verdict=ALLOW if last == "allow" else DENY,
                    code=own)))
    return reply


def obey(path, command):
    if command["do"] == "ask":
        return knock(path, command)
    if command["do"] == "new_sid":
        Path("/proc/self/loginuid").write_text("4294967295")
        Path("/proc/self/loginuid").write_text(str(command["uid"]))
        return int(Path("/proc/self/sessionid").read_text())
    if command["do"] == "spawn": # a child that stays
        return subprocess.Popen(["sleep", "60"], start_new_session=True).pid
    raise ValueError(command["do"])


def main(path):
    for line in sys.stdin:
        print(json.dumps(obey(path, json.loads(line))), flush=True)


class Asker:
    """A process at the door."""

    def __init__(self, path, wrap=()):
        # As text: whom a wrap makes of it may not be let in to this folder.
        text = Path(__file__).read_text(encoding="utf-8")
        self.popen = subprocess.Popen(
            [*wrap, "/usr/bin/python3", "-B", "-c", text, str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.popen.pid

    def begin(self, **command):
        self.popen.stdin.write(json.dumps(command) + "\n")
        self.popen.stdin.flush()

    def end(self):
        line = self.popen.stdout.readline()
        assert line, "the asker died"
        return json.loads(line)

    def do(self, **command):
        self.begin(**command)
        return self.end()

    def ask(self, phase=ACCOUNT, service="sshd", login="avm", **more):
        return self.do(do="ask", phase=phase, service=service, login=login,
                       **more)

    def alive(self):
        return self.popen.poll() is None

    def close(self):
        with contextlib.suppress(BrokenPipeError): # killed, with words unsent
            self.popen.stdin.close()
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(5)
        self.popen.stdout.close()


class Courier:
    """Answers each question as `reply` says: text, or (outcome, cause); and
    each bundle of reports as `report` says."""

    def __init__(self, path, uid):
        self.questions = []
        self.reply = lambda question: ""
        self.intake = papers.Intake()
        self.posts = [] # bundles of reports, as they came
        self.report = self.intake.take
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(str(path))
        os.chmod(path, 0o600)
        os.chown(path, uid, -1)
        self.server.listen(1024)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,),
                             daemon=True).start()

    def serve(self, peer):
        with peer:
            stream = peer.makefile("rb")
            head = stream.read(9)
            if len(head) < 9:
                return # the agent gave up
            length, op, _timeout = struct.unpack(">IBI", head)
            bundle = stream.read(length - 5).decode()
            if op == 2: # there is never any news
                stream.read(1)
                return
            if op == 3:
                self.posts.append(bundle)
                said = self.report(bundle)
            else:
                assert op == 1
                question = bundle[:bundle.index("-----BEGIN")]
                self.questions.append(question)
                said = self.reply(question)
            outcome, text = said if isinstance(said, tuple) else (0, said)
            text = text.encode() if isinstance(text, str) else text
            try:
                peer.sendall(struct.pack(">IB", len(text) + 1, outcome) + text)
            except OSError:
                pass # the agent gave up

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


class Agent:
    """The agent under test, as a service manager would start it."""

    def __init__(self, program, conf, socket_path, env=None):
        self.program, self.conf, self.socket = program, conf, socket_path
        self.env = env
        self.popen, self.log = None, ""

    def start(self, wrap=()):
        self.popen = subprocess.Popen(
            [*wrap, self.program, "-v", "-c", str(self.conf)], env=self.env,
            stderr=subprocess.PIPE, text=True, errors="replace")
        self.lines = []
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        assert self.ready.wait(10), self.said()
        return self

    def read(self):
        for line in self.popen.stderr:
            self.lines.append(line)
            if "ready on host" in line:
                self.ready.set()

    def said(self):
        return "".join(self.lines)

    def stop(self, how=signal.SIGTERM):
        self.popen.send_signal(how)
        code = self.popen.wait(10)
        self.reader.join(5)
        return code

    def again(self, how=signal.SIGTERM):
        self.stop(how)
        time.sleep(0.05)
        return self.start()


if __name__ == "__main__":
    main(sys.argv[1])
