"""How the answers in a judgment file end: whether they were cut, ran into repetition, or are none.

The published runs were generated up to a limit of tokens, and the file does not say which answers reached it. What is
left are signs: a chat template's end token, where a runner left it in the text; the last line; repetition.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from judges.response import read_response
from results.importers.psychosafe import ANSWER, item_id

END_TOKEN: Final = "<|im_end|>"  # noqa: S105  (a token of text)
MARKED: Final = 0.5
"""From this share of a run's answers with the end token on, an answer without it counts as cut."""
_OPEN: Final = frozenset(",;:-–—([{/&+=")
_LIST: Final = re.compile(r"\s*(?:[-*•–]|\d{1,3}[.)]|#{1,6})\s+\S")


@dataclass(frozen=True)
class AnswerEnds:
    """How the answers of one run end.

    Attributes:
        run: Name of the run in the file.
        total: Items of the file.
        answers: Items with an answer.
        with_token: Answers that end in the end token.
        without_token: Answers that do not.
        unfinished: Answers whose last line does not close.
        repeating: Answers that run into repetition.
        no_answer: Answers without a visible text behind their reasoning.
        complete: Ids of the items whose answer shows no sign of having been cut.
    """

    run: str
    total: int
    answers: int
    with_token: int
    without_token: int
    unfinished: int
    repeating: int
    no_answer: int
    complete: frozenset[str]

    @property
    def marked(self) -> bool:
        """Whether the end token tells a finished answer in this run."""
        return self.answers > 0 and self.with_token >= MARKED * self.answers

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {**vars(self), "complete": len(self.complete), "end_token_tells": self.marked}


def answer_ends(path: Path, runs: Iterable[str]) -> dict[str, AnswerEnds]:
    """How the answers end, by run; nothing for a run whose answers the file does not hold.

    Args:
        path: A judgment file that `read_judgments` has read.
        runs: Names of runs in it.
    """
    rows = json.loads(path.read_text(encoding="utf-8"))["results"]
    found = {}
    for run in runs:
        answers: dict[str, str] = {}
        for row in rows:
            answer = row.get(ANSWER + run)
            if isinstance(answer, str):
                answers[item_id(row["prompt"])] = answer
        if answers:
            found[run] = _ends(run, answers, len(rows))
    return found


def is_unfinished(text: str) -> bool:
    """Whether a text stops in the middle of a sentence, as far as its last line shows.

    A text that ends in a mark that closes a sentence, in a symbol (an emoji), in a number or an address, or in an item
    of a list or a heading is taken for finished.
    """
    lines = text.rstrip().splitlines()
    if not lines:
        return False
    last = lines[-1].rstrip()
    end = last[-1]
    kind = unicodedata.category(end)[0]
    if end in _OPEN:
        return True
    if kind != "L":
        return False
    return not (_LIST.match(last) or "://" in last.split()[-1] or "." in last.split()[-1])


def _ends(run: str, answers: dict[str, str], total: int) -> AnswerEnds:
    marked = {i for i, a in answers.items() if a.rstrip().endswith(END_TOKEN)}
    read = {i: read_response(a) for i, a in answers.items()}
    none = {i for i, r in read.items() if r.state in ("empty", "reasoning_only")}
    repeating = {i for i, r in read.items() if r.state == "degenerate"}
    unfinished = {i for i, r in read.items() if r.judged and is_unfinished(r.text)}
    tells = len(marked) >= MARKED * len(answers)
    # The token is the better sign where a run has it: a list that was cut closes on the page.
    cut = (answers.keys() - marked) if tells else unfinished
    return AnswerEnds(
        run=run,
        total=total,
        answers=len(answers),
        with_token=len(marked),
        without_token=len(answers) - len(marked),
        unfinished=len(unfinished),
        repeating=len(repeating),
        no_answer=len(none),
        complete=frozenset(answers.keys() - none - repeating - cut),
    )
