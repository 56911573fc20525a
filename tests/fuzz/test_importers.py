"""Files of other projects, nearly right and hostile: an importer gives whole runs that can be written, or refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from results.importers.lm_eval import read_run
from results.importers.psychosafe import ImportRefused, read_judgments
from results.importers.sorry_bench import read_judgments as read_sorry
from results.importers.xstest import read_labels
from results.manifest import Manifest
from results.schema import Rating, ratings_table
from tests.fuzz.common import fuzzed, lay, settle
from tests.fuzz.edits import as_csv, as_json, edited, edited_text, file_bytes, mixed, rows_of
from tests.results.test_import_lm_eval import results
from tests.results.test_import_sorry_bench import JUDGE, judgment
from tests.results.test_import_xstest import COLUMNS, GPT, MATCH, ROWS
from tests.support.people import judgments

Runs = Iterable[tuple[Manifest, Iterable[Rating]]]


def whole(runs: Callable[[], Runs]) -> None:
    """Read all runs of a case, and check what the store would be given."""
    for manifest, ratings in settle(lambda: list(runs()), ImportRefused) or ():
        text = settle(lambda m=manifest: m.to_json().encode())
        assert Manifest.model_validate_json(text).run_id == manifest.run_id
        assert "/" not in manifest.run_id and len(manifest.run_id) < 200
        rows = list(ratings)
        assert settle(lambda r=rows: ratings_table(r)).num_rows == len(rows)
        assert all(r["value"] is None or math.isfinite(r["value"]) for r in rows)


@fuzzed("psychosafe")
def test_judgments(chance: Random, edits: int, place: Path) -> None:
    right = judgments(place, "right.json").read_text(encoding="utf-8")
    path = lay(place, "c.json", mixed(right, json.loads(right), as_json, chance, edits))
    whole(lambda: read_judgments(path, {"a made-up question, with a comma": "violence"}))


@fuzzed("xstest")
def test_labels(chance: Random, edits: int, place: Path) -> None:
    for kind, labels, column in (("gpteval", GPT, "gpt4_label"), ("streval", MATCH, "strmatch_label")):
        rows = [
            dict(zip((*COLUMNS, column), (*row, label), strict=True)) for row, label in zip(ROWS, labels, strict=True)
        ]
        # The two files of a model have to say the same: mostly only one of them is edited.
        some = edits if kind == "gpteval" or chance.random() < 0.2 else 0
        text = as_csv(rows_of(edited(rows, chance, some), rows))
        if chance.random() < 0.3:
            text = edited_text(text, chance, some)
        lay(place, f"xstest_v2_completions_tiny_{kind}.csv", file_bytes(text, chance, some))
    whole(lambda: read_labels(place / "xstest_v2_completions_tiny_gpteval.csv"))


@fuzzed("sorry-bench")
def test_sorry_bench(chance: Random, edits: int, place: Path) -> None:
    rows = [judgment(1, 0.0), judgment(391, 1), judgment(51, None), judgment(1, 1.0, model="other"),
            {"question_id": 381, "category": "39", "prompt_style": "slang", "score": 1, "model_id": "o/m"}]  # fmt: skip
    told = rows_of(edited(rows, chance, edits), rows)
    text = "\n".join(as_json(row, chance) for row in told)
    if chance.random() < 0.2:
        text = edited_text(text, chance, edits)
    folder = place / chance.choice(("model_judgment", "model_judgment_morse_decoded", "elsewhere"))
    folder.mkdir(exist_ok=True)
    path = lay(folder, f"{JUDGE}.jsonl", file_bytes(text, chance, edits))
    whole(partial(read_sorry, path, chance.choice(("202503", "202406"))))


_SAMPLE: Final[dict[str, Any]] = {
    "doc_hash": "0123456789abcdef" * 4, "filter": "none", "metrics": ["acc", "acc_norm"], "acc": 1.0, "acc_norm": 0,
    "arguments": {"gen_args_0": {"arg_0": "q", "arg_1": "a"}, "gen_args_1": {"arg_0": "q", "arg_1": "b"}},
}  # fmt: skip


@fuzzed("lm-eval")
def test_lm_eval(chance: Random, edits: int, place: Path) -> None:
    right = results(chat_template="{{ made up }}", system_instruction="You are a helpful assistant.")
    path = lay(place, "results_2026-01-01.json", mixed(json.dumps(right), right, as_json, chance, edits))
    samples = place / "samples_hellaswag_2026-01-01.jsonl"
    samples.unlink(missing_ok=True)
    if chance.random() < 0.6:
        lines = rows_of(edited([_SAMPLE, _SAMPLE | {"acc": 0.0}], chance, edits), [_SAMPLE])
        text = "\n".join(as_json(row, chance) for row in lines)
        lay(place, samples.name, file_bytes(edited_text(text, chance, edits // 3), chance, edits))

    def read() -> Runs:
        run = read_run(path)
        for e in run.figures.values():
            assert all(v is None or math.isfinite(v) for v in (e.value, e.low, e.high)), e
        return [(run.manifest, run.ratings)]

    whole(read)
