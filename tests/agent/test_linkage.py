"""What agent and courier are linked with: the agent no network library, the
courier nothing that could sign.

usage: test_linkage.py AGENT COURIER
"""

import re
import subprocess
import sys


def needed(path):
    """The libraries that the program itself asks for."""
    out = subprocess.run(["readelf", "-d", path], check=True,
                         capture_output=True, text=True).stdout
    return set(re.findall(r"NEEDED.*\[(\w[\w+-]*)", out))


def symbols(path):
    out = subprocess.run(["nm", path], check=True, capture_output=True,
                         text=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines()}


def main(agent, courier):
    checks = {
        "the agent verifies (libsodium)": "libsodium" in needed(agent),
        "the agent has a sandbox (libseccomp)": "libseccomp" in needed(agent),
        "the agent holds a key": "lb_signer_sign" in symbols(agent),
        "the agent links no libcurl": "libcurl" not in needed(agent),
        "the agent links no TLS": "libssl" not in needed(agent),
        "the agent resolves no names": not symbols(agent) & {
            "getaddrinfo", "gethostbyname", "res_query"},
        "the courier has libcurl": "libcurl" in needed(courier),
        "the courier has a sandbox": "libseccomp" in needed(courier),
        "the courier cannot sign": not [
            s for s in symbols(courier)
            if s.startswith(("lb_signer_", "lb_trust_", "lb_judge",
                             "crypto_sign"))],
    }
    for path in (agent, courier):
        out = subprocess.run(["readelf", "-lWd", path], check=True,
                             capture_output=True, text=True).stdout
        checks[f"{path}: relro, now, pie, no executable stack"] = (
            "GNU_RELRO" in out and "BIND_NOW" in out and
            bool(re.search(r"FLAGS_1.*PIE", out)) and
            bool(re.search(r"GNU_STACK.* RW ", out)))
    bad = [what for what, held in checks.items() if not held]
    for what in checks:
        print("not ok" if what in bad else "ok", "-", what)
    return 1 if bad else 0


sys.exit(main(*sys.argv[1:]))
