"""Words that say whether a number is to be called or to send a text to."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

CALL_WORDS: Final = (
    r"call(?:ing|s|ed)?|dial(?:l?ing|s)?|ring(?:ing|s)?|phon(?:e|es|ing)|telephone|tel|hotline|helpline|lifeline"
    r"|crisisline|freephone|toll[- ]?free|voice|ruf\w*|wähl\w*|anruf\w*|erreich\w*|appel\w*|compos\w*|chiam\w*|llam\w*"
    r"|marqu\w*|bel|bell\w*|numero|numéro|número|teléfono|telefono|telefon\w*|nummer\w*|kontakta?|number|拨打|致电|电话|कॉल"
)
TEXT_WORDS: Final = r"text(?:ing|s|ed)?|txt|sms|messag(?:e|es|ing)|whatsapp|sende?"

_BOTH: Final = re.compile(
    rf"\b(?:(?:{CALL_WORDS}) ?(?:,|/|or|and|&|oder|ou|o)+ ?(?:chat,? or )?(?:{TEXT_WORDS})"
    rf"|(?:{TEXT_WORDS}) ?(?:,|/|or|and|&|oder|ou|o)+ ?(?:{CALL_WORDS}))\b",
    re.I,
)
_CALL: Final = re.compile(rf"(?<!\w)(?:{CALL_WORDS})(?!\w)|[拨致]|कॉल", re.I)
_TEXT: Final = re.compile(rf"(?<!\w)(?:{TEXT_WORDS})(?!\w)", re.I)
_FILLER: Final = re.compile(
    r"[\s:,.'\"(\[|>/–-]*(?:(?:us|them|now|today|on|at|to|via|a|an|is|the|this|that|number|numbers|free|for free|toll"
    r"|line|helpline|hotline|service|services|short ?code|code|word|your|zip|postcode|zipcode|message|messages|msg|or"
    r"|and|nhs|immediately|straight|right|away|emergency|police|ambulance|their|its|support|team|til|på|al|le|il|den|die|der"
    r"|das|unter|het|för|auf|in|lo|el|la|du|de|gratis|kostenlos|directly|toll-free|anytime|just|too|phone|chat|only|nummer"
    r"|numéro|numero|número|out|back|crisis|lifeline|suicide|national|samaritans|new|three-digit|called|as|by)"
    r"[\s:,.'\"()\[\]|>/–-]*){0,6}",
    re.I,
)
_TO: Final = re.compile(
    r"(?P<words>[^\n]{0,50}?)\s{0,40}(?:(?<!\w)(?:to|an|à|til|naar|al|at)(?!\w)|→|->|=>)\s{0,40}"
    r"(?:the |number |short ?code |:)*$",
    re.I,
)
_BARE_KEY: Final = re.compile(r"(?:^|[\s'\"(:|])(?P<key>[A-Z][A-Z0-9]{1,15})['\"]?\s*(?:to|→|->|=>)\s*$")
_KEY: Final = re.compile(r"['\"]?([A-Za-z][A-Za-z0-9]{1,19})['\"]?")
_NO_KEY: Final = frozenset(
    "us them me someone anyone friend friends zip code zipcode postcode postal number message messages line text sms "
    "it here your their a the any name location chat call phone now free or and word words keyword keywords to".split()
)
_AFTER_BOTH: Final = re.compile(rf"[ ,]{{0,2}}[(\[-]? ?(?:by |via )?{_BOTH.pattern}", re.I)
_AFTER_TEXT: Final = re.compile(
    r"[ ,]{0,2}(?:[(\[-] ?(?:text|sms|via text|by text)\b(?! (?:line|us))|(?:by|via) (?:text|sms)\b)", re.I
)


class Route(NamedTuple):
    """How a number is meant to be used.

    Attributes:
        call: To be called, said next to it.
        text: To be texted, said next to it.
        keys: Words to send, upper case; empty if none is given.
    """

    call: bool
    text: bool
    keys: tuple[str, ...] = ()


def _keys(words: str) -> tuple[str, ...] | None:
    """Keywords between the verb and "to"; None where what stands there is no keyword."""
    found = []
    parts = re.split(r"\s*(?:,|/|\bor\b|\boder\b)\s*", words.strip(" :'\"-"))
    for part in parts:
        if not part:
            continue
        tokens = [
            t
            for t in part.split()
            if t.strip("'\"").lower() not in {"the", "word", "words", "keyword", "keywords", "a"}
        ]
        if len(tokens) != 1:
            return None
        m = _KEY.fullmatch(tokens[0])
        if not m or m.group(1).lower() in _NO_KEY:
            return None
        found.append(m.group(1).upper())
    return tuple(found) or None


def route(before: str, after: str) -> Route:
    """Read the words around a number.

    Args:
        before: Up to some 80 characters before it, within its sentence or line.
        after: Up to some 40 behind it.
    """
    texts, calls = list(_TEXT.finditer(before)), list(_CALL.finditer(before))
    both = next(iter(list(_BOTH.finditer(before))[-1:]), None)
    if both and _FILLER.fullmatch(before[both.end() :]):
        return Route(True, True)
    last_text = texts[-1] if texts else None
    last_call = calls[-1] if calls else None
    bare = _BARE_KEY.search(before)
    for verb in reversed(texts[-2:]):
        to = _TO.fullmatch(before[verb.end() :])
        if to:
            keys = _keys(to.group("words"))
            if keys:
                return Route(False, True, keys)
    if bare and bare.group("key").lower() not in _NO_KEY:
        return Route(False, True, (bare.group("key"),))
    if _AFTER_BOTH.match(after):
        return Route(True, True)
    texted = last_text and (
        last_call is None or last_text.start() > last_call.start() or _line_noun(before, last_text.end())
    )
    if last_text and texted and _FILLER.fullmatch(before[last_text.end() :]):
        return Route(False, True)
    if _AFTER_TEXT.match(after):
        return Route(False, True)
    if last_call and _FILLER.fullmatch(before[last_call.end() :]):
        return Route(True, False)
    return Route(False, False)


def _line_noun(before: str, end: int) -> bool:
    """Whether only "line" or "number" stands behind the verb: "text line", "text number" are no calls."""
    return bool(re.fullmatch(r"\s*(?:line|number|service)\W{0,4}", before[end:], re.I))
