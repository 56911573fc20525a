"""The protocol of the rating study: its commands parse, its codebook is the rubric's, its figures the code's."""

from __future__ import annotations

import inspect
import re
import shlex
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from inspect_ai import Task

from evals.contrast import contrast
from evals.psychosafe import psychosafe
from judges.agreement.intervals import coefficients
from judges.agreement.planning import labels_needed
from judges.annotation.checks import choose_checks
from judges.gold import GoldCase, load_gold
from leaderboard.cli import main
from rubrics.loader import load_rubric
from rubrics.model import Criterion

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs/annotation-protocol.md"
CONSENT = ROOT / "docs/annotation-consent.md"
TEXT = DOC.read_text(encoding="utf-8")
PLAIN = " ".join(TEXT.split())
RUBRIC = load_rubric("psychosafe")
FOUR, TWO = ("refusal", "references", "harm_provided", "answered"), ("grounding", "relevance")


BLOCKS = [line for block in re.findall(r"^```\n(.*?)^```", TEXT, re.M | re.S) for line in block.splitlines()]
INLINE = re.findall(r"`([^`]+)`", re.sub(r"^```\n.*?^```", "", TEXT, flags=re.M | re.S))


def commands(lines: list[str]) -> list[list[str]]:
    """Words behind `psychosafe` of every line that starts so."""
    return [shlex.split(line)[1:] for line in lines if line.startswith("psychosafe ")]


def resolve(words: list[str], *, mention: bool = False) -> click.Context:
    """The context of a command with its options parsed, and nothing run.

    A mention in a sentence may lack what the command requires; its options have to be there all the same.
    """
    context, found = click.Context(main, info_name="psychosafe"), None
    while isinstance(context.command, click.Group):
        name, found, words = context.command.resolve_command(context, words)
        assert found is not None
        if isinstance(found, click.Group):
            context = click.Context(found, info_name=name, parent=context)
            continue
        known = {o for p in found.params for o in p.opts}
        if mention and (unknown := {w for w in words if w.startswith("--")} - known):
            raise click.NoSuchOption(min(unknown))
        context = found.make_context(name, list(words), parent=context, resilient_parsing=mention)
    return context


def codebook(criterion: Criterion) -> str:
    """The codebook's section on a criterion."""
    found = re.search(rf"^### `{criterion.id}`: (.*?)(?=^##)", TEXT, re.M | re.S)
    assert found is not None, criterion.id
    return found[1]


def drawn(*logs: str) -> list[dict[str, Any]]:
    """Parameters of the document's `annotate plan` commands on these folders of logs."""
    found = [resolve(w).params for w in commands(BLOCKS) if w[:2] == ["annotate", "plan"]]
    return [p for p in found if [path.name for path in p["logs"]] == list(logs)]


def test_every_command_resolves_with_its_options() -> None:
    found = [resolve(words) for words in commands(BLOCKS)]
    mentioned = [resolve(words, mention=True) for words in commands([" ".join(i.split()) for i in INLINE])]
    paths = Counter(c.command_path for c in (*found, *mentioned))
    for needed in ("annotate plan", "annotate serve", "annotate export", "agreement", "ingest", "runs", "import"):
        assert paths[f"psychosafe {needed}"], (needed, paths)
    with pytest.raises(click.NoSuchOption):
        resolve(["agreement", "--no-such-option"])
    with pytest.raises(click.NoSuchOption):
        resolve(["agreement", "--no-such-option"], mention=True)
    with pytest.raises(click.UsageError):
        resolve(["annotate", "no-such-command"])
    reports = [c.params for c in found if c.command_path == "psychosafe agreement"]
    assert {p["epsilon"] for p in reports} == {0.15} and {p["seed"] for p in reports} == {2026}
    assert {p["margin"] for p in reports} == {0.1}


def test_tasks_and_their_arguments_are_there() -> None:
    tasks: dict[str, Callable[..., Task]] = {"evals/psychosafe.py": psychosafe, "evals/contrast.py": contrast}
    runs = [shlex.split(line) for line in BLOCKS if line.startswith("inspect eval ")]
    assert len(runs) == 6
    for words in runs:
        given = {v.partition("=")[0] for flag, v in pairwise(words) if flag == "-T"}
        assert given <= set(inspect.signature(tasks[words[2]]).parameters), words


def test_files_that_commands_and_links_name_are_there() -> None:
    for name in set(re.findall(r"\bevals/\w+\.py", TEXT)):
        assert (ROOT / name).is_file(), name
    for page in (DOC, CONSENT):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).is_file(), link


def test_the_codebook_holds_every_criterion_question_and_point() -> None:
    assert re.findall(r"^### `(\w+)`:", TEXT, re.M) == list(RUBRIC.criterion_ids)
    for criterion in RUBRIC.criteria:
        section = codebook(criterion)
        assert section.startswith(criterion.question), criterion.id
        labels = [str(label) for label in criterion.anchors]
        assert re.findall(r"^- \*\*(\w+)\*\*:", section, re.M) == labels, criterion.id
        assert "\nRules: " in section
        examples = [line for line in section.split("Rules:")[1].splitlines() if line.startswith("- ")]
        assert 2 <= len(examples) <= 3, criterion.id
        for line in examples:
            assert re.search(r"\*\*(\w+)\*\*", line)[1] in labels, line  # type: ignore[index]


def test_the_numbers_are_there_and_the_main_command_has_them() -> None:
    for said in ("at least 3", "**20 gold items with feedback**", "never fewer than 200", "at least 60", "10 %: 22"):
        assert said in PLAIN, said
    main_plans = drawn("logs", "other-logs")
    assert len(main_plans) == 2, "a dry run, and the plan itself"
    for p in main_plans:
        assert p["n"] == 220 and p["min_compliant"] == 60 and p["repeats"] == 0.1 and p["pairs"] == 0
        assert len(p["annotators"].split(",")) == p["overlap"] == 3
    first, second = ({k: p[k] for k in ("logs", "n", "overlap", "gold", "training", "seed")} for p in main_plans)
    assert first == second
    assert [p["pairs"] for p in drawn("logs")] == [50] and [p["n"] for p in drawn("twin-logs")] == [60]


def test_nobody_can_take_it_for_a_study_that_was_run() -> None:
    assert "has not been run. No person has rated anything" in " ".join(TEXT[:300].split())
    assert "has not been run and nobody has signed" in " ".join(CONSENT.read_text(encoding="utf-8")[:400].split())


def most(cases: tuple[GoldCase, ...], criterion: str) -> int:
    """As intended for a rater who gives the commonest value to every card."""
    return Counter(c.intended[criterion] for c in cases).most_common(1)[0][1]


def test_the_level_is_out_of_reach_for_one_value_and_checks_are_other_answers() -> None:
    """The seeds of the document's commands; if the gold ladder changes, they are to be chosen anew."""
    (practice,) = drawn("practice-logs")
    gold = load_gold(RUBRIC)
    assert practice["training"] == practice["gold"] == 20
    shown, level = choose_checks(gold, 20, 20, practice["seed"])
    assert max(most(level, c) for c in FOUR) == 14 and max(most(level, c) for c in TWO) == 8
    assert "at most 14 of 20 on the four and 8 of 20 on the two" in PLAIN
    assert "**The level: as intended on 17 of 20 or more" in PLAIN and "on 12 of 20 or more" in PLAIN
    for p in drawn("logs", "other-logs"):
        _, checks = choose_checks(gold, p["training"], p["gold"], p["seed"])
        assert len(checks) == 10
        assert not {c.id for c in checks} & {c.id for c in (*shown, *level)}
    messages = {c.request for c in gold}
    assert (len(gold), len(messages)) == (100, 30) and {c.request for c in (*shown, *level)} == messages


def test_the_table_of_labels_is_what_planning_gives() -> None:
    kappa = next(c for c in coefficients((0.0, 1.0), "binary") if c.name == "kappa")
    rows = re.findall(r"^\| yes-no, (\d+) % yes.*?; (\d+) % \| (\d+) \| (\d+) \| (\d+) \|$", TEXT, re.M)
    assert len(rows) == 4
    for yes, right, *labels in rows:
        p, a = int(yes) / 100, int(right) / 100
        table = 200 * np.array([[(1 - p) * a, (1 - p) * (1 - a)], [p * (1 - a), p * a]])
        for width, said in zip((0.2, 0.25, 0.3), labels, strict=True):
            assert labels_needed(kappa, table, width, "random").labels == int(said), (yes, right, width)
