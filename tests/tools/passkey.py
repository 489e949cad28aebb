#!/usr/bin/python3
"""A passkey in software, for tests: makes P-256 keys, signs as a browser would.

    passkey.py new KEYFILE --rp RP-ID
        makes a key and prints its public half, "TYPE BASE64", as it stands in
        an allowed_signers line; RP-ID, such as door.example, becomes the key's
        application

    passkey.py public KEYFILE
        prints it again

    passkey.py sign KEYFILE -n NAMESPACE [--origin ORIGIN] [--flags N]
            [--counter N] [--hash sha256|sha512] [--cross-origin] < MESSAGE
        prints the armored signature, as ssh-keygen -Y sign would

--origin   the page that asked (default https://RP-ID)
--flags    what the person did: 0 nothing, 1 touched, 4 verified without
           touching, 5 touched and verified (the default)
--cross-origin
           the page was framed by another origin's

The whole namespace is given, such as lockbox-approve-v1. Python tests may use
class Passkey of tests/system/papers.py directly.
"""

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "system"))

from cryptography.hazmat.primitives import serialization  # noqa: E402

from papers import Passkey  # noqa: E402


def save(key, path):
    pem = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()).decode()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600),
              "w", encoding="ascii") as file:
        json.dump({"rp": key.application, "key": pem}, file)


def load(path):
    saved = json.loads(Path(path).read_text(encoding="ascii"))
    key = Passkey(saved["rp"], f"https://{saved['rp']}")
    key.private = serialization.load_pem_private_key(
        saved["key"].encode(), None)
    return key


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("command", choices=("new", "public", "sign"))
    parser.add_argument("keyfile")
    parser.add_argument("--rp")
    parser.add_argument("-n", "--namespace")
    parser.add_argument("--origin")
    parser.add_argument("--flags", type=lambda s: int(s, 0), default=5)
    parser.add_argument("--counter", type=int, default=7)
    parser.add_argument("--hash", choices=("sha256", "sha512"),
                        default="sha512")
    parser.add_argument("--cross-origin", action="store_true")
    asked = parser.parse_args()
    if asked.command == "new":
        if asked.rp is None:
            parser.error("new needs --rp")
        key = Passkey(asked.rp, "")
        save(key, asked.keyfile)
    else:
        key = load(asked.keyfile)
    if asked.command != "sign":
        print(key.public())
        return
    if asked.namespace is None:
        parser.error("sign needs -n")
    key.origin = asked.origin or key.origin
    key.flags, key.counter = asked.flags, asked.counter
    key.cross_origin = asked.cross_origin
    sys.stdout.write(key.sign_as(asked.namespace, sys.stdin.buffer.read(),
                                 asked.hash))


if __name__ == "__main__":
    main()
