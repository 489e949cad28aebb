"""Every stable code that the sources say stands in doc/codes.md, once a table.

usage: check_codes.py SOURCE_ROOT
"""

import re
import sys
from pathlib import Path

# Where codes are said: files, and what stands before the word.
SPOKEN = ["lib/judge.c", "lib/quorum.c", "agent/*.c", "pam_lockbox/*.c",
          "broker/rules.c"]
BEFORE = re.compile(
    r'(?:code\w* = |return |\] = |\b(?:reply_refuse|refuse|deny|be_unable)\([^"]*)'
    r'"([a-z]+(?:_[a-z]+)+)"')
NOT_CODES = {"pam_lockbox"}


def spoken(root):
    for pattern in SPOKEN:
        for path in sorted(root.glob(pattern)):
            for word in BEFORE.findall(path.read_text()):
                if word not in NOT_CODES:
                    yield word, path.relative_to(root)


def listed(root):
    """The codes of each section of the doc."""
    for section in re.split(r"^#+ ", (root / "doc/codes.md").read_text(),
                            flags=re.M):
        yield section.splitlines()[0] if section else "", re.findall(
            r"^\| `([a-z_]+)`", section, re.M)


def main():
    root = Path(sys.argv[1])
    known, bad = set(), []
    for title, codes in listed(root):
        bad += [f"doc/codes.md: '{code}' stands twice in '{title}'"
                for code in sorted(set(codes)) if codes.count(code) > 1]
        known.update(codes)
    said = dict(spoken(root))
    bad += [f"{where}: '{code}' is not in doc/codes.md"
            for code, where in sorted(said.items()) if code not in known]
    if not said or not known:
        bad.append("nothing found: is that the source root?")
    print("\n".join(bad) or f"{len(said)} codes, all of {len(known)} listed")
    return 1 if bad else 0


sys.exit(main())
