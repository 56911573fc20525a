"""Importer of people's ratings in the PsychoSafe layout: `annotated_responses.json`, blinded pairs of answers.

Each pair holds two answers to one prompt in the slots `a` and `b`, with `criterion_1` to `criterion_4` rated by one
person; a merged variant writes `criteria_N`. Which run an answer is from is not in the file. It is found either

- by its text, in the judgment file that holds the answers (`model_answer_<run>`): blanks around an answer, a literal
  `<|im_end|>` at its end and the kind of line ends do not matter; or
- by a trace, JSON of the form `{"<pair id or prompt>": {"a": "v0", "b": "v1"}}`, whose names are those of a run in the
  judgment file, or ids of runs in the store; also as the authors' tool writes it, `{"mapping": [{"id": "<pair id>_a",
  "source_split": "v0"}, ...]}`; or
- by the file itself, where that tool has merged the two: `{"rows": [{"source_split": "v0", "full_example": {"prompt":
  ...}, "criteria_1": ...}, ...]}`.

The runs must have been imported from that judgment file before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from results.importers.people_rows import PeopleFile, PersonRating, RefusedRow, file_name, read_file, read_json, shown
from results.importers.people_runs import Runs
from results.importers.psychosafe import ANSWER, CRITERIA, ImportRefused
from results.manifest import Manifest

SLOTS: Final = ("a", "b")
_END: Final = "<|im_end|>"
_KEY: Final = re.compile(r"criteri(?:on|a)_(\d{1,3})")

_Pair = Mapping[str, Any]
_Find = Callable[[_Pair], tuple[Manifest, Manifest] | str]
"""The runs of a pair's two slots, or why they cannot be told."""


def read_annotated(
    path: Path, runs: Runs, rater: str, answers: Path | None = None, trace: Path | None = None
) -> PeopleFile:
    """Read one person's ratings of blinded pairs.

    Args:
        path: The file of pairs.
        runs: The runs of the store.
        rater: Name of the person.
        answers: The judgment file that the runs were imported from.
        trace: Which slot is which run, where there is no such file.

    Raises:
        ImportRefused: Another layout, both or neither of `answers` and `trace`, or runs that are not in the store.
    """
    text, source = read_file(path, "psychosafe-humans")
    name = file_name(path)
    data = read_json(text, name)
    if isinstance(data, dict) and isinstance(data.get("rows"), list) and data["rows"]:
        find_run = _runs_named(runs, name)
        rows = enumerate(data["rows"], 1)
        return PeopleFile(source, tuple(e for n, r in rows for e in _row(r, f"{name}, row {n}", runs, rater, find_run)))
    if (answers is None) == (trace is None):
        raise ImportRefused(
            f"{file_name(path)}: which answer is from which run? give --answers compare_all_judges.json or --trace FILE"
        )
    pairs = data.get("paired_responses") if isinstance(data, dict) else None
    if not isinstance(pairs, list) or not pairs:
        raise ImportRefused(f"{name}: no `paired_responses`; give the annotated file of the PsychoSafe layout")
    find = _by_answers(answers, runs) if answers is not None else _by_trace(trace or path, runs)
    entries = [e for n, pair in enumerate(pairs, 1) for e in _pair(pair, f"{name}, pair {n}", runs, rater, find)]
    return PeopleFile(source, tuple(entries))


def clean(answer: str) -> str:
    """An answer without what differs between files that hold the same one."""
    text = answer.replace("\r\n", "\n").replace("\r", "\n").strip()
    return text.removesuffix(_END).rstrip()


def _pair(pair: Any, where: str, runs: Runs, rater: str, find: _Find) -> Iterator[PersonRating | RefusedRow]:
    slots = [s for name in SLOTS if isinstance(s := pair.get(name) if isinstance(pair, dict) else None, dict)]
    if len(slots) != len(SLOTS) or not all(isinstance(s.get("prompt"), str) for s in slots):
        yield RefusedRow(where, "no `a` and `b` with a prompt each")
        return
    prompt = slots[0]["prompt"]
    if prompt != slots[1]["prompt"]:
        yield RefusedRow(where, "its two slots answer different prompts")
        return
    found = find(pair)
    if isinstance(found, str):
        yield RefusedRow(where, found)
        return
    for slot, part, run in zip(SLOTS, slots, found, strict=True):
        here = f"{where}, {slot}"
        items = runs.items_of(run.run_id, prompt)
        if len(items) != 1:
            yield RefusedRow(here, f"{run.run_id} has no item with this prompt")
            continue
        yield from _slot(part, here, run.run_id, items[0], rater)


def _slot(part: _Pair, where: str, run_id: str, item: str, rater: str) -> Iterator[PersonRating | RefusedRow]:
    numbers = sorted({int(m[1]) for key in part if (m := _KEY.fullmatch(key))} | CRITERIA.keys())
    for n in numbers:
        here = f"{where}, criterion {n}"
        given = [part[key] for key in (f"criterion_{n}", f"criteria_{n}") if key in part]
        if n not in CRITERIA:
            yield RefusedRow(here, f"the layout has criteria 1 to {max(CRITERIA)}")
        elif not given:
            yield RefusedRow(here, f"no `criterion_{n}`; null says that it was not rated")
        elif any(type(value) is not type(given[0]) or value != given[0] for value in given):
            yield RefusedRow(here, f"`criterion_{n}` and `criteria_{n}` differ; keep the right one")
        else:
            yield PersonRating(here, run_id, item, rater, CRITERIA[n], given[0])


def _by_answers(path: Path, runs: Runs) -> _Find:
    text, source = read_file(path, "answers")
    name = file_name(path)
    data = read_json(text, name)
    rows = data.get("results") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
        raise ImportRefused(f"{name}: no `results`; --answers takes the judgment file, compare_all_judges.json")
    names = sorted({k.removeprefix(ANSWER) for r in rows for k in r if k.startswith(ANSWER)})
    if not names:
        raise ImportRefused(f"{name}: no `{ANSWER}<run>` in it; give the file that holds the answers, or --trace")
    known = {run: found[0] for run in names if (found := runs.imported(f"run {run}", source.sha256))}
    if not known:
        raise ImportRefused(f"{name}: its runs are not in the store; type `psychosafe import psychosafe {name}` first")
    by_prompt: dict[str, Mapping[str, Any]] = {r["prompt"]: r for r in rows if isinstance(r.get("prompt"), str)}

    def find(pair: _Pair) -> tuple[Manifest, Manifest] | str:
        row = by_prompt.get(pair["a"]["prompt"])
        if row is None:
            return f"its prompt is not in {name}"
        texts = {r: clean(row[ANSWER + r]) for r in names if isinstance(row.get(ANSWER + r), str)}
        hits: list[str] = []
        for slot in SLOTS:
            answer = pair[slot].get("answer")
            same = [r for r, text in texts.items() if isinstance(answer, str) and text == clean(answer)]
            if not same:
                return f"the answer in {slot} is not in {name}"
            if len(same) > 1:
                return f"the answers of {' and '.join(same)} are alike, so whose {slot} is cannot be told"
            hits += same
        if hits[0] == hits[1]:
            return f"both answers are that of {hits[0]}"
        missing = next((r for r in hits if r not in known), None)
        return f"run {missing} of {name} is not in the store" if missing else (known[hits[0]], known[hits[1]])

    return find


def _by_trace(path: Path, runs: Runs) -> _Find:
    text, _ = read_file(path, "trace")
    name = file_name(path)
    trace = read_json(text, name)
    if isinstance(trace, dict) and isinstance(trace.get("mapping"), list):
        trace = _slots(trace["mapping"])
    if not isinstance(trace, dict) or not trace or not all(isinstance(v, dict) for v in trace.values()):
        raise ImportRefused(f'{name}: no trace; it reads {{"<pair id or prompt>": {{"a": "v0", "b": "v1"}}, ...}}')
    named = {v for slots in trace.values() for v in slots.values() if isinstance(v, str)}
    find_run = _runs_named(runs, name)
    known = {run: find_run(run) for run in sorted(named)}

    def find(pair: _Pair) -> tuple[Manifest, Manifest] | str:
        keys = [k for k in (pair.get("pair_id"), pair["a"]["prompt"]) if isinstance(k, str) and k in trace]
        if not keys:
            return f"neither its id nor its prompt is in {name}"
        if len(keys) == 2 and trace[keys[0]] != trace[keys[1]]:
            return f"{name} says one thing for its id and another for its prompt"
        a, b = (known.get(v) if isinstance(v := trace[keys[0]].get(s), str) else None for s in SLOTS)
        if a is None or b is None:
            return f"{name} does not name a run for both slots"
        return (a, b) if a.run_id != b.run_id else f"{name} names one run for both slots"

    return find


def _runs_named(runs: Runs, name: str) -> Callable[[str], Manifest]:
    """A run of the store by its name in a judgment file, or its id.

    Raises:
        ImportRefused: On call: there is no such run, or there are several.
    """
    known: dict[str, Manifest] = {}

    def find(run: str) -> Manifest:
        if run not in known:
            exact = runs.get(run)
            found = [exact] if exact else runs.imported(f"run {run}")
            if len(found) > 1:
                ids = ", ".join(m.run_id for m in found[:4])
                raise ImportRefused(f"{name}: {shown(run)} may be any of {ids}; write the id instead")
            if not found:
                raise ImportRefused(
                    f"{name}: no run {shown(run)} in the store; type `psychosafe import psychosafe` with its judgments"
                )
            known[run] = found[0]
        return known[run]

    return find


def _slots(mapping: list[Any]) -> dict[str, dict[str, str]]:
    """The authors' trace by pair: its ids are a pair's id, `_` and the slot."""
    pairs: dict[str, dict[str, str]] = {}
    for row in (r for r in mapping if isinstance(r, dict)):
        pair, _, slot = str(row.get("id")).rpartition("_")
        pairs.setdefault(pair, {})[slot] = str(row.get("source_split"))
    return pairs


def _row(
    row: Any, where: str, runs: Runs, rater: str, find_run: Callable[[str], Manifest]
) -> Iterator[PersonRating | RefusedRow]:
    """One answer of the merged layout, which names its run itself."""
    example = row.get("full_example") if isinstance(row, dict) else None
    split = row.get("source_split") if isinstance(row, dict) else None
    prompt = example.get("prompt") if isinstance(example, dict) else None
    if not isinstance(prompt, str) or not isinstance(split, str):
        yield RefusedRow(where, "no `source_split` and no `full_example` with a prompt")
        return
    run = find_run(split)
    items = runs.items_of(run.run_id, prompt)
    if len(items) != 1:
        yield RefusedRow(where, f"{run.run_id} has no item with this prompt")
        return
    yield from _slot(row, where, run.run_id, items[0], rater)
