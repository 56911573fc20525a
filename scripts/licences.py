"""`python -m scripts.licences`: writes docs/licences.md from the metadata of the installed packages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from scripts.pins import ROOT, Pin, plain, read_pins

DOCUMENT: Final = ROOT / "docs" / "licences.md"
ALLOWED: Final = frozenset(
    "Apache-2.0 MIT MIT-0 MIT-CMU BSD-2-Clause BSD-3-Clause 0BSD ISC Zlib CC0-1.0 PSF-2.0 CNRI-Python AFL-2.1 MPL-1.1 "
    "MPL-2.0 Unlicense HPND Python-2.0".split()
)
"""Licences under which a package may be used here without being looked at."""
LOOKED_AT: Final = {
    "krippendorff": "GPL-3.0-or-later. Imported by one module only (`judges/agreement/alpha.py`, held by an import "
    "contract), never copied; whoever distributes a work that contains it is bound by the GPL.",
    "pyphen": "One of three licences at the user's choice; used under MPL-1.1.",
    "psycopg": "LGPL-3.0-only. Used unchanged through its interface, for a database other than SQLite.",
    "psycopg-binary": "LGPL-3.0-only. The compiled part of psycopg.",
}
"""Packages under other licences, with why they are used."""
HEAD: Final = """# Licences of what is installed

Made by `make licences` from the metadata of the installed packages, for the exact versions in `constraints/`; a test
holds it against them. "Used for" names the parts of this project that need a package, directly or through another.
A licence that is not known here is that of a package that this environment does not install (`capabilities`, `tiny`).

"""


def refused(pins: list[Pin]) -> list[str]:
    """Installed packages whose licence is neither allowed nor looked at."""
    found = []
    for p in pins:
        if p.file != "base" or plain(p.name) in LOOKED_AT or not p.needed_by:
            continue
        # One of several alternatives is enough; of several parts all have to be allowed.
        choices = [set(choice.strip("() ").split(" AND ")) for choice in p.licence.split(" OR ")]
        if not any(choice <= ALLOWED for choice in choices):
            found.append(f"{p.name} {p.version}: {p.licence or 'no licence stated'}")
    return found


def document(pins: list[Pin]) -> str:
    """The document."""
    lines = ["| package | version | licence | used for |", "| --- | --- | --- | --- |"]
    for p in sorted(pins, key=lambda p: plain(p.name)):
        needs = ", ".join(p.needed_by) or ("capabilities, tiny" if p.file == "capabilities" else "not known")
        lines.append(f"| {p.name} | {p.version} | {p.licence or 'not known here'} | {needs} |")
    looked = [f"- **{name}**: {why}" for name, why in LOOKED_AT.items()]
    return HEAD + "\n".join([*lines, "", "## Looked at one by one", "", *looked, ""])


def main() -> None:
    """Write the document; fail where a licence is not allowed."""
    pins = read_pins()
    Path(DOCUMENT).write_text(document(pins), encoding="utf-8")
    bad = refused(pins)
    for line in bad:
        print(f"not allowed: {line}", file=sys.stderr)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
