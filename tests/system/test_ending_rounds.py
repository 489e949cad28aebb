"""Two hundred ends at random, on pids that come back again and again.

Every round begins a session, lets it fork and hide by the dice, and ends it:
by its grant's end, or by the customer's revocation at a random moment. Nothing
of it is left, and nothing else is hit: canaries of every kind, the sessions
whose time has not come, and innocents on the very pids that were just freed.
"""

import json
import queue
import random
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import papers
import pytest
from sessions import (
    LATE, Canaries, accept, events, furnish, grant, population, revoke, soon)
from stage import Stage

from world import World

ROUNDS = 200
AT_ONCE = 40
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def stage(build):
    with World(build) as world:
        stage = Stage(world)
        furnish(stage)
        yield stage
        stage.liar.close()


class Crowd:
    """crowd.py inside the world; what it says is put into a queue."""

    def __init__(self, world):
        for name in ("crowd.py", "knock.py", "papers.py"):
            shutil.copy(HERE / name, world.path("bin"))
        self.popen = subprocess.Popen(
            [*world.enter(), "/usr/bin/python3", "-B",
             world.program("crowd.py"), "/run/lockbox/agent.sock"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.popen.stdout:
            self.said.put(json.loads(line))

    def tell(self, **what):
        self.popen.stdin.write(json.dumps(what) + "\n")
        self.popen.stdin.flush()

    def close(self):
        self.popen.kill()
        self.popen.wait(10)


class Round:
    """One session, from its beginning to its end."""

    def __init__(self, rounds, number, seconds):
        self.rounds, self.number, self.seconds = rounds, number, seconds
        self.dice = random.Random(number)
        self.revoked = number % 2 == 1
        self.cause = "revoked" if self.revoked else "expired"
        self.end = soon(600 if self.revoked else seconds)
        self.waits = self.revoked # to be revoked
        self.grant = grant(rounds.stage, self.end)
        self.rhost = f"10.0.{number // 250}.{number % 250}"
        self.sid = self.due = None # when its time is over
        self.died = None
        rounds.grants[self.rhost] = self.grant
        rounds.crowd.tell(
            name=number, rhost=self.rhost, seed=number,
            key=rounds.stage.avm.public())

    def begun(self, said):
        """False: it was too slow for its grant's end."""
        if not said["allowed"]:
            assert not self.revoked and time.time() >= self.end, said
            return False
        self.sid = said["sid"]
        self.due = self.end
        if self.revoked:
            self.due = time.time() + self.dice.uniform(0.05, 3)
        return True

    def tend(self):
        """Revoke it when its moment has come."""
        if self.waits and self.due <= time.time():
            self.waits = False
            self.due = time.time()
            done = accept(self.rounds.stage,
                          revoke(self.rounds.stage, self.grant))
            # One at least: the time of others may be over as well.
            assert re.search(r"; [1-9]\d* sessions end", done.stdout), \
                done.stdout + done.stderr

    def over(self, people):
        """True when all of it is gone; never too early, never too late."""
        if self.died is not None:
            at, status = self.died
            assert at >= self.due - 0.05, "ended before its time"
            assert status & 127 in (signal.SIGTERM, signal.SIGKILL)
        if not people.get(self.sid):
            return self.died is not None
        assert time.time() < self.due + LATE, f"{people[self.sid]} LIVE ON"
        return False


class Rounds:
    def __init__(self, stage):
        self.stage = stage
        self.grants = {}
        self.canaries = Canaries(stage)
        stage.liar.reply = self.reply
        self.crowd = Crowd(stage.world)
        self.running = {}
        self.begun = 0
        self.done = []
        self.last = None

    def reply(self, question):
        asked = papers.fields(question)
        given = self.grants.get(asked.get("rhost"), self.canaries.grant)
        return self.stage.liar.allow(question, given)

    def hear(self):
        while not self.crowd.said.empty():
            said = self.crowd.said.get()
            assert "hit" not in said, f"AN INNOCENT WAS HIT: {said}"
            if "begun" in said:
                one = self.running[said["begun"]]
                if not one.begun(said):
                    del self.running[one.number]
                    self.begin(one.seconds * 2)
            elif "died" in said and said["died"] in self.running:
                self.running[said["died"]].died = said["at"], said["status"]
            elif "over" in said:
                self.last = said

    def begin(self, seconds):
        one = Round(self, self.begun, seconds)
        self.running[one.number] = one
        self.begun += 1

    def turn(self):
        wanted = min(AT_ONCE, ROUNDS - len(self.done))
        if len(self.running) < wanted:
            self.begin(random.Random(self.begun).randint(2, 5))
        self.hear()
        for one in self.running.values():
            if one.sid:
                one.tend()
        people = population()
        self.hear()
        for one in [one for one in self.running.values() if one.sid]:
            if one.over(people):
                del self.running[one.number]
                self.done.append(one)
        self.canaries.check()

    def finish(self):
        self.crowd.tell(over=True)
        end = time.monotonic() + 60
        while self.last is None and time.monotonic() < end:
            self.hear()
            time.sleep(0.02)
        return self.last

    def close(self):
        self.crowd.close()
        self.canaries.close()


def test_two_hundred_rounds_hit_nothing_foreign(stage):
    stage.begin()
    rounds = Rounds(stage)
    try:
        while len(rounds.done) < ROUNDS:
            rounds.turn()
        last = rounds.finish()
        assert last and not last["stuck"], last
        assert last["born"] > ROUNDS
        # The pids of what was ended came back, most of them at once.
        assert last["reused"] > ROUNDS / 2, last
        rounds.canaries.check()
        lines = events(stage, "session.ended")
        assert len(lines) == ROUNDS
        causes = {line["sid"]: line["cause"] for line in lines}
        for one in rounds.done:
            assert causes[str(one.sid)] == one.cause
    finally:
        rounds.close()
