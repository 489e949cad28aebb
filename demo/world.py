"""A private world for the demo and the system tests.

One customer's host (real sshd, rsyslogd, lockbox-agent, lockbox-courier and
the PAM module) and one provider's broker, in mount and pid namespaces of
their own on this machine: copies of /etc, own /run, /var/lib, /home, /dev;
servers on free ports of loopback. Nothing of the machine changes, also when
this process is killed. Several worlds may run at once.

    with World(build) as world:
        world.furnish()          # broker, tenant, people, host: all enrolled
        world.ssh("avm", "deploy", "id")
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TENANT = "acme"
BROKER = "support"
HOST = "web1"
# Browsers and curl lead every name below .localhost to loopback by themselves.
BROKER_SITE = "lockbox.provider.localhost"

# The people of the story: provider's engineer, second engineer, manager and
# operator; customer's two admins.
PEOPLE = {
    "avm": "avm@provider.example",
    "eve": "eve@provider.example",
    "max": "max@provider.example",
    "olga": "olga@provider.example",
    "anna": "anna@acme.example",
    "bert": "bert@acme.example",
}
# Login names on the customer's host: two engineers' own, one shared.
LOGINS = {"avm": 3001, "eve": 3002, "deploy": 3003}
SYSTEM_USERS = {"lockbox": 901, "lockbox-courier": 902, "lockbox-broker": 903}
# As the units start agent and courier: a busy host is still guarded in time.
URGENT = ["/usr/bin/nice", "-n", "-5"]
# Every login has a password, for the sites that take one: "not enough".
PASSWORD = "not enough"
PASSWORD_HASH = (
    "$6$lockboxworld$3Dn.1e73S11KoYiJMuc55BGFkWVhkUeETqo2Ut66KNKt"
    "CVNyUptTNTNiJEXUUWsLrBSXmXWDFEJUtz9f3sf8W/")


class Failed(Exception):
    """A step of the world did not do what it should: says which and why."""


def privileges_missing():
    """Why no world can be made here, in plain words; None when it can."""
    if os.geteuid() != 0:
        return ("root is needed: the world has accounts, PAM and an sshd of "
                "its own (try: sudo ./dev demo)")
    probe = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc",
         "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        return ("CAP_SYS_ADMIN is needed, to make mount and pid namespaces: "
                + probe.stderr.strip())
    with open("/proc/self/sessionid", encoding="ascii") as f:
        f.read()
    probe = subprocess.run(
        ["sh", "-c", "echo 0 > /proc/self/loginuid && cat /proc/self/sessionid"],
        capture_output=True, text=True, check=False)
    if probe.returncode != 0 or probe.stdout.strip() == "4294967295":
        return ("CAP_AUDIT_CONTROL and a kernel with audit session ids are "
                "needed: sessions are told apart by them")
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, probe, seconds=60.0):
    """Poll until probe() is true; Failed says what was waited for."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {seconds:.0f} s for {what}, in vain")
        time.sleep(0.02)


class Service:
    """A process inside the world: known by its own pid, stopped by it."""

    def __init__(self, name, popen, log):
        self.name = name
        self.popen = popen # the nsenter outside
        self.log = log
        self.pid = wait_for(f"{name} to start", self._child)

    def _child(self):
        if self.popen.poll() is not None:
            raise Failed(f"{self.name} ended at once:\n{self.output()}")
        path = f"/proc/{self.popen.pid}/task/{self.popen.pid}/children"
        children = Path(path).read_text().split()
        return int(children[0]) if children else None

    def output(self):
        return self.log.read_text(errors="replace")

    def alive(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.alive():
            os.kill(self.pid, number)
            # nsenter stops itself with its child, and does not go on with it.
            if number != signal.SIGSTOP:
                self.popen.send_signal(signal.SIGCONT)

    def stop(self, seconds=10):
        """SIGTERM, and SIGKILL when that is not enough. The exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.popen.wait(10)


class World:
    def __init__(self, build, keep=False):
        self.build = Path(build).resolve()
        self.keep = keep
        self.base = None
        self.init = None
        self.services = {}
        self.counter = 0

    # --- making it -------------------------------------------------------

    def __enter__(self):
        reason = privileges_missing()
        if reason:
            raise Failed(reason)
        self.base = Path(tempfile.mkdtemp(prefix="lockbox-world-"))
        self.base.chmod(0o711)
        try:
            self._prepare()
            self._start_init()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for service in reversed(list(self.services.values())):
            service.stop(3)
        if self.init:
            self.init.stdin.close() # process 1 ends, the kernel kills the rest
            self.init.wait(20)
        if self.base and not self.keep:
            shutil.rmtree(self.base, ignore_errors=True)

    def path(self, *parts):
        return self.base.joinpath(*parts)

    def _prepare(self):
        for name in ("var-lib", "var-log", "home", "run", "log", "bin", "people",
                     "broker"):
            self.path(name).mkdir(mode=0o755)
        self.path("broker").chmod(0o700)
        self.path("people").chmod(0o700)
        shutil.copytree("/etc", self.path("etc"), symlinks=True,
                        ignore_dangling_symlinks=True)
        self._copy_owners("/etc", self.path("etc"))
        # The world is a machine of its own; a bare system has no id at all.
        self.path("etc", "machine-id").unlink(missing_ok=True)
        self.path("etc", "machine-id").write_text(os.urandom(16).hex() + "\n")
        self._install()
        self._accounts()
        self._pam()
        self._sudoers()
        self._sshd()
        self._rsyslog()
        self.broker_port = free_port()
        self.url = f"https://{BROKER_SITE}:{self.broker_port}"

    @staticmethod
    def _copy_owners(source, target):
        """copytree keeps modes, not owners (shadow belongs to its group)."""
        for directory, names, files in os.walk(source):
            for name in names + files:
                path = os.path.join(directory, name)
                copy = os.path.join(target, os.path.relpath(path, source))
                if os.path.lexists(copy):
                    info = os.lstat(path)
                    os.lchown(copy, info.st_uid, info.st_gid)

    def _install(self):
        """The built programs, where every user of the world may run them."""
        for name in ("agent/lockbox-agent", "agent/lockbox-courier",
                     "broker/lockbox-broker", "cli/lockbox",
                     "pam_lockbox/pam_lockbox.so"):
            source = self.build / name
            if not source.exists():
                raise Failed(f"'{source}' is missing: run ./dev build first")
            shutil.copy(source, self.path("bin"))

    def program(self, name):
        return str(self.path("bin", name))

    @property
    def module(self):
        return self.program("pam_lockbox.so")

    def _accounts(self):
        etc = self.path("etc")
        with open(etc / "passwd", "a", encoding="ascii") as passwd, \
                open(etc / "shadow", "a", encoding="ascii") as shadow, \
                open(etc / "group", "a", encoding="ascii") as group:
            for name, uid in SYSTEM_USERS.items():
                passwd.write(f"{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n")
                shadow.write(f"{name}:!:19000::::::\n")
                group.write(f"{name}:x:{uid}:\n")
            for name, uid in LOGINS.items():
                passwd.write(f"{name}:x:{uid}:{uid}::/home/{name}:/bin/bash\n")
                shadow.write(f"{name}:{PASSWORD_HASH}:19000:0:99999:7:::\n")
                group.write(f"{name}:x:{uid}:\n")
        for name, uid in LOGINS.items():
            ssh = self.path("home", name, ".ssh")
            ssh.mkdir(parents=True, mode=0o700)
            os.chown(ssh.parent, uid, uid)
            os.chown(ssh, uid, uid)

    def _pam(self):
        """The stacks we ship, with the module where it was built."""
        for stack in (TOP / "conf" / "pam.d").iterdir():
            path = self.path("etc", "pam.d", stack.name)
            vendor = Path("/usr/lib/pam.d", stack.name)
            if stack.name == "meson.build" or not (
                    path.exists() or vendor.exists()):
                continue
            text = stack.read_text()
            if stack.name == "sshd": # the world has the two-step method, too
                text = text.replace("#auth ", "auth ", 1)
            path.write_text(text.replace("pam_lockbox.so", self.module))

    def _sudoers(self):
        path = self.path("etc", "sudoers.d", "lockbox-world")
        path.write_text("".join(f"{name} ALL=(ALL) NOPASSWD: ALL\n"
                                for name in LOGINS))
        path.chmod(0o440)

    def _sshd(self):
        self.ssh_port = free_port()
        self.ssh_port_kbdint = free_port()
        self.ssh_port_password = free_port()
        etc = self.path("etc", "ssh")
        for key in etc.glob("ssh_host_*"):
            key.unlink()
        self.keygen(etc / "ssh_host_ed25519_key", "world")
        (etc / "sshd_config").write_text(f"""\
Port {self.ssh_port}
Port {self.ssh_port_kbdint}
Port {self.ssh_port_password}
ListenAddress 127.0.0.1
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile none
UsePAM yes
UseDNS no
PrintMotd no
PasswordAuthentication no
KbdInteractiveAuthentication yes
AuthenticationMethods publickey
MaxStartups 400:30:500
Subsystem sftp internal-sftp
Match LocalPort {self.ssh_port_kbdint}
    AuthenticationMethods publickey,keyboard-interactive:pam
Match LocalPort {self.ssh_port_password}
    AuthenticationMethods keyboard-interactive:pam
""")

    def _rsyslog(self):
        self.syslog_path = self.path("log", "auth.log")
        self.path("rsyslog.conf").write_text(f"""\
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="/dev/log" CreatePath="on"
      RateLimit.Interval="0" Ruleset="world")
ruleset(name="world") {{
  action(type="omfile" file="{self.syslog_path}"
         template="RSYSLOG_TraditionalFileFormat")
}}
""")

    def _start_init(self):
        inside = Path(__file__).with_name("inside.py")
        self.init = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL",
             "--mount-proc", "--propagation", "private",
             "/usr/bin/python3", "-B", str(inside), str(self.base),
             "keep" if self.keep else "remove"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._env())
        if self.init.stdout.readline() != b"ready\n":
            raise Failed("the private namespaces could not be set up")
        path = f"/proc/{self.init.pid}/task/{self.init.pid}/children"
        self.init_pid = int(Path(path).read_text().split()[0])

    # --- running things inside -------------------------------------------

    @staticmethod
    def _env(**more):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
                "TZ": "UTC", **more}

    def enter(self, user=None):
        """The command line that runs what follows inside the world."""
        # --root: this process may itself live below a chroot.
        line = ["nsenter", "--target", str(self.init_pid), "--mount", "--pid",
                "--root"]
        if user:
            line += ["setpriv", f"--reuid={user}", f"--regid={user}",
                     "--init-groups"]
        return line

    def inside(self, *command, user=None, check=True, **options):
        done = subprocess.run(
            [*self.enter(user), *map(str, command)], env=self._env(), text=True,
            errors="replace", capture_output=True, check=False,
            cwd="/", timeout=options.pop("timeout", 60), **options)
        if check and done.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: exit "
                         f"{done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def spawn(self, name, *command, user=None, env=None):
        """Start a service; its output goes to log/NAME.log."""
        log = self.path("log", f"{name}.log")
        with open(log, "ab") as out:
            popen = subprocess.Popen(
                [*self.enter(user), *map(str, command)],
                env=self._env(**(env or {})), cwd="/", stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT)
        service = Service(name, popen, log)
        self.services[name] = service
        return service

    # --- the whole story's cast ----------------------------------------------

    def furnish(self, settings=None, trust=()):
        """Broker, people, the customer's trust, an enrolled host, sshd.

        settings  more of broker.conf, {name: value}
        trust     more flags of lockbox trust new
        """
        self.start_syslog()
        self.init_broker(settings or {})
        self.start_broker()
        for person in ("olga", "avm", "eve", "max", "anna", "bert"):
            self.key(person)
        self.sign_in("olga")
        for person, role in (("avm", "engineer"), ("eve", "engineer"),
                             ("max", "manager")):
            self.cli("olga", "person", "add", PEOPLE[person], "--role", role,
                     "--key", f"{self.key(person)}.pub")
        self.found_tenant(*trust)
        for person in ("avm", "eve", "max", "anna", "bert"):
            self.sign_in(person)
        self.enrol_host()
        self.authorize("avm", "avm")
        self.authorize("eve", "eve")
        self.authorize("deploy", "avm", "eve")
        self.start_courier()
        self.start_agent()
        self.start_sshd()

    def init_broker(self, settings):
        home = self.path("broker")
        uid = SYSTEM_USERS["lockbox-broker"]
        os.chown(home, uid, uid)
        key = home / "olga.pub"
        shutil.copy(f"{self.key('olga')}.pub", key)
        os.chown(key, uid, uid)
        self.inside(self.program("lockbox-broker"), "init", "--dir",
                    home / "lockbox", "--name", BROKER, "--url", self.url,
                    "--listen", f"127.0.0.1:{self.broker_port}", "--operator",
                    PEOPLE["olga"], "--operator-key", key,
                    user="lockbox-broker")
        with open(home / "lockbox" / "broker.conf", "a",
                  encoding="utf-8") as conf:
            conf.writelines(f"{name} = {value}\n"
                            for name, value in settings.items())
        self.ca = self.path("ca.pem")
        shutil.copy(home / "lockbox" / "ca.pem", self.ca)
        self.ca.chmod(0o644)

    def start_broker(self):
        self.spawn("broker", self.program("lockbox-broker"), "serve", "-c",
                   self.path("broker", "lockbox", "broker.conf"),
                   user="lockbox-broker")

        def serves():
            if not self.services["broker"].alive():
                raise Failed("the broker ended:\n"
                             + self.services["broker"].output())
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.broker_port)) == 0
        wait_for("the broker", serves)

    @property
    def database(self):
        return self.path("broker", "lockbox", "broker.db")

    def sign_in(self, person):
        self.cli(person, "signin", "--url", self.url, "--ca", self.ca, "--as",
                 PEOPLE[person], "--key", self.key(person))

    def found_tenant(self, *more):
        """The customer's first trust document: anna and bert may approve."""
        self.trust = self.path("people", "anna", "acme.trust")
        broker_key = self.path("people", "anna", "broker.pub")
        shutil.copy(self.path("broker", "lockbox", "broker.key.pub"), broker_key)
        self.cli("anna", "trust", "new", "--tenant", TENANT, "--broker",
                 f"{BROKER}={broker_key}", "--approver",
                 f"{PEOPLE['anna']}={self.key('anna')}.pub", "--approver",
                 f"{PEOPLE['bert']}={self.key('bert')}.pub", "--longest", "8h",
                 *more, "--output", self.trust)
        for owner in ("anna", "bert"):
            self.cli(owner, "trust", "sign", self.trust, "--key",
                     self.key(owner), "--yes")
        self.cli("olga", "tenant", "add", "--trust", self.trust)

    def enrol_host(self):
        """What root does on the host, with the operator's one-time code."""
        done = self.cli("olga", "host", "invite", HOST, "--tenant", TENANT)
        code = re.search(r"\b[a-z0-9.-]+-[0-9A-Z]{16}-[0-9A-Z]{26}\b",
                         done.stdout)[0]
        etc = self.path("etc", "lockbox")
        etc.mkdir(mode=0o755)
        # From the customer's configuration management, never from the broker.
        shutil.copy(self.trust, etc / "trust")
        (etc / "trust").chmod(0o644)
        shutil.copy(TOP / "conf" / "examples" / "pam.conf", etc / "pam.conf")
        self.path("run", "lockbox").mkdir(mode=0o755)
        self.inside(self.program("lockbox"), "host", "enrol", code, "--url",
                    self.url, "--ca", self.ca, "--host", HOST)

    # --- servers ------------------------------------------------------------

    def start_syslog(self):
        self.spawn("rsyslogd", "/usr/sbin/rsyslogd", "-n", "-f",
                   self.path("rsyslog.conf"), "-i", self.path("rsyslogd.pid"))
        wait_for("/dev/log", lambda: os.path.exists(
            f"/proc/{self.init_pid}/root/dev/log"))

    def start_agent(self, check=True, env=None):
        """check: wait until it listens."""
        sock = self.path("run", "lockbox", "agent.sock")
        sock.unlink(missing_ok=True)
        try:
            self.spawn("agent", *URGENT, self.program("lockbox-agent"),
                       env=env)
            if check:
                wait_for("the agent", lambda: self._listens("agent", sock))
        except Failed:
            if check:
                raise

    def start_courier(self):
        sock = self.path("run", "lockbox", "courier.sock")
        sock.unlink(missing_ok=True)
        self.spawn("courier", *URGENT, self.program("lockbox-courier"))
        wait_for("the courier", lambda: self._listens("courier", sock))

    def restart_courier(self):
        self.services["courier"].stop()
        self.start_courier()

    def _listens(self, name, sock):
        if not self.services[name].alive():
            raise Failed(f"{name} ended:\n{self.services[name].output()}")
        return sock.exists()

    def start_sshd(self):
        # nice: hundreds of logins at once shall not starve what they ask.
        self.spawn("sshd", "/usr/bin/nice", "-n", "5", "/usr/sbin/sshd", "-D",
                   "-e")

        def listens():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.ssh_port)) == 0
        wait_for("sshd", listens)

    # --- keys, people, tools ----------------------------------------------

    @staticmethod
    def keygen(path, comment, kind="ed25519"):
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment,
                        "-f", str(path)], check=True)
        return path

    def key(self, person):
        """The path of a person's private key, made at first use."""
        path = self.path("people", person, "id_ed25519")
        if not path.exists():
            self.keygen(path, person)
        return path

    def public_key(self, person):
        """TYPE BASE64, without the comment."""
        text = Path(f"{self.key(person)}.pub").read_text()
        return " ".join(text.split()[:2])

    def authorize(self, login, *people):
        path = self.path("home", login, ".ssh", "authorized_keys")
        path.write_text("".join(f"{self.public_key(p)} {p}\n" for p in people))
        os.chown(path, LOGINS[login], LOGINS[login])

    def person_env(self, person):
        home = self.path("people", person)
        return self._env(HOME=str(home), XDG_CONFIG_HOME=str(home / "config"),
                         XDG_STATE_HOME=str(home / "state"),
                         XDG_RUNTIME_DIR=str(home / "run"))

    def cli(self, person, *arguments, check=True, **options):
        """Run the command line tool as a person, outside the host."""
        self.key(person)
        done = subprocess.run(
            [self.program("lockbox"), *map(str, arguments)],
            env=self.person_env(person), text=True, errors="replace",
            capture_output=True, check=False, stdin=options.pop(
                "stdin", None if "input" in options else subprocess.DEVNULL),
            timeout=options.pop("timeout", 60), **options)
        if check and done.returncode != 0:
            raise Failed(f"{person}: lockbox {' '.join(map(str, arguments))}: "
                         f"exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def ssh_command(self, person, login, *command, port=None, options=()):
        known = self.path("people", "known_hosts")
        line = ["ssh", "-F", "none", "-p", str(port or self.ssh_port), "-i",
                str(self.key(person))]
        for option in [*options, # ssh takes the first of two
                       "IdentitiesOnly=yes", "IdentityAgent=none",
                       "StrictHostKeyChecking=accept-new",
                       f"UserKnownHostsFile={known}", "ConnectTimeout=60"]:
            line += ["-o", option]
        return [*line, f"{login}@127.0.0.1", *command]

    def ssh(self, person, login, *command, port=None, options=(), timeout=90,
            password=False, **more):
        env = self.person_env(person)
        if password:
            env.update(SSH_ASKPASS=str(self._askpass()),
                       SSH_ASKPASS_REQUIRE="force")
        return subprocess.run(
            self.ssh_command(person, login, *command, port=port, options=options),
            env=env, text=True, errors="replace",
            capture_output=True, check=False, timeout=timeout,
            stdin=more.pop("stdin", None if "input" in more
                           else subprocess.DEVNULL), **more)

    def session(self, person, login):
        """A login that stays: its ssh, once the shell is there."""
        shell = subprocess.Popen(
            self.ssh_command(person, login, "echo in; exec sleep 86400"),
            env=self.person_env(person), text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if shell.stdout.readline() != "in\n":
            raise Failed(f"{person} was not let in as {login}")
        return shell

    def _askpass(self):
        """What ssh runs to be told the password."""
        path = self.path("people", "askpass")
        if not path.exists():
            path.write_text(f"#!/bin/sh\necho '{PASSWORD}'\n")
            path.chmod(0o755)
        return path

    @contextlib.contextmanager
    def expired_password(self, login):
        """While this lasts, pam_unix wants the login's password changed."""
        path = self.path("etc", "shadow")
        before = path.read_text()
        path.write_text(re.sub(rf"^({login}:[^:]*):19000:", r"\1:0:", before,
                               flags=re.M))
        try:
            yield
        finally:
            path.write_text(before)

    def exports(self):
        """What --stay prints, and scripts may use."""
        names = {
            "LOCKBOX_ADDR": self.url, "LOCKBOX_CA": self.ca,
            "SSH_PORT": self.ssh_port, "SSH_PORT_KBDINT": self.ssh_port_kbdint,
            "LOCKBOX": self.program("lockbox"), "DATABASE": self.database,
            "SYSLOG": self.syslog_path,
            "AGENT_SOCKET": self.path("run", "lockbox", "agent.sock"),
            "INSIDE": " ".join(self.enter()),
        }
        for person in PEOPLE:
            home = self.path("people", person)
            names[f"KEY_{person.upper()}"] = self.key(person)
            names[f"AS_{person.upper()}"] = (
                f"env HOME={home} XDG_CONFIG_HOME={home}/config "
                f"XDG_STATE_HOME={home}/state XDG_RUNTIME_DIR={home}/run")
        return names

    # --- syslog -------------------------------------------------------------

    def syslog(self, since=0):
        """Lines of the host's syslog after the first `since`."""
        if not self.syslog_path.exists():
            return []
        return self.syslog_path.read_text(errors="replace").splitlines()[since:]

    def decisions(self, since=0):
        """Every event line of the module, parsed back into a dict."""
        found = []
        for line in self.syslog(since):
            match = re.search(r"pam_lockbox\(([^:)]+):(\w+)\): (event=.*)$", line)
            if match:
                entry = parse_pairs(match[3])
                entry["_service"], entry["_type"] = match[1], match[2]
                found.append(entry)
        return found


def parse_pairs(text):
    """key="value" pairs with backslash escapes, as pam_lockbox(8) says."""
    pairs = {}
    at = 0
    pattern = re.compile(r'([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))(?: |$)')
    while at < len(text):
        match = pattern.match(text, at)
        if not match:
            raise Failed(f"a syslog line cannot be parsed: {text[at:]!r}")
        value = match[2] if match[2] is not None else match[3]
        value = re.sub(r"\\(x[0-9a-f]{2}|.)", lambda m: chr(int(m[1][1:], 16))
                       if m[1][0] == "x" else m[1], value)
        if match[1] in pairs:
            raise Failed(f"key '{match[1]}' stands twice in: {text}")
        pairs[match[1]] = value
        at = match.end()
    return pairs
