"""The units, as systemd's own tools see them."""

import os
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not here")

SERVICES = ["lockbox-agent.service", "lockbox-courier.service"]
SOCKETS = ["lockbox-agent.socket", "lockbox-courier.socket"]


@pytest.fixture(scope="module")
def units(build, tmp_path_factory):
    """All units in one folder, naming programs that exist."""
    where = tmp_path_factory.mktemp("units")
    source = build.parent / "conf" / "systemd"
    for name in SERVICES:
        text = (build / "conf" / "systemd" / name).read_text()
        program = name.removesuffix(".service")
        line = f"ExecStart={build}/agent/{program}\n"
        text = "".join(line if part.startswith("ExecStart=") else part
                       for part in text.splitlines(keepends=True))
        (where / name).write_text(text)
    for name in SOCKETS:
        shutil.copy(source / name, where)
    return where


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_exposes_little(units, name):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=15",
         units / name], capture_output=True, text=True, check=False,
        env={**os.environ, "SYSTEMD_COLORS": "0"})
    assert done.returncode == 0, done.stdout[-200:]


def test_every_line_is_known(units):
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no",
         *(units / name for name in SERVICES + SOCKETS)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"})
    ours = [line for line in done.stderr.splitlines() if "lockbox" in line]
    assert not ours, ours


def test_the_agent_sees_every_process(units):
    text = (units / "lockbox-agent.service").read_text()
    lines = text.splitlines()
    for hides in ("ProtectProc", "ProcSubset", "PrivateUsers"):
        assert not [x for x in lines if x.startswith(f"{hides}=")]
    assert "AmbientCapabilities=CAP_KILL" in lines
