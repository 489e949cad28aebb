"""lockbox host enrol and lockbox doctor on a real host in its own world."""

import json
import os
import re
import shutil
import subprocess
import time

import pytest

import world as worlds
from world import HOST, TENANT, World


@pytest.fixture(scope="module")
def host(build):
    reason = worlds.privileges_missing()
    if reason:
        pytest.skip(reason)
    with World(build) as made:
        made.furnish()
        yield made


def doctor(host, *arguments):
    done = host.inside(host.program("lockbox"), "doctor", "--format", "json",
                       *arguments, check=False)
    found = json.loads(done.stdout)
    assert (done.returncode == 0) == found["ok"], done.stdout
    return found


def results(found, check):
    return [item["result"] for item in found["checks"] if item["check"] == check]


CHECKS = {"sshd", "account", "session", "exempt", "session_ids", "config", "files",
          "trust", "agent", "courier", "broker", "clock"}


def test_a_sound_host(host):
    found = doctor(host)
    assert found["ok"], found
    assert {item["check"] for item in found["checks"]} == CHECKS
    text = host.inside(host.program("lockbox"), "doctor")
    assert re.search(r"^ok +account ", text.stdout, re.M)
    assert f"tenant {TENANT}, serial 1 in force" in text.stdout


def replaced(path, old, new):
    """path with what old (a regex) finds replaced; what it was before."""
    before = path.read_text()
    after = re.sub(old, new, before, count=1, flags=re.M)
    assert after != before, (path, old)
    path.write_text(after)
    return before


ACCOUNT = r"^account\s+requisite\s+(?=\S*pam_lockbox)"
SESSION = r"^session\s+requisite\s+(?=\S*pam_lockbox)"

# What an administrator gets wrong: file below /etc, what, by what, which check.
MISTAKES = {
    "usepam_no": ("ssh/sshd_config", "UsePAM yes", "UsePAM no", "sshd"),
    "no_public_keys": ("ssh/sshd_config", "UsePAM yes",
                       "UsePAM yes\nPubkeyAuthentication no", "sshd"),
    "account_required": ("pam.d/sshd", ACCOUNT, "account required ",
                         "account"),
    "account_ignored": ("pam.d/sudo", ACCOUNT, "account [default=ignore] ", "account"),
    "account_missing": ("pam.d/su", ACCOUNT, "# ", "account"),
    "account_second": ("pam.d/login", ACCOUNT, "account sufficient pam_permit.so\n"
                       "account requisite ", "account"),
    "broken_stack": ("pam.d/cron", ACCOUNT, "acount requisite ", "account"),
    "session_after_env": ("pam.d/sshd", SESSION, "session required pam_env.so\n"
                          "session requisite ", "session"),
    "session_missing": ("pam.d/sshd", SESSION, "# ", "session"),
    "unknown_option": ("lockbox/pam.conf", "\nexempt", "\nexcempt",
                       "exempt"),
    "bad_agent_conf": ("lockbox/agent.conf", "host =", "hots =", "config"),
    "bad_courier_conf": ("lockbox/courier.conf", "url =", "ulr =", "config"),
    "bad_trust": ("lockbox/trust", "tenant:", "tenants:", "trust"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found(host, name):
    file, old, new, check = MISTAKES[name]
    path = host.path("etc", file)
    assert results(doctor(host), check).count("fail") == 0
    before = replaced(path, old, new)
    try:
        found = doctor(host)
        assert not found["ok"] and "fail" in results(found, check), found
        for item in found["checks"]:
            assert item["result"] == "ok" or item["do"]
    finally:
        path.write_text(before)


def test_exempt_over_ssh_is_warned_of(host):
    path = host.path("etc", "lockbox", "pam.conf")
    before = path.read_text()
    try:
        path.write_text(before + "exempt = sshd deploy\n")
        found = doctor(host)
        assert found["ok"] and "warn" in results(found, "exempt")
        assert any("'deploy'" in item["what"] for item in found["checks"])
    finally:
        path.write_text(before)


@pytest.mark.parametrize("path, mode", [
    ("etc/lockbox/pam.conf", 0o666), ("etc/lockbox/trust", 0o664),
    ("var-lib/lockbox/host-key", 0o640), ("var-lib/lockbox", 0o755),
    ("etc/lockbox", 0o777),
])
def test_a_file_that_others_could_write_or_read(host, path, mode):
    file = host.path(*path.split("/"))
    before = file.stat().st_mode & 0o7777
    assert "fail" not in results(doctor(host), "files")
    file.chmod(mode)
    try:
        assert "fail" in results(doctor(host), "files")
    finally:
        file.chmod(before)


def test_parts_that_are_down(host):
    host.services["courier"].stop()
    try:
        assert results(doctor(host), "courier") == ["fail"]
    finally:
        host.start_courier()
    host.services["agent"].stop()
    try:
        assert results(doctor(host), "agent") == ["fail"]
    finally:
        host.start_agent()
    host.services["broker"].stop()
    try:
        found = doctor(host)
        assert results(found, "broker") == ["fail"]
        assert results(found, "clock") == []
    finally:
        host.start_broker()
    assert doctor(host)["ok"]


def test_an_agent_that_is_stopped_mid_breath(host):
    """SIGSTOP: the socket is there, nobody answers."""
    host.services["agent"].signal(19)
    try:
        started = time.monotonic()
        assert results(doctor(host), "agent") == ["fail"]
        assert time.monotonic() - started < 15
    finally:
        host.services["agent"].signal(18)
    assert results(doctor(host), "agent") == ["ok"]


def test_doctor_leaves_no_decision_behind(host):
    before = len(host.syslog())
    doctor(host)
    time.sleep(0.3)
    assert host.decisions(before) == []


def test_not_root(host):
    done = host.inside(host.program("lockbox"), "doctor", user="avm", check=False)
    assert done.returncode == 77


def invite(host, name):
    return host.cli("olga", "host", "invite", name, "--tenant",
                    TENANT).stdout.strip()


def enrol(host, code, *more, name="second", code_from=None, ca=None, **options):
    base = host.path("etc", "second")
    return host.inside(
        host.program("lockbox"), "host", "enrol", code, "--url", host.url, "--ca",
        ca or host.ca, "--host", name, "--again", "--confdir", "/etc/second", "--trust",
        "/etc/second/trust", *more, check=False, **options)


@pytest.fixture
def second(host):
    """Enrolling again over the same agent's directory, put back afterwards."""
    host.services["agent"].stop()
    base = host.path("etc", "second")
    base.mkdir(mode=0o755)
    shutil.copy(host.trust, base / "trust")
    (base / "trust").chmod(0o644)
    kept = host.path("kept")
    shutil.copytree(host.path("var-lib", "lockbox"), kept)
    yield base
    shutil.rmtree(host.path("var-lib", "lockbox"))
    shutil.copytree(kept, host.path("var-lib", "lockbox"))
    uid = worlds.SYSTEM_USERS["lockbox"]
    for top, names, files in os.walk(host.path("var-lib", "lockbox")):
        for path in [top] + [os.path.join(top, x) for x in names + files]:
            os.chown(path, uid, uid)
    shutil.rmtree(kept)
    shutil.rmtree(base)
    host.start_agent()


def test_enrolment_writes_what_the_agent_needs(host, second):
    done = enrol(host, "-", input=invite(host, "second") + "\n")
    assert done.returncode == 0, done.stderr
    assert f"enrolled second of tenant {TENANT}" in done.stdout
    assert "host = second" in (second / "agent.conf").read_text()
    assert host.url in (second / "courier.conf").read_text()
    key = host.path("var-lib", "lockbox", "host-key")
    assert key.stat().st_mode & 0o777 == 0o600
    for mine in (key, key.parent, key.parent / "state"):
        assert mine.stat().st_uid == worlds.SYSTEM_USERS["lockbox"]
    assert key.parent.stat().st_mode & 0o777 == 0o700
    public = subprocess.run(["ssh-keygen", "-y", "-f", key], text=True, check=True,
                            capture_output=True).stdout.split()[:2]
    there = json.loads(host.cli("olga", "host", "show", "second", "--format",
                                "json").stdout)
    assert there["key"] == " ".join(public) and there["state"] == "enrolled"
    check = host.inside(host.program("lockbox-agent"), "-t", "-c",
                        "/etc/second/agent.conf", check=False)
    assert check.returncode == 0, check.stderr


def test_enrolment_refuses(host, second, tmp_path):
    code = invite(host, "second")
    broker, keyid, secret = code.rsplit("-", 2)
    other = "0" if secret[0] != "0" else "1"
    for bad, exit_code in ((f"{broker}-{keyid}-{other}{secret[1:]}", (1, 77)),
                           (f"{broker}-{'0' * 16}-{secret}", (77,)),
                           (f"elsewhere-{keyid}-{secret}", (77,)),
                           (code[:-1], (2,)), ("nonsense", (2,))):
        assert enrol(host, bad).returncode in exit_code, bad
    assert enrol(host, code, name="third").returncode in (1, 77)
    assert enrol(host, code, user="avm").returncode == 77
    trust = second / "trust"
    trust.chmod(0o666)
    assert enrol(host, code).returncode == 78
    trust.chmod(0o644)
    before = trust.read_text()
    trust.write_text(before.replace("serial: 1", "serial: one"))
    assert enrol(host, code).returncode == 78
    trust.write_text(before)
    assert enrol(host, code).returncode == 0   # all that was not the code's fault
    assert enrol(host, code).returncode in (1, 77) # once


def test_enrolment_is_not_repeated_by_mistake(host, second):
    done = host.inside(host.program("lockbox"), "host", "enrol",
                       invite(host, "second"), "--url", host.url, "--ca", host.ca,
                       "--host", "second", "--confdir", "/etc/second", check=False)
    assert done.returncode == 1 and "enrolled already" in done.stderr


def test_enrolling_again_waits_for_the_agents_end(host, second):
    host.start_agent()
    done = enrol(host, invite(host, "second"))
    assert done.returncode == 1 and "lockbox-agent is running" in done.stderr
    host.services["agent"].stop()


def test_refused_enrolment_touches_nothing(host, second):
    def everything():
        return {path: path.read_bytes() for top in
                (second, host.path("var-lib", "lockbox")) for path in
                sorted(top.rglob("*")) if path.is_file()}

    assert enrol(host, invite(host, "second")).returncode == 0
    before = everything()
    assert enrol(host, invite(host, "second"), name="third").returncode != 0
    assert everything() == before


def test_clock_reset(host):
    reset = (host.program("lockbox"), "host", "clock-reset")
    assert "is running" in host.inside(*reset, check=False).stderr
    host.services["agent"].stop()
    try:
        done = host.inside(*reset)
        assert "it is cleared" in done.stdout
    finally:
        host.start_agent()
    assert doctor(host)["ok"]
