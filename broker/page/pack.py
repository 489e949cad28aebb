#!/usr/bin/env python3
"""Put the customer's own page together: one file out of template, style and
modules, with a policy that allows just these.

usage: pack.py TEMPLATE STYLE ENTRY-MODULE > approve.html
       pack.py TEMPLATE STYLE ENTRY-MODULE OUTPUT DEPFILE

Every module that the entry leads to becomes a function that is called once,
in the order of need; nothing else about it changes. What this does not
understand of the language of modules it refuses, with the place.
"""

import base64
import hashlib
import re
import sys
from pathlib import Path

IMPORT = re.compile(
    r'^import\s+(?:\{([^}]*)\}|\*\s+as\s+(\w+))\s+from\s+["\'](\.[^"\']*)["\'];?'
    r'[ \t]*$', re.M)
EXPORT = re.compile(
    r"^export\s+(?=(?:async\s+)?(?:function\*?|class|const)\s+(\w+))", re.M)
EXPORT_LIST = re.compile(r"^export\s+\{([^}]*)\};?[ \t]*$", re.M)
LEFT = re.compile(r"^(?:\s*(?:import|export)\b|await\b)|\bimport\s*[.(]", re.M)
# What would end or confuse the script element that holds it all.
ELEMENT = re.compile(r"</script|<!--|<script", re.I)


class Refused(Exception):
    pass


def place(path, text, at):
    return f"{path}:{text.count(chr(10), 0, at) + 1}"


def names_of(listed):
    """{"a, b as c"} as [("a", "a"), ("b", "c")]."""
    pairs = []
    for item in filter(None, (x.strip() for x in listed.split(","))):
        name, _, other = item.partition(" as ")
        pairs.append((name.strip(), (other or name).strip()))
    return pairs


class Packer:
    def __init__(self):
        self.done = {}  # path: (the name of its object, what that holds)
        self.open = []  # paths on the way here
        self.parts = []

    def need(self, path):
        """Pack a module once; its object's name, and what it exports."""
        if path in self.done:
            return self.done[path]
        body, exports = self._read(path)
        name = "module_" + re.sub(r"\W", "_", path.stem)
        if name in (other for other, _ in self.done.values()):
            raise Refused(f"{path}: a second module of this name")
        self.done[path] = name, {b for _, b in exports}
        given = ", ".join(a if a == b else f"{b}: {a}" for a, b in exports)
        self.parts.append(f"/* {path.name} */\nconst {name} = (() => {{\n"
                          f"{body}return Object.freeze({{ {given} }});\n}})();\n")
        return self.done[path]

    def enter(self, path):
        """Pack the module that begins it all."""
        body, _ = self._read(path)
        self.parts.append(f"/* {path.name} */\n{body}")
        return "\n".join(self.parts)

    def _read(self, path):
        """A module's text without import and export, and what it exports."""
        if path in self.open:
            raise Refused(f"{path}: needs itself")
        if not path.is_file():
            raise Refused(f"{path}: no such module")
        self.open.append(path)
        text = path.read_text(encoding="utf-8")
        exports = [(x[1], x[1]) for x in EXPORT.finditer(text)]
        for listed in EXPORT_LIST.finditer(text):
            exports += names_of(listed[1])

        def imported(found):
            source, offered = self.need((path.parent / found[3]).resolve())
            if found[2]:
                return f"const {found[2]} = {source};"
            wanted = names_of(found[1])
            for name, _ in wanted:
                if name not in offered:
                    raise Refused(f"{path}: {found[3]} exports no '{name}'")
            pairs = ", ".join(a if a == b else f"{a}: {b}" for a, b in wanted)
            return f"const {{ {pairs} }} = {source};"

        body = EXPORT.sub("", EXPORT_LIST.sub("", IMPORT.sub(imported, text)))
        for pattern in (LEFT, ELEMENT):
            found = pattern.search(body)
            if found:
                raise Refused(f"{place(path, body, found.start())}: "
                              f"'{found[0].strip()}' cannot be packed")
        self.open.pop()
        return body, exports


def source_hash(text):
    """As a policy names what an element holds."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def pack(template, style, entry):
    """The page's text, and every module in it."""
    page = Path(template).read_text(encoding="utf-8")
    style = Path(style).read_text(encoding="utf-8")
    if "</" in style:
        raise Refused("a style with '</' cannot be packed")
    packer = Packer()
    script = packer.enter(Path(entry).resolve())
    filled = {"@STYLE@": style, "@SCRIPT@": script,
              "@STYLE_HASH@": source_hash(style),
              "@SCRIPT_HASH@": source_hash(script)}
    for word in filled:
        if page.count(word) != 1:
            raise Refused(f"{template}: '{word}' must stand there once")
    return (re.sub("|".join(filled), lambda found: filled[found[0]], page),
            list(packer.done))


def main():
    if len(sys.argv) not in (4, 6):
        sys.exit(__doc__)
    try:
        page, modules = pack(*sys.argv[1:4])
    except Refused as error:
        sys.exit(f"pack.py: {error}")
    if len(sys.argv) == 4:
        sys.stdout.buffer.write(page.encode())
        return
    Path(sys.argv[4]).write_bytes(page.encode())
    Path(sys.argv[5]).write_text(
        f"{sys.argv[4]}: {' '.join(map(str, modules))}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
