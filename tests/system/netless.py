"""Run a function where there is no network but what it makes itself."""

import ctypes
import os
import socket
import struct
import subprocess
import sys
import threading
import traceback
from pathlib import Path

NEW_NET, NEW_MOUNTS = 0x40000000, 0x00020000


def alone(function, *arguments, resolver=None):
    """Call it in a child with a network and mounts of its own; needs root."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code == 0, f"{function.__name__} failed: {code}"
        return
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(NEW_NET | NEW_MOUNTS):
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        if resolver:
            subprocess.run(["mount", "--bind", str(resolver),
                            str(Path("/etc/resolv.conf").resolve())],
                           check=True)
        function(*arguments)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def address(*texts):
    """Give this machine that has no network more addresses."""
    for text in texts:
        subprocess.run(["ip", "address", "add", text, "dev", "lo", "nodad"]
                       if ":" in text else
                       ["ip", "address", "add", text, "dev", "lo"], check=True)


class Names:
    """A name server. known: name -> list of addresses, or a list of such
    lists, one for each time it is asked (the last one for ever); None: it does
    not answer at all."""

    def __init__(self, known):
        self.known, self.asked = known, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.run, daemon=True).start()

    def addresses(self, name, kind):
        entry = self.known.get(name, [])
        if entry and isinstance(entry[0], list):
            times = sum(1 for asked in self.asked if asked == (name, kind))
            entry = entry[min(times, len(entry)) - 1]
        return entry

    def run(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += 1 + query[at]
            name = ".".join(labels)
            kind = struct.unpack(">H", query[at + 1:at + 3])[0]
            self.asked.append((name, kind))
            if self.known.get(name, []) is None:
                continue
            found = b""
            count = 0
            for text in self.addresses(name, kind):
                v6 = ":" in text
                if kind != (28 if v6 else 1):
                    continue
                raw = socket.inet_pton(
                    socket.AF_INET6 if v6 else socket.AF_INET, text)
                found += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0,
                                                   len(raw)) + raw
                count += 1
            code = 0 if name in self.known else 3
            self.socket.sendto(
                query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, count, 0, 0)
                + query[12:at + 5] + found, peer)


class Canary:
    """Counts who connects, wherever else it is that nobody should."""

    def __init__(self, *places):
        self.touched = []
        for host, port in places:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, port), family=family)
            threading.Thread(target=self.run, args=(listener, host, port),
                             daemon=True).start()

    def run(self, listener, host, port):
        while True:
            peer = listener.accept()[0]
            self.touched.append((host, port))
            peer.close()
