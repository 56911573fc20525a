"""The runs in a log: each panel that rated its samples is a run of its own, with a manifest and ratings."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import pyarrow as pa

from judges.panels import family_of
from results.logs.archive import NoArchive
from results.logs.files import LogFile
from results.logs.reading import Log, LogError, read_log_head, read_log_whole
from results.logs.rows import ORDINARY, READ, REPEAT, TURN, first_record, log_ratings
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
from results.schema import ratings_sha256

Summary = Mapping[str, Any]


def read_runs(file: LogFile) -> list[tuple[Manifest, pa.Table]]:
    """The runs of one log: a manifest and its ratings for each panel.

    Raises:
        LogError: No Inspect log, one that is not finished, or one without verdicts of a rubric panel.
    """
    with _no_collection():
        return list(_runs(file))


def _runs(file: LogFile) -> Iterator[tuple[Manifest, pa.Table]]:
    log = read_log_head(file)
    panels = _panels(log.summaries)
    if not panels:
        raise LogError("no verdicts of a rubric panel in it; score it with `inspect score` and rubric_panel first")
    if any(_was_cut(_metadata(s, name) or {}) for name in panels for s in log.summaries):
        log = read_log_whole(file)
    try:
        # Of a remote log the hash is taken with the texts, which need all of it.
        digest = file.sha256() if file.local else None
    except NoArchive as ex:
        raise LogError(f"{ex}: copy it again, or leave it out") from ex
    for name in panels:
        try:
            manifest = _manifest(log, name, digest)
            table = log_ratings(manifest, log.summaries, name)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as ex:
            what = " ".join(str(ex).split())[:160]
            raise LogError(
                f"the verdicts of {name} do not fit what it says of its panel ({what}); copy it again, or leave it out"
            ) from ex
        yield manifest.model_copy(update={"ratings": ratings_sha256(table, encoded=True)}), table


def _panels(summaries: Sequence[Summary]) -> list[str]:
    names: dict[str, None] = {}
    for summary in summaries:
        scores = summary.get("scores")
        for name, score in (scores if isinstance(scores, Mapping) else {}).items():
            metadata = score.get("metadata") if isinstance(score, Mapping) else None
            if isinstance(metadata, Mapping) and "panel" in metadata:
                names[name] = None
    return sorted(names)


def _metadata(summary: Summary, name: str) -> Mapping[str, Any] | None:
    scores = summary.get("scores")
    score = scores.get(name) if isinstance(scores, Mapping) else None
    found = score.get("metadata") if isinstance(score, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _was_cut(metadata: Mapping[str, Any]) -> bool:
    """Whether Inspect dropped what is needed from the summary (keys above 1 KB of JSON)."""
    for key, value in metadata.items():
        if type(value) is str and (key in READ or TURN.fullmatch(key) or REPEAT.fullmatch(key)):
            return True
    return False


def _manifest(log: Log, name: str, digest: str | None) -> Manifest:
    summaries, told = log.summaries, log.eval
    metadata, value = first_record(summaries, name)
    record = metadata["panel"]
    ours = (told.get("metadata") or {}).get("psychosafe") or {}
    set_facts, condition = ours.get("prompt_set") or {}, ours.get("condition") or {}
    items = {str(s["id"]): _item_facts(s) for s in summaries}
    model = str(told["model"])
    task = str(told["task"]).rsplit("/", 1)[-1]
    generation = _given(told.get("model_generate_config")) | _given((log.header.get("plan") or {}).get("config"))
    judges = _judges(record, metadata.get("judge_configs"))
    family = family_of(model)
    families = {j.family for j in judges} - {None, "none"}
    usage, states = _usage(log, model, name)
    dataset = told.get("dataset") or {}
    total = set_facts.get("n") or dataset.get("samples") or len(dataset.get("sample_ids") or [])
    args = told.get("model_args") or {}
    study = (told.get("metadata") or {}).get("psychosafe_suite") or {}

    def run_id(scorer: Any, panel: Any, rubric: Any) -> str:
        # A log that is scored again is another judgment of the same answers, hence another run.
        identity = [told["eval_id"], scorer, panel, rubric]
        return make_run_id([model, condition.get("name") or "", task], identity)

    before = (ours.get("rejudged") or {}).get("judgments") or []
    return Manifest(
        run_id=run_id(name, record.get("sha256"), record.get("rubric_sha256")),
        origin="measured",
        task=task,
        created=str(told["created"]),
        model=ModelFacts(
            name=model,
            revision=args.get("revision") or study.get("revision"),
            base_url=told.get("model_base_url"),
            family=family,
            # When Inspect looks for a server's address says nothing of the model.
            args={k: v for k, v in args.items() if "key" not in k.lower() and k != "lazy_init"},
            generation=generation,
        ),
        condition=ConditionFacts(**condition),
        prompt_set=PromptSetFacts(
            name=set_facts.get("name") or dataset.get("name"),
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
        epochs=max((int(s["epoch"]) for s in summaries), default=1),
        limited=bool(total and len(items) < total),
        normaliser=record.get("normaliser"),
        scoring=record.get("scoring"),
        routing=record.get("routing"),
        detectors=_detectors(summaries, name),
        versions={"harness": (ours.get("harness") or {}).get("version"),
                  "commit": (ours.get("harness") or {}).get("commit"),
                  "inspect_ai": (told.get("packages") or {}).get("inspect_ai"),
                  **({"base": study["base"]} if study.get("base") else {}),
                  **({"served": study["served"].get("sha256")} if study.get("served") else {})},
        counts={"responses": max(len(summaries), states.total()), "errors": sum(1 for s in summaries if s.get("error")),
                **dict(states)},
        usage=usage,
        source=SourceFacts(
            file=log.file.name, location=log.file.location, size=log.file.size, mtime_ns=log.file.mtime_ns,
            etag=log.file.etag, sha256=digest, eval_id=told["eval_id"], scorer=name,
            rejudged_from=tuple(run_id(j["scorer"], j["sha256"], j["rubric_sha256"]) for j in before),
        ),
        self_family=(family in families) if family and families else None,
    )  # fmt: skip


def _given(config: Any) -> dict[str, Any]:
    return {k: v for k, v in config.items() if v is not None} if isinstance(config, Mapping) else {}


def _usage(log: Log, model: str, name: str) -> tuple[dict[str, dict[str, float]], Counter[str]]:
    """Tokens and calls of the model and of each judge, and how many responses are in which state."""
    usage: dict[str, Counter[str]] = {}
    states: Counter[str] = Counter()
    for s in log.summaries:
        metadata = _metadata(s, name)
        if metadata is None:
            continue
        for judge, spent in (metadata.get("usage") or {}).items():
            if isinstance(spent, Mapping):
                usage.setdefault(f"judge {judge}", Counter()).update({k: int(v) for k, v in spent.items()})
        for response in _responses(metadata):
            states[str(response.get("state", "unknown"))] += 1
    spent = ((log.header.get("stats") or {}).get("model_usage") or {}).get(model)
    if isinstance(spent, Mapping):
        usage["model"] = Counter({k: int(v) for k, v in spent.items() if isinstance(v, int | float) and v})
    return {k: dict(v) for k, v in sorted(usage.items())}, states


def _detectors(summaries: Sequence[Summary], name: str) -> dict[str, str]:
    """Versions of the detectors; a response that was not judged has none, so the first that has some is asked."""
    for summary in summaries:
        metadata = _metadata(summary, name) or {}
        turns = [{"support": t["support"]} for k, t in metadata.items() if TURN.fullmatch(k) and t.get("support")]
        found = dict(metadata.get("detectors") or next(iter(turns), None) or {})
        if metadata.get("resources"):
            found["resources"] = metadata["resources"]
        if found:
            return {n: str(d["version"]) for n, d in found.items()}
    return {}


def _responses(metadata: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the score says of each response: one, or one a turn."""
    turns = [metadata[k] for k in sorted(metadata.keys() - ORDINARY) if TURN.fullmatch(k)]
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


def _item_facts(summary: Summary) -> ItemFacts:
    m = summary.get("metadata") or {}
    raw = m.get("expected")
    expected: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
    return _facts(
        str(summary["id"]), m.get("sha256"), m.get("domain"), m.get("category"), m.get("role"), m.get("risk"),
        expected.get("answer"), expected.get("resource"), m.get("twin"), m.get("risk_turn"),
    )  # fmt: skip


@lru_cache(maxsize=20_000)
def _facts(
    item: str, sha256: Any, domain: Any, category: Any, role: Any, risk: Any, answer: Any, resource: Any, twin: Any,
    risk_turn: Any,
) -> ItemFacts:  # fmt: skip
    """The facts of an item, once: logs of one prompt set have the same items."""
    return ItemFacts(
        id=item, sha256=sha256, domain=domain, category=category, role=role, risk=risk, answer=answer,
        resource=resource, twin=twin, risk_turn=risk_turn,
    )  # fmt: skip


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage collection while a log is read: it makes 100,000 objects, none of them garbage before the end."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
