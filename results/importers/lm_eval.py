"""Importer of lm-evaluation-harness results: `results_<date>.json`, one file a run.

The file holds figures of whole tasks and no items: they go to the table of figures, with the interval that the stated
standard error gives. Where the samples that the harness logged lie beside it, what each question scored goes to the
table of ratings, so that two runs can be paired on questions. What the file does not state (a standard error, how many
items, a version) stays unknown. Prompts, system instruction and chat template are kept as hashes, never as texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from evals.conditions import NAMES, load_condition
from judges.panels import family_of
from judges.stats import Estimate
from results.importers.lm_eval_figures import (
    AT_CHANCE,
    arguments_of,
    chance,
    counts_of,
    figures_of,
    item_scores,
    leaves_of,
    mapping_of,
)
from results.importers.lm_eval_samples import read_samples
from results.importers.psychosafe import ImportRefused
from results.manifest import (
    ConditionFacts,
    Manifest,
    ModelFacts,
    PanelFacts,
    PromptSetFacts,
    RubricFacts,
    SourceFacts,
    make_run_id,
)
from results.schema import CAPABILITY, HARNESS_RATER, LM_EVAL, Rating, ratings_table
from results.store import Store

__all__ = ["AT_CHANCE", "HARNESS", "Asked", "LmEvalRun", "chance", "read_results", "read_run", "write_run"]

HARNESS: Final = HARNESS_RATER
MAX_BYTES: Final = 256 * 2**20


@dataclass(frozen=True)
class Asked:
    """What is known of a run that was made here, and does not stand in its file.

    Attributes:
        condition: What the model was given besides the questions.
        model: Name by which the model is known; the file's if not given.
        base: Of a fine-tuned model, the model that it was made from; the file's if not given.
        revision: Commit or version of the weights, as those who ran it call it; the file's if not given.
    """

    condition: ConditionFacts
    model: str | None = None
    base: str | None = None
    revision: str | None = None


@dataclass(frozen=True)
class LmEvalRun:
    """A run of the harness.

    Attributes:
        manifest: The run.
        figures: Its figures by name.
        ratings: What each question scored, where samples were logged: the criterion is the figure's name, the item the
            task and the hash of the question.
        notes: What to know of it.
    """

    manifest: Manifest
    figures: Mapping[str, Estimate]
    ratings: tuple[Rating, ...]
    notes: tuple[str, ...] = ()

    def alarms(self) -> list[str]:
        """Which figures must not be read as capability, a line each."""
        return [
            f"{name.removeprefix(f'{CAPABILITY}/')} is {e.reason}"
            for name, e in self.figures.items()
            if name.startswith(f"{CAPABILITY}/") and e.low is not None and e.reason
        ]


def write_run(store: Store, run: LmEvalRun) -> bool:
    """Bring a run of the harness into the store.

    Returns:
        False where it was there already.

    Raises:
        StoreError: The store cannot be written.
    """
    version = f"{HARNESS} {run.manifest.versions['lm_eval'] or 'of a version not stated'}"
    with store.writing():
        new = store.write(run.manifest, ratings_table(run.ratings))
        store.write_figures(run.manifest.run_id, run.figures, version, origin=run.manifest.origin)
    return new


def read_run(path: Path, asked: Asked | None = None) -> LmEvalRun:
    """The run of a results file, with the samples that lie beside it.

    Args:
        path: The file.
        asked: What is known of it if it was made here; an import if not given.

    Raises:
        ImportRefused: In one line: another layout, a value that is none, a line of samples that is none.
    """
    raw = _bytes(path)
    data = _parsed(raw, path.name)
    samples = read_samples(path, data["results"])
    figures = figures_of(data, path.name, samples)
    manifest = _manifest(data, figures, path, raw)
    if asked is not None:
        manifest = _measured(manifest, asked)
    scores, notes = item_scores(data, figures, samples)
    ratings = tuple(
        Rating(
            run_id=manifest.run_id, item_id=item, epoch=1, turn=0, rater=HARNESS, repeat=0, rater_kind="rule",
            origin=manifest.origin, criterion=name, value=value, status="ok",
        )
        for name, by_item in scores.items()
        for item, value in by_item.items()
    )  # fmt: skip
    return LmEvalRun(manifest, figures, ratings, tuple(notes))


def read_results(path: Path) -> tuple[Manifest, dict[str, Estimate]]:
    """The run of a results file alone, and its figures by name: `capability/<task>/<metric>`.

    A task of a group stands under `subtask/` instead, so that the group's figure leads.

    Args:
        path: The file.

    Raises:
        ImportRefused: In one line: another layout, or a value that is none.
    """
    raw = _bytes(path)
    data = _parsed(raw, path.name)
    figures = figures_of(data, path.name, {})
    return _manifest(data, figures, path, raw), figures


def _measured(manifest: Manifest, asked: Asked) -> Manifest:
    """The same as a run that was made here: its commit is not the harness's, but that of the folder it ran in."""
    name = asked.model or manifest.model.name
    args = manifest.model.args | ({"base": asked.base} if asked.base else {})
    version = manifest.versions["lm_eval"] or "of a version not stated"
    flagged = (manifest.source.note or "").partition("; ")[2]
    note = f"{HARNESS} {version}, run here" + (f"; {flagged}" if flagged else "")
    parts = ["lm-eval", name.split("/")[-1], asked.condition.name or ""]
    facts = {"name": name, "args": args, "family": family_of(name)}
    facts |= {"revision": asked.revision} if asked.revision else {}
    return manifest.model_copy(
        update={
            "run_id": make_run_id(parts, [manifest.source.sha256]),
            "origin": "measured",
            "model": manifest.model.model_copy(update=facts),
            "condition": asked.condition,
            "versions": {k: v for k, v in manifest.versions.items() if k != "git_hash"}
            | ({"weights": manifest.model.revision} if asked.revision else {}),
            "source": manifest.source.model_copy(update={"note": note}),
        }
    )


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImportRefused(f"{path.name}: larger than {MAX_BYTES // 2**20} MiB; give the file of results")
        return path.read_bytes()
    except OSError as ex:
        raise ImportRefused(f"{path.name}: cannot be read ({ex.strerror}); check its permissions") from ex


def _parsed(raw: bytes, name: str) -> dict[str, Any]:
    try:
        data = json.loads(raw.decode("utf-8"))
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError as ex:
        raise ImportRefused(f"{name}: holds half a character (a lone surrogate); mend its encoding") from ex
    except (ValueError, RecursionError) as ex:
        raise ImportRefused(f"{name}: not valid UTF-8 JSON; give a results_<date>.json of {HARNESS}") from ex
    if not isinstance(data, dict) or not isinstance(data.get("results"), dict) or not data["results"]:
        raise ImportRefused(f"{name}: no `results` by task; give a results_<date>.json of {HARNESS}")
    return data


def _protocol(data: Mapping[str, Any], task: str) -> str | None:
    """Version, shots and items of a task in a line; None where one of them is not stated."""
    leaves = list(dict.fromkeys(leaves_of(data, task)))
    versions, shots = mapping_of(data.get("versions")), mapping_of(data.get("n-shot"))
    version = versions.get(task)
    if version is None and leaves != [task]:
        parts = {str(versions.get(leaf)) for leaf in leaves}
        version = parts.pop() if len(parts) == 1 and None not in map(versions.get, leaves) else None
    few = {None if (k := shots.get(leaf)) is None else str(k)[:10] for leaf in leaves}
    n, total = counts_of(data, task)
    if version is None or len(few) != 1 or None in few or n is None or total is None:
        return None
    return f"version {str(version)[:20]}, {few.pop()} shots, {n} of {total} items"


def _manifest(data: Mapping[str, Any], figures: Mapping[str, Estimate], path: Path, raw: bytes) -> Manifest:
    digest = hashlib.sha256(raw).hexdigest()
    config = mapping_of(data.get("config"))
    args = dict(arguments_of(config.get("model_args")))
    under = args.get("pretrained") or args.get("model")
    # The file calls a model with an adapter by either, depending on the backend.
    adapter = next((args.pop(k) for k in ("peft", "lora_local_path") if args.get(k)), None)
    name = adapter or data.get("model_name") or under
    model = str(name)[:200] if name else "model not stated"
    condition = _condition(data)
    leaves = list(dict.fromkeys(leaf for task in data["results"] for leaf in leaves_of(data, task)))
    counts = [counts_of(data, leaf) for leaf in leaves]
    ran, there = (sum(c[i] or 0 for c in counts) for i in (0, 1))
    limited = any(n is not None and total is not None and n < total for n, total in counts)
    version, commit, dated = _text(data.get("lm_eval_version")), _text(data.get("git_hash")), _date(data.get("date"))
    base_url = args.pop("base_url", None)
    flagged = [n.split("/", 1)[1] for n, e in figures.items() if e.reason == AT_CHANCE and n.startswith(CAPABILITY)]
    note = f"{HARNESS} {version or 'of a version not stated'}, commit {commit or 'not stated'}, {dated or 'not dated'}"
    note += f"; {AT_CHANCE}: {', '.join(flagged)}" if flagged else ""
    return Manifest(
        run_id=make_run_id(["lm-eval", model.split("/")[-1], condition.name or ""], [digest]),
        origin="imported",
        task=LM_EVAL,
        created=dated,
        model=ModelFacts(
            name=model,
            revision=_text(config.get("model_sha") or config.get("model_revision") or args.pop("revision", None)),
            base_url=base_url if base_url and "@" not in base_url else None,
            family=family_of(model),
            args={"backend": _text(config.get("model"))}
            | {k: v for k, v in args.items() if k != "pretrained"}
            | ({"base": under} if adapter and under else {}),
            generation=_generation(config),
        ),
        condition=condition,
        prompt_set=PromptSetFacts(name=HARNESS, version=version, n=there or None, scored=ran),
        items=(),
        rubric=RubricFacts(scales={}),
        panel=PanelFacts(judges=()),
        limited=limited,
        versions={
            "lm_eval": version,
            "git_hash": commit,
            "transformers": _text(data.get("transformers_version")),
            "chat_template": _template(data),
            **{f"task {task}": _protocol(data, task) for task in data["results"]},
        },
        source=SourceFacts(file=path.name, size=len(raw), sha256=digest, note=note),
    )


def _condition(data: Mapping[str, Any]) -> ConditionFacts:
    """The system instruction as a condition: one of ours where the text is the same."""
    if "system_instruction" not in data:
        return ConditionFacts()
    text = data["system_instruction"]
    if not isinstance(text, str) or not text:
        return ConditionFacts(name="none")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    known = (c for name in NAMES if (c := load_condition(name)).sha256 == digest)
    return ConditionFacts(name=next((c.name for c in known), "a system instruction"), system_sha256=digest)


def _template(data: Mapping[str, Any]) -> str | None:
    if "chat_template" not in data:
        return None
    text = data["chat_template"]
    if not text:
        # A chat endpoint puts every question through a template of its own, which the file does not know.
        return "the server's" if "chat" in str(mapping_of(data.get("config")).get("model")) else "none"
    return "sha256 " + hashlib.sha256(str(text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _generation(config: Mapping[str, Any]) -> dict[str, Any]:
    given = config.get("gen_kwargs")
    return {"gen_kwargs": str(given)[:200]} if given else {}


def _text(value: Any) -> str | None:
    return str(value)[:80] if isinstance(value, str | int | float) and value != "" else None


def _date(value: Any) -> str | None:
    """The date, which the file holds as seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**34:
        return None
    return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
