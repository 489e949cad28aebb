"""./dev bench: what a decision costs, as ratios measured side by side.

Builds nothing. Makes a private world (demo/world.py) with one host and two
brokers, one with a thousand and one with a million grants, measures in turns
what lockbox takes and what it is held against, and prints one table; also how
long a revoked session lives on, and what a host that waits takes of the broker's
memory. See doc/benchmarks.md for what each line means.
"""

import argparse
import json
import os
import re
import resource
import select
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP / "demo"), str(TOP / "tests" / "system")]

from sessions import members  # noqa: E402
from world import (BROKER, HOST, PEOPLE, SYSTEM_USERS, TENANT,  # noqa: E402
                   Failed, World, free_port, wait_for)

COLD_AIM = 2.0       # times pam_permit
ANSWERS_AIM = 0.7    # of what the signatures alone allow
LOSS_AIM = 0.95      # of the answers with few grants: less is a loss
ENDING_AIM = 2000.0  # ms from the acknowledgement to the last process gone
PARKED_AIM = 1.1     # times nginx's memory of an idle connection
LOGIN = "avm"
WARM = 64            # connections before the first that are weighed
WATCHES_EACH = 4     # of one host: see doors.h
FILES = 20000        # descriptors, as the broker's unit has them

FULL = {"cold": 400, "warm": 2000, "rounds": 7, "seconds": 3.0,
        "connections": 32, "grants": (1000, 1000000), "endings": 200,
        "parked": 5000}
QUICK = {"cold": 10, "warm": 20, "rounds": 2, "seconds": 0.2,
         "connections": 4, "grants": (1000, 2000), "endings": 2, "parked": 80}


class Bench:
    def __init__(self, world, build, size):
        self.world, self.size = world, size
        self.programs = Path(build).resolve() / "tests" / "bench"
        self.rows = []

    def say(self, text):
        print(f"-- {text}", file=sys.stderr, flush=True)

    def row(self, what, measured, reference, ratio, aim=None, most=True):
        """most: the ratio may at most be the aim; else at least."""
        met = None
        if aim is not None:
            met = ratio <= aim if most else ratio >= aim
        self.rows.append((what, measured, reference, ratio, aim, most, met))

    # --- one login ---------------------------------------------------------

    def grant(self, login=LOGIN):
        """The story's way: asked, endorsed, approved. The request's id."""
        world = self.world
        done = world.cli("avm", "request", "create", "--tenant", TENANT,
                         "--host", HOST, "--login", login, "--duration", "4h",
                         "--ticket", "BENCH-1", "--reason",
                         "How long does it take to be let in", "--no-wait")
        request = re.search(r"\b([0-9A-HJKMNP-TV-Z]{26})\b", done.stdout)[1]
        world.cli("max", "request", "endorse", request, "--yes")
        world.cli("anna", "request", "approve", request, "--yes")
        return request

    def stacks(self):
        """Two directories with an sshd file each: lockbox, pam_permit."""
        shutil.copy(self.programs / "bench_pam", self.world.path("bin"))
        found = []
        for name, module in (("lockbox", self.world.module),
                             ("permit", "pam_permit.so")):
            path = self.world.path("bench", name)
            path.mkdir(parents=True)
            (path / "sshd").write_text(f"account requisite {module}\n")
            (path / "other").write_text("account requisite pam_deny.so\n")
            found.append(path)
        return found

    def pam(self, kind, rounds, info=None):
        """Nanoseconds: of lockbox, of pam_permit, round by round."""
        env = ["env", f"BENCH_AUTH_INFO={info}"] if info else []
        done = self.world.inside(
            *env, self.world.program("bench_pam"), kind, rounds, LOGIN,
            *self.dirs, timeout=120)
        pairs = [tuple(map(int, line.split()))
                 for line in done.stdout.splitlines()]
        return [a for a, _ in pairs], [b for _, b in pairs]

    def decisions(self):
        self.say("one login: lockbox and pam_permit in turns")
        self.grant()
        self.dirs = self.stacks()
        # The rules that lockbox comes with: none for sshd.
        shutil.copy(TOP / "conf" / "examples" / "pam.conf",
                    self.world.path("etc", "lockbox", "pam.conf"))
        self.pam("cold", 5) # the courier's connection, the loader's caches
        # sshd under publickey does not say the key at account.
        ours, theirs = self.pam("cold", self.size["cold"])
        for word, pick in (("median", 50), ("p99", 99)):
            a, b = percentile(ours, pick), percentile(theirs, pick)
            self.row(f"cold PAM decision, {word}", micro(a), micro(b), a / b,
                     COLD_AIM if pick == 50 else None)
        info = f"publickey {self.world.public_key('avm')}"
        ours, theirs = self.pam("warm", self.size["warm"], info)
        for word, pick in (("median", 50), ("p99", 99)):
            a, b = percentile(ours, pick), percentile(theirs, pick)
            self.row(f"warm PAM decision, {word}", micro(a), micro(b), a / b)

    # --- one end ---------------------------------------------------------------

    def configure(self, name, **options):
        """Other values for that broker, from its next start on."""
        path = self.world.path("broker", name, "broker.conf")
        lines = [line for line in path.read_text().splitlines()
                 if line.split("=")[0].strip() not in options]
        lines += [f"{key} = {value}" for key, value in options.items()]
        path.write_text("\n".join(lines) + "\n")

    def metric(self, name):
        # curl leads the broker's name, below .localhost, to loopback.
        text = run("curl", "-sS", "--fail", "--max-time", 10, "--cacert",
                   self.world.ca, f"{self.world.url}/metrics")
        return int(re.search(rf"^{name} (\d+)$", text, re.M)[1])

    def waits(self, count):
        wait_for(f"{count} watches", lambda: self.metric(
            "lockbox_broker_watching") == count, 300)

    def grant_of(self, request):
        grants = json.loads(self.world.cli(
            "anna", "grant", "ls", "--limit", 3, "--format", "json").stdout)
        [found] = [g for g in grants if g["request"] == request]
        return found["id"].removeprefix("sha256:")[:12]

    def one_ending(self):
        """Milliseconds from a revocation's acknowledgement to the moment the
        last process of its session is gone."""
        world = self.world
        given = self.grant_of(self.grant("deploy"))
        told = world.path("home", "deploy", "sid")
        told.unlink(missing_ok=True)
        shell = subprocess.Popen(
            world.ssh_command(
                "avm", "deploy", "nohup setsid sleep 600 >/dev/null 2>&1 & "
                "cat /proc/self/sessionid > sid.new; mv sid.new sid; sleep 600"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, env=world.person_env("avm"))
        wait_for("a session", told.exists)
        self.waits(1)
        sid = int(told.read_text())
        alive = {os.pidfd_open(pid) for pid in members(sid)}
        world.cli("anna", "grant", "revoke", given, "--yes")
        acknowledged = last = time.monotonic()
        while alive:
            gone = select.select(alive, [], [], 10)[0]
            last = time.monotonic()
            if not gone:
                raise Failed("a revoked session lives on")
            for fd in gone:
                alive.discard(fd)
                os.close(fd)
        if members(sid):
            raise Failed("a process of a revoked session was not seen")
        shell.wait(10)
        return max(0.0, last - acknowledged) * 1000

    def endings(self):
        self.say(f"{self.size['endings']} revocations of live sessions")
        self.world.services["broker"].stop()
        self.configure("lockbox", rate_request=1000000, rate_decision=1000000,
                       rate_read=10000000)
        self.world.start_broker()
        took = [self.one_ending() for _ in range(self.size["endings"])]
        for word, pick in (("median", 50), ("p99", 99)):
            found = percentile(took, pick)
            self.row(f"revoked to gone, {word}, of its limit",
                     f"{found:.0f} ms", f"{ENDING_AIM:.0f} ms",
                     found / ENDING_AIM, 1.0)

    # --- hosts that wait --------------------------------------------------------

    def park(self, port, count, pids, *more, ready=None):
        """KiB of memory that a connection takes of the server's processes."""
        def hold(count, first=0):
            popen = subprocess.Popen(
                [str(x) for x in (self.programs / "bench_park", "-a",
                                  self.world.ca, "-p", port, "-n", count, "-o",
                                  first, *more)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            if popen.stdout.readline() != "open\n":
                raise Failed("bench_park: the connections were not held")
            if ready:
                ready(count)
            return popen

        def let_go(popen):
            popen.stdin.close()
            popen.wait(60)
            if ready:
                ready(0)
        let_go(hold(WARM, count // WATCHES_EACH))
        before = memory(pids)
        holder = hold(count)
        after = memory(pids)
        let_go(holder)
        return (after - before) / count

    def nginx(self):
        """A server of one worker that answers and keeps connections."""
        home = self.world.path("bench", "nginx")
        home.mkdir()
        port, tls = free_port(), self.world.path("broker", "lockbox")
        (home / "nginx.conf").write_text(NGINX.format(
            home=home, port=port, files=FILES, cert=tls / "tls.pem",
            key=tls / "tls.key"))
        popen = subprocess.Popen(
            ["nginx", "-p", home, "-c", home / "nginx.conf", "-e", "stderr"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("nginx", lambda: listens(port))
        return popen, port

    def parked(self):
        count = self.size["parked"]
        self.say(f"{count} hosts that wait, and as many idle at nginx")
        self.world.services["broker"].stop()
        self.configure("lockbox", watch="55s", timeout="1h",
                       connections=2 * count)
        self.start("broker", "lockbox", self.world.broker_port)
        broker = [self.world.services["broker"].pid]
        ours = self.park(self.world.broker_port, count, broker, "-k", self.keys,
                         "-T", self.world.trust, ready=self.waits)
        if shutil.which("nginx") is None and self.size is QUICK:
            return
        popen, port = self.nginx()
        theirs = self.park(port, count, children(popen.pid))
        popen.terminate()
        popen.wait(10)
        self.row(f"memory of a host that waits, {count} of them",
                 f"{ours:.1f} KiB", f"{theirs:.1f} KiB", ours / theirs,
                 PARKED_AIM)

    # --- many answers --------------------------------------------------------

    def second_broker(self):
        """The first one's twin: same key, a database and a port of its own."""
        world = self.world
        world.services["broker"].stop()
        one, two = (world.path("broker", n) for n in ("lockbox", "many"))
        shutil.copytree(one, two)
        port = free_port()
        conf = two / "broker.conf"
        text = conf.read_text().replace(str(one), str(two))
        conf.write_text(re.sub(r"(listen = .*:)\d+", rf"\g<1>{port}", text))
        uid = SYSTEM_USERS["lockbox-broker"]
        for path in (two, *two.rglob("*")):
            os.chown(path, uid, uid)
        return port

    def fill(self, name, grants):
        start = time.monotonic()
        database = self.world.path("broker", name, "broker.db")
        run(self.programs / "bench_fill", "-d", database, "-k", self.keys,
            "-g", grants, "-w", (self.size["parked"] + WARM) // WATCHES_EACH,
            "-t", TENANT, "-b", BROKER, "-A",
            self.world.key("anna"), "-E", self.world.key("avm"), "-e",
            PEOPLE["avm"])
        run("sync", "-d", database)
        uid = SYSTEM_USERS["lockbox-broker"]
        for path in database.parent.iterdir():
            os.chown(path, uid, uid)
        self.say(f"{grants} grants: {database.stat().st_size >> 20} MiB, "
                 f"{time.monotonic() - start:.0f} s")

    def start(self, service, name, port):
        world = self.world
        log = world.spawn(service, world.program("lockbox-broker"), "serve",
                          "-c", world.path("broker", name, "broker.conf"),
                          user="lockbox-broker")
        wait_for(service, lambda: listens(port) or dead(log))
        return log

    def brokers(self):
        few, many = self.size["grants"]
        self.keys = self.world.path("bench", "keys")
        self.keys.mkdir()
        # The hosts' keys and rows are made once, before the twin is.
        self.world.services["broker"].stop()
        self.fill("lockbox", few)
        port = self.second_broker()
        self.fill("many", many)
        ports = (self.world.broker_port, port)
        self.start("broker", "lockbox", ports[0])
        self.start("broker-many", "many", port)
        return [f"{p}:{self.world.services[s].pid}:{n}"
                for p, s, n in zip(ports, ("broker", "broker-many"),
                                   (few, many))]

    def answers(self):
        self.say("many answers: two brokers and the signatures in turns")
        brokers = self.brokers()
        out = run(self.programs / "bench_ask", "-k", self.keys, "-a",
                  self.world.ca, "-T", self.world.trust, "-S",
                  self.world.key("anna"), "-c", self.size["connections"],
                  "-s", self.size["seconds"], "-r", self.size["rounds"],
                  *brokers)
        self.tell_answers(out)

    def tell_answers(self, out):
        few, many = self.size["grants"]
        signatures, answers, first = [], {few: [], many: []}, {}
        for line in out.splitlines():
            word, *numbers = line.split()
            numbers = [float(n) for n in numbers]
            if word == "signatures":
                signatures.append(numbers)
            elif word == "first":
                first[int(numbers[0])] = numbers[3]
            else:
                answers[int(numbers[0])].append(numbers[2:])
        wall = [n[0] for n in signatures]
        cpu = [n[1] for n in signatures]
        for n in (few, many):
            got = [a[1] for a in answers[n]]
            self.row(f"answers per CPU second, {n} grants", rate(got),
                     rate(cpu), ratio(got, cpu), ANSWERS_AIM, most=False)
        self.row(f"the same, each door's first question, {many} grants",
                 rate([first[many]]), rate(cpu),
                 first[many] / statistics.median(cpu))
        for n in (few, many):
            got = [a[0] for a in answers[n]]
            self.row(f"answers per second beside the asker, {n} grants",
                     rate(got), rate(wall), ratio(got, wall))
        a, b = ([x[1] for x in answers[n]] for n in (many, few))
        self.row(f"answers per CPU second, {many} against {few} grants",
                 rate(a), rate(b), ratio(a, b), LOSS_AIM, most=False)
        self.notes = (
            f"Ed25519 here: sign {statistics.median(n[2] for n in signatures):.0f}"
            f" us, verify {statistics.median(n[3] for n in signatures):.0f} us.")

    # --- the table --------------------------------------------------------------

    def table(self):
        print(f"{'what':<52} {'measured':>10} {'reference':>10} {'ratio':>8} "
              f"{'aim':>7}  met")
        for what, measured, reference, quotient, aim, most, met in self.rows:
            goal = "-" if aim is None else f"{'<=' if most else '>='} {aim:g}"
            word = {None: "-", True: "yes", False: "no"}[met]
            print(f"{what:<52} {measured:>10} {reference:>10} {quotient:>8.2f} "
                  f"{goal:>7}  {word}")
        print(self.notes)


NGINX = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
pid {home}/pid;
error_log /dev/null;
events {{ worker_connections {files}; }}
http {{
  access_log off;
  keepalive_timeout 1h;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl backlog=512;
    ssl_certificate {cert};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    location / {{ return 200 "ok"; }}
  }}
}}
"""


def memory(pids):
    """KiB that are these processes' own."""
    total = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        total += int(re.search(r"^RssAnon:\s+(\d+) kB$", status, re.M)[1])
    return total


def children(pid):
    return [int(x) for x in Path(
        f"/proc/{pid}/task/{pid}/children").read_text().split()]


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def micro(nanoseconds):
    return f"{nanoseconds / 1000:.0f} us"


def rate(values):
    return f"{statistics.median(values):.0f}/s"


def ratio(values, references):
    """The median of the rounds' own ratios: each round is one machine."""
    return statistics.median(a / b for a, b in zip(values, references))


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True,
                          text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise Failed(f"{command[0]}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def dead(service):
    if not service.alive():
        raise Failed(f"{service.name} ended:\n{service.output()}")
    return False


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--build", default="build-release",
                        help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true",
                        help="only see that it runs; its numbers mean nothing")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    try:
        with World(options.build) as world:
            bench = Bench(world, options.build,
                          QUICK if options.quick else FULL)
            bench.say("making a world")
            world.furnish()
            bench.decisions()
            bench.endings()
            bench.answers()
            bench.parked()
            bench.table()
    except Failed as error:
        print(f"./dev bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
