"""An engineer's day at a real host: lockbox ssh, and scp behind grant check."""

import re
import subprocess
import time

import pytest

from world import HOST, World, wait_for


@pytest.fixture(scope="module")
def world(build):
    with World(build) as world:
        world.furnish()
        yield world


@pytest.fixture(autouse=True)
def tidy(world):
    yield
    for item in world_json(world, "grant", "ls"):
        if item["state"] == "active":
            world.cli("avm", "grant", "return", item["id"])


def world_json(world, *arguments):
    import json
    return json.loads(world.cli("avm", *arguments, "--format", "json").stdout)


def options(world):
    return {"Port": world.ssh_port, "IdentityAgent": "none", "BatchMode": "yes",
            "UserKnownHostsFile": world.path("people", "known_hosts"),
            "StrictHostKeyChecking": "accept-new", "ConnectTimeout": "10"}


def lockbox_ssh(world, *arguments):
    line = ["ssh", f"deploy@{HOST}", "--to", "127.0.0.1"]
    for name, value in options(world).items():
        line += ["-o", f"{name}={value}"]
    return [*line, *arguments]


def decisions(world, since):
    time.sleep(0.2) # rsyslogd writes a moment later
    return [x["decision"] for x in world.decisions(since)
            if x["event"] == "login.decision"]


def approve(world, asked):
    world.cli("max", "request", "endorse", asked, "--yes")
    world.cli("anna", "request", "approve", asked, "--yes")


def pending(world):
    return world_json(world, "request", "ls", "--state", "pending_endorsement")


def test_asks_waits_enters_once_and_hands_back(world):
    since = len(world.syslog())
    waiting = subprocess.Popen(
        [world.program("lockbox"), *lockbox_ssh(
            world, "--reason", "replica lag", "--", "id -un; exit 7")],
        env=world.person_env("avm"), text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    asked = wait_for("the request", lambda: pending(world))[0]["id"]
    time.sleep(1)
    assert decisions(world, since) == [] # no knocking while it waits
    approve(world, asked)
    out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, out) == (7, "deploy\n"), err
    assert decisions(world, since) == ["allow"]

    done = world.cli("avm", *lockbox_ssh(world, "--", "id", "-un"))
    assert done.stdout == "deploy\n"
    assert decisions(world, since) == ["allow", "allow"]
    back = re.search(r"lockbox (grant return [0-9a-f]{12})$", done.stderr, re.M)
    world.cli("avm", *back[1].split())
    done = world.cli("avm", *lockbox_ssh(world, "--", "id"), check=False)
    assert done.returncode == 2 and "no live grant" in done.stderr
    assert decisions(world, since) == ["allow", "allow"]


def test_scp_behind_the_ssh_config_of_the_examples(world, tmp_path):
    since = len(world.syslog())
    example = (world.build.parent / "conf" / "examples" / "ssh_config").read_text()
    config = tmp_path / "ssh_config"
    config.write_text(
        example.replace("db1,db2,*.acme.example", HOST)
        .replace("lockbox grant", f"{world.program('lockbox')} grant")
        .replace("~/.ssh/id_ed25519", str(world.key("avm")))
        + f"Host {HOST}\n\tHostName 127.0.0.1\n" + "".join(
            f"\t{name} {value}\n" for name, value in options(world).items()))
    (tmp_path / "file").write_text("carried\n")

    def scp():
        return subprocess.run(
            ["scp", "-F", config, tmp_path / "file", f"deploy@{HOST}:carried"],
            env=world.person_env("avm"), text=True, capture_output=True,
            check=False, timeout=30, stdin=subprocess.DEVNULL)

    done = scp()
    assert done.returncode != 0 and "lockbox request create" in done.stderr
    assert decisions(world, since) == [] # the host heard nothing of it
    done = world.cli("avm", "request", "create", "--tenant", "acme", "--host", HOST,
                     "--login", "deploy", "--reason", "x", "--no-wait")
    approve(world, re.search(r"request +(\w{26})", done.stdout)[1])
    done = scp()
    assert done.returncode == 0, done.stderr
    assert world.path("home", "deploy", "carried").read_text() == "carried\n"
    assert decisions(world, since) == ["allow"]
