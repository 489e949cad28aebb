"""A real nginx that serves the customer's own page by our own example."""

import subprocess
from pathlib import Path

from conftest import TOP

from website import certificate
from world import free_port, wait_for

EXAMPLE = TOP / "conf" / "examples" / "nginx-approve.conf"
NGINX = "/usr/sbin/nginx"
# What the example names, and a test has elsewhere.
NAME = "lockbox.acme.example"
BROKER = "https://lockbox.provider.example"


class Nginx:
    """https://NAME:PORT, until close(). directory holds `www` with the files."""

    def __init__(self, directory, name, broker):
        self.directory, self.name, self.broker = Path(directory), name, broker
        self.www = self.directory / "www"
        self.ca, cert, key = certificate(directory, "nginx", f"DNS:{name}")
        self.port = free_port()
        text = EXAMPLE.read_text()
        for was, now in (
                ("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
                (f"/etc/ssl/certs/{NAME}.pem", str(cert)),
                (f"/etc/ssl/private/{NAME}.key", str(key)),
                ("root /srv/lockbox", f"root {self.www}"),
                (f"server_name {NAME}", f"server_name {name}"),
                (BROKER, broker)):
            assert text.count(was) == 1, f"the example has no '{was}'"
            text = text.replace(was, now)
        temp = "\n".join(f"{kind}_temp_path temp-{kind};" for kind in (
            "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf = self.directory / "nginx.conf"
        conf.write_text(f"""\
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{ }}
http {{
access_log access.log;
{temp}
{text}
}}
""")
        self.log = open(self.directory / "nginx.log", "ab")
        self.process = subprocess.Popen(
            [NGINX, "-p", str(self.directory), "-e", "error.log", "-c",
             str(conf)], stdout=self.log, stderr=self.log)
        wait_for("nginx", self._serves)

    def _serves(self):
        assert self.process.poll() is None, \
            (self.directory / "nginx.log").read_text()
        return (self.directory / "nginx.pid").exists()

    @property
    def origin(self):
        return f"https://{self.name}:{self.port}"

    def get(self, path):
        """(status, {header: value}, body) as curl gets it."""
        done = subprocess.run(
            ["curl", "-sS", "-i", "--path-as-is", "--cacert", str(self.ca),
             self.origin + path], capture_output=True, check=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return (int(first.split()[1]),
                {k.lower(): v for k, _, v in (x.partition(": ") for x in lines)},
                body)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
