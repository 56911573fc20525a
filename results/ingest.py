"""From Inspect logs to the store.

Ratings come from a log's header and sample summaries, where the scorer left them in compact form; the DataFrame
helpers are not used, since a second panel in one log overwrites the first there. Each panel in a log is a run of
its own.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from judges.panels import family_of
from results.log_rows import READ, REPEAT, TURN, LogError, first_record, log_ratings
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
    make_run_id,
)
from results.schema import Rating, ratings_table
from results.store import Store

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog
    from inspect_ai.log._log import EvalSampleSummary


@dataclass
class IngestReport:
    """What an ingest did.

    Attributes:
        written: Ids of the runs that are new or changed.
        unchanged: Ids of the runs that the store already had.
        refused: Why a file was left out, by path.
    """

    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def ingest(store: Store, paths: Sequence[Path], figures: bool = False) -> IngestReport:
    """Bring logs into the store; twice gives the same store.

    A log whose name, size and time of change are those of an earlier ingest is not read again.

    Args:
        store: The store.
        paths: Log files, or folders in which `.eval` and `.json` logs are looked for.
        figures: Compute the figures of each run as a whole, too; that reads all answers (seconds for 500 of them).
    """
    report = IngestReport()
    seen: dict[tuple[str, int, int], list[str]] = {}
    for manifest in store.manifests():
        s = manifest.source
        if s.location and s.size is not None and s.mtime_ns is not None:
            seen.setdefault((s.location, s.size, s.mtime_ns), []).append(manifest.run_id)
    for path in _files(paths, report):
        stat = path.stat()
        known = seen.get((str(path.resolve()), stat.st_size, stat.st_mtime_ns))
        if known:
            report.unchanged += known
            if figures:
                _figures(store, known, path, report)
            continue
        try:
            runs = [(manifest, ratings_table(rows)) for manifest, rows in read_log(path)]
        except (LogError, ValueError) as ex:
            report.refused[str(path)] = " ".join(str(ex).split())
            continue
        for manifest, table in runs:
            wrote = store.write(manifest, table)
            (report.written if wrote else report.unchanged).append(manifest.run_id)
        if figures:
            _figures(store, [manifest.run_id for manifest, _ in runs], path, report)
    return report


def _figures(store: Store, run_ids: Sequence[str], path: Path, report: IngestReport) -> None:
    """The second stage: figures from the full samples, for the runs of one log. The ratings are in already."""
    from results.figures import add_figures

    try:
        for run_id in run_ids:
            add_figures(store, run_id, path)
    except LogError as ex:
        report.refused[str(path)] = str(ex)


def _files(paths: Sequence[Path], report: IngestReport) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix in {".eval", ".json"} and p.is_file())
            # eval_set and the log viewer keep JSON files of their own beside the logs.
            found = [p for p in found if p.name not in {"logs.json", "eval-set.json", "listing.json"}]
            if not found:
                report.refused[str(path)] = "no .eval or .json log in this folder"
            yield from found
        elif path.is_file():
            yield path
        else:
            report.refused[str(path)] = "no such file or folder"


def read_log(path: Path) -> Iterator[tuple[Manifest, list[Rating]]]:
    """The runs of one log: a manifest and its ratings for each panel.

    Raises:
        LogError: No Inspect log, one that is not finished, or one without verdicts of a rubric panel.
    """
    from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries

    try:
        header = read_eval_log(str(path), header_only=True)
    except Exception as ex:
        raise LogError("not an Inspect log, or only half of one: copy it again, or leave it out") from ex
    if header.status != "success":
        raise LogError(f"the run has status {header.status!r}; finish it with `inspect eval-retry {path.name}`")
    try:
        summaries = read_eval_log_sample_summaries(str(path))
    except Exception as ex:
        raise LogError("its samples cannot be read: copy the log again") from ex
    panels = _panels(summaries)
    if not panels:
        raise LogError("no verdicts of a rubric panel in it; score it with `inspect score` and rubric_panel first")
    if any(_was_cut(s.scores[name].metadata) for name in panels for s in summaries if s.scores and name in s.scores):
        summaries = _full(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for name in panels:
        try:
            manifest = _manifest(header, summaries, name, path, digest)
            yield manifest, list(log_ratings(manifest, summaries, name))
        except (ValueError, LookupError, TypeError, AttributeError) as ex:
            what = " ".join(str(ex).split())[:160]
            raise LogError(f"the verdicts of {name} do not fit what it says of its panel ({what})") from ex


def _panels(summaries: Sequence[EvalSampleSummary]) -> list[str]:
    names: dict[str, None] = {}
    for summary in summaries:
        for name, score in (summary.scores or {}).items():
            if score.metadata and "panel" in score.metadata:
                names[name] = None
    return sorted(names)


def _was_cut(metadata: Mapping[str, Any] | None) -> bool:
    """Whether Inspect dropped what is needed from the summary (keys above 1 KB of JSON)."""
    return metadata is not None and any(
        isinstance(v, str) and (k in READ or TURN.fullmatch(k) or REPEAT.fullmatch(k)) for k, v in metadata.items()
    )


def _full(path: Path) -> list[EvalSampleSummary]:
    from inspect_ai.log import read_eval_log_samples

    # A full sample has the id, epoch, metadata, scores and error that are read from a summary.
    return [cast(Any, s) for s in read_eval_log_samples(str(path), all_samples_required=False)]


def _manifest(log: EvalLog, summaries: Sequence[EvalSampleSummary], name: str, path: Path, digest: str) -> Manifest:
    metadata, value = first_record(summaries, name)
    record = metadata["panel"]
    ours = (log.eval.metadata or {}).get("psychosafe", {})
    set_facts, condition = ours.get("prompt_set", {}), ours.get("condition", {})
    items = {str(s.id): _item_facts(s) for s in summaries}
    task = log.eval.task.rsplit("/", 1)[-1]
    generation = log.eval.model_generate_config.model_dump(exclude_none=True, mode="json")
    generation |= log.plan.config.model_dump(exclude_none=True, mode="json")
    judges = _judges(record, metadata.get("judge_configs"))
    family = family_of(log.eval.model)
    families = {j.family for j in judges} - {None, "none"}
    usage: dict[str, Counter[str]] = {}
    states: Counter[str] = Counter()
    for s in summaries:
        score = (s.scores or {}).get(name)
        if score is None or score.metadata is None:
            continue
        for judge, spent in (score.metadata.get("usage") or {}).items():
            if isinstance(spent, Mapping):
                usage.setdefault(f"judge {judge}", Counter()).update({k: int(v) for k, v in spent.items()})
        for response in _responses(score.metadata):
            states[str(response.get("state", "unknown"))] += 1
    for model, spent in log.stats.model_usage.items():
        if model == log.eval.model:
            usage["model"] = Counter({k: int(v) for k, v in spent.model_dump(exclude_none=True).items() if v})
    dataset_ids = log.eval.dataset.sample_ids or []
    total = set_facts.get("n") or log.eval.dataset.samples or len(dataset_ids)

    def run_id(scorer: Any, panel: Any, rubric: Any) -> str:
        # A log that is scored again is another judgment of the same answers, hence another run.
        identity = [log.eval.eval_id, scorer, panel, rubric]
        return make_run_id([log.eval.model, condition.get("name") or "", task], identity)

    before = (ours.get("rejudged") or {}).get("judgments") or []
    return Manifest(
        run_id=run_id(name, record.get("sha256"), record.get("rubric_sha256")),
        origin="measured",
        task=task,
        created=log.eval.created,
        model=ModelFacts(
            name=log.eval.model,
            revision=(log.eval.model_args or {}).get("revision"),
            base_url=log.eval.model_base_url,
            family=family,
            args={k: v for k, v in (log.eval.model_args or {}).items() if "key" not in k.lower()},
            generation=generation,
        ),
        condition=ConditionFacts(**condition) if condition else ConditionFacts(),
        prompt_set=PromptSetFacts(
            name=set_facts.get("name") or log.eval.dataset.name,
            version=set_facts.get("version"),
            sha256=set_facts.get("sha256"),
            n=total,
            scored=len(items),
            parallel_of=set_facts.get("parallel_of"),
        ),
        items=tuple(items[i] for i in sorted(items)),
        rubric=RubricFacts(
            name=record.get("rubric"),
            sha256=record.get("rubric_sha256"),
            scales={c: ScaleFacts(**metadata["scales"][c]) for c in record["criteria"]},
            scores=tuple(k for k in value if k not in record["criteria"]),
        ),
        panel=PanelFacts(
            name=record.get("name"), sha256=record.get("sha256"), prompt=record.get("prompt"), judges=judges
        ),
        epochs=max((s.epoch for s in summaries), default=1),
        limited=bool(total and len(items) < total),
        normaliser=record.get("normaliser"),
        scoring=record.get("scoring"),
        routing=record.get("routing"),
        detectors=_detectors(summaries, name),
        versions={"harness": (ours.get("harness") or {}).get("version"),
                  "commit": (ours.get("harness") or {}).get("commit"),
                  "inspect_ai": log.eval.packages.get("inspect_ai")},
        counts={"responses": max(len(summaries), states.total()), "errors": sum(1 for s in summaries if s.error),
                **dict(states)},
        usage={k: dict(v) for k, v in sorted(usage.items())},
        source=SourceFacts(
            file=path.name, location=str(path.resolve()), size=path.stat().st_size, mtime_ns=path.stat().st_mtime_ns,
            sha256=digest, eval_id=log.eval.eval_id, scorer=name,
            rejudged_from=tuple(run_id(j["scorer"], j["sha256"], j["rubric_sha256"]) for j in before),
        ),
        self_family=(family in families) if family and families else None,
    )  # fmt: skip


def _detectors(summaries: Sequence[EvalSampleSummary], name: str) -> dict[str, str]:
    """Versions of the detectors; a response that was not judged has none, so the first that has some is asked."""
    for summary in summaries:
        metadata = getattr((summary.scores or {}).get(name), "metadata", None) or {}
        turns = [{"support": t["support"]} for k, t in metadata.items() if TURN.fullmatch(k) and t.get("support")]
        found = dict(metadata.get("detectors") or next(iter(turns), None) or {})
        if metadata.get("resources"):
            found["resources"] = metadata["resources"]
        if found:
            return {n: str(d["version"]) for n, d in found.items()}
    return {}


def _responses(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the score says of each response: one, or one a turn."""
    turns = [t for k, t in metadata.items() if TURN.fullmatch(k)]
    return turns or [metadata.get("response") or {}]


def _judges(record: Mapping[str, Any], configs: Any) -> tuple[JudgeFacts, ...]:
    by_id = {c["id"]: c for c in configs if isinstance(c, dict)} if isinstance(configs, list) else {}
    seats = []
    for judge, kind in zip(record["judges"], record["kinds"], strict=True):
        c = by_id.get(judge, {})
        seats.append(
            JudgeFacts(
                id=judge, kind=kind, model=c.get("model"), family=c.get("family"), base_url=c.get("base_url"),
                config=c.get("config") or {}, price=c.get("price"),
            )
        )  # fmt: skip
    return tuple(seats)


def _item_facts(summary: EvalSampleSummary) -> ItemFacts:
    m = summary.metadata or {}
    raw = m.get("expected")
    expected: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    return ItemFacts(
        id=str(summary.id), sha256=m.get("sha256"), domain=m.get("domain"), category=m.get("category"),
        role=m.get("role"), risk=m.get("risk"), answer=expected.get("answer"), resource=expected.get("resource"),
        twin=m.get("twin"), risk_turn=m.get("risk_turn"),
    )  # fmt: skip
