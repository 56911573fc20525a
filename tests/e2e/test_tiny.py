"""The path of a fine-tuned model, for real in the small: Transformers, an adapter, merged weights, and their board."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from leaderboard.board import load_board
from leaderboard.cli import main
from leaderboard.facts import CAPABILITY
from results.store import Store
from tests.e2e.conftest import ROOT
from tests.support.everyday import TASK, task_files
from tests.support.extras import need

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.timeout(1500)]

RUN = """
import sys
from inspect_ai import eval
from inspect_ai.model import get_model
from evals.psychosafe import psychosafe
for path in sys.argv[2:]:
    model = get_model(f"hf/{path.rsplit('/', 1)[-1]}", model_path=path, device="cpu")
    task = psychosafe(condition="none", judges="offline")
    (log,) = eval(task, model=model, limit=4, max_tokens=24, log_dir=sys.argv[1], display="none")
    assert log.status == "success", log.error
"""


def test_base_and_fine_tune_through_judging_and_benchmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("tiny", "capabilities")
    from evals.tiny import save_all

    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    base, adapter, tuned = save_all(tmp_path)
    # A process of its own: Inspect and torch hold on to what they load.
    words = [sys.executable, "-c", RUN, str(tmp_path / "logs"), str(base), str(tuned)]
    subprocess.run(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, timeout=500)

    def cli(*arguments: object) -> str:
        done = CliRunner().invoke(main, [*map(str, arguments), "--store", str(tmp_path / "store")])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert cli("ingest", tmp_path / "logs").count("ingested") == 2
    own = ("--tasks", TASK, "--include", task_files(tmp_path / "tasks"), "--device", "cpu", "--batch", 8)
    cli("capabilities", "--model", base, *own, "--output", tmp_path / "a")
    told = cli(
        "capabilities", "--model", base, "--adapter", adapter, "--name", "tiny-tuned", *own, "--output", tmp_path / "b",
        "--against", "lm-eval_tiny-base", "--json",
    )  # fmt: skip
    (acc,) = (c for c in json.loads(told)["changes"] if c["metric"] == "acc")
    assert acc["paired"] and acc["difference"]["n"] == 24
    assert acc["alarm"].startswith("at chance") and acc["retained"] is None  # random weights guess
    store = Store(tmp_path / "store")
    runs = {m.model.name: m for m in store.manifests()}
    assert {"hf/tiny-base", "hf/tiny-tuned", "tiny-base", "tiny-tuned"} == set(runs)
    assert runs["tiny-tuned"].model.args["base"] == str(base)
    assert runs["hf/tiny-base"].system_id != runs["hf/tiny-tuned"].system_id
    # The same questions, other answers: the adapter is in the weights that were asked.
    scores = [store.values(runs[n].run_id, "lm-evaluation-harness") for n in ("tiny-base", "tiny-tuned")]
    assert scores[0] != scores[1]
    (group,) = (g for g in load_board(store).groups if any(r.facts for r in g.rows))
    cells = {r.model: r.facts[CAPABILITY] for r in group.rows}
    assert cells == {"hf/tiny-base": "everyday at chance", "hf/tiny-tuned": "everyday at chance"}


def test_an_adapter_answers_as_its_merged_weights_and_otherwise_than_its_base(tmp_path: Path) -> None:
    need("tiny")
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from evals.tiny import save_all

    base, adapter, tuned = save_all(tmp_path)
    plain, merged = (AutoModelForCausalLM.from_pretrained(p) for p in (base, tuned))
    tokenizer = AutoTokenizer.from_pretrained(base)
    said = tokenizer.apply_chat_template([{"role": "user", "content": "a made-up message"}], tokenize=False)
    asked = tokenizer(said, return_tensors="pt").input_ids
    with torch.no_grad():
        before = plain(asked).logits
        wrapped = PeftModel.from_pretrained(plain, adapter)(asked).logits
        after = merged(asked).logits
    assert torch.allclose(wrapped, after, atol=1e-4) and not torch.allclose(before, after, atol=1e-2)
    again = save_all(tmp_path / "again")  # seeded: the same weights, byte by byte
    for one, two in zip((base, adapter, tuned), again, strict=True):
        for file in one.glob("*.safetensors"):
            assert file.read_bytes() == (two / file.name).read_bytes()
