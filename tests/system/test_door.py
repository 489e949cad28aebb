"""Doors of a real host: which ways in a grant opens, and which stay shut."""

import signal
import subprocess
import time

import papers
import pytest
from sessions import ended
from stage import Stage

from world import World, wait_for


@pytest.fixture(scope="module")
def stage(build):
    with World(build) as world:
        stage = Stage(world)
        yield stage
        stage.liar.close()


@pytest.fixture
def door(stage):
    """A host where avm may enter as avm, with ssh and sudo, until told."""
    customer = stage.begin()
    grant = customer.grant(stage.avm, customer.bert, request_knobs={
        "login": ["avm", "deploy"], "service": ["sshd", "sudo"]})
    stage.grant = grant
    stage.liar.reply = lambda q: stage.liar.allow(q, grant)
    return stage


def shut(stage):
    stage.liar.reply = lambda q: stage.liar.signed(
        papers.answer(q, "deny", "no_grant"))


METHODS = ["ssh_port", "ssh_port_kbdint"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("login", ["avm", "deploy"])
def test_own_and_shared_account_under_both_methods(door, method, login):
    port = getattr(door.world, method)
    done = door.world.ssh("avm", login, "id -un", port=port)
    assert done.stdout == f"{login}\n", done.stderr
    shut(door)
    done = door.world.ssh("avm", login, "id -un", port=port)
    assert done.stdout == "" and done.returncode == 255


def test_batch_mode_works_once_a_grant_is_there(door):
    done = door.world.ssh("avm", "avm", "true", options=["BatchMode=yes"])
    assert done.returncode == 0, done.stderr
    shut(door)
    done = door.world.ssh("avm", "avm", "true", options=["BatchMode=yes"])
    assert done.returncode == 255


def transfer(door, *command):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=30, env=door.world.person_env("avm"))


def ssh_options(door):
    line = door.world.ssh_command("avm", "avm")
    return line[line.index("-F"):-1]


def scp_options(door):
    return ["-P" if item == "-p" else item for item in ssh_options(door)]


def test_scp_sftp_and_rsync(door, tmp_path):
    source = tmp_path / "source"
    source.write_text("carried\n")
    port = scp_options(door)
    ways = {
        "scp": ["scp", *port, str(source), "avm@127.0.0.1:by-scp"],
        "sftp": ["sftp", *port, "-b", "-", "avm@127.0.0.1"],
        "rsync": ["rsync", "-e", " ".join(["ssh", *ssh_options(door)]),
                  str(source), "avm@127.0.0.1:by-rsync"],
    }
    for name, command in ways.items():
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=30,
            input=f"put {source} by-sftp\n",
            env=door.world.person_env("avm"))
        assert done.returncode == 0, (name, done.stderr)
        copy = door.world.path("home", "avm", f"by-{name}")
        assert copy.read_text() == "carried\n"
    shut(door)
    for name, command in ways.items():
        door.world.path("home", "avm", f"by-{name}").unlink()
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=30,
            input=f"put {source} by-sftp\n",
            env=door.world.person_env("avm"))
        assert done.returncode != 0, name
        assert not door.world.path("home", "avm", f"by-{name}").exists()


def start(door, *command, options=(), nice=0):
    return subprocess.Popen(
        ["nice", "-n", str(nice),
         *door.world.ssh_command("avm", "avm", *command, options=options)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=door.world.person_env("avm"))


def test_forwarding_without_a_command(door):
    from world import free_port
    port = free_port()
    line = door.world.ssh_command("avm", "avm", options=[
        "ExitOnForwardFailure=yes"])
    line[1:1] = ["-N", "-L", f"{port}:127.0.0.1:{door.world.ssh_port}"]

    def banner():
        done = subprocess.run(
            ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port} && head -c 3 <&3"],
            capture_output=True, text=True, check=False, timeout=10)
        return done.stdout

    ssh = subprocess.Popen(line, stdin=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True,
                           env=door.world.person_env("avm"))
    try:
        wait_for("the forward", lambda: banner() == "SSH")
    finally:
        ssh.send_signal(signal.SIGTERM)
        ssh.wait(10)
    shut(door)
    before = len(door.world.syslog())
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, timeout=60,
                          env=door.world.person_env("avm"))
    assert done.returncode == 255
    [said] = wait_for("the decision's line", lambda: [
        x for x in door.world.decisions(before)
        if x["event"] == "login.decision"])
    assert (said["decision"], said["code"]) == ("deny", "no_grant")
    assert said["ref"] in done.stderr


def test_control_master_is_one_login(door, tmp_path):
    path = f"ControlPath={tmp_path}/mux"
    before = len(door.world.syslog())
    master = start(door, "sleep 20", options=[path, "ControlMaster=yes"])
    try:
        wait_for("the master", lambda: (tmp_path / "mux").exists())
        for _ in range(2):
            done = door.world.ssh("avm", "avm", "id -un", options=[path])
            assert done.stdout == "avm\n"
    finally:
        master.terminate()
        master.wait(10)
    [sid] = [x["sid"] for x in door.world.decisions(before)
             if x["event"] == "session.opened"]
    ended(door, sid, 60) # nothing of it is still to come
    lines = door.world.decisions(before)
    assert [x["event"] for x in lines if x["event"] == "login.decision"] == [
        "login.decision"]
    assert [x["event"] for x in lines].count("session.opened") == 1


def test_two_hundred_logins_at_once(door):
    before = len(door.world.syslog())
    # Two hundred ssh share this machine with the host: the door has 5 s, but
    # they may wait until each has its turn.
    running = [start(door, "echo in", nice=10, options=["ConnectTimeout=300"])
               for _ in range(200)]
    outs = [process.communicate(timeout=300) for process in running]
    assert sum(out == "in\n" for out, _ in outs) == 200, (
        {err for out, err in outs if out != "in\n"},
        [(x["_type"], x["code"]) for x in door.world.decisions(before)
         if x.get("decision") == "deny" or x["event"] == "session.refused"])
    wait_for("200 decision lines", lambda: len(
        [x for x in door.world.decisions(before)
         if x["event"] == "login.decision"]) == 200)
    assert all(x["decision"] == "allow" for x in door.world.decisions(before)
               if x["event"] == "login.decision")


# --- sudo, su and the services that stay shut --------------------------------


def test_sudo_only_when_the_grant_lists_it(door):
    done = door.world.ssh("avm", "avm", "sudo -n id -un")
    assert done.stdout == "root\n", done.stderr
    customer = door.customer
    plain = customer.grant(door.avm, customer.bert)
    door.liar.reply = lambda q: door.liar.allow(q, plain)
    before = len(door.world.syslog())
    done = door.world.ssh("avm", "avm", "sudo -n id -un")
    assert done.stdout == "" and done.returncode != 0
    time.sleep(0.2)
    denied = [x for x in door.world.decisions(before) if x["_service"] == "sudo"]
    assert [x["decision"] for x in denied] == ["deny"]


def test_su_needs_the_service_and_the_target(door):
    customer = door.customer
    with_su = {"login": ["avm", "root"], "service": ["sshd", "su"]}
    wide = customer.grant(door.avm, customer.bert, request_knobs={
        **with_su, "service": ["sshd", "su", "sudo"]})
    door.liar.reply = lambda q: door.liar.allow(q, wide)
    # root runs su without a password; the door is asked all the same.
    done = door.world.ssh("avm", "avm", "sudo -n su root -c 'id -un'")
    assert done.stdout == "root\n", done.stderr
    done = door.world.ssh("avm", "avm", "sudo -n su deploy -c 'id -un'")
    assert done.stdout == "" and done.returncode != 0
    no_su = customer.grant(door.avm, customer.bert, request_knobs={
        "login": ["avm", "root"], "service": ["sshd", "sudo"]})
    door.liar.reply = lambda q: door.liar.allow(q, no_su)
    done = door.world.ssh("avm", "avm", "sudo -n su root -c 'id -un'")
    assert done.stdout == "" and done.returncode != 0


def test_a_managed_login_passes_only_under_sshd(door):
    """Outside a session root's su to a managed login is exempt by rule; a
    service without such a rule refuses managed logins."""
    world = door.world
    done = world.ssh("avm", "avm", "true")
    assert done.returncode == 0
    before = len(world.syslog())
    done = world.inside("pamtester", "login", "avm", "acct_mgmt", check=False)
    assert done.returncode != 0
    time.sleep(0.2)
    lines = [x for x in world.decisions(before) if x["_service"] == "login"]
    assert [x["decision"] for x in lines] == ["deny"]
    assert lines[0]["code"] == "not_sshd"


def test_the_customers_root_is_exempt_and_logged(door):
    world = door.world
    before = len(world.syslog())
    done = world.inside("su", "deploy", "-s", "/bin/sh", "-c", "id -un")
    assert done.stdout == "deploy\n"
    time.sleep(0.2)
    lines = [x for x in world.decisions(before) if x["_service"] == "su"]
    assert [x["decision"] for x in lines] == ["exempt"]


# --- what the engineer and the reviewer see ------------------------------------


def test_a_refusal_says_what_is_missing_and_what_to_do(door):
    shut(door)
    before = len(door.world.syslog())
    done = door.world.ssh("avm", "avm", "true")
    lines = [line for line in done.stderr.splitlines()
             if not line.startswith(("Connection closed", "Warning:"))]
    assert 1 <= len(lines) <= 3, done.stderr
    assert "acme" in lines[0]
    assert "lockbox request create" in done.stderr
    time.sleep(0.2)
    [line] = [x for x in door.world.decisions(before)
              if x["event"] == "login.decision"]
    assert line["code"] == "no_grant" and line["ref"] in done.stderr


def test_the_same_grant_and_session_on_every_line(door):
    before = len(door.world.syslog())
    assert door.world.ssh("avm", "avm", "sudo -n true").returncode == 0
    time.sleep(0.3)
    lines = door.world.decisions(before)
    grants = {x.get("grant") for x in lines if x.get("grant")}
    assert grants == {door.grant.id}, lines
    opened = [x for x in lines if x["event"] == "session.opened"
              and x["_service"] == "sshd"]
    assert len(opened) == 1 and opened[0]["sid"] not in ("", "-1")
    for line in lines:
        if line["_service"] == "sudo" and line["event"] == "login.decision":
            assert line["sid"] == opened[0]["sid"]


def test_the_host_warns_before_its_trust_ends(door):
    warning = "opens nothing after"
    day = 86400
    before = len(door.world.syslog())
    door.pin(door.customer.trust(
        good_until=papers.stamp(int(time.time()) + 31 * day)))
    assert door.world.ssh("avm", "avm", "true").returncode == 0
    assert not [x for x in door.world.syslog(before) if warning in x]
    door.pin(door.customer.trust(
        good_until=papers.stamp(int(time.time()) + 29 * day)))
    assert door.world.ssh("avm", "avm", "true").returncode == 0
    wait_for("the warning", lambda: [
        x for x in door.world.syslog(before) if warning in x])
    assert len([x for x in door.world.syslog(before) if warning in x]) == 1
