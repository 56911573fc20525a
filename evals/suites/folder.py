"""A suite's folder belongs to one version of one suite, and to the servers that were there when it began."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from evals.suites.claims import Place
from evals.suites.endpoints import Served, name_at
from evals.suites.model import Suite, SuiteError
from judges.panels import PanelError, load_panel

SUITE_FILE: Final = "suite.json"
_IRRELEVANT: Final = {"description", "connections", "retries", "allow_missing", "baseline"}
"""Parts of a suite that change no figure; and of its models and settings:"""
_OF_MODELS: Final = {"price", "tokens"}
_OF_CAPABILITIES: Final = {"margin", "concurrent", "batch"}
_OF_GENERATION: Final = {"max_connections", "max_retries", "timeout", "attempt_timeout", "batch", "cache"}
_FILES: Final = (".yaml", ".yml", ".json", ".jsonl", ".csv", ".md", ".txt")
MAX_BYTES: Final = 256 * 2**20


def open_folder(root: str, suite: Suite, served: Mapping[str, Served] | None = None, exclusive: bool = True) -> None:
    """Make a suite's folder, or find that it is one.

    Args:
        root: Folder or URL.
        suite: The suite.
        served: What the models' servers say, by id of the model.
        exclusive: Whether the place can create files exclusively.

    Raises:
        SuiteError: It belongs to another suite, or to another version of this one; or a model's server is another.
        ClaimError: It cannot be written to.
    """
    place = Place(root, exclusive)
    place.make()
    digest = suite_sha256(suite)
    if not place.create(SUITE_FILE, {"suite": suite.suite, "sha256": digest}):
        there = place.read(SUITE_FILE) or {}
        if there.get("suite") != suite.suite:
            raise SuiteError(
                f"{root} holds runs of the suite {str(there.get('suite'))[:60]!r}; give another folder with --dir"
            )
        if there.get("sha256") != digest:
            raise SuiteError(
                f"{root} holds runs of {suite.suite!r} as it was before a change that changes figures (in its file, or "
                "in a file that it names); give another folder with --dir, or undo the change"
            )
    wrong = [w for m in suite.models if m.id in (served or {}) if (w := _other(place, m.id, name_at(m), served or {}))]
    if wrong:
        raise SuiteError(*wrong)


def suite_sha256(suite: Suite) -> str:
    """Hash of everything in a suite, and in the files that it names, that may change a figure."""
    told = {k: v for k, v in suite.model_dump(mode="json").items() if k not in _IRRELEVANT}
    told["models"] = [{k: v for k, v in m.items() if k not in _OF_MODELS} for m in told["models"]]
    for part in (told, *told["models"], *told["tasks"]):
        part["generation"] = {k: v for k, v in part["generation"].items() if k not in _OF_GENERATION}
    if suite.capabilities is None:
        # Folders that began before there was such a section go on.
        del told["capabilities"]
    else:
        told["capabilities"] = {k: v for k, v in told["capabilities"].items() if k not in _OF_CAPABILITIES}
    told["files"] = _files(suite)
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _files(suite: Suite) -> dict[str, str]:
    """Hashes of the files that a suite names: samples of two versions of one are not one run."""
    from evals._launch import LAUNCH_DIR

    found = {}
    for name in {suite.panel, *(t.panel for t in suite.tasks if t.panel)}:
        try:
            # By what it says of the judges: a price may be added.
            found[name] = load_panel(name).sha256()
        except PanelError:
            continue
    named = [*suite.conditions, *(c for m in suite.models for c in m.conditions or ())]
    c = suite.capabilities
    if c is not None:
        named += c.conditions or ()
        if c.include:
            # Whatever a task file may draw in: functions, and questions of its own.
            below = sorted(p for p in Path(LAUNCH_DIR, c.include).rglob("*") if "__pycache__" not in p.parts)
            found |= {f"{c.include}: {p.relative_to(Path(LAUNCH_DIR, c.include)).as_posix()}": _sha256(p) for p in below
                      if p.is_file()}  # fmt: skip
    for t in suite.tasks:
        named += [*(t.conditions or ()), *(v for v in t.args.values() if isinstance(v, str))]
    for name in dict.fromkeys(named):
        path = Path(LAUNCH_DIR, name)
        if name.endswith(_FILES) and path.is_file() and path.stat().st_size <= MAX_BYTES:
            found[name] = _sha256(path)
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _other(place: Place, model: str, name: str, served: Mapping[str, Served]) -> str | None:
    """What differs between a model's server now and when the folder began; None if nothing does."""
    answer = served[model]
    now: dict[str, Any] = {"url": answer.url, "model": dict(answer.entry(name) or {})}
    file = f"served-{model}.json"
    if place.create(file, now):
        return None
    there = place.read(file) or {}
    if there.get("url") != now["url"]:
        return (
            f"{model}: this folder began with the server at {str(there.get('url'))[:120]}, and now it is {now['url']}; "
            "the address is part of what a system is: serve it there again, or give another folder with --dir"
        )
    before = there.get("model") or {}
    changed = [k for k in sorted({*before, *now["model"]}) if before.get(k) != now["model"].get(k)]
    if changed:
        what = ", ".join(
            f"{k} was {str(before.get(k))[:60]!r} and is {str(now['model'].get(k))[:60]!r}" for k in changed
        )
        return (
            f"{model}: another model answers at {now['url']} than when this folder began ({what}); give another --dir"
        )
    return None
