"""The exact versions that this project installs, and what is known of each: what the other scripts on packages read."""

from __future__ import annotations

import importlib.metadata as installed
import re
import tomllib
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parents[1]
FILES: Final = ("base", "capabilities")
"""Files of exact versions in `constraints/`; vLLM's pins what it likes in an environment of its own."""
_PIN: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.+!_-]+)")
_CLASSIFIERS: Final = {
    "Apache Software License": "Apache-2.0", "MIT License": "MIT", "BSD License": "BSD-3-Clause",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "Python Software Foundation License": "PSF-2.0",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1", "ISC License (ISCL)": "ISC",
}  # fmt: skip
STATED: Final = {
    "agent-client-protocol": "Apache-2.0", "axe-playwright-python": "MIT",
    "protobuf": "BSD-3-Clause", "pydeck": "Apache-2.0", "transformers": "Apache-2.0",
}  # fmt: skip
"""Licences as the project's own page or licence file says, where the metadata has no name for it."""


@dataclass(frozen=True)
class Pin:
    """One package of an exact version.

    Attributes:
        name: As the constraints file writes it.
        version: Its version.
        file: Which constraints file.
        licence: As SPDX names it; empty where it is not installed here, or its metadata does not say.
        needed_by: `run time`, or the extras of this project that bring it; empty where that is not known here.
    """

    name: str
    version: str
    file: str
    licence: str = ""
    needed_by: tuple[str, ...] = ()

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:pypi/{plain(self.name)}@{self.version.replace('+', '%2B')}"


def plain(name: str) -> str:
    """A name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(folder: Path = ROOT / "constraints", files: tuple[str, ...] = FILES) -> list[Pin]:
    """The exact versions of the constraints files, in their order.

    Raises:
        ValueError: A line that is none, with file and line.
    """
    found: dict[str, Pin] = {}
    for file in files:
        for n, line in enumerate((folder / f"{file}.txt").read_text(encoding="utf-8").splitlines(), 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            match = _PIN.fullmatch(text)
            if match is None:
                raise ValueError(f"{file}.txt, line {n}: write NAME==VERSION, without an address")
            found.setdefault(plain(match[1]), Pin(match[1], match[2], file))
    users = _users()
    return [
        Pin(p.name, p.version, p.file, licence_of(p.name), tuple(sorted(users.get(key, ()))))
        for key, p in found.items()
    ]


def declared() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for: by extra, and under `run time` without one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    told = {"run time": project["dependencies"], **project["optional-dependencies"]}
    return {extra: [Requirement(r) for r in each] for extra, each in told.items()}


def absent() -> set[str]:
    """The extras that this environment does not install, or not whole."""
    return {extra for extra, asked in declared().items() if not all(_is_installed(r.name) for r in asked)}


def _is_installed(name: str) -> bool:
    try:
        installed.distribution(name)
    except installed.PackageNotFoundError:
        return False
    return True


def licence_of(name: str) -> str:
    """The licence that an installed package states, as SPDX names it; empty where it states none."""
    if plain(name) in STATED:
        return STATED[plain(name)]
    try:
        told = installed.metadata(name)
    except installed.PackageNotFoundError:
        return ""
    if told.get("License-Expression"):
        return str(told["License-Expression"])
    marks = [c.split(" :: ")[-1] for c in told.get_all("Classifier") or [] if c.startswith("License ::")]
    known = dict.fromkeys(_CLASSIFIERS[m] for m in marks if m in _CLASSIFIERS)
    if known:
        return " OR ".join(known)
    text = str(told.get("License") or "")
    if "MIT License" in text[:60]:
        return "MIT"
    return text if len(text) < 40 else ""


def _users() -> dict[str, set[str]]:
    """For each installed package, which parts of this project need it, directly or through another."""
    users: dict[str, set[str]] = {}
    for extra, asked in declared().items():
        ahead = deque((plain(r.name), frozenset(r.extras)) for r in asked)
        seen = set(ahead)
        while ahead:
            name, extras = ahead.popleft()
            users.setdefault(name, set()).add(extra)
            try:
                needs = installed.requires(name) or []
            except installed.PackageNotFoundError:
                continue
            for text in needs:
                r = Requirement(text)
                here = any(
                    r.marker is None or r.marker.evaluate({**default_environment(), "extra": e}) for e in ("", *extras)
                )
                step = (plain(r.name), frozenset(r.extras))
                if here and step not in seen:
                    seen.add(step)
                    ahead.append(step)
    return users
