"""From Inspect logs to the store.

Ratings come from a log's header and sample summaries, where the scorer left them in compact form; the DataFrame
helpers are not used, since a second panel in one log overwrites the first there. Each panel in a log is a run of
its own.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from judges.panels import family_of
from judges.response import STATES
from judges.scores import defined_on
from judges.verdict import decode_matrix
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
from results.schema import (
    PANEL_RATER,
    STATE_CRITERION,
    STATE_RATER,
    SUPPORT_LEVEL,
    SUPPORT_OFFERED,
    SUPPORT_RATER,
    Rating,
    ratings_table,
)
from results.store import Store
from rubrics.expectations import Expectations

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog
    from inspect_ai.log._log import EvalSampleSummary


READ: Final = ("panel", "scales", "rules", "verdicts", "response", "gaps", "usage", "judge_configs", "detectors")
"""What is read of a score's metadata; each is a mapping or a list, and text only where Inspect has cut it. Of
dialogues, `turn_1` and so on as well."""
_TURN: Final = re.compile(r"turn_(\d+)")
_REPEAT: Final = re.compile(r"verdicts_r(\d+)")


class LogError(ValueError):
    """A log that cannot be ingested; the message says why and what to do."""


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


def ingest(store: Store, paths: Sequence[Path]) -> IngestReport:
    """Bring logs into the store; twice gives the same store.

    A log whose name, size and time of change are those of an earlier ingest is not read again.

    Args:
        store: The store.
        paths: Log files, or folders in which `.eval` and `.json` logs are looked for.
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
            continue
        try:
            runs = [(manifest, ratings_table(rows)) for manifest, rows in read_log(path)]
        except (LogError, ValueError) as ex:
            report.refused[str(path)] = " ".join(str(ex).split())
            continue
        for manifest, table in runs:
            wrote = store.write(manifest, table)
            (report.written if wrote else report.unchanged).append(manifest.run_id)
    return report


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
            yield manifest, list(_rows(manifest, summaries, name))
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
        isinstance(v, str) and (k in READ or _TURN.fullmatch(k) or _REPEAT.fullmatch(k)) for k, v in metadata.items()
    )


def _full(path: Path) -> list[EvalSampleSummary]:
    from inspect_ai.log import read_eval_log_samples

    # A full sample has the id, epoch, metadata, scores and error that are read from a summary.
    return [cast(Any, s) for s in read_eval_log_samples(str(path), all_samples_required=False)]


def _record(summaries: Sequence[EvalSampleSummary], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    for summary in summaries:
        score = (summary.scores or {}).get(name)
        if score is not None and score.metadata and isinstance(score.value, dict):
            return score.metadata, dict(score.value)
    raise LogError("a panel without a single score")


def _manifest(log: EvalLog, summaries: Sequence[EvalSampleSummary], name: str, path: Path, digest: str) -> Manifest:
    metadata, value = _record(summaries, name)
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
        turns = [{"support": t["support"]} for k, t in metadata.items() if _TURN.fullmatch(k) and t.get("support")]
        found = metadata.get("detectors") or next(iter(turns), None)
        if found:
            return {n: str(d["version"]) for n, d in found.items()}
    return {}


def _responses(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the score says of each response: one, or one a turn."""
    turns = [t for k, t in metadata.items() if _TURN.fullmatch(k)]
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


def _rows(manifest: Manifest, summaries: Sequence[EvalSampleSummary], name: str) -> Iterator[Rating]:
    criteria = manifest.rubric.criteria
    judges = [j.id for j in manifest.panel.judges]
    kinds = {j.id: j.kind for j in manifest.panel.judges}
    first = _record(summaries, name)[0]
    rules = first.get("rules") or {}
    # Of dialogues, the whole has scores and each turn has criteria.
    by_turn = any(_TURN.fullmatch(k) for k in first)
    for s in summaries:
        score = (s.scores or {}).get(name)
        if score is None or not isinstance(score.value, Mapping) or score.metadata is None:
            # The sample failed before it was scored: it stays in every denominator that its item belongs to.
            expected = Expectations.from_dict((s.metadata or {}).get("expected"))
            panel = _Writer(manifest.run_id, s, 0)
            for key in (*(() if by_turn else criteria), *manifest.rubric.scores):
                status = "sample_error" if defined_on(rules.get(key, ""), expected) else "undefined"
                yield panel.row(PANEL_RATER, "panel", key, None, status)
            continue
        writer = _Writer(manifest.run_id, s, 0)
        gaps = score.metadata.get("gaps") or {}
        for key, value in score.value.items():
            number = float(value) if isinstance(value, int | float) and not math.isnan(float(value)) else None
            status = "ok" if number is not None else str(gaps.get(key, "missing"))
            yield writer.row(PANEL_RATER, "panel", key, number, status)
        if not by_turn:
            yield from writer.verdicts(score.metadata["verdicts"], judges, kinds, criteria)
            for key, matrix in score.metadata.items():
                if (match := _REPEAT.fullmatch(key)) is not None:
                    yield from writer.verdicts(matrix, judges, kinds, criteria, int(match.group(1)))
            state = (score.metadata.get("response") or {}).get("state")
            yield from writer.observed(state, (score.metadata.get("detectors") or {}).get("support"))
        for key, turn in score.metadata.items():
            match = _TURN.fullmatch(key)
            if match is None:
                continue
            writer = _Writer(manifest.run_id, s, int(match.group(1)))
            for criterion, (given, status) in zip(criteria, turn["panel"], strict=True):
                yield writer.row(PANEL_RATER, "panel", criterion, None if given is None else float(given), status)
            yield from writer.verdicts(turn["verdicts"], judges, kinds, criteria)
            yield from writer.observed(turn.get("state"), turn.get("support"))


@dataclass(frozen=True)
class _Writer:
    """Rows of one response: of a sample, or of one turn of it."""

    run_id: str
    sample: EvalSampleSummary
    turn: int

    def row(self, rater: str, kind: str, criterion: str, value: float | None, status: str, repeat: int = 0) -> Rating:
        return Rating(
            run_id=self.run_id, item_id=str(self.sample.id), epoch=self.sample.epoch, turn=self.turn, rater=rater,
            repeat=repeat, rater_kind=kind, origin="measured", criterion=criterion, value=value, status=status,
        )  # fmt: skip

    def verdicts(
        self,
        matrix: Mapping[str, Any],
        judges: Sequence[str],
        kinds: Mapping[str, str],
        criteria: Sequence[str],
        repeat: int = 0,
    ) -> Iterator[Rating]:
        """What each judge said; rules rate in the first round only."""
        for judge, criterion, given, status in decode_matrix(matrix, judges, criteria):
            if not (repeat and kinds[judge] == "rule"):
                yield self.row(judge, kinds[judge], criterion, given, status, repeat)

    def observed(self, state: Any, support: Mapping[str, Any] | None) -> Iterator[Rating]:
        """The response's state, and what the support detector found."""
        if state in STATES:
            yield self.row(STATE_RATER, "rule", STATE_CRITERION, float(STATES.index(state)), "ok")
        if support is not None:
            yield self.row(SUPPORT_RATER, "rule", SUPPORT_OFFERED, float(support["offered"]), "ok")
            yield self.row(SUPPORT_RATER, "rule", SUPPORT_LEVEL, float(support["level"]), "ok")
