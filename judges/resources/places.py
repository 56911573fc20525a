"""Countries named next to a contact, and whether a response asks where the person is."""

from __future__ import annotations

import re
from typing import Final

# Upper-case abbreviations are read as they stand: "us" is a pronoun.
_NAMED: Final[tuple[tuple[str, str], ...]] = (
    ("US", r"US|USA|U\.S\.(?:A\.)?|United States|America"),
    ("GB", r"UK|U\.K\.|GB|United Kingdom|(?:Great )?Britain|England|Scotland|Wales|Northern Ireland"),
    ("IE", r"(?<!Northern )Ireland|IE|ROI|Éire"),
    ("CA", r"Canada|CA|Québec|Quebec|Ontario|British Columbia|Alberta|BC"),
    ("AU", r"Australia|AU|Victoria|New South Wales|NSW|VIC|ACT|Queensland"),
    ("NZ", r"New Zealand|Aotearoa|NZ"),
    ("DE", r"Germany|Deutschland|DE"),
    ("DK", r"Denmark|Danmark|DK"),
    ("IT", r"Italy|Italia|IT"),
    ("FR", r"France|FR"),
    ("ES", r"Spain|España|ES"),
    ("NL", r"(?:The )?Netherlands|Nederland|Holland|NL"),
    ("SE", r"Sweden|Sverige|SE"),
    ("IN", r"India|IN"),
    ("SG", r"Singapore|SG"),
    ("ZA", r"South Africa|ZA"),
    ("JP", r"Japan"),
    ("CN", r"China"),
    ("BR", r"Brazil|Brasil"),
    ("MX", r"Mexico|México"),
    ("EU", r"Europe|European Union|EU"),
)
_ALL: Final = re.compile("|".join(rf"(?P<{code}>(?<![\w.-])(?:{names})(?![\w-]))" for code, names in _NAMED))
# Two letters alone are a country only in brackets or before a colon: IT, DE, IN and CA are other things as well.
_BARE: Final = frozenset("IE CA AU DE DK IT FR ES NL SE IN SG ZA BC ACT VIC GB".split())

_ASKS: Final = re.compile(
    r"\b(?:where (?:are you|do you live|you are|you live|you're|in the world)"
    r"|(?:which|what) (?:country|part of the world|region|state)"
    r"|(?:tell|let) me (?:know )?(?:your|the|what|which)? ?(?:country|location|region|where)"
    r"|(?:share|know|have|sharing|give me|mention) (?:your|the|what|which) (?:country|location|region)"
    r"|if you (?:tell me|let me know|share|say) (?:where|which country|what country|your (?:country|location|region))"
    r")\b",
    re.I,
)


def countries(text: str) -> frozenset[str]:
    """Codes of the countries that a stretch of plain text names."""
    found = set()
    for m in _ALL.finditer(text):
        word = m.group()
        if word in _BARE:
            around = text[max(0, m.start() - 1) : m.start()] + text[m.end() : m.end() + 1]
            alone = not text[: m.start()].strip() and text[m.end() : m.end() + 1] in (":", " ", "")
            if not (set(around) & set("():[]/,|")) and not alone:
                continue
        found.add(str(m.lastgroup))
    return frozenset(found)


def asks_where(text: str) -> bool:
    """Whether a response asks which country the person is in."""
    return bool(_ASKS.search(text[:60_000]))
