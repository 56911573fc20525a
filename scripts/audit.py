"""`python -m scripts.audit ADVISORIES`: known weaknesses of the pinned versions, without a network.

ADVISORIES is a folder (looked through with all below it) of files in the OSV format, one advisory a JSON file, or a
`.json` file that holds a list of them; it is brought by whoever runs the audit, such as an unpacked `all.zip` of OSV's
PyPI ecosystem. Read of each advisory: `id`, `summary`, `withdrawn`, and of each part of `affected` the package's
`ecosystem` (PyPI) and `name`, `versions`, and `ranges` of the type ECOSYSTEM with their `events` (`introduced`,
`fixed`, `last_affected`). A version is affected if it is listed, or lies in a range.

Exit status: 0 where nothing is known, 1 where something is, 2 where advisories cannot be read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from scripts.pins import Pin, plain, read_pins


class AdvisoryError(ValueError):
    """Advisories that cannot be read; one line that says what to do."""


def read_advisories(path: Path) -> list[Mapping[str, Any]]:
    """All advisories of a file or a folder.

    Raises:
        AdvisoryError: None there, or a file that is none.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    found: list[Mapping[str, Any]] = []
    for file in files:
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as ex:
            raise AdvisoryError(f"{file}: no JSON that can be read; give advisories in the OSV format") from ex
        rows = told if isinstance(told, list) else [told]
        if not all(isinstance(r, dict) and isinstance(r.get("id"), str) for r in rows):
            raise AdvisoryError(f"{file}: no advisory with an `id`; give advisories in the OSV format")
        found += rows
    if not found:
        raise AdvisoryError(f"{path}: no advisories in it; an audit without any would say nothing")
    return found


def audit(pins: Iterable[Pin], advisories: Iterable[Mapping[str, Any]]) -> list[str]:
    """A line for each pinned version that an advisory speaks of."""
    known = {plain(p.name): p for p in pins}
    found = []
    for advisory in advisories:
        if advisory.get("withdrawn"):
            continue
        for part in _dicts(advisory.get("affected")):
            package = part.get("package") if isinstance(part.get("package"), dict) else {}
            pin = known.get(plain(str(package.get("name")))) if package.get("ecosystem") == "PyPI" else None
            if pin is not None and _is_affected(pin.version, part):
                said = " ".join(str(advisory.get("summary") or "").split())[:120]
                found.append(f"{pin.name} {pin.version}: {advisory['id']} {ascii(said)[1:-1]}".rstrip())
    return sorted(set(found))


def _dicts(told: Any) -> Iterator[Mapping[str, Any]]:
    yield from (d for d in told if isinstance(d, dict)) if isinstance(told, list) else ()


def _is_affected(version: str, part: Mapping[str, Any]) -> bool:
    here = _version(version)
    listed = part.get("versions")
    if isinstance(listed, list) and any(str(v) == version or (here and _version(str(v)) == here) for v in listed):
        return True
    return here is not None and any(
        _in_range(here, list(_dicts(r.get("events"))))
        for r in _dicts(part.get("ranges"))
        if r.get("type") == "ECOSYSTEM"
    )


def _in_range(here: Version, events: list[Mapping[str, Any]]) -> bool:
    """Whether a version lies behind an `introduced` that nothing has ended."""
    steps: list[tuple[Version, int, str]] = []
    for event in events:
        for order, kind in enumerate(("introduced", "fixed", "last_affected")):
            at = _version(str(event[kind])) if kind in event else None
            if at is not None:
                steps.append((at, order, kind))
    inside = False
    for at, _, kind in sorted(steps):
        if kind == "last_affected":
            inside = inside and here <= at
        elif here >= at:
            inside = kind == "introduced"
    return inside


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def main() -> None:
    """Print what is known, a line each."""
    if len(sys.argv) != 2:
        print("give a folder of advisories in the OSV format: make audit ADVISORIES=FOLDER", file=sys.stderr)
        sys.exit(2)
    try:
        advisories = read_advisories(Path(sys.argv[1]))
    except AdvisoryError as ex:
        print(f"Error: {ex}", file=sys.stderr)
        sys.exit(2)
    pins = read_pins()
    found = audit(pins, advisories)
    for line in found:
        print(line)
    print(f"{len(found)} findings in {len(pins)} packages by {len(advisories)} advisories", file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
