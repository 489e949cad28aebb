"""The two programs that verify signatures, asked the same: lockbox's own code
and stock ssh-keygen."""

import subprocess
import time

NAMESPACE = "lockbox-approve-v1"
OTHER_NAMESPACE = "lockbox-revoke-v1"
MESSAGE = b"lockbox-grant-v1\ntext\n"
PERSON = "ann@example.org"


class Judges:
    """Both programs, asked the same."""

    def __init__(self, build, directory):
        self.tools, self.directory = build / "tests" / "tools", directory
        self.message = directory / "message"
        self.message.write_bytes(MESSAGE)

    def line(self, public, namespaces=(NAMESPACE, OTHER_NAMESPACE), dates=""):
        names = ",".join(sorted(namespaces))
        return f'{PERSON} namespaces="{names}"{dates} {public}'

    def lockbox(self, public, armors, namespace=NAMESPACE, message=None,
                dates="", at=None):
        """A verdict for each armor: "ok FLAGS ORIGIN" or what is wrong."""
        path = self.message
        if message is not None:
            path = self.directory / "other-message"
            path.write_bytes(message)
        said = subprocess.run(
            [self.tools / "sshsig_check", namespace, path,
             self.line(public, dates=dates), *([str(at)] if at else [])],
            input="".join(
                (a if isinstance(a, bytes) else a.encode()).hex() + "\n"
                for a in armors),
            text=True, stdout=subprocess.PIPE, check=True).stdout.splitlines()
        assert len(said) == len(armors)
        return said

    def accepts(self, public, armor, **asked):
        return self.lockbox(public, [armor], **asked)[0].startswith("ok ")

    def openssh(self, public, armor, namespace=NAMESPACE, message=MESSAGE,
                dates="", at=None):
        """What ssh-keygen -Y verify says: True or False."""
        allowed = self.directory / "allowed_signers"
        allowed.write_text(self.line(public, dates=dates) + "\n")
        signature = self.directory / "signature"
        signature.write_bytes(
            armor if isinstance(armor, bytes) else armor.encode())
        when = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(at)) if at else None
        return subprocess.run(
            ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", PERSON, "-n",
             namespace, "-s", signature,
             *(["-O", f"verify-time={when}"] if at else [])],
            input=message, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, check=False).returncode == 0
