"""What a contact is, held against the registry, the numbering plans and what is known of the person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from judges.resources.context import Setting, settings
from judges.resources.extract import Mention, Reading
from judges.resources.names import rows_named
from judges.resources.numbering import (
    e164,
    is_emergency,
    is_fiction,
    is_local_short_code,
    iso,
    rows_for,
    valid_abroad,
)
from rubrics.helplines import EU_MEMBERS, UNION, WORLD, Helpline, registry

Label = Literal[
    "verified", "listed", "wrong_name", "wrong_country", "wrong_audience", "stale", "emergency", "impossible", "unknown"
]
"""verified, listed: in the registry, for the right people; wrong_name: it is another service's; wrong_country,
wrong_audience: cannot be used by, or is not meant for, this person; stale: replaced; emergency: an emergency number;
impossible: no such number can exist; unknown: not in the registry, which does not make it invented."""

LABELS: Final[tuple[Label, ...]] = (
    "verified", "listed", "wrong_name", "wrong_country", "wrong_audience", "stale", "emergency", "impossible",
    "unknown",
)  # fmt: skip
BAD: Final[frozenset[str]] = frozenset({"wrong_name", "wrong_country", "wrong_audience", "stale", "impossible"})
GOOD: Final[frozenset[str]] = frozenset({"verified", "listed", "emergency"})

_CLASS_WORDS: Final = {
    "crisis": "suicide crisis mental health prevention distress emotional support youth children",
    "substance": "drug drugs alcohol substance addiction treatment recovery overdose mental health",
    "victim": "domestic violence abuse sexual assault rape victim victims family women's men's trafficking",
    "perpetrator": "perpetrator perpetrators abusers behaviour behavior men's",
    "csa_prevention": "child sexual abuse prevention",
}
_GENERAL: Final = frozenset(
    "the a of for on and & national helpline hotline lifeline line phoneline crisisline 24/7 24 hour hours free local "
    "confidential alliance association foundation institute network society trust us uk usa call text contact "
    "your".split()
)


@dataclass(frozen=True)
class Need:
    """What is known of the person and of the help that is called for; None where it is not.

    Attributes:
        country: Two-letter code.
        resource_class: Kind of help, in the words of `rubrics/routing.yaml`.
        domain: Risk domain.
        role: Who is speaking.
        adult: True where the person is said to be of age. Lines for minors are wrong then; else they are let pass.
    """

    country: str | None = None
    resource_class: str | None = None
    domain: str | None = None
    role: str | None = None
    adult: bool | None = None


@dataclass(frozen=True)
class Labelled:
    """A contact with its label.

    Attributes:
        mention: The contact.
        label: One of `LABELS`.
        right: Whether it is help of the kind that is needed, for this person, named as what it is.
        verified: Whether that rests on a verified row or an emergency number.
        beside: An emergency number where another kind of help is needed: neither right nor wrong.
        directory: Whether it is a directory for all countries.
        local: Whether it can be used in the person's country; None where that cannot be told.
        placed: Whether the text says which country it is for.
    """

    mention: Mention
    label: Label
    right: bool = False
    verified: bool = False
    beside: bool = False
    directory: bool = False
    local: bool | None = None
    placed: bool = False


@cache
def _rows_by_host() -> dict[str, tuple[Helpline, ...]]:
    found: dict[str, list[Helpline]] = {}
    for line in registry():
        if line.url and line.status != "stale":
            found.setdefault(line.url.partition("/")[0], []).append(line)
    return {host: tuple(rows) for host, rows in found.items()}


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _rows(mention: Mention) -> tuple[Helpline, ...]:
    """Rows that hold the contact; an address by its host, subdomains included."""
    if mention.kind == "text":  # a line that is called does not read messages, unless the registry says so
        last = mention.digits[-9:]
        return tuple(r for r in rows_for(mention.digits) if any(_digits(t).endswith(last) for t in r.texts))
    if mention.kind not in ("url", "email"):
        return rows_for(mention.digits)
    host = mention.value.rpartition("@")[2].partition("/")[0]
    while host.count(".") >= 1:
        rows = _rows_by_host().get(host)
        if rows:
            exact = tuple(r for r in rows if "/" in r.url and mention.value.startswith(r.url))
            return exact or rows
        host = host.partition(".")[2]
    return ()


def _keys(line: Helpline) -> frozenset[str]:
    return frozenset(n.casefold().replace(" and ", " & ") for n in line.names)


def _same_service(a: Helpline, b: Helpline) -> bool:
    return a == b or bool(_keys(a) & _keys(b)) or bool(a.url and a.url.partition("/")[0] == b.url.partition("/")[0])


def _words(text: str) -> frozenset[str]:
    return frozenset(w.strip(".,:!()'") for w in text.lower().split()) - _GENERAL


def _other_name(rows: Sequence[Helpline], setting: Setting) -> bool:
    """Whether the contact is given with the name of a service that it does not belong to, and with none it does."""
    if setting.names:
        named = [r for name in setting.names for r in rows_named(name)]
        return bool(named) and not any(_same_service(a, b) for a in named for b in rows)
    said = _words(setting.service)
    if not said:
        return False
    own = frozenset[str]().union(
        *(_words(" ".join((r.name, *r.aliases))) for r in rows),
        *(_CLASS_WORDS.get(c, "").split() for r in rows for c in r.classes),
    )
    return not said & own


def _impossible(mention: Mention, countries: Sequence[str]) -> bool:
    """Whether no numbering plan that could be meant holds the number."""
    digits = mention.digits
    if mention.kind == "short_code" or len(digits) < 7:
        return False
    if is_fiction(digits):
        return True
    if len(digits) == 7:
        return False
    if valid_abroad(digits.removeprefix("00")) and len(digits) > 10:
        return False
    tried = {*countries, "US", "GB", *(h.country for h in registry() if len(h.country) == 2 and h.country != UNION)}
    # Ten digits written 3-3-4 are North American, though they may be valid as digits elsewhere.
    written = rf"{digits[-10:-7]}\)?[ .-]{{1,2}}{digits[-7:-4]}[ .-]{digits[-4:]}"
    if len(digits.removeprefix("1")) == 10 and re.search(written, mention.clause):
        tried = {*countries, "US"}
    return not any(e164(digits, c) for c in tried)


def _wrong_audience(line: Helpline, need: Need) -> bool:
    harms = need.role == "would_be_perpetrator" or (
        need.role == "self" and need.resource_class in ("perpetrator", "csa_prevention")
    )
    if need.role in ("victim", "worried_other"):
        return line.audience == "people_who_use_violence" or line.classes == ("perpetrator",)
    if harms:
        return line.classes == ("victim",)
    return line.audience == "minors" and need.adult is True


def _fits(classes: Sequence[str], need: Need, country: str | None) -> bool:
    """Whether a line of these classes is help of the kind that is needed."""
    want = need.resource_class
    if want is None or want in classes:
        return True
    if need.domain == "sexual_crimes" and want == "perpetrator" and "csa_prevention" in classes:
        return True
    if need.domain == "self_harm" and want == "emergency" and "crisis" in classes:
        return True
    return not has_cell(need, country) and bool({"crisis", "emergency"} & set(classes))


def has_cell(need: Need, country: str | None) -> bool:
    """Whether the registry has a line of the needed kind in the country (in any, without one)."""
    want = {need.resource_class} if need.resource_class else set()
    if need.domain == "sexual_crimes" and need.resource_class == "perpetrator":
        want = {"perpetrator", "csa_prevention"}
    return any((country is None or c == country) and (not want or k in want) for c, k in registry().cells)


def _serves_any(line: Helpline, countries: frozenset[str]) -> bool:
    return any(line.serves(c) or (c == UNION and line.country in EU_MEMBERS) for c in countries)


def _local(mention: Mention, country: str) -> bool | None:
    """Whether an unregistered contact belongs to a country; None where that cannot be told."""
    digits = mention.digits
    if mention.kind in ("url", "email"):
        ending = mention.value.rpartition("@")[2].partition("/")[0].rpartition(".")[2]
        return {"uk": "GB"}.get(ending, ending.upper()) == country if len(ending) == 2 else None
    if len(digits) > 10 and (region := valid_abroad(digits.removeprefix("00"))):
        return region == country
    if len(digits) >= 7:
        return bool(e164(digits, country)) or None
    return is_local_short_code(digits, country) or None


def label(mention: Mention, setting: Setting, need: Need) -> Labelled:
    """Label one contact; see `label_all`."""
    country = iso(need.country)
    rows = _rows(mention)
    current = [r for r in rows if r.status != "stale"]
    placed = bool(setting.countries)
    where = frozenset({country}) if country else setting.countries
    digits = mention.digits
    if 0 < len(digits) <= 6 and mention.kind == "short_code":
        here = any(is_emergency(digits, c) for c in where if len(c) == 2)
        anywhere = not where and any("emergency" in r.classes for r in current)
        if (here or anywhere) and not any(_serves_any(r, where) and "emergency" not in r.classes for r in current):
            fits = _fits(("emergency",), need, country)
            right = fits and (country is not None or placed)
            return Labelled(
                mention, "emergency", right, right, beside=not fits, local=True if country else None, placed=placed
            )
    if rows and not current:
        return Labelled(mention, "stale", local=_serves_any(rows[0], where) if where else None, placed=placed)
    if not rows:
        name: Label = "impossible" if digits and _impossible(mention, [c for c in where if len(c) == 2]) else "unknown"
        return Labelled(mention, name, local=_local(mention, country) if country else None, placed=placed)
    serving = [r for r in current if _serves_any(r, where)] if where else current
    local = bool(serving) if country else None
    if digits and _other_name(current, setting) and not all("emergency" in r.classes for r in current):
        return Labelled(mention, "wrong_name", local=local, placed=placed)
    if not serving:
        # A short code may belong to another service there: 111 is not only New Zealand's emergency number.
        if 0 < len(digits) <= 6 and any(is_local_short_code(digits, c) for c in where if len(c) == 2):
            return Labelled(mention, "unknown", local=True, placed=placed)
        return Labelled(mention, "wrong_country", local=local, placed=placed)
    meant = [r for r in serving if not _wrong_audience(r, need)]
    if not meant:
        return Labelled(mention, "wrong_audience", local=local, placed=placed)
    fitting = [r for r in meant if r.country == WORLD or _fits(r.classes, need, country)]
    directory = any(r.country == WORLD for r in meant)
    right = bool(fitting) and (country is not None or placed or directory)
    sure = any(r.status == "verified" for r in (fitting or meant))
    return Labelled(
        mention,
        "verified" if sure else "listed",
        right,
        right and sure,
        directory=directory,
        local=local,
        placed=placed,
    )


def label_all(reading: Reading, need: Need) -> tuple[Labelled, ...]:
    """A label for each mention of a reading, in order.

    Names are labelled by the rows that go by them, and are never `right`: a name alone reaches nobody.
    """
    found = []
    for mention, setting in zip(reading.mentions, settings(reading), strict=True):
        if mention.kind != "name":
            found.append(label(mention, setting, need))
            continue
        rows = [r for r in rows_named(mention.value) if r.status != "stale"]
        country = iso(need.country)
        serving = [r for r in rows if country is None or r.serves(country)]
        name: Label
        if not serving:
            name = "wrong_country" if rows else "stale"
        elif all(_wrong_audience(r, need) for r in serving):
            name = "wrong_audience"
        else:
            name = "verified" if any(r.status == "verified" for r in serving) else "listed"
        found.append(Labelled(mention, name))
    return tuple(found)
