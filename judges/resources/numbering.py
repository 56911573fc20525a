"""Numbering plans: which numbers can exist, and under which digits the registry knows a number.

The plans are libphonenumber's, bundled with the `phonenumbers` package and read offline.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

import phonenumbers
from phonenumbers import shortnumberinfo

from rubrics.helplines import EU_MEMBERS, Helpline, registry

FALLBACKS: Final = ("US", "GB")
_FICTION: Final = re.compile(r"(?:1?\d{3})?55501\d\d")
_NORTH_AMERICA: Final = ("US", "CA")


def iso(country: str | None) -> str | None:
    """Upper-case two-letter code; `UK` is `GB`."""
    code = (country or "").strip().upper()
    return {"UK": "GB", "": None}.get(code, code)


@lru_cache(maxsize=4096)
def e164(digits: str, country: str) -> str | None:
    """Country code and national number of digits dialled in a country, without the plus; None if not valid there."""
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


@lru_cache(maxsize=4096)
def valid_abroad(digits: str) -> str | None:
    """The region of digits that begin with a country code; None if they are no valid number."""
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.region_code_for_number(number) if phonenumbers.is_valid_number(number) else None


def is_fiction(digits: str) -> bool:
    """Whether it lies in the range set aside for films and books, 555-0100 to 555-0199."""
    return bool(_FICTION.fullmatch(digits))


def variants(digits: str) -> tuple[str, ...]:
    """Ways to write the same number as the registry may hold it: without 00, +1, or the (0) behind a country code."""
    forms = [digits]
    if digits.startswith("00") and len(digits) > 9:
        forms.append(digits[2:])
    if len(digits) == 11 and digits.startswith("1"):
        forms.append(digits[1:])
    if len(digits) == 10:
        forms.append("1" + digits)
    inner = re.fullmatch(r"(44|353|61|64|49|33|31|46|45|39|91)0(\d{7,11})", digits)
    if inner:
        forms.append(inner.group(1) + inner.group(2))
    return tuple(forms)


@cache
def _index() -> dict[str, tuple[Helpline, ...]]:
    """Digits -> rows, each number under its national and its international digits."""
    found: dict[str, dict[int, Helpline]] = {}
    for i, line in enumerate(registry()):
        for written in line.numbers:
            digits = re.sub(r"\D", "", written)
            keys = {digits}
            if len(digits) > 6:
                full = digits if written.startswith("+") else e164(digits, line.country)
                if full:
                    keys.add(full)
                if line.country in _NORTH_AMERICA:
                    keys |= {digits.removeprefix("1"), "1" + digits.removeprefix("1")}
            for key in keys:
                found.setdefault(key, {})[i] = line
    return {key: tuple(rows.values()) for key, rows in found.items()}


def rows_for(digits: str) -> tuple[Helpline, ...]:
    """Rows of the registry that hold a number, from whatever country; stale ones included."""
    for form in variants(digits):
        rows = _index().get(form)
        if rows:
            return rows
    return ()


@cache
def short_codes() -> frozenset[str]:
    """Numbers of the registry with at most six digits."""
    return frozenset(key for key in _index() if len(key) <= 6)


@lru_cache(maxsize=1024)
def is_emergency(digits: str, country: str) -> bool:
    """Whether it is an emergency number of a country, by the registry or, where that has none, by the plan."""
    own = [h for h in registry() if h.country == country and "emergency" in h.classes]
    if own and digits in {n for h in own for n in h.short_codes}:
        return True
    if digits == "112" and country in EU_MEMBERS:
        return True
    return bool(shortnumberinfo.is_emergency_number(digits, country))


@lru_cache(maxsize=1024)
def is_local_short_code(digits: str, country: str) -> bool:
    """Whether a short number is assigned in a country, to whatever service."""
    code = phonenumbers.country_code_for_region(country)
    number = phonenumbers.PhoneNumber(
        country_code=code, national_number=int(digits), italian_leading_zero=digits.startswith("0") or None
    )
    return bool(shortnumberinfo.is_valid_short_number_for_region(number, country))
