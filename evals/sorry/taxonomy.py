"""Categories, domains and mutations of SORRY-Bench, by name: the integers mean other things in another release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rubrics.errors import MendableError

PER_CATEGORY: Final = 10
"""Base questions a category."""

HATE: Final = "Hate Speech Generation"
CRIMES: Final = "Assistance with Crimes or Torts"
INAPPROPRIATE: Final = "Potentially Inappropriate Topics"
ADVICE: Final = "Potentially Unqualified Advice"
DOMAINS: Final = (HATE, CRIMES, INAPPROPRIATE, ADVICE)

_HATE: Final = (
    "Personal Insult Words", "Social-group Insult Words", "Threatening Words", "Lewd and Obscene Words",
    "Libelous Words",
)  # fmt: skip
_CRIMES: Final = (
    "Self-Harm", "Violent Crimes", "Harassment", "Sexual Crimes", "Property Crimes", "Public Order Crimes",
    "System Intrusion", "Malware", "Fraud", "Financial Crimes", "IP Infringement", "PII Violations",
    "Illegal Crafting", "Terrorism", "Child-related Crimes", "Animal-related Crimes", "Environmental Crimes",
    "Evasion of Law", "Human Elimination",
)  # fmt: skip
_INAPPROPRIATE: Final = (
    "Advice on Adult Content", "Sexual Explicit Content", "Non-sexual Explicit Content", "Fake News",
    "False Advertising", "Discrimination", "Military Use", "Political Belief", "Ethical Belief", "Religion",
    "Social Stereotypes", "Extremist Content", "Conspiracy Theories", "False Common Knowledge",
    "Unhealthy Behaviors",
)  # fmt: skip
_ADVICE: Final = (
    "Medical Advice", "Financial Advice", "Legal Consulting Advice", "Governance Decision Advice",
    "Machinery Operation Advice",
)  # fmt: skip
_IMPERSONATION: Final = "Impersonation"
"""In 202406 only, where it stands behind Public Order Crimes."""

BROKEN_OUT: Final = ("Unhealthy Behaviors", *_ADVICE)
"""Always shown by name: here a right answer may well be an answer (56 published models fulfil half of the advice)."""

DOMAIN_OF: Final = {
    **dict.fromkeys(_HATE, HATE),
    **dict.fromkeys((*_CRIMES, _IMPERSONATION), CRIMES),
    **dict.fromkeys(_INAPPROPRIATE, INAPPROPRIATE),
    **dict.fromkeys(_ADVICE, ADVICE),
}
"""SORRY-Bench's own domain of each category; the project's five risk domains are something else."""

BASE: Final = "base"
STYLES: Final = ("question", "slang", "uncommon_dialects", "technical_terms", "role_play", "misspellings")
"""Writing styles. `question` is the interrogative mutation; the base set lies in the file `question.jsonl`."""
PERSUASION: Final = (
    "logical_appeal", "authority_endorsement", "misrepresentation", "evidence-based_persuasion", "expert_endorsement",
)  # fmt: skip
CIPHERS: Final = ("ascii", "caesar", "morse", "atbash")
TRANSLATIONS: Final = ("translate-ml", "translate-ta", "translate-mr", "translate-zh-cn", "translate-fr")
LANGUAGES: Final = {
    "translate-ml": "Malayalam",
    "translate-ta": "Tamil",
    "translate-mr": "Marathi",
    "translate-zh-cn": "Simplified Chinese",
    "translate-fr": "French",
}
MUTATIONS: Final = (*STYLES, *PERSUASION, *CIPHERS, *TRANSLATIONS)
"""The 20 mutations, without the base set."""


class SorryError(MendableError):
    """SORRY-Bench files or arguments that cannot be used; one line that says what to do."""


@dataclass(frozen=True)
class Release:
    """One release of the benchmark.

    Attributes:
        name: `202503` or `202406`.
        categories: Category names in the release's order; the first has the number 1.
    """

    name: str
    categories: tuple[str, ...]

    @property
    def questions(self) -> int:
        """How many base questions it has, which is also the highest question id."""
        return PER_CATEGORY * len(self.categories)

    def category(self, question_id: int, stated: Any, where: str) -> str:
        """The name of a question's category.

        Args:
            question_id: The question's id, from 1.
            stated: The row's own `category`: a number, a numeric string, a name, or None.
            where: File and row for error messages.

        Raises:
            SorryError: An unknown category, or one that another release gives to this question.
        """
        derived = self.categories[(question_id - 1) // PER_CATEGORY]
        if stated is None or stated == "":
            return derived
        name = self._named(stated)
        if name is None:
            raise SorryError(
                f"{where}: unknown category {str(stated)[:40]!r}; release {self.name} has 1 to {len(self.categories)}"
            )
        if name != derived:
            raise SorryError(
                f"{where}: category {str(stated)[:40]!r} for question {question_id}, which is {derived!r} in release "
                f"{self.name}; give the release that these files belong to ({' or '.join(RELEASES)})"
            )
        return name

    def _named(self, stated: Any) -> str | None:
        text = str(stated).strip()
        if text in self.categories:
            return text
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
        return self.categories[number - 1] if 1 <= number <= len(self.categories) else None


RELEASES: Final = {
    "202503": Release("202503", (*_HATE, *_CRIMES, *_INAPPROPRIATE, *_ADVICE)),
    "202406": Release("202406", (*_HATE, *_CRIMES[:6], _IMPERSONATION, *_CRIMES[6:], *_INAPPROPRIATE, *_ADVICE)),
}


def release_of(name: Any) -> Release:
    """The release of that name; Inspect reads `-T release=202503` as a number.

    Raises:
        SorryError: There is none.
    """
    if str(name) not in RELEASES:
        raise SorryError(f"unknown release {str(name)[:40]!r}; use {' or '.join(RELEASES)}")
    return RELEASES[str(name)]


def styles_of(mutations: Any) -> tuple[str, ...]:
    """The styles that an argument asks for, the base set first where it is among them.

    Args:
        mutations: `base`, `all` (the base set and the 20 mutations), or names as a list or with commas between.

    Raises:
        SorryError: An unknown name, or none at all.
    """
    named = mutations if isinstance(mutations, list | tuple) else str(mutations).split(",")
    names = [str(name).strip() for name in named if str(name).strip()]
    known = (BASE, *MUTATIONS)
    for name in names:
        if name not in (*known, "all"):
            raise SorryError(f"unknown mutation {name[:40]!r}; use base, all, or of {', '.join(MUTATIONS)}")
    if not names:
        raise SorryError("no mutation is named; use base, all, or names with commas between")
    return known if "all" in names else tuple(name for name in known if name in names)


def item_id(question_id: int, style: str) -> str:
    """The id of an item: a question id alone is shared by all styles."""
    return f"{question_id:03d}-{style}"
