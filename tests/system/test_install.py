"""What "meson install" puts in place, and how hardened it is."""

import os
import re
import shutil
import subprocess

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

WANTED = """
usr/bin/lockbox
usr/sbin/lockbox-agent usr/sbin/lockbox-broker usr/sbin/lockbox-courier
usr/lib/systemd/system/lockbox-agent.service
usr/lib/systemd/system/lockbox-agent.socket
usr/lib/systemd/system/lockbox-broker.service
usr/lib/systemd/system/lockbox-courier.service
usr/lib/systemd/system/lockbox-courier.socket
usr/lib/sysusers.d/lockbox-broker.conf usr/lib/sysusers.d/lockbox-host.conf
usr/lib/tmpfiles.d/lockbox-broker.conf usr/lib/tmpfiles.d/lockbox-host.conf
usr/share/man/man1/lockbox.1
usr/share/man/man5/lockbox-agent.conf.5
usr/share/man/man5/lockbox-broker.conf.5 usr/share/man/man5/lockbox-config.5
usr/share/man/man5/lockbox-pam.conf.5
usr/share/man/man8/lockbox-agent.8 usr/share/man/man8/lockbox-broker.8
usr/share/man/man8/lockbox-courier.8 usr/share/man/man8/pam_lockbox.8
usr/share/doc/lockbox/examples/pam.conf usr/share/doc/lockbox/examples/ssh_config
usr/share/doc/lockbox/examples/pam.d/sshd
""".split()


@pytest.fixture(scope="module")
def root(build, tmp_path_factory):
    """An empty machine into which lockbox is installed."""
    root = tmp_path_factory.mktemp("root")
    subprocess.run(["meson", "install", "-C", str(build), "--no-rebuild",
                    "--quiet"], check=True, env={**os.environ,
                                                 "DESTDIR": str(root)})
    return root


def elf_files(root):
    [module] = root.glob("usr/lib/**/security/pam_lockbox.so")
    return [module, root / "usr/bin/lockbox", *(root / "usr/sbin").iterdir()]


def readelf(path, *options):
    return subprocess.run(["readelf", "-W", *options, str(path)], check=True,
                          capture_output=True, text=True).stdout


def test_everything_is_in_place(root):
    missing = [name for name in WANTED if not (root / name).exists()]
    assert missing == []


def test_the_readme_names_every_manual_page(root):
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as readme:
        text = readme.read()
    for page in (root / "usr/share/man").rglob("*.[158]"):
        name, section = page.name.rsplit(".", 1)
        assert f"`{name}({section})`" in text, page.name


def readme_commands():
    """The words of each "lockbox NOUN [VERB] ..." in README's blocks."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as readme:
        blocks = re.findall(r"^```\n(.*?)^```", readme.read(), re.M | re.S)
    for line in "".join(blocks).replace("\\\n", " ").splitlines():
        found = re.search(r"^(?:[a-z]* +|ask with: )?lockbox ([a-z].*)",
                          line.split("#")[0])
        if found:
            yield found[1].split()


def help_on(lockbox, words):
    """What help says of that command, whose verb may be missing."""
    for names in (words[:2], words[:1]):
        done = subprocess.run([lockbox, "help", *names], capture_output=True,
                              text=True, check=False)
        if done.returncode == 0 and \
           done.stdout.startswith(f"usage: lockbox {' '.join(names)}"):
            return done.stdout
    return None


def test_the_readme_speaks_the_command_line(root):
    lockbox = root / "usr/bin/lockbox"
    assert help_on(lockbox, ["request", "create"])
    assert help_on(lockbox, ["no-such", "verb"]) is None
    commands = list(readme_commands())
    assert len(commands) >= 18, commands
    for words in commands:
        text = help_on(lockbox, words)
        assert text, words
        for flag in (w for w in words if w.startswith("-")):
            assert re.search(rf"^ +(-\w, )?{flag}[, \n]", text, re.M), (
                words, flag)


def test_every_program_is_hardened(root):
    for path in elf_files(root):
        assert "DYN" in readelf(path, "-h"), f"{path}: not position independent"
        segments = readelf(path, "-l")
        assert "GNU_RELRO" in segments, path
        stack = re.search(r"GNU_STACK.*", segments)[0]
        assert " E " not in stack and "RWE" not in stack, path
        assert re.search(r"BIND_NOW|FLAGS_1.*NOW", readelf(path, "-d")), path
        assert "TEXTREL" not in readelf(path, "-d"), path
        assert "__stack_chk_fail" in readelf(path, "--dyn-syms"), path


def needed(path):
    return set(re.findall(r"NEEDED.*\[(.*?)\]", readelf(path, "-d")))


def test_who_is_linked_with_what(root):
    [module] = root.glob("usr/lib/**/security/pam_lockbox.so")
    assert needed(module) <= {"libpam.so.0", "libc.so.6"}
    agent = needed(root / "usr/sbin/lockbox-agent")
    assert any(name.startswith("libsodium") for name in agent)
    assert not any("curl" in name or "ssl" in name for name in agent)
    courier = needed(root / "usr/sbin/lockbox-courier")
    assert any(name.startswith("libcurl") for name in courier)
    assert not any("sodium" in name for name in courier)


def test_users_and_directories_are_made(root):
    (root / "etc").mkdir(exist_ok=True)
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    subprocess.run(["systemd-sysusers", f"--root={root}"], check=True,
                   capture_output=True)
    passwd = (root / "etc/passwd").read_text()
    for name in ("lockbox", "lockbox-courier", "lockbox-broker"):
        assert re.search(f"^{name}:", passwd, re.M)
    assert re.search("^tty:.*[:,]lockbox(,|$)",
                     (root / "etc/group").read_text(), re.M)


@pytest.mark.parametrize("unit", ["agent", "courier", "broker"])
def test_units_expose_little(root, unit):
    """systemd's own score: 1.5 of 10 is the most we allow ourselves."""
    path = root / f"usr/lib/systemd/system/lockbox-{unit}.service"
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=15",
         "--no-pager", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    weak = path.with_name("weak.service")
    weak.write_text("[Service]\nExecStart=/bin/true\n")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=15",
         "--no-pager", str(weak)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
