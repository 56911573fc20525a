"""Writing an export of people's ratings: a folder that is there whole or not at all, and rows for the store."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from judges.annotation.export import long_csv, pairs_csv, score_files, settled_csv
from judges.annotation.model import AnnotationError, Plan, PlanMap
from judges.annotation.records import SavedAdjudication, SavedRating
from results.added import add_ratings, check_ratings
from results.manifest import SourceFacts
from results.schema import ratings_table
from results.store import Store


def write_export(
    out: Path, plan: Plan, plan_map: PlanMap, ratings: Sequence[SavedRating], settled: Sequence[SavedAdjudication]
) -> int:
    """Write all files of an export into a new folder.

    Args:
        out: The folder.
        plan: The plan.
        plan_map: Its map.
        ratings: The latest ratings.
        settled: All adjudications.

    Returns:
        How many files.

    Raises:
        AnnotationError: The folder is there with something in it, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise AnnotationError(f"{out} is there already; name a new folder")
    draft = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    files = {"ratings.csv": long_csv(plan, plan_map, ratings)}
    beside = {"pairs.csv": pairs_csv(plan_map, ratings), "adjudications.csv": settled_csv(plan_map, settled)}
    files |= {name: text for name, text in beside.items() if text is not None}
    for score_file in score_files(plan, plan_map, ratings):
        files[f"inspect/{_safe(score_file.run_id)}/{_safe(score_file.rater)}.jsonl"] = score_file.lines
    try:
        for name, text in files.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_text(text, encoding="utf-8")
        if out.is_dir():
            out.rmdir()
        draft.replace(out)
    except OSError as ex:
        raise AnnotationError(f"cannot write to {out} ({ex.strerror or ex}); name another folder") from ex
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return len(files)


def _safe(name: str) -> str:
    """A file name; one that had to be changed gets a digest, so that no two fall together."""
    clean = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:80]
    return clean if clean == name else f"{clean}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def add_to_store(store: Store, plan: Plan, rows: Sequence[Mapping[str, Any]], dry: bool = False) -> dict[str, bool]:
    """Add ratings to their runs.

    All runs are checked before the first is written.

    Args:
        store: The store.
        plan: The plan.
        rows: Rows of the ratings table, of any runs.
        dry: Only check.

    Returns:
        By run id, whether there was anything new.

    Raises:
        StoreError: A run that the store lacks, or ratings that it has already.
    """
    by_run: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_run[row["run_id"]].append(row)
    digest = hashlib.sha256(json.dumps(list(rows), sort_keys=True).encode()).hexdigest()
    source = SourceFacts(
        file=f"annotation-{plan.sha256[:12]}", sha256=digest, note=f"people's ratings by the plan {plan.sha256}"
    )
    tables = {run_id: ratings_table(own) for run_id, own in sorted(by_run.items())}
    new = {run_id: check_ratings(store, run_id, table, source) is not None for run_id, table in tables.items()}
    if not dry:
        for run_id, table in tables.items():
            add_ratings(store, run_id, table, source)
    return new
