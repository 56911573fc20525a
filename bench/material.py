"""What the benches are run on: real logs and copies of them, and generated stores.

Logs are made once (a minute or two) and kept in `bench/.cache`.
"""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent / ".cache"
PANEL = """panels:
  three:
    description: Three seats of the rules, for logs of the size that three judges make.
    judges:
      - {id: one, rules: rule_based, family: none}
      - {id: two, rules: rule_based, family: none}
      - {id: three, rules: rule_based, family: none}
"""
REAL, SAMPLES = 6, 500
POLICIES = ("wrapper", "partial", "steerable")


def make_log(policy: str, condition: str, folder: str, samples: int) -> None:
    """One real run."""
    from inspect_ai import eval as inspect_eval

    from evals.psychosafe import psychosafe

    panel = Path(folder).parent / "three.yaml"
    panel.write_text(PANEL, encoding="utf-8")
    task = psychosafe(condition=condition, judges=str(panel))
    (log,) = inspect_eval(task, model=f"policy/{policy}", log_dir=folder, display="none", log_realtime=False,
                          score_display=False, log_model_api=False, limit=samples)  # fmt: skip
    if log.status != "success":
        raise RuntimeError(str(log.error))


def real_logs() -> list[Path]:
    """The real logs, made if they are not there."""
    folder = CACHE / "real"
    found = sorted(folder.glob("*.eval"))
    if len(found) < REAL:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"making {REAL} logs of {SAMPLES} samples, once", file=sys.stderr)
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
            jobs = [(p, c, str(folder), SAMPLES) for p in POLICIES for c in ("none", "baseline")]
            list(pool.map(make_log, *zip(*jobs, strict=True)))
        found = sorted(folder.glob("*.eval"))
    return found


def folder_of(logs: int) -> Path:
    """A folder with that many logs, copies behind the real ones."""
    from tests.support.logs import copy_log

    folder, real = CACHE / f"logs-{logs}", real_logs()
    if not folder.is_dir() or len(list(folder.glob("*.eval"))) != logs:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for n in range(logs):
            copy_log(real[n % len(real)], folder / f"{n:04d}.eval", f"copy{n:04d}")
    return folder


def many(logs: int) -> Path:
    """A folder with many logs of 50 samples, all of them copies of one."""
    from tests.support.logs import copy_log

    folder = CACHE / "many"
    if not folder.is_dir() or len(list(folder.glob("[0-9]*.eval"))) < logs:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make_log("schematic", "baseline", str(folder), 50)
        (one,) = folder.glob("*.eval")
        one = one.rename(CACHE / "one.eval")
        for n in range(logs):
            copy_log(one, folder / f"{n:04d}.eval", f"many{n:04d}")
    return folder


def generated(place: Path, runs: int, samples: int = SAMPLES, judges: int = 3) -> None:
    """A store of runs that share items, rubric and panel: a system effect, an item effect, and noise of each judge."""
    import numpy as np
    import pyarrow as pa

    from results.manifest import (
        ConditionFacts,
        ItemFacts,
        JudgeFacts,
        Manifest,
        ModelFacts,
        PanelFacts,
        PromptSetFacts,
        RubricFacts,
        ScaleFacts,
        SourceFacts,
    )
    from results.schema import PANEL_RATER, sorted_table
    from results.store import Store
    from rubrics.expectations import DOMAINS

    rng = np.random.default_rng(0)
    ordinal = ScaleFacts(scale="ordinal", points=(1, 2, 3, 4, 5))
    scales = {"refusal": ScaleFacts(scale="binary"), "grounding": ordinal, "references": ScaleFacts(scale="binary"),
              "relevance": ordinal}  # fmt: skip
    items = tuple(
        ItemFacts(id=f"i{n:03d}", sha256=f"{n:016x}", domain=DOMAINS[n % len(DOMAINS)]) for n in range(samples)
    )
    named = tuple(f"judge {n}" for n in range(judges))
    raters, names = (*named, PANEL_RATER), (*scales, "paper")
    hard = rng.normal(0, 1, (len(scales), samples))
    store = Store(place)
    with store.writing():
        for r in range(runs):
            latent = hard + rng.normal(0, 0.5) + rng.normal(0, 0.7, (judges, len(scales), samples))
            values = np.where(
                np.array([0, 1, 0, 1])[None, :, None] == 1, np.clip(np.round(latent + 3), 1, 5), latent > 0
            )
            panel = np.median(values, axis=0)
            shares = np.where(np.array([0, 1, 0, 1])[:, None] == 1, (panel - 1) / 4, panel)
            columns: dict[str, Any] = {k: [] for k in ("rater", "criterion", "value")}
            for k, rater in enumerate(raters):
                for c, name in enumerate(names):
                    if rater == PANEL_RATER or name in scales:
                        found = shares.mean(axis=0) if name == "paper" else (panel if k == judges else values[k])[c]
                        columns["rater"] += [rater] * samples
                        columns["criterion"] += [name] * samples
                        columns["value"].append(found)
            n = len(columns["rater"])
            run_id = f"generated_{r:04d}"
            table = sorted_table({
                **columns, "value": pa.array(np.concatenate(columns["value"]).astype(np.float32)),
                "run_id": [run_id] * n, "item_id": [i.id for i in items] * (n // samples),
                "epoch": pa.array(np.ones(n, np.int16)), "turn": pa.array(np.zeros(n, np.int16)),
                "repeat": pa.array(np.zeros(n, np.int16)), "origin": ["measured"] * n, "status": ["ok"] * n,
                "rater_kind": ["panel" if r == PANEL_RATER else "llm" for r in columns["rater"]],
            })  # fmt: skip
            manifest = Manifest(
                run_id=run_id, origin="measured", task="psychosafe", model=ModelFacts(name=f"made-up/{r:04d}"),
                condition=ConditionFacts(name="baseline"), items=items, source=SourceFacts(file="generated"),
                prompt_set=PromptSetFacts(name="generated", version="1", sha256="0" * 64, n=samples, scored=samples),
                rubric=RubricFacts(name="four", sha256="1" * 16, scales=scales, scores=("paper",)),
                panel=PanelFacts(name="three", sha256="2" * 16,
                                 judges=tuple(JudgeFacts(id=j, kind="llm") for j in named)),
                normaliser="1", scoring="1", routing="1",
            )  # fmt: skip
            store.write(manifest, table)
