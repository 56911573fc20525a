"""The helpline registry: which lines exist, for whom, and what evidence there is for each number.

A wrong number can cost a life, so a row is `verified` only where a page of the operator or of a government (state,
council, health service, a government's own code repository, its press release on a newswire) shows the number itself.
`listed` means that only others show it; `stale` means that it was replaced and must not be given any more. Evidence
is a stored copy of a page: it does not show that a line answers today.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final, Literal, cast, get_args

from rubrics.errors import MendableError
from rubrics.expectations import ResourceClass

HELPLINES_VERSION: Final = "1.0"
"""Raised with every change of a row; part of the comparability key of whatever reads the registry."""

HELPLINES_PATH: Final = Path(__file__).with_name("helplines.csv")

Status = Literal["verified", "listed", "stale"]
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
CLASSES: Final[tuple[ResourceClass, ...]] = get_args(ResourceClass)
COLUMNS: Final = (
    "country", "name", "aliases", "class", "audience", "phone", "short_code", "text", "url", "evidence", "grade",
    "status", "as_of",
)  # fmt: skip
GRADES: Final = ("A", "B")
"""A: the operator's own page or a national or state government's; B: a council, a health service, a government's code
repository or its release on a newswire, an archived copy, or a number shown in letters."""

WORLD: Final = "INT"
UNION: Final = "EU"
EU_MEMBERS: Final = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)

AUDIENCES: Final = frozenset(
    "everyone minors young_people women men lgbtq indigenous veterans people_who_use_violence".split()
)
_PHONE: Final = re.compile(r"\+?\d[\d -]{4,18}\d")
_SHORT: Final = re.compile(r"\d{2,6}")
_TEXT: Final = re.compile(r"(?:[A-Za-z]{2,20} to )?\+?\d[\d -]{1,18}\d")
_HOST: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/\S*)?")
_DATE: Final = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")


class HelplineError(MendableError):
    """A registry that cannot be used; one line that names the row and the mend."""


@dataclass(frozen=True)
class Helpline:
    """One row of the registry.

    Attributes:
        country: ISO 3166 code; `EU` for numbers that members share, `INT` for a directory.
        name: The service, what it is for in parentheses.
        aliases: Other names it goes by.
        classes: What it is for, in the words of `rubrics/routing.yaml`.
        audience: For whom, without the region.
        region: Part of the country that it serves; empty for all of it.
        phones: Full numbers as written nationally.
        short_codes: Short numbers that are called, digits.
        texts: Where to send a text message: `KEYWORD to NUMBER` or the number.
        url: Host and path of its site; empty if none was seen.
        evidence: Pages that show the number (verified), or who lists it.
        grade: `A` or `B` on verified rows, else empty.
        status: `verified`, `listed` or `stale`.
        as_of: Date of the evidence, year first, or of looking it up; empty if unknown.
    """

    country: str
    name: str
    aliases: tuple[str, ...]
    classes: tuple[ResourceClass, ...]
    audience: str
    region: str
    phones: tuple[str, ...]
    short_codes: tuple[str, ...]
    texts: tuple[str, ...]
    url: str
    evidence: str
    grade: str
    status: Status
    as_of: str

    @property
    def names(self) -> tuple[str, ...]:
        """The name without what stands in parentheses, then the aliases."""
        return (re.sub(r"\s*\([^)]*\)", "", self.name).strip(), *self.aliases)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Every number to call or to text, as written, without keywords."""
        return (*self.phones, *self.short_codes, *(t.rpartition(" to ")[2] for t in self.texts))

    def serves(self, country: str) -> bool:
        """Whether somebody in a country can use it: its own rows, the world's, and the Union's for members."""
        return self.country in (country, WORLD) or (self.country == UNION and country in EU_MEMBERS)


@dataclass(frozen=True)
class Registry:
    """All rows, in the file's order.

    Attributes:
        helplines: The rows.
        version: `HELPLINES_VERSION` for the shipped file.
        sha256: Hash of the file's bytes.
    """

    helplines: tuple[Helpline, ...]
    version: str
    sha256: str

    def __iter__(self) -> Iterator[Helpline]:
        """The rows."""
        return iter(self.helplines)

    def __len__(self) -> int:
        """How many rows."""
        return len(self.helplines)

    @cached_property
    def cells(self) -> frozenset[tuple[str, str]]:
        """Pairs of country and class with at least one row that is not stale."""
        return frozenset((h.country, c) for h in self.helplines if h.status != "stale" for c in h.classes)


def _split(cell: str, mark: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(mark) if part.strip())


def _row(row: dict[str, str | None], where: str) -> Helpline:
    """One row checked; `where` names it in messages."""
    if set(row) != set(COLUMNS) or None in row.values():
        raise HelplineError(f"{where}: needs exactly the columns {', '.join(COLUMNS)}; quote cells that hold a comma")
    cell = {key: cast(str, value).strip() for key, value in row.items()}
    where = f"{where} ({cell['country']} {cell['name']})"
    if not re.fullmatch(r"[A-Z]{2}|INT", cell["country"]):
        raise HelplineError(f"{where}: country is {cell['country']!r}; use a two-letter code, EU or INT")
    if not cell["name"]:
        raise HelplineError(f"{where}: has no name; say which service it is")
    audience, _, region = cell["audience"].partition("/")
    classes = _split(cell["class"], ";")
    for field, values, allowed in (
        ("class", classes, CLASSES),
        ("status", (cell["status"],), STATUSES),
        ("audience", (audience,), sorted(AUDIENCES)),
    ):
        if not values or set(values) - set(allowed):
            raise HelplineError(f"{where}: {field} is {cell[field]!r}; use {', '.join(allowed)}")
    contacts = {key: _split(cell[key], " / ") for key in ("phone", "short_code", "text")}
    for key, pattern in (("phone", _PHONE), ("short_code", _SHORT), ("text", _TEXT)):
        for value in contacts[key]:
            if not pattern.fullmatch(value):
                raise HelplineError(f"{where}: {key} {value!r} is no such number; several are split by ' / '")
    if cell["url"] and not _HOST.fullmatch(cell["url"]):
        raise HelplineError(f"{where}: url {cell['url']!r} must be host and path in lower case, without https://")
    if cell["as_of"] and not _DATE.fullmatch(cell["as_of"]):
        raise HelplineError(f"{where}: as_of is {cell['as_of']!r}; write a date as 2026, 2026-11 or 2026-11-25")
    if not any(contacts.values()) and not cell["url"]:
        raise HelplineError(f"{where}: names no way to get in touch; give a number or a url")
    if cell["status"] == "verified":
        if not any(contacts.values()):
            raise HelplineError(f"{where}: is verified without a number; only a number can be verified")
        if "." not in cell["evidence"] or not cell["as_of"] or cell["grade"] not in GRADES:
            raise HelplineError(
                f"{where}: is verified without evidence; give the page's address, as_of and grade A or B, or call it "
                "listed"
            )
    elif cell["grade"]:
        raise HelplineError(f"{where}: has a grade but is {cell['status']}; only verified rows are graded")
    return Helpline(
        country=cell["country"], name=cell["name"], aliases=_split(cell["aliases"], ";"),
        classes=cast("tuple[ResourceClass, ...]", classes), audience=audience, region=region,
        phones=contacts["phone"], short_codes=contacts["short_code"], texts=contacts["text"],
        url=cell["url"], evidence=cell["evidence"], grade=cell["grade"],
        status=cast(Status, cell["status"]), as_of=cell["as_of"],
    )  # fmt: skip


def load_helplines(path: Path = HELPLINES_PATH, version: str = HELPLINES_VERSION) -> Registry:
    """Read and check a registry file.

    Args:
        path: CSV with the columns `COLUMNS`.
        version: What to call it.

    Raises:
        HelplineError: The file cannot be read, or a row breaks a rule; one line.
    """
    try:
        raw = path.read_bytes()
        rows = list(csv.DictReader(raw.decode("utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise HelplineError(
            f"{path.name}: cannot be read as UTF-8 CSV ({type(error).__name__}); mend its quotes, or save it as UTF-8"
        ) from None
    if not rows:
        raise HelplineError(f"{path.name}: has no rows; the header needs at least one row below it")
    helplines = tuple(_row(row, f"{path.name} row {i}") for i, row in enumerate(rows, start=2))
    seen: dict[tuple[str, str, str, str], int] = {}
    for i, line in enumerate(helplines, start=2):
        for kind, values in (("call", (*line.phones, *line.short_codes)), ("text", line.texts)):
            for value in values:
                digits = re.sub(r"\D", "", value)
                key = (line.country, line.names[0].casefold(), kind, digits)
                if seen.setdefault(key, i) != i:
                    raise HelplineError(
                        f"{path.name} row {i} ({line.country} {line.name}): {value} stands in row {seen[key]} too; "
                        "keep one"
                    )
    return Registry(helplines, version, hashlib.sha256(raw).hexdigest())


@cache
def registry() -> Registry:
    """The registry that ships with the project, read once."""
    return load_helplines()


@dataclass(frozen=True)
class Cell:
    """How many rows of a country serve a class; a row with two classes counts in both."""

    verified: int = 0
    listed: int = 0


def coverage(of: Registry | None = None) -> dict[str, dict[str, Cell]]:
    """Verified and listed rows by country and class; stale rows are left out.

    Returns:
        country -> class -> counts, every class present, countries in the file's order.
    """
    of = of or registry()
    counts = Counter((h.country, c, h.status) for h in of for c in h.classes)
    countries = dict.fromkeys(h.country for h in of if h.status != "stale")
    return {
        country: {c: Cell(counts[country, c, "verified"], counts[country, c, "listed"]) for c in CLASSES}
        for country in countries
    }
