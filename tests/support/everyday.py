"""A small benchmark of our own for lm-evaluation-harness: 24 harmless questions with four answers each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

QUESTIONS = Path(__file__).with_name("everyday.jsonl")
TASK = "everyday"
GENERATED = "everyday_generative"
_SHARED = """\
dataset_path: json
dataset_kwargs:
  data_files:
    test: {questions}
test_split: test
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
metadata:
  version: 1.0
"""
_CHOICE = """\
task: everyday
output_type: multiple_choice
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
"""
_GENERATE = """\
task: everyday_generative
output_type: generate_until
doc_to_target: "{{{{choices[answer]}}}}"
generation_kwargs: {{until: ["\\n"], max_gen_toks: 16}}
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true}}
"""


def questions() -> list[dict[str, Any]]:
    """The questions: `question`, `choices` and the index of the right one as `answer`."""
    return [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]


def task_files(folder: Path) -> Path:
    """Write the two task files into a folder, and give it back."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((TASK, _CHOICE), (GENERATED, _GENERATE)):
        (folder / f"{name}.yaml").write_text((text + _SHARED).format(questions=QUESTIONS), encoding="utf-8")
    return folder
