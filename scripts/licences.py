"""`python -m scripts.licences`: writes docs/licences.md from the metadata of the installed packages."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from scripts.pins import ROOT, Pin, absent, plain, read_pins

DOCUMENT: Final = ROOT / "docs" / "licences.md"
ALLOWED: Final = frozenset(
    "Apache-2.0 MIT MIT-0 MIT-CMU BSD-2-Clause BSD-3-Clause 0BSD ISC Zlib CC0-1.0 PSF-2.0 CNRI-Python AFL-2.1 MPL-1.1 "
    "MPL-2.0 Unlicense HPND Python-2.0 BSL-1.0".split()
)
"""Licences under which a package may be used here without being looked at."""
LOOKED_AT: Final = {
    "chardet": "LGPL-2.1-or-later. Brought by lm-evaluation-harness, of which this project runs the command only.",
    "krippendorff": "GPL-3.0-or-later. Imported by one module only (`judges/agreement/alpha.py`, held by an import "
    "contract), never copied; whoever distributes a work that contains it is bound by the GPL.",
    "pyphen": "One of three licences at the user's choice; used under MPL-1.1.",
    "psycopg": "LGPL-3.0-only. Used unchanged through its interface, for a database other than SQLite.",
    "psycopg-binary": "LGPL-3.0-only. The compiled part of psycopg.",
}
"""Packages under other licences, with why they are used."""
UNKNOWN: Final = "not known here"
_ROW: Final = re.compile(r"^\| (\S+) \| (\S+) \| (.+?) \| (.+?) \|$", re.M)
HEAD: Final = """# Licences of what is installed

Made by `make licences` from the metadata of the installed packages, for the exact versions in `constraints/`; a test
holds it against them. "Used for" names the parts of this project that need a package, directly or through another.
What an environment does not install (`capabilities`, `tiny`: PyTorch is large) keeps the licence that stands here for
the same version, from one that did.

"""


def refused(pins: list[Pin]) -> list[str]:
    """Packages whose licence is neither allowed nor looked at; without those that are pinned and that nothing needs."""
    found = []
    for p in pins:
        if plain(p.name) in LOOKED_AT or not p.needed_by:
            continue
        # One of several alternatives is enough; of several parts all have to be allowed.
        choices = [
            set(choice.strip("() ").replace(" WITH LLVM-exception", "").split(" AND "))
            for choice in p.licence.split(" OR ")
        ]
        if not any(choice <= ALLOWED for choice in choices):
            found.append(f"{p.name} {p.version}: {p.licence or 'no licence stated'}")
    return found


def listed(text: str) -> dict[tuple[str, str], tuple[str, list[str]]]:
    """Licence and uses of each name and version in a document; without those whose licence it does not know."""
    rows = {(a, b): (c, d.split(", ")) for a, b, c, d in _ROW.findall(text)}
    return {key: row for key, row in rows.items() if row[0] not in (UNKNOWN, "licence", "---")}


def with_listed(pins: list[Pin], text: str) -> list[Pin]:
    """The packages, with what a document says of them where this environment does not have it.

    That is the licence of a package that is not installed, and the uses by extras that are not.
    """
    known, lacking = listed(text), absent()
    found = []
    for p in pins:
        licence, uses = known.get((p.name, p.version), ("", []))
        kept = {u for u in uses if u in lacking}
        found.append(replace(p, licence=p.licence or licence, needed_by=tuple(sorted({*p.needed_by, *kept}))))
    return found


def document(pins: list[Pin]) -> str:
    """The document."""
    lines = ["| package | version | licence | used for |", "| --- | --- | --- | --- |"]
    for p in sorted(pins, key=lambda p: plain(p.name)):
        needs = ", ".join(p.needed_by) or "another Python or system"
        lines.append(f"| {p.name} | {p.version} | {p.licence or UNKNOWN} | {needs} |")
    looked = [f"- **{name}**: {why}" for name, why in LOOKED_AT.items()]
    return HEAD + "\n".join([*lines, "", "## Looked at one by one", "", *looked, ""])


def main() -> None:
    """Write the document; fail where a licence is not allowed."""
    pins = with_listed(read_pins(), DOCUMENT.read_text(encoding="utf-8"))
    Path(DOCUMENT).write_text(document(pins), encoding="utf-8")
    bad = refused(pins)
    for line in bad:
        print(f"not allowed: {line}", file=sys.stderr)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
