"""lockbox, the command line, against a real broker: the whole flow."""

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
import time
from pathlib import Path

import papers
import pytest

from brokerd import BROKER, TENANT
from office import CODE, ID, Office, Someone, keygen


@pytest.fixture(scope="module")
def office(build, tmp_path_factory):
    made = Office(build, tmp_path_factory.mktemp("office"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def tidy(request):
    """One open request per engineer and scope: none is left behind."""
    yield
    if "office" in request.fixturenames:
        request.getfixturevalue("office").tidy()


def test_the_whole_flow(office):
    done = office.avm("request", "create", "--tenant", TENANT, "--host", "db1",
                      "--login", "deploy", "--sudo", "--duration", "2h",
                      "--reason", "replica lag", "--no-wait")
    asked, code = ID.search(done.stdout)[0], CODE.search(done.stdout)[0]
    assert f"next: lockbox request wait {asked}" in done.stderr
    office.avm("request", "wait", asked, "--timeout", "1s", code=124)

    done = office.max("request", "endorse", asked, "--yes")
    assert code in done.stderr and "lockbox-endorse-v1" in done.stderr
    done = office.anna("request", "approve", asked, "--yes")
    assert code in done.stderr and "  | lockbox-grant-v1" in done.stderr
    assert "active" in done.stdout

    waited = office.avm("request", "wait", asked)
    assert "next: ssh deploy@db1" in waited.stderr
    grant = office.avm.json("grant", "ls")[0]
    assert grant["request"] == asked and grant["services"] == ["sshd", "sudo"]
    done = office.anna("grant", "show", grant["id"][7:15])
    assert "checked here: 1 of 1 approvals count" in done.stderr

    again = office.avm("request", "create", "--tenant", TENANT, "--host", "db1",
                       "--login", "deploy", "--reason", "again")
    assert grant["id"] in again.stdout and "covers this already" in again.stderr

    office.anna("grant", "revoke", grant["id"], "--reason", "done", "--yes")
    assert office.avm.json("grant", "show", grant["id"])["state"] == "revoked"
    office.avm("request", "wait", asked, code=77)


def test_approval_verifies_with_stock_ssh_keygen(office, tmp_path):
    asked = office.endorsed()
    office.anna("request", "approve", asked, "--duration", "30m", "--yes")
    grant = office.avm.json("grant", "show", asked)
    (tmp_path / "grant").write_text(grant["text"])
    (tmp_path / "sig").write_text(grant["approvals"][0]["signature"])
    key = " ".join(Path(f"{office.anna.key}.pub").read_text().split()[:2])
    (tmp_path / "signers").write_text(
        f'anna@acme.example namespaces="lockbox-approve-v1" {key}\n')
    arguments = ["-f", tmp_path / "signers", "-I", "anna@acme.example", "-n",
                 "lockbox-approve-v1", "-s", tmp_path / "sig"]
    stock = subprocess.run(["ssh-keygen", "-Y", "verify", *arguments], text=True,
                           input=grant["text"], capture_output=True, check=False)
    ours = office.anna("verify", *arguments, input=grant["text"])
    assert stock.returncode == 0
    assert ours.stdout == stock.stdout
    changed = grant["text"].replace("db1", "db2")
    assert subprocess.run(["ssh-keygen", "-Y", "verify", *arguments], text=True,
                          input=changed, capture_output=True,
                          check=False).returncode != 0
    office.anna("verify", *arguments, input=changed, code=1)


def test_export_sign_submit_with_ssh_keygen(office, tmp_path):
    asked = office.endorsed()
    office.anna("request", "export", asked, "--duration", "30m", "-o",
                tmp_path / "grant")
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", office.anna.key, "-n",
                    "lockbox-approve-v1", tmp_path / "grant"], check=True)
    office.anna("signout")
    try:
        done = office.anna("request", "submit", tmp_path / "grant")
        assert "active" in done.stdout
        office.anna("request", "submit", tmp_path / "grant") # again: the same
        (tmp_path / "grant").write_text(
            (tmp_path / "grant").read_text().replace("deploy", "root"))
        office.anna("request", "submit", tmp_path / "grant", code=1)
    finally:
        office.anna.signin()


def test_export_endorsement_and_denial(office, tmp_path):
    asked = office.ask()
    for person, namespace, state in (
            (office.max, "lockbox-endorse-v1", "pending_approval"),
            (office.bert, "lockbox-deny-v1", "denied")):
        text = tmp_path / namespace
        done = person("request", "export", asked, "--request")
        text.write_text(done.stdout)
        assert f"-n {namespace}" in done.stderr
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", person.key, "-n",
                        namespace, text], check=True)
        assert state in person("request", "submit", text).stdout


def test_encrypted_key_signs_through_ssh_agent(office):
    eve = office.eve
    key = keygen(eve.home / "locked", "-N", "a passphrase")
    office.olga("person", "set", eve.principal, "--key", f"{eve.key}.pub",
                "--key", f"{key}.pub")
    eve.signin(key=key, code=1) # nobody to ask for the passphrase
    agent = subprocess.run(["ssh-agent", "-s"], text=True, capture_output=True,
                           check=True).stdout
    env = dict(re.findall(r"(SSH_\w+)=([^;]+);", agent))
    ask = eve.home / "askpass"
    ask.write_text("#!/bin/sh\necho 'a passphrase'\n")
    ask.chmod(0o755)
    try:
        subprocess.run(["ssh-add", "-q", key], check=True, stdin=subprocess.DEVNULL,
                       env={**eve.env, **env, "SSH_ASKPASS": str(ask),
                            "SSH_ASKPASS_REQUIRE": "force"})
        key.rename(key.with_suffix(".away")) # only the agent has it now
        done = eve.signin(key=f"{key}.pub", env=env)
        assert eve.principal in done.stdout
    finally:
        subprocess.run(["kill", env["SSH_AGENT_PID"]], check=True)
        eve.signin()


def test_deny_with_a_reason_reaches_the_engineer(office):
    asked = office.endorsed()
    office.anna("request", "deny", asked, "--reason", "not during the freeze",
                "--yes")
    done = office.avm("request", "wait", asked, code=77)
    assert "not during the freeze" in done.stdout
    office.anna("request", "approve", asked, "--yes", code=77)


def test_narrowing(office):
    asked = office.endorsed("--host", "db2", "--service", "sshd", "--sudo")
    office.anna("request", "approve", asked, "--host", "db3", "--yes", code=2)
    office.anna("request", "approve", asked, "--duration", "3h", "--yes", code=2)
    office.anna("request", "approve", asked, "--host", "db2", "--service", "sshd",
                "--until", "20m", "--yes")
    grant = office.avm.json("grant", "show", asked)
    assert grant["hosts"] == ["db2"] and grant["services"] == ["sshd"]


def test_two_approvers_sign_one_text(office):
    office.trust("twins", "twins.trust", "anna", "bert", threshold=2)
    office.olga("tenant", "add", "--trust", office.base / "twins.trust")
    office.olga("host", "invite", "db1", "--tenant", "twins")
    for person in (office.anna, office.bert):
        person.signin()
    asked = office.endorsed(tenant="twins")
    done = office.anna("request", "approve", asked, "--duration", "10m", "--yes")
    assert "pending_approval" in done.stdout and "another approver" in done.stderr
    done = office.bert("request", "approve", asked, "--yes")
    assert "another approver has signed this text" in done.stderr
    assert "active" in done.stdout
    grant = office.avm("grant", "show", asked)
    assert "2 of 2 approvals count" in grant.stderr


def test_what_may_not_be_decided(office):
    asked = office.ask()
    office.anna("request", "approve", asked, "--yes", code=75) # not endorsed
    office.avm("request", "endorse", asked, "--yes", code=77)  # one's own
    office.eve("request", "endorse", asked, "--yes", code=1)   # not her business
    office.max("request", "endorse", asked, "--yes")
    office.max("request", "approve", asked, "--yes", code=77)  # no approver
    office.anna("request", "approve", asked, code=1)           # nobody asked
    office.anna("request", "approve", asked, "--yes")


def test_lists_shows_and_prefixes(office):
    asked = office.ask()
    table = office.avm("request", "ls", "--state", "pending_endorsement").stdout
    assert table.splitlines()[0].startswith("REQUEST") and asked in table
    assert office.avm.json("request", "show", asked[:-8].lower())["id"] == asked
    office.avm("request", "show", asked[:3], code=2)
    office.avm("request", "show", "0" * 8, code=1)
    shown = office.avm.json("request", "show", asked)
    assert shown["requested_at"].endswith("Z")
    assert shown["reason"] == "replica lag" and shown["ticket"] == "INC-42"
    office.max("request", "endorse", asked, "--yes")
    waiting = office.anna.json("request", "ls", "--waiting")
    assert [x["id"] for x in waiting] == [asked]
    assert office.max.json("request", "ls", "--waiting") == []
    assert "cancelled" in office.avm("request", "cancel", asked).stdout


def test_operators_verbs(office):
    code = office.olga("host", "invite", "web9", "--tenant", TENANT).stdout.strip()
    assert re.fullmatch(rf"{BROKER}-[0-9A-Z]{{16}}-[0-9A-Z]{{26}}", code)
    hosts = office.olga.json("host", "ls", "--tenant", TENANT)
    assert [h["name"] for h in hosts] == ["db1", "db2", "web9"]
    assert office.olga.json("host", "show", "web9")["state"] == "invited"
    office.avm("host", "invite", "web8", "--tenant", TENANT, code=77)
    office.olga("host", "remove", "web9", "--yes")
    office.olga("host", "show", "web9", code=1)
    office.olga("tenant", "set", TENANT, "--approve-ttl", "6h")
    tenant = office.olga.json("tenant", "show", TENANT)
    assert tenant["settings"]["approve_ttl"] == 6 * 3600
    office.olga("tenant", "set", TENANT, "--approve-ttl", "12h")
    assert TENANT in office.olga("tenant", "ls").stdout
    office.olga("person", "set", "eve@provider.example", "--active", "no")
    office.eve("whoami", code=77)
    office.olga("person", "set", "eve@provider.example", "--active", "yes")
    office.eve.signin()
    assert "engineer" in office.eve("whoami").stdout
    people = {p["principal"] for p in office.olga.json("person", "ls")}
    assert {"avm@provider.example", "olga@provider.example"} <= people


def test_trust_edit_sign_submit_fetch(office):
    first = office.trust("moving", "moving.trust", "anna")
    office.olga("tenant", "add", "--trust", first)
    office.anna.signin()
    second = office.base / "moving-2.trust"
    office.anna("trust", "edit", first, "--approver",
                f"bert@acme.example={office.bert.key}.pub", "--longest", "1h",
                "-o", second)
    diff = office.anna("trust", "diff", first, second).stdout
    assert "approver added: bert@acme.example" in diff
    assert "longest grant: 4h becomes 1h" in diff
    office.anna("trust", "submit", second, code=1) # nobody signed
    office.bert("trust", "sign", second, "--pin", first, "--key", office.bert.key,
                "--yes", code=77)                  # no owner before it
    office.anna("trust", "sign", second, "--pin", first, "--key", office.anna.key,
                "--yes")
    office.anna("trust", "verify", second, "--pin", first)
    office.anna("trust", "submit", second)
    chain = office.base / "moving.chain"
    office.anna("trust", "fetch", "moving", "-o", chain)
    assert chain.read_text() == first.read_text() + second.read_text()
    assert office.anna.json("trust", "verify", chain)["serial"] == 2
    chain.write_text(chain.read_text().replace("longest: 3600", "longest: 7200"))
    office.anna("trust", "verify", chain, code=1)


def test_usage_and_configuration_errors(office, tmp_path):
    office.avm("request", "creat", code=2)
    office.avm("request", "show", code=2)
    office.avm("request", "ls", "--stat", "x", code=2)
    office.avm("request", "ls", "--format", "xml", code=2)
    office.avm("request", "create", "--tenant", TENANT, "--host", "DB 1",
               "--reason", "x", code=2)
    office.avm("request", "create", "--tenant", TENANT, "--host", "db1",
               "--login", "deploy", "--reason", "two\nlines", code=2)
    office.avm("request", "create", "--tenant", "nobody", "--host", "db1",
               "--login", "deploy", "--reason", "x", "--no-wait", code=1)
    bad = tmp_path / "config"
    bad.write_text("ulr = https://x\n")
    bad.chmod(0o600)
    done = office.avm("whoami", "--config", bad, code=78)
    assert "config:1:" in done.stderr
    office.avm("whoami", "--config", tmp_path / "none", code=78)
    stranger = Someone(office, "stranger", "stranger@example")
    stranger("whoami", code=78)
    stranger.signin(code=77)


def test_broker_away_and_wrong_certificate(office, tmp_path):
    other = {"LOCKBOX_ADDR": "https://127.0.0.1:9"}
    done = office.avm("signin", env=other, code=69)
    assert "cannot be reached" in done.stderr
    # A session belongs to its address: no token goes anywhere else.
    office.avm("whoami", env=other, code=77)
    office.avm("whoami")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=other", "-out", tmp_path / "ca.pem", "-keyout",
                    tmp_path / "key"], check=True, capture_output=True)
    office.avm("signin", "--ca", tmp_path / "ca.pem", code=69)
    office.avm("signin", "--ca", tmp_path / "absent.pem", code=78)
    office.avm("whoami")


def test_address_from_the_environment_is_not_kept(office):
    config = office.avm.home / "config" / "lockbox" / "config"
    before = config.read_text()
    other = {"LOCKBOX_ADDR": office.url.replace("127.0.0.1", "127.0.0.2")}
    office.avm("signin", env={"LOCKBOX_ADDR": office.url})
    office.avm("signin", env=other, code=69) # not in the certificate
    assert config.read_text() == before
    office.avm("whoami")


def test_secrets_stay_in_their_files(office):
    session = office.avm.home / "state" / "lockbox" / "session"
    assert session.stat().st_mode & 0o777 == 0o600
    token = re.search(r"^token = (.*)$", session.read_text(), re.M)[1]
    config = office.avm.home / "config" / "lockbox" / "config"
    assert token not in config.read_text()
    for arguments in (("whoami", "-v"), ("request", "ls", "-v"),
                      ("whoami", "--format", "json")):
        done = office.avm(*arguments)
        assert token not in done.stdout + done.stderr
    session.chmod(0o644) # somebody may have read it
    office.avm("whoami", code=77)
    session.chmod(0o600)
    office.avm("whoami")


def test_help_and_manual_speak_of_every_command(office):
    manual = (Path(__file__).parents[2] / "man" / "lockbox.1").read_text()
    for line in office.avm("help").stdout.splitlines():
        words = re.match(r"  ([a-z-]+(?: [a-z-]+)?)  ", line)
        if not words:
            continue
        done = office.avm("help", *words[1].split())
        assert done.stdout.startswith(f"usage: lockbox {words[1]}")
        assert "examples:" in done.stdout
        entry = re.search(rf"^\.It Cm {words[1]}( [^\n]*)?\n(.*?)^\.(It Cm|Ss|Sh) ",
                          manual, re.M | re.S)
        assert entry, words[1]
        own = done.stdout.split("\nflags:\n")[1].split("\n\n")[0] \
            if "\nflags:\n" in done.stdout else ""
        for flag in re.findall(r"^ +(?:-\w, +)?--([a-z-]+)", own, re.M):
            assert f"Fl Fl {flag}" in entry[2], (words[1], flag)


class Terminal:
    """A command on a terminal of its own, answered by hand."""

    def __init__(self, person, *arguments, env=None, columns=0):
        self.master, slave = pty.openpty()
        if columns:
            termios.tcsetwinsize(slave, (24, columns))
        self.process = subprocess.Popen(
            [person.office.lockbox, *map(str, arguments)],
            env={**person.env, **(env or {})},
            cwd=person.home, stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.text = ""

    def until(self, wanted, seconds=20):
        end = time.monotonic() + seconds
        while wanted not in self.text:
            left = max(0, end - time.monotonic())
            ready, _, _ = select.select([self.master], [], [], left)
            assert ready, f"no {wanted!r} in {self.text!r}"
            self.text += os.read(self.master, 4096).decode()
        return self.text

    def say(self, text):
        os.write(self.master, text.encode())

    def end(self):
        code = self.process.wait(20)
        os.close(self.master)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def test_asks_before_signing(office):
    asked = office.endorsed()
    for answer in ("\n", "n\n", "Y\n", "yes please\n", "\x04"):
        with Terminal(office.anna, "request", "approve", asked) as terminal:
            text = terminal.until("Approve it? [y/N] ")
            assert "  | lockbox-grant-v1" in text and "code" in text
            terminal.say(answer)
            terminal.until("nothing was signed")
            assert terminal.end() == 1
    with Terminal(office.anna, "request", "approve", asked) as terminal:
        terminal.until("Approve it? [y/N] ")
        terminal.say("y\n")
        terminal.until("active")
        assert terminal.end() == 0


def create(*more):
    return ("request", "create", "--tenant", TENANT, "--host", "db1", "--login",
            "deploy", "--reason", "x", *more)


def test_waits_with_progress_on_a_terminal(office):
    with Terminal(office.avm, *create()) as terminal:
        text = terminal.until("waiting for a manager")
        asked, code = ID.search(text)[0], CODE.search(text)[0]
        assert text.index(asked) < text.index("waiting for the decision")
        assert f"\r\x1b[K| \x1b[1m{code}\x1b[0m  lapses in " in text
        office.max("request", "endorse", asked, "--yes")
        terminal.until("s  waiting for anna@acme.example, bert@acme.example")
        office.anna("request", "approve", asked, "--yes")
        terminal.until("next: ssh deploy@db1")
        assert terminal.end() == 0


def test_an_encrypted_key_file_is_asked_for_its_passphrase(office):
    """ssh-keygen asks on the person's terminal, for signing in and approving;
    a wrong answer signs nothing."""
    anna, asked = office.anna, office.endorsed()
    change = ["ssh-keygen", "-q", "-p", "-f", anna.key]
    subprocess.run([*change, "-P", "", "-N", "open sesame"], check=True)
    prompt = "Enter passphrase"
    try:
        for word, code in (("sesame\n", 1), ("open sesame\n", 0)):
            with Terminal(anna, "signin") as terminal:
                terminal.until(prompt)
                terminal.say(word)
                assert terminal.end() == code
            with Terminal(anna, "request", "approve", asked) as terminal:
                terminal.until("[y/N] ")
                terminal.say("y\n")
                terminal.until(prompt)
                terminal.say(word)
                assert terminal.end() == code
                assert "sesame" not in terminal.text # no echo
            state = anna.json("request", "show", asked)["state"]
            assert state == ("active" if code == 0 else "pending_approval")
    finally:
        subprocess.run([*change, "-P", "open sesame", "-N", ""], check=True)


def test_no_colour_where_none_is_wanted(office):
    with Terminal(office.avm, *create(), env={"NO_COLOR": "1"},
                  columns=60) as terminal:
        text = terminal.until("waiting for a m")
        assert f"\r\x1b[K| {CODE.search(text)[0]}  lapses in " in text
        text = terminal.until("\r\x1b[K/ ")
        assert all(len(line) < 60 for line in re.split("\r\n|\r\x1b.K", text)
                   if "lapses" in line)
        assert "\x1b[1m" not in text
        terminal.say("\x03")
        assert terminal.end() == 130


def test_nothing_moves_on_a_terminal_that_cannot(office):
    with Terminal(office.avm, *create(), env={"TERM": "dumb"}) as terminal:
        text = terminal.until("  pending_endorsement  lapses in ")
        assert "\x1b" not in text
        terminal.say("\x03")
        assert terminal.end() == 130


def test_nothing_moves_without_a_terminal(office):
    asked = office.ask()
    done = office.avm("request", "wait", asked, "--timeout", "4s", code=124)
    assert "\r" not in done.stderr and "\x1b" not in done.stderr
    assert done.stderr.count("pending_endorsement") == 1


def test_ctrl_c_leaves_the_request_open(office):
    with Terminal(office.avm, *create()) as terminal:
        asked = ID.search(terminal.until("waiting for a manager"))[0]
        terminal.say("\x03")
        text = terminal.until(f"lockbox request cancel {asked}")
        assert f"next: lockbox request wait {asked}" in text
        assert terminal.end() == 130
    shown = office.avm.json("request", "show", asked)
    assert shown["state"] == "pending_endorsement"


def test_waiting_survives_the_session_and_the_broker(office):
    """The session's end and a broker that restarts do not end the waiting."""
    asked = office.endorsed()
    session = office.avm.home / "state" / "lockbox" / "session"
    before = session.read_text()
    session.write_text(re.sub(
        r"^expires_at = .*$", "expires_at = " + time.strftime(
            "%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 30)), before,
        flags=re.M))
    waiting = subprocess.Popen(
        [office.lockbox, "request", "wait", asked, "--timeout", "2m"],
        env=office.avm.env, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1)
    assert session.read_text() != before # renewed
    office.broker.stop()
    time.sleep(2.5)
    office.start_broker_again()
    office.anna("request", "approve", asked, "--yes")
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, err
    assert "active" in out


def security_key(office, person, name):
    """A FIDO key in software; its path, and the environment to use it."""
    provider = Path(office.lockbox).parents[1] / "tests" / "tools" / "sk_soft.so"
    if not provider.exists():
        pytest.skip("built without the software security key")
    path = person.home / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519-sk", "-N", "", "-f", path,
                    "-w", provider], check=True, stdout=subprocess.DEVNULL)
    return path, lambda flags: {"SSH_SK_PROVIDER": str(provider),
                                "SK_SOFT_FLAGS": str(flags)}


def test_security_keys_and_require(office, tmp_path):
    key, seen = security_key(office, office.anna, "id_ed25519_sk")
    document = tmp_path / "touchy.trust"
    office.anna("trust", "new", "--tenant", "touchy", "--broker",
                f"{BROKER}={office.base / 'broker.pub'}", "--require", "touch",
                "--approver", f"anna@acme.example={key}.pub", "-o", document)
    office.anna("trust", "sign", document, "--key", key, "--yes", env=seen(1))
    office.olga("tenant", "add", "--trust", document)
    office.olga("host", "invite", "db1", "--tenant", "touchy")
    office.anna.signin(key=key, env=seen(1))
    try:
        asked = office.endorsed(tenant="touchy")
        done = office.anna("request", "approve", asked, "--yes", env=seen(0),
                           code=77)
        assert "show a touch" in done.stderr
        done = office.anna("request", "approve", asked, "--yes", "--key",
                           office.anna.home / "id_ed25519", code=77)
        assert "is none that tenant touchy lets" in done.stderr
        office.anna("request", "approve", asked, "--yes", env=seen(1))
        grant = office.anna.json("grant", "show", asked)
    finally:
        office.anna.signin()
    (tmp_path / "sig").write_text(grant["approvals"][0]["signature"])
    public = " ".join(Path(f"{key}.pub").read_text().split()[:2])
    (tmp_path / "signers").write_text(
        f'anna@acme.example namespaces="lockbox-approve-v1" {public}\n')
    verify = ["verify", "-f", tmp_path / "signers", "-I", "anna@acme.example",
              "-n", "lockbox-approve-v1", "-s", tmp_path / "sig"]
    office.anna(*verify, "--require", "touch", input=grant["text"])
    office.anna(*verify, "--require", "verified", input=grant["text"], code=1)


def test_verify_passkey_by_origin(office, tmp_path):
    key = papers.Passkey("door.example", "https://door.example")
    (tmp_path / "signers").write_text(key.pinned("anna", "approve") + "\n")
    (tmp_path / "sig").write_text(key.sign("approve", "text\n"))
    verify = ["verify", "-f", tmp_path / "signers", "-I", "anna", "-n",
              "lockbox-approve-v1", "-s", tmp_path / "sig"]
    good = office.anna(*verify, "--origin", "https://door.example", "--require",
                       "verified", input="text\n")
    assert good.stdout.startswith('Good "lockbox-approve-v1" signature for anna')
    office.anna(*verify, input="text\n", code=1)
    office.anna(*verify, "--origin", "https://door.example.evil.example",
                input="text\n", code=1)
    office.anna(*verify, "--origin", "https://door.example", input="test\n", code=1)


def test_verify_is_strict_about_its_file(office, tmp_path):
    key = papers.Ed25519()
    (tmp_path / "sig").write_text(key.sign("approve", "text\n"))
    verify = ["verify", "-f", tmp_path / "signers", "-I", "anna", "-n",
              "lockbox-approve-v1", "-s", tmp_path / "sig"]
    good = key.pinned("anna", "approve")
    for line, code in ((good, 0), ("# a comment\n\n" + good, 0),
                       (key.pinned("anna", "approve", "deny"), 0),
                       (key.pinned("bert", "approve"), 1),
                       (key.pinned("anna", "deny"), 1),
                       (key.pinned("anna", "approve", before=1000000000), 1),
                       (key.pinned("anna", "approve", after=4000000000), 1),
                       (good.replace("anna", "*"), 78),
                       (good.replace("anna", "anna,bert"), 78),
                       (f"anna {key.public()}", 78), (good + " comment", 78),
                       (good.replace("namespaces=", "cert-authority,namespaces="),
                        78), ("", 1)):
        (tmp_path / "signers").write_text(line + "\n")
        office.anna(*verify, input="text\n", code=code)


# --- a grant as a file -----------------------------------------------------------


def test_grant_export(office, tmp_path):
    """What hosts keep for when the broker is away, checked before it is written."""
    office.tidy()
    asked = office.endorsed()
    office.anna("request", "approve", asked, "--yes")
    grant = office.avm.json("grant", "show", asked)
    path = tmp_path / "grant.bundle"
    for who in (office.avm, office.anna):
        done = who("grant", "export", grant["id"][7:15], "-o", path)
        assert f"lockbox host accept {path}" in done.stderr
        assert "offline: deny" in done.stderr # the trust document says so
        text, signatures = papers.split(path.read_text())[0]
        assert text == grant["text"] and len(signatures) == 1
        request, signatures = papers.split(path.read_text())[1]
        assert papers.doc_id(request) == papers.fields(text)["request"]
        assert signatures, "the engineer's signature goes with it"
    assert office.avm("grant", "export", asked).stdout == path.read_text()
    office.eve("grant", "export", grant["id"], code=1)
    office.anna("grant", "revoke", grant["id"], "--yes")
    path.unlink()
    done = office.avm("grant", "export", grant["id"], "-o", path, code=77)
    assert "the grant is revoked" in done.stderr and not path.exists()
