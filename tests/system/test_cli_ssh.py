"""lockbox ssh, grant check and grant extend against a real broker.

ssh is a stand-in that writes down how it was called; the real one is used in
test_engineer.py.
"""

import json
import os
import re
import subprocess
import time

import pytest

from brokerd import TENANT
from office import CODE, ID, Office, keygen
from test_cli import Terminal

STAND_IN = """#!/bin/sh
printf '%s\\n' "$@" | jq -Rnc '[inputs]' >>"$SSH_CALLS"
exit "${SSH_EXIT:-0}"
"""


@pytest.fixture(scope="module")
def office(build, tmp_path_factory):
    made = Office(build, tmp_path_factory.mktemp("office"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tidy(office):
    yield
    office.tidy()


NEARLY_2H = "1h59m"


def times(text):
    """A clock that has not ticked yet shall not make a difference."""
    return re.sub(r"\b(2h|1h59m\d+s)", NEARLY_2H, text)


class Ssh:
    """A stand-in for ssh in avm's PATH, and what it was called with."""

    def __init__(self, office, where):
        self.office = office
        program = where / "bin" / "ssh"
        program.parent.mkdir()
        program.write_text(STAND_IN)
        program.chmod(0o755)
        self.notes = where / "calls"
        self.env = {"PATH": f"{program.parent}:{os.environ['PATH']}",
                    "SSH_CALLS": str(self.notes)}

    def __call__(self, *arguments, ends=0, **options):
        return self.office.avm("ssh", *arguments,
                               env={**self.env, "SSH_EXIT": str(ends)}, **options)

    @property
    def calls(self):
        """Taken away when looked at."""
        if not self.notes.exists():
            return []
        lines = self.notes.read_text().splitlines()
        self.notes.unlink()
        return [json.loads(line) for line in lines]

    def line(self, *words, before=(), key=None):
        return [*before, "-o", "IdentitiesOnly=yes", "-i",
                str(key or self.office.avm.key), "-l", "deploy", "--", *words]


@pytest.fixture
def ssh(office, tmp_path):
    return Ssh(office, tmp_path)


def grant(office, *more, narrow=()):
    """A live grant of avm's; its id."""
    asked = office.endorsed(*more)
    office.anna("request", "approve", asked, *narrow, "--yes")
    return office.avm.json("grant", "show", asked)["id"]


def decide(office, asked, verb, *words, pause=0):
    """Max endorses, and anna decides."""
    office.max("request", "endorse", asked, "--yes")
    time.sleep(pause)
    office.anna("request", verb, asked, *words, "--yes")


def open_request(office, seconds=20):
    """The request that is waiting somewhere, as soon as it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = office.avm.json("request", "ls", "--state", "pending_endorsement")
        if found:
            return found[0]
        time.sleep(0.1)
    raise AssertionError("nobody asked")


class Waiting:
    """lockbox ssh in the background, without a terminal."""

    def __init__(self, ssh, *arguments, ends=0):
        self.process = subprocess.Popen(
            [ssh.office.lockbox, "ssh", *arguments], text=True,
            env={**ssh.office.avm.env, **ssh.env, "SSH_EXIT": str(ends)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def taken_up(self):
        """Until it says that it waits: it has seen what is asked for."""
        self.begun = ""
        while "waiting for" not in self.begun:
            line = self.process.stderr.readline()
            assert line, self.begun
            self.begun += line

    def end(self):
        self.out, self.err = self.process.communicate(timeout=30)
        return self.process.returncode


def test_enters_by_a_live_grant(office, ssh):
    id = grant(office)
    done = ssh("deploy@db1")
    assert ssh.calls == [ssh.line("db1")]
    assert done.stdout == ""
    assert f"grant {id[7:19]} until 2" in done.stderr
    assert f"grant {id[7:19]} is good for another {NEARLY_2H}" in times(done.stderr)
    assert f"lockbox grant return {id[7:19]}" in done.stderr
    assert len(office.avm.json("request", "ls", "--state", "active")) == 1


def test_passes_the_command_and_the_exit_code_through(office, ssh):
    grant(office)
    for code in (0, 3, 77, 124):
        ssh("deploy@db1", "--", "sh", "-c", "echo 'a  b'; exit 3", "--quiet",
            "-o", "x", ends=code, code=code)
        assert ssh.calls == [ssh.line("db1", "sh", "-c", "echo 'a  b'; exit 3",
                                      "--quiet", "-o", "x")]


def test_quiet_says_nothing(office, ssh):
    grant(office)
    done = ssh("deploy@db1", "-q", "--", "true", ends=255, code=255)
    assert done.stdout == done.stderr == ""


def test_destination_options_and_key(office, ssh):
    grant(office)
    ssh("-o", "Port=2222", "deploy@db1", "--to", "10.1.2.3", "--ssh-option",
        "ProxyJump=gate", "--tenant", TENANT, "--", "id")
    assert ssh.calls == [ssh.line("10.1.2.3", "id", before=[
        "-o", "Port=2222", "-o", "ProxyJump=gate"])]
    ssh("deploy@db1", "--ssh-key", f"{office.avm.key}.pub")
    assert ssh.calls == [ssh.line("db1", key=f"{office.avm.key}.pub")]
    finger = subprocess.run(["ssh-keygen", "-l", "-f", office.avm.key], text=True,
                            capture_output=True, check=True).stdout.split()[1]
    ssh("deploy@db1", "--ssh-key", finger)
    assert ssh.calls == [["-l", "deploy", "--", "db1"]]


def test_what_no_grant_covers_is_not_entered(office, ssh, tmp_path):
    grant(office)
    ssh("deploy@db1")
    assert len(ssh.calls) == 1
    other = keygen(tmp_path / "other")
    for arguments in (["deploy@db2"], ["root@db1"], ["deploy@db1", "--sudo"],
                      ["deploy@db1", "--ssh-key", other]):
        done = ssh(*arguments, code=2)
        assert "no live grant" in done.stderr
        assert "--reason is missing" in done.stderr
    assert ssh.calls == []
    assert office.avm.json("request", "ls", "--state", "pending_endorsement") == []


def test_wrong_command_lines(office, ssh):
    grant(office)
    ssh("deploy@db1")
    ssh("deploy@db1", "--", "-l", "root")
    assert len(ssh.calls) == 2
    for arguments, says in (
            ((), "something is missing"), (("-l", "deploy"), "unknown flag '-l'"),
            (("Db1",), "neither HOST nor LOGIN@HOST"),
            (("--", "-oProxyCommand=x"), "neither HOST"),
            (("deploy@db1", "uptime"), "'--' stands before a command"),
            (("deploy@db1", "uptime", "--", "x"), "'--' stands before a command"),
            (("deploy@db1", "--to", "root@db1"), "no '@'")):
        assert says in ssh(*arguments, code=2).stderr
    ssh("deploy@db9", code=1) # no such host
    ssh("deploy@db1", "--ssh-key", "/nonexistent", code=1)
    assert ssh.calls == []


def test_asks_and_waits_and_enters_once(office, ssh):
    waiting = Waiting(ssh, "deploy@db1", "--sudo", "--reason", "replica lag",
                      "--ticket", "INC-9", "--duration", "30m", "--", "id", ends=4)
    asked = open_request(office)
    assert (asked["hosts"], asked["logins"], asked["services"]) == (
        ["db1"], ["deploy"], ["sshd", "sudo"])
    assert (asked["reason"], asked["ticket"], asked["duration"]) == (
        "replica lag", "INC-9", 1800)
    assert ssh.calls == []
    decide(office, asked["id"], "approve", pause=4) # long enough to be told
    assert waiting.end() == 4
    assert waiting.out == ""
    for text in (asked["id"], asked["code"], "waiting for a manager",
                 "waiting for anna@acme.example", "is good for another"):
        assert text in waiting.err
    assert "\r" not in waiting.err and "\x1b" not in waiting.err
    assert ssh.calls == [ssh.line("db1", "id")]


def test_denial_and_timeout_never_reach_ssh(office, ssh):
    waiting = Waiting(ssh, "deploy@db1", "--reason", "x")
    asked = open_request(office)["id"]
    decide(office, asked, "deny", "--reason", "not during the freeze")
    assert waiting.end() == 77
    assert "denied by anna@acme.example: not during the freeze" in waiting.err
    done = ssh("deploy@db1", "--reason", "x", "--timeout", "2s", code=124)
    asked = ID.search(done.stderr)[0]
    assert f"lockbox request cancel {asked}" in done.stderr
    # The same again waits for the request that is open.
    done = ssh("deploy@db1", "--timeout", "1s", code=124)
    assert "you have asked for this already" in done.stderr
    assert asked in done.stderr and CODE.search(done.stderr)[0] == \
        office.avm.json("request", "show", asked)["code"]
    waiting = Waiting(ssh, "deploy@db1")
    decide(office, asked, "approve")
    assert waiting.end() == 0
    assert ssh.calls == [ssh.line("db1")]


@pytest.mark.parametrize("narrow, code, says", [
    (["--service", "sshd"], 0, "approved without sudo"),
    (["--service", "sudo"], 77, "not every service"),
    (["--start", "20m"], 75, "but from 2"),
    (["--duration", "5m"], 0, "lockbox grant extend"),
])
def test_narrower_approvals(office, ssh, narrow, code, says):
    waiting = Waiting(ssh, "deploy@db1", "--sudo", "--reason", "x")
    decide(office, open_request(office)["id"], "approve", *narrow)
    assert waiting.end() == code
    assert says in waiting.err
    assert len(ssh.calls) == (code == 0)


def test_approval_for_another_host_alone(office, ssh):
    """Asked for by other means, taken up, and then narrowed."""
    asked = office.ask("--host", "db2")
    waiting = Waiting(ssh, "deploy@db1")
    waiting.taken_up()
    decide(office, asked, "approve", "--host", "db2")
    assert waiting.end() == 77
    assert "does not open this: another host" in waiting.err
    assert ssh.calls == []


def test_asks_a_person_for_what_is_missing(office, ssh):
    with Terminal(office.avm, "ssh", "deploy@db1", env=ssh.env) as terminal:
        terminal.until("no live grant for deploy@db1, asking acme")
        terminal.until("as the customer will read it: ")
        terminal.say("\n")
        terminal.until("wanted: visible text")
        terminal.say("  replica lag \n")
        terminal.until("ticket (Enter: none): ")
        terminal.say("\n")
        terminal.until("for how long (Enter: 2h): ")
        terminal.say("forever\n")
        terminal.until("wanted: a span from 1m to 24h")
        terminal.say("90m\n")
        text = terminal.until("waiting for a manager")
        asked, code = ID.search(text)[0], CODE.search(text)[0]
        assert f"\x1b[1m{code}\x1b[0m" in text
        shown = office.avm.json("request", "show", asked)
        assert (shown["reason"], shown["ticket"], shown["duration"]) == (
            "replica lag", None, 5400)
        decide(office, asked, "approve")
        terminal.until("lockbox grant return")
        assert terminal.end() == 0
    assert ssh.calls == [ssh.line("db1")]


def test_ctrl_c_leaves_the_request_open(office, ssh):
    with Terminal(office.avm, "ssh", "deploy@db1", "--reason", "x",
                  env=ssh.env) as terminal:
        asked = ID.search(terminal.until("waiting for a manager"))[0]
        terminal.say("\x03")
        terminal.until(f"lockbox request cancel {asked}")
        assert terminal.end() == 130
    assert open_request(office)["id"] == asked
    with Terminal(office.avm, "ssh", "deploy@db2", env=ssh.env) as terminal:
        terminal.until("will read it: ")
        terminal.say("\x04")
        terminal.until("nothing was asked for")
        assert terminal.end() == 1
    assert ssh.calls == []


def test_says_why_it_was_cut_off(office, ssh):
    id = grant(office)
    program = ssh.notes.parent / "bin" / "ssh"
    program.write_text(f"""#!/bin/sh
HOME={office.anna.home} XDG_CONFIG_HOME={office.anna.home}/config \\
XDG_STATE_HOME={office.anna.home}/state {office.lockbox} grant revoke {id} \\
    --reason "wrong host" --yes >/dev/null 2>&1
exit 255
""")
    done = ssh("deploy@db1", code=255)
    assert (f"grant {id[7:19]} is revoked by anna@acme.example: wrong host"
            in done.stderr)
    assert "good for another" not in done.stderr


def test_print_does_nothing(office, ssh):
    id = grant(office)
    done = ssh("deploy@db1", "--print", "--", "echo", "it's")
    assert id in done.stdout and f"(in {NEARLY_2H})" in times(done.stdout)
    assert re.search(r"^run +ssh -o IdentitiesOnly=yes -i \S+ -l deploy -- db1 "
                     r"echo 'it'\\''s'$", done.stdout, re.M)
    plan = json.loads(ssh("deploy@db2", "--print", "--format", "json").stdout)
    assert plan["grant"] is None and plan["tenant"] == TENANT
    assert plan["command"] == ["ssh", *ssh.line("db2")]
    assert "would be asked" in ssh("deploy@db2", "--print").stdout
    assert ssh.calls == []
    assert office.avm.json("request", "ls", "--state", "pending_endorsement") == []


def test_signs_in_again_by_itself(office, ssh):
    grant(office)
    office.avm("signout")
    ssh("deploy@db1")
    assert len(ssh.calls) == 1
    office.avm("whoami")
    done = ssh("deploy@db1", "--config", office.avm.home / "none", code=78)
    assert "read '" in done.stderr
    other = {**ssh.env, "LOCKBOX_ADDR": "https://127.0.0.1:9"}
    office.avm("ssh", "deploy@db1", env=other, code=69)
    assert ssh.calls == []


def test_check(office):
    check = ("grant", "check", "--host", "db1", "--login", "deploy")
    office.avm(*check, code=77)
    id = grant(office)
    assert id in office.avm(*check).stderr
    assert office.avm.json(*check)["id"] == id
    done = office.avm(*check, "--quiet")
    assert done.stdout == done.stderr == ""
    office.avm(*check, "--left", "1h")
    office.avm("grant", "check", "--host", "db1", "--login", "deploy", "--tenant",
               TENANT, "--ssh-key", office.avm.key, "--service", "sshd")
    for more in (("--left", "3h"), ("--service", "sudo"), ("--tenant", "bank"),
                 ("--ssh-key", office.eve.key)):
        office.avm(*check, *more, code=77)
    office.avm("grant", "check", "--host", "db2", "--login", "deploy", code=77)
    office.avm("grant", "check", "--host", "db1", "--login", "root", code=77)
    office.eve(*check, code=77)
    office.avm("grant", "check", "--host", "db9", "--login", "deploy", code=1)
    office.avm("grant", "check", "--login", "deploy", code=2)
    office.avm(*check, env={"LOCKBOX_ADDR": "https://127.0.0.1:9"}, code=69)
    office.avm("grant", "return", id)
    office.avm(*check, code=77)


def test_ssh_config_of_the_examples(office, tmp_path):
    """The snippet with a real ssh: without a grant no host is touched."""
    example = office.example("ssh_config").replace(
        "lockbox grant", f"{office.lockbox} grant")
    assert "Match" in example
    config = tmp_path / "ssh_config"
    config.write_text(example)

    def real(*words):
        return subprocess.run(
            ["ssh", "-F", config, *words], env=office.avm.env, text=True,
            capture_output=True, check=False, timeout=30,
            stdin=subprocess.DEVNULL)

    done = real("deploy@db1", "true")
    assert done.returncode == 255 and "lockbox request create" in done.stderr
    assert "proxycommand" in real("-G", "deploy@db1").stdout
    grant(office)
    assert "proxycommand" not in real("-G", "deploy@db1").stdout
    assert "proxycommand" in real("-G", "root@db1").stdout
    assert "proxycommand" not in real("-G", "deploy@elsewhere").stdout


def test_extend(office):
    id = grant(office, "--sudo", "--host", "db2")
    extend = ("grant", "extend", id[7:19], "--reason", "it takes longer")
    done = office.avm(*extend, "--duration", "1h", "--no-wait", code=2)
    assert f"good for another {NEARLY_2H}" in times(done.stderr)
    done = office.avm(*extend, "--duration", "3h", "--no-wait")
    asked = office.avm.json("request", "show", ID.search(done.stdout)[0])
    before = office.avm.json("grant", "show", id)
    assert asked["extends"] == id and asked["duration"] == 3 * 3600
    for same in ("tenant", "hosts", "logins", "services", "keys", "engineer"):
        assert asked[same] == before[same]
    assert asked["ticket"] == "INC-42"
    assert asked["reason"] == "it takes longer"
    decide(office, asked["id"], "approve")
    after = office.avm.json("grant", "show", asked["id"])
    assert after["services"] == before["services"]
    assert after["not_after"] > before["not_after"]


def test_extend_asks_a_person_why(office):
    id = grant(office)
    with Terminal(office.avm, "grant", "extend", id[7:19]) as terminal:
        terminal.until("asking for more time")
        terminal.until("as the customer will read it: ")
        terminal.say("it takes longer\n")
        terminal.until("for how long (Enter: 2h): ")
        terminal.say("4h\n")
        asked = ID.search(terminal.until("waiting for a manager"))[0]
        decide(office, asked, "approve")
        assert terminal.end() == 0
        assert "ticket" not in terminal.text.split("request  ")[0]


def test_what_cannot_be_extended(office):
    id = grant(office)
    extend = ("grant", "extend", id[7:19], "--duration", "3h")
    done = office.avm(*extend, code=2)
    assert "--reason is missing" in done.stderr
    office.eve(*extend, "--reason", "x", code=1)   # not hers to see
    office.max(*extend, "--reason", "x", code=77)  # sees it, is not his
    office.avm("grant", "return", id)
    done = office.avm(*extend, "--reason", "x", code=77)
    assert "the grant is returned" in done.stderr
