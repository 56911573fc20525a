"""Reading SORRY-Bench's question files from a folder of the official layout."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evals.sorry.taxonomy import BASE, DOMAIN_OF, DOMAINS, Release, SorryError, item_id

NAME: Final = "sorry_bench"
_FETCHED: Final = {"202503": "sorry_bench", "202406": "sorry_bench_202406"}
"""What each release is called by `psychosafe data fetch`."""
MAX_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True)
class Question:
    """One prompt: a base question in one style.

    Attributes:
        question_id: Shared by all styles of a question.
        style: `base` or the mutation.
        prompt: What the model is asked.
        base: The base question, which is what judges see.
        category: Name of the category.
    """

    question_id: int
    style: str
    prompt: str
    base: str
    category: str

    @property
    def id(self) -> str:
        """Unique in the set."""
        return item_id(self.question_id, self.style)

    @property
    def domain(self) -> str:
        """Which of SORRY-Bench's own four domains its category belongs to."""
        return DOMAIN_OF[self.category]

    @property
    def sha256(self) -> str:
        """Hash of the prompt and of the question that judges see."""
        return hashlib.sha256(json.dumps([self.prompt, self.base]).encode()).hexdigest()

    def metadata(self) -> dict[str, Any]:
        """What travels with the sample through Inspect's log. `domain` means the project's own, which are others."""
        return {
            "domain": None,
            "category": self.category,
            "expected": None,
            "twin": None,
            "sha256": self.sha256[:16],
            "question_id": self.question_id,
            "style": self.style,
            "sorry_domain": self.domain,
        }


@dataclass(frozen=True)
class QuestionSet:
    """The questions of a run.

    Attributes:
        release: The release.
        styles: The styles asked for.
        questions: Base first, then style by style, in the order of the files.
        null_turns: Ids of the rows without a text, which are left out.
    """

    release: Release
    styles: tuple[str, ...]
    questions: tuple[Question, ...]
    null_turns: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Hash over ids and texts."""
        digest = hashlib.sha256()
        for question in self.questions:
            digest.update(f"{question.id}\t{question.category}\t{question.sha256}\n".encode())
        return digest.hexdigest()

    def balance(self) -> dict[str, int]:
        """How many questions each of the four domains has."""
        counts = Counter(q.domain for q in self.questions)
        return {d: counts[d] for d in DOMAINS if counts[d]}


def find_folder(source: str, base: Path, release: Release) -> Path:
    """The folder of the question files.

    Args:
        source: A path, or `sorry_bench` for the release that was fetched. The name means the fetched set, also where a
            folder of that name is at hand (`./sorry_bench` is that folder).
        base: What a relative path is relative to.
        release: The release asked for.

    Raises:
        SorryError: No such folder, or the set was not fetched.
    """
    if source in (NAME, *_FETCHED.values()):
        return _fetched(source if source != NAME else _FETCHED[release.name])
    try:
        path = base / Path(source).expanduser()
        if path.is_dir():
            return path
    except (OSError, RuntimeError, ValueError):  # no such home, a name too long, a NUL in it
        pass
    raise SorryError(f"no folder {source[:200]!r}: give the folder that holds question.jsonl")


def _fetched(name: str) -> Path:
    try:
        resolve = importlib.import_module("evals.data").resolve
    except (ImportError, AttributeError) as ex:
        raise SorryError(
            f"{name} is gated and not fetched: give the folder that holds question.jsonl, -T prompts=FOLDER"
        ) from ex
    try:
        found = resolve(name)
    except (ValueError, OSError) as ex:
        raise SorryError(" ".join(str(ex).split())) from ex
    if found is None:
        raise SorryError(
            f"{name} is not fetched: `psychosafe data fetch {name}`, or give the folder that holds question.jsonl"
        )
    return Path(found) if Path(found).is_dir() else Path(found).parent


def read_questions(folder: Path, release: Release, styles: Sequence[str]) -> QuestionSet:
    """Read the styles asked for; the base set is always read, since judges see its texts.

    Rows without a text (`turns: [null]`, as a few rows of 202503 have) are left out and reported, and so are the
    mutations of a base question without one.

    Raises:
        SorryError: A missing file, or a row that is not as it must be.
    """
    files = {style: folder / (f"question_{style}.jsonl" if style != BASE else "question.jsonl") for style in styles}
    files.setdefault(BASE, folder / "question.jsonl")
    missing = [path.name for path in files.values() if not path.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise SorryError(f"{folder}: no {missing[0]}{more}; the folder must hold a file for each style asked for")
    bases: dict[int, str | None] = {}
    questions: list[Question] = []
    null: list[str] = []
    for style in (BASE, *(s for s in styles if s != BASE)):
        seen: set[int] = set()
        for row, where in _rows(files[style]):
            number = _question_id(row, release, where)
            if number in seen:
                raise SorryError(f"{where}: question {number} stands twice in style {style!r}; keep one of the rows")
            seen.add(number)
            _check_style(row, style, where)
            category = release.category(number, row.get("category"), where)
            text = _turn(row, where)
            if style == BASE:
                bases[number] = text
            elif number not in bases:
                raise SorryError(f"{where}: question {number} is not in question.jsonl, whose text judges must see")
            if style not in styles:
                continue
            asked = bases[number]
            if text is None or asked is None:
                null.append(item_id(number, style))
            else:
                questions.append(Question(number, style, text, asked, category))
    if not questions:
        raise SorryError(f"{folder}: no row with a text in {', '.join(styles)}; fetch the files again")
    return QuestionSet(release, tuple(styles), tuple(questions), tuple(null))


def _rows(path: Path) -> Iterator[tuple[Mapping[str, Any], str]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SorryError(f"{path.name}: larger than {MAX_BYTES // 2**20} MiB; that is no question file")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as ex:
        raise SorryError(f"{path.name}: cannot be read ({ex.strerror}); check its permissions") from ex
    except UnicodeDecodeError as ex:
        raise SorryError(f"{path.name}: not UTF-8 (byte {ex.start}); fetch the file again") from ex
    for n, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path.name}, line {n}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as ex:
            raise SorryError(f"{where}: not valid JSON; one object a line") from ex
        if not isinstance(row, dict):
            raise SorryError(f"{where}: not an object with question_id and turns")
        yield row, where


def _question_id(row: Mapping[str, Any], release: Release, where: str) -> int:
    raw = row.get("question_id")
    text = str(raw).strip() if isinstance(raw, int | str) and not isinstance(raw, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise SorryError(f"{where}: question_id {repr(raw)[:40]} is no whole number")
    if not 1 <= int(text) <= release.questions:
        raise SorryError(
            f"{where}: question_id {text} is not in release {release.name}, which has 1 to {release.questions}"
        )
    return int(text)


def _check_style(row: Mapping[str, Any], style: str, where: str) -> None:
    stated = row.get("prompt_style")
    if stated not in (None, "", style):
        raise SorryError(f"{where}: prompt_style {str(stated)[:40]!r} in the file of {style!r}; was it renamed?")


def _turn(row: Mapping[str, Any], where: str) -> str | None:
    turns = row.get("turns")
    if not isinstance(turns, list):
        raise SorryError(f"{where}: no list `turns`; fetch the file again")
    if len(turns) > 1:
        raise SorryError(f"{where}: {len(turns)} turns; a question of SORRY-Bench has one")
    text = turns[0] if turns else None
    if text is None:
        return None
    if not isinstance(text, str):
        raise SorryError(f"{where}: the turn is no text; fetch the file again")
    try:
        text.encode()
    except UnicodeEncodeError as ex:
        raise SorryError(f"{where}: the text holds half a character (a lone surrogate); fetch the file again") from ex
    return text if text.strip() else None
