"""The story that ./dev demo tells: one engineer, one door, one customer.

Refused, asked, endorsed, approved with ssh-keygen and curl alone, in, checked
with stock ssh-keygen -Y verify, warned, time over (a live shell and its job
end), refused again; asked and approved once more, revoked in the middle of the
work; and the syslog of it all. Every step is checked: with --auto the exit code
is 0 only when each did what the story claims.
"""

import argparse
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import time

from stay import Stay
from world import BROKER, HOST, PEOPLE, TENANT, Failed, World, wait_for

GRANT_SECONDS = 18 # how long the customer lets the engineer in
WARNING = "6s"     # before the end; in earnest it is minutes

# What avm leaves running in a live shell.
LIVE = "nohup setsid sleep 601 > job.log 2>&1 & echo working; sleep 602"


class Teller:
    """Prints the story; asks for Enter between chapters unless told not to."""

    def __init__(self, ask):
        self.ask = ask
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self.bold, self.dim, self.plain = (
            ("\033[1m", "\033[2m", "\033[0m") if colour else ("", "", ""))
        self.chapters = 0

    def chapter(self, title, text=""):
        if self.chapters and self.ask:
            input(f"\n{self.dim}-- Enter to go on --{self.plain}")
        self.chapters += 1
        print(f"\n{self.bold}{self.chapters}. {title}{self.plain}")
        if text:
            print(textwrap.fill(" ".join(text.split()), 78))
        sys.stdout.flush()

    def command(self, who, line):
        print(f"\n{self.dim}{who}${self.plain} {self.bold}{line}{self.plain}",
              flush=True)

    def output(self, text):
        print(textwrap.indent(text.rstrip("\n"), "    "), flush=True)


def claim(truth, what):
    """A sentence of the story that must be true."""
    if not truth:
        raise Failed(f"the story says: {what}; it is not so")


class Story:
    def __init__(self, world, teller):
        self.world, self.teller = world, teller
        self.anna = world.path("people", "anna", "work")
        self.anna.mkdir(parents=True, exist_ok=True)

    def ssh(self, expect_in, *codes):
        """Try the door as avm; check that it did what the story says."""
        before = len(self.world.syslog())
        self.teller.command("avm", f"ssh -p {self.world.ssh_port} avm@127.0.0.1 "
                            "'echo I am in as $(id -un) on the host'")
        done = self.world.ssh("avm", "avm",
                              "echo I am in as $(id -un) on the host",
                              options=["LogLevel=INFO"])
        shown = re.sub(r"Warning: Permanently added .*\n", "", done.stderr)
        self.teller.output(done.stdout + shown)
        claim(("I am in as avm" in done.stdout) == expect_in,
              "the door is open" if expect_in else "the door is shut")
        time.sleep(0.2)
        lines = [x for x in self.world.decisions(before)
                 if x["event"] == "login.decision"]
        claim(len(lines) == 1, "one attempt is one decision line in syslog")
        claim(lines[0]["code"] in codes, f"the code is {codes}, not {lines}")
        return done

    def lockbox(self, person, *arguments):
        self.teller.command(person, "lockbox " + shlex.join(arguments))
        done = self.world.cli(person, *arguments)
        self.teller.output(done.stdout + done.stderr)
        return done

    def shell(self, person, script):
        """Commands a person types, run as they are shown."""
        for line in textwrap.dedent(script).strip().splitlines():
            self.teller.command(person, line)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", line], cwd=self.anna,
                env={**self.world.person_env(person), **self.names()},
                capture_output=True, text=True, check=False,
                stdin=subprocess.DEVNULL)
            if done.stdout + done.stderr:
                self.teller.output(done.stdout + done.stderr)
            claim(done.returncode == 0, f"'{line}' succeeds")

    def names(self):
        return {"URL": self.world.url, "CA": str(self.world.ca),
                "KEY": str(self.world.key("anna")), "ME": PEOPLE["anna"]}

    def tell(self):
        self.refused()
        self.asked()
        self.approved()
        self.let_in()
        self.verified()
        self.over()
        self.revoked()
        self.recorded()

    def refused(self):
        self.teller.chapter("The door is shut", f"""
            avm, an engineer of the provider, has an account and a key on the
            customer's host {HOST} of tenant {TENANT}. Nobody has approved
            anything.""")
        self.ssh(False, "no_grant")

    def asked(self):
        self.teller.chapter("The engineer asks, a manager endorses", """
            The request is a text that the engineer signs. It names the host,
            the login, the key and the reason.""")
        done = self.lockbox(
            "avm", "request", "create", "--tenant", TENANT, "--host", HOST,
            "--login", "avm", "--duration", "2h", "--ticket", "INC-42",
            "--reason", "Replica lag: look at the slow queries", "--no-wait")
        self.id = re.search(r"\b([0-9A-HJKMNP-TV-Z]{26})\b", done.stdout)[1]
        self.ssh(False, "pending_endorsement")
        self.lockbox("max", "request", "endorse", self.id, "--yes")
        self.ssh(False, "pending_approval")

    def approved(self):
        self.teller.chapter(
            "The customer approves, with ssh-keygen and curl alone", f"""
            anna, the customer's admin, trusts no tool of the provider's. She
            signs in with her ssh key, reads what will be signed, shortens it
            to {GRANT_SECONDS} seconds, and signs exactly that text.""")
        self.shell("anna", f"""
            curl -sS --fail-with-body --cacert $CA -H 'Content-Type: application/json' -d '{{}}' $URL/v1/signin/nonce | jq -r .nonce > nonce
            printf 'lockbox-signin-v1\\nbroker: {BROKER}\\nprincipal: %s\\nnonce: %s\\ntime: %s\\n' $ME $(cat nonce) $(date -u +%FT%TZ) > signin
            ssh-keygen -q -Y sign -f $KEY -n lockbox-signin-v1 signin
            jq -n --rawfile text signin --rawfile signature signin.sig '{{$text,$signature}}' | curl -sS --fail-with-body --cacert $CA --json @- $URL/v1/signin | jq -r '"Authorization: Bearer " + .token' > session
            curl -sS --fail-with-body --cacert $CA -H @session --json '{{"duration": {GRANT_SECONDS}}}' $URL/v1/requests/{self.id}/draft | jq -j .text > grant
            cat grant
            ssh-keygen -q -Y sign -f $KEY -n lockbox-approve-v1 grant
            cat grant grant.sig | curl -sS --fail-with-body --cacert $CA -H 'Content-Type: text/plain' --data-binary @- $URL/v1/hook | jq -r '"state: " + .state'
            """)

    def let_in(self):
        self.teller.chapter("In", """
            The host checks anna's own signature, and the broker's fresh answer
            to this very question.""")
        self.ssh(True, "granted")
        self.live_shell()

    def live_shell(self):
        """A shell on a terminal, and a job that hides from it."""
        self.teller.command(
            "avm", f"ssh -t -p {self.world.ssh_port} avm@127.0.0.1   # a shell, "
            "with a job left behind in it")
        line = self.world.ssh_command("avm", "avm", LIVE)
        self.shell_of_avm = subprocess.Popen(
            [line[0], "-tt", *line[1:]], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self.world.person_env("avm"))
        wait_for("the job in the shell", lambda: self.jobs() == 2)

    def last_words(self):
        """What the live shell showed, once it and its job have ended."""
        self.teller.command("avm", "# the shell that is still open")
        out, _ = self.shell_of_avm.communicate(timeout=60)
        self.teller.output(re.sub(r"Warning: Permanently added .*\n", "", out))
        wait_for("the job to end", lambda: self.jobs() == 0)
        return out

    def jobs(self):
        """How many of the live shell's processes are there."""
        done = self.world.inside("pgrep", "-c", "-u", "avm", "sleep",
                                 check=False)
        return int(done.stdout)

    def verified(self):
        self.teller.chapter("Anybody can check it with stock ssh-keygen", """
            The customer's signature over the grant, checked by OpenSSH.""")
        self.shell("anna", """
            printf '%s namespaces="lockbox-approve-v1" %s\\n' $ME "$(cut -d' ' -f1-2 $KEY.pub)" > allowed_signers
            ssh-keygen -Y verify -f allowed_signers -I $ME -n lockbox-approve-v1 -s grant.sig < grant
            """)

    def over(self):
        text = (self.anna / "grant").read_text()
        until = re.search(r"^not-after: (.*)Z$", text, re.M)[1]
        end = time.mktime(time.strptime(until, "%Y-%m-%dT%H:%M:%S")) - time.timezone
        self.teller.chapter("Time over", """
            The grant ends by itself, and so does what it let in: the shell that
            avm still has open, and the job that he left behind with nohup and
            setsid. A warning comes before. The host does that, also with the
            broker gone.""")
        time.sleep(max(0.0, end - time.time()))
        out = self.last_words()
        claim("lockbox grant extend" in out, "the shell is warned, and told how to ask")
        claim("(expired)" in out, "the shell is told why it ends")
        self.ssh(False, "expired")

    def revoked(self):
        self.teller.chapter("Revoked", """
            avm asks once more, and anna approves, this time with lockbox. Then
            she changes her mind while he is at work: by her signature the shell
            and its job are gone at once.""")
        done = self.lockbox(
            "avm", "request", "create", "--tenant", TENANT, "--host", HOST,
            "--login", "avm", "--duration", "2h", "--ticket", "INC-43",
            "--reason", "Replica lag: it came back", "--no-wait")
        request = re.search(r"\b([0-9A-HJKMNP-TV-Z]{26})\b", done.stdout)[1]
        self.lockbox("max", "request", "endorse", request, "--yes")
        self.lockbox("anna", "request", "approve", request, "--yes")
        self.live_shell()
        given = self.grant_of(request)
        claim(self.shell_of_avm.poll() is None, "the shell is open")
        self.lockbox("anna", "grant", "revoke", given, "--reason",
                     "we found it ourselves", "--yes")
        claim("(revoked)" in self.last_words(), "the shell is told why it ends")
        self.ssh(False, "revoked")

    def grant_of(self, request):
        """The grant's id, as people type it."""
        grants = json.loads(self.world.cli(
            "anna", "grant", "ls", "--format", "json").stdout)
        [found] = [g for g in grants if g["request"] == request]
        return found["id"].removeprefix("sha256:")[:12]

    def recorded(self):
        self.teller.chapter("What the customer's security team sees", """
            One line per decision in the host's syslog; the same grant and
            session id on every line of a session.""")
        for line in self.world.syslog():
            if "pam_lockbox(" in line or "session.ended" in line:
                self.teller.output(re.sub(
                    r"^.*?(?=pam_lockbox\(|lockbox-agent\[)", "", line))
        claim(len([x for x in self.world.decisions()
                   if x["event"] == "login.decision"]) == 8,
              "eight attempts are eight decision lines")


def hurry(world):
    """Warnings at seconds, not minutes, before the end."""
    conf = world.path("etc", "lockbox", "agent.conf")
    conf.write_text(conf.read_text() + f"warn = {WARNING}\n")
    world.services["agent"].stop()
    world.start_agent()


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--build", default="build", help=argparse.SUPPRESS)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--auto", action="store_true",
                       help="without questions; exit 1 if a step differs")
    group.add_argument("--stay", action="store_true",
                       help="keep it running, with pages and people to try")
    options = parser.parse_args()
    teller = Teller(ask=not options.auto and not options.stay and
                    sys.stdin.isatty())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with World(options.build) as world:
            print("setting up: broker, host, people, keys ...", flush=True)
            if options.stay:
                with Stay(world) as stay:
                    stay.say()
                    signal.pause()
            world.furnish()
            hurry(world)
            Story(world, teller).tell()
            print("\nEverything was as told. Nothing of this machine changed.")
    except Failed as error:
        print(f"\n./dev demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
        return 0 if options.stay else 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
