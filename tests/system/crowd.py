"""The processes of a busy host, for the test of random rounds.

Run as root inside a world, `crowd.py SOCKET`: reads commands as JSON lines
({"name", "rhost", "key", "seed"}: begin such a session, {"over": true}: leave),
and says as JSON lines what happens. Sessions register with the agent as the PAM
module would, then fork, hide and refuse to die by the dice. Innocents are born
all the time, of no session and of sessions that nobody registered, and by
preference on the pids of those that just died: none of them may be hit.
"""

import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path

from knock import SESSION, knock

INNOCENTS = 24 # alive at a time
LOW = 400      # pids begin here again and again
UNSET = 4294967295
LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
LOGINUID = Path("/proc/self/loginuid")


def say(**what):
    """One write: lines of several processes do not mix."""
    os.write(1, (json.dumps(what) + "\n").encode())


def next_pid(pid):
    """The next process is to have it, if it is free."""
    LAST_PID.write_text(str(pid - 1))


def new_audit_session(uid=UNSET):
    LOGINUID.write_text(str(UNSET))
    if uid != UNSET:
        LOGINUID.write_text(str(uid))
    return int(Path("/proc/self/sessionid").read_text())


# --- what a session is made of ---------------------------------------------------


def ignore_all():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass


def stay(_dice):
    time.sleep(600)


def hide(_dice):
    os.setsid()
    ignore_all()
    time.sleep(600)


def detach(dice):
    os.setsid()
    if os.fork():
        os._exit(0)
    hide(dice)


def run_on(dice):
    """A chain of processes, each gone soon."""
    while True:
        time.sleep(dice.uniform(0.001, 0.03))
        if os.fork():
            os._exit(0)


def leave(dice):
    time.sleep(dice.uniform(0, 2))


KINDS = [stay, hide, detach, run_on, leave]


def live(dice):
    """A session's first process, which goes on having children."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in range(dice.randint(1, 4)):
        kind = dice.choice(KINDS)
        time.sleep(dice.uniform(0, 0.1))
        if os.fork() == 0:
            if dice.random() < 0.7:
                os.setresuid(3001, 3001, 3001)
            kind(random.Random(dice.random()))
            os._exit(0)
    if dice.random() < 0.5:
        ignore_all()
    time.sleep(600)


def begin(path, command):
    """In a child: become a session. It is one when the agent has said so."""
    sid = new_audit_session(3001)
    reply = knock(path, {"phase": SESSION, "service": "sshd", "login": "avm",
                         "key": command["key"], "rhost": command["rhost"]})
    allowed = bool(reply and reply["allow"])
    say(begun=command["name"], sid=sid, allowed=allowed,
        code=reply["code"] if reply else "hung_up")
    if allowed:
        live(random.Random(command["seed"]))


# --- the crowd -------------------------------------------------------------------


class Crowd:
    def __init__(self, path):
        self.path = path
        self.sessions = {} # pid: name
        self.innocents = set()
        self.freed = set() # pids that sessions had
        self.born = self.reused = 0
        self.dice = random.Random(0)

    def child(self, run):
        pid = os.fork()
        if pid:
            return pid
        try:
            run()
        finally:
            os._exit(0)

    def innocent(self, pid=0):
        """pid: whose it was, to be born on; 0: any."""
        next_pid(pid or LOW)
        kind, seconds = self.dice.randrange(3), self.dice.uniform(0.05, 1.5)

        def run():
            if kind:
                new_audit_session(3001 if kind == 1 else UNSET)
            time.sleep(seconds)
        born = self.child(run)
        self.innocents.add(born)
        self.born += 1
        self.reused += born in self.freed

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.innocents:
                self.innocents.discard(pid)
                if status != 0:
                    say(hit=pid, status=status)
            elif pid in self.sessions:
                say(died=self.sessions.pop(pid), at=time.time(), status=status)
                self.freed.add(pid)
                self.innocent(pid)

    def obey(self, line):
        command = json.loads(line)
        next_pid(LOW)
        pid = self.child(lambda: begin(self.path, command))
        self.sessions[pid] = command["name"]

    def run(self):
        buffer = b""
        while True:
            self.reap()
            while len(self.innocents) < INNOCENTS:
                self.innocent()
            if not select.select([0], [], [], 0.01)[0]:
                continue
            buffer += os.read(0, 65536)
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                if json.loads(line).get("over"):
                    return
                self.obey(line)

    def finish(self):
        """Each innocent ends by itself."""
        end = time.monotonic() + 30
        while self.innocents and time.monotonic() < end:
            for pid in list(self.innocents):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    self.innocents.discard(pid)
                    if status != 0:
                        say(hit=pid, status=status)
            time.sleep(0.02)
        say(over=True, born=self.born, reused=self.reused,
            stuck=sorted(self.innocents))


if __name__ == "__main__":
    crowd = Crowd(sys.argv[1])
    crowd.run()
    crowd.finish()
