"""Figures that are no contact: hours, dates, prices, page numbers and the like, blanked before numbers are sought."""

from __future__ import annotations

import re
from typing import Final

from judges.sieve import required

BLANK: Final = "\x00"
"""Stands for a blanked character, so that offsets hold and no number is read across the gap."""

_CLOCK: Final = r"\d{1,2}(?:[:.]\d{2})? ?(?:[ap]\.?m\b\.?|uhr\b|o'clock)"
_LABELLED: Final = (
    r"isbn(?:-1[03])?|doi|order|invoice|ticket|serial|tracking|account|iban|vat|room|flat|apt|apartment|suite|bus|route"
    r"|platform|pages?|pp?\.|chapter|section|sections|sect\.|§|article|art\.|act|step|version|v|android|ios|windows"
    r"|python|error|http|episode|season|volume|vol\.|figure|fig\.|table|gate|flight|highway|hwy|interstate|porsche"
    r"|boeing|airbus|building|floor|ward|locker|po box|zip|verse|psalm|grade|stage|phase|size|bed|bay|lane|exit|iso"
    r"|rfc|model|year|anno|day|week|age|aged|ages|question|item|issue|edition|paragraph|clause|mark|level|lot|unit"
)

_PATTERNS: Final = tuple(
    re.compile(pattern, re.I | re.M)
    for pattern in (
        r"(?<!\d)(?:24|7) ?[/x-] ?(?:24|7)(?: ?/ ?36[56])?(?![\d])",
        r"\b24[ -]?(?:hours?|hrs?|h|std|stunden|heures|horas|ore|timmar|timer|uur)\b|\b36[56] (?:days|tage|jours)\b",
        rf"{_CLOCK}(?: ?(?:-|to|until|till|and) ?(?:{_CLOCK}|\d{{1,2}}\b))?|(?<!\d)\d{{1,2}} ?(?:-|to) ?{_CLOCK}",
        r"(?<![\d:])\d{1,2}:\d{2}(?: ?(?:-|to|until) ?\d{1,2}:\d{2})?(?![\d:])",
        r"(?<!\d)\d{1,2}\.\d{2} ?(?:-|to|until) ?\d{1,2}\.\d{2}(?![\d.])",
        r"(?<![\d/.-])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{1,2}[.-]\d{1,2}[.-](?:19|20)\d{2})"
        r"(?![\d/]|[.-]\d)",
        r"(?<![\d/.-])\d{1,2}/\d{1,2}(?![\d/]|[.-]\d)",
        r"[$€£₹¥] ?\d[\d,.]{0,15}(?: ?- ?[$€£₹¥]? ?\d[\d,.]{0,15})?|\b(?:usd|eur|gbp|rs\.?) ?\d[\d,.]{0,15}",
        r"(?<![\d-])\d[\d,.]{0,15} ?(?:%|percent\b|per cent\b|dollars\b|euros?\b|pounds\b|usd\b|°)",
        r"(?<![\d,])\d{1,3}(?:,\d{3}){1,6}(?![\d,]\d)",
        r"(?<![\d.])\d{1,4}\.\d{1,2}(?![\d]|[.-]\d)",
        r"(?<![\d-])(?:1[5-9]|20)\d{2} ?- ?(?:1[5-9]|20)\d{2}(?![\d-])",
        r"(?<=\w)(?: ?[=<≤≥±] ?)\d[\d.,]{0,15}",
        rf"(?<![\w-])(?:{_LABELLED})(?: (?:number|no\.?|code|ref\.?|id))?[ #.]{{0,2}}\d[\w.-]*",
        r"\b(?:order|invoice|tracking|ticket|account|reference|ref|id)\.?(?: (?:number|no\.?|id))?[ #:]{1,3}"
        r"\d[\d-]{2,30}",
        r"(?<![\w-])(?:isbn(?:-1[03])?|doi|iban)\W{0,3}[\dx][\dx /.-]{3,40}|\b10\.\d{4,6}/\S{1,60}",
        r"#\d+",
        r"^[ \t>|-]*\(?\d{1,2}[.)](?=[ \t])",
        r"(?<![\w/-])\(?[1-9]\)(?= )|(?<=[ ;,])[1-9]\.(?= [A-Z0-9(])",
    )
)
"""In order; each blanks what it matches. Lengths are bounded where a pattern could run on."""

QUANTIFIED: Final = re.compile(
    r"[ -]{1,2}(?:[a-z]{2,12} )?(?:people|persons|volunteers|users|callers|calls|messages|texts|participants|patients"
    r"|studies|friends|men|women|children|kids|students|attacks?|ways|things|reasons|steps|times|days|weeks|months|years"
    r"|hours|minutes|mins?|seconds|sec|mg|mcg|ml|grams?|g|kg|km|miles|metres|meters|feet|degrees|calories|calorie|kcal"
    r"|pages|words|items|points|deaths|cases|members|names|ad|bc|ce|bce|turbo|carrera|squats|reps|steps|hold"
    r"|breaths|counts|beats|bpm|hz|mb|gb|px|rpm|volts?|watts?|bce|airlines|flights?|stories|lines of|mph|kph|users?)\b"
    r"|[ ]?(?:°|/\d{1,2}(?!\d)|:\d)|%|\.\d|s\b",
    re.I,
)
"""What follows a figure that counts something."""

APPROXIMATE: Final = re.compile(
    r"\b(?:about|around|roughly|nearly|almost|some|over|under|than|approximately|least|most|circa|ca\.|another|page"
    r"|founded in|of \d+|year|the year|only|exactly|every|each|per|plus|minus|times|porsche|room|no\.|number of) $",
    re.I,
)
"""What precedes a figure that counts or estimates."""


_NEEDED: Final = tuple(required(pattern.pattern) for pattern in _PATTERNS)
_FIGURE: Final = re.compile(r"\d")
_NUMBERED: Final = re.compile(r"isbn|doi|iban", re.I)


def blank(text: str) -> str:
    """The text with such figures blanked, of the same length."""
    # Patterns ask for a figure and stay within their line, but for the numbers of books, articles and accounts.
    if _NUMBERED.search(text):
        return _blanked(text)
    return "\n".join(_blanked(line) if _FIGURE.search(line) else line for line in text.split("\n"))


def _blanked(text: str) -> str:
    low = text.lower()
    # Beyond ASCII, capitals are more than what `lower` makes small.
    every = not text.isascii()
    for pattern, needed in zip(_PATTERNS, _NEEDED, strict=True):
        if every or needed is None or any(literal in low for literal in needed):
            text = pattern.sub(lambda m: BLANK * len(m.group()), text)
    return text
