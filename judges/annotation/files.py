"""The two files of a plan.

`plan.json` is all that the annotation process knows: texts under random tokens, and an order for each annotator.
`map.json` says what the tokens stand for. It is kept elsewhere until the ratings are in.
"""

from __future__ import annotations

import json
import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from judges.annotation.model import Plan, PlanError, PlanMap

MAX_BYTES: Final = 512 * 2**20
"""Ten thousand cards of long answers have a tenth of this."""

M = TypeVar("M", Plan, PlanMap)


def write_plan(folder: Path, plan: Plan, map: PlanMap) -> tuple[Path, Path]:
    """Write both files: `annotate/plan.json` for the annotation process, `keep/map.json` for whoever runs the study.

    Args:
        folder: Their common folder.
        plan: The plan.
        map: Its map.

    Returns:
        The two paths.

    Raises:
        PlanError: A file is there already (a plan is never overwritten), the two do not fit, or a folder cannot be
            written.
    """
    _check_fit(plan, map)
    targets = {folder / "annotate" / "plan.json": plan, folder / "keep" / "map.json": map}
    for target in targets:
        if target.exists():
            raise PlanError(f"{target} is there already, and a plan is never overwritten; name another folder")
    drafts = {t: t.with_name(f".{t.name}.{uuid.uuid4().hex[:8]}") for t in targets}
    linked: list[Path] = []
    try:
        for target, part in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            with drafts[target].open("x", encoding="utf-8") as file:
                file.write(json.dumps(part.model_dump(mode="json"), indent=1, ensure_ascii=True, allow_nan=False))
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
        for target, draft in drafts.items():
            # A link, unlike a rename, never replaces a file that came up in the meantime.
            os.link(draft, target)
            linked.append(target)
    except OSError as ex:
        for target in linked:
            target.unlink(missing_ok=True)
        raise PlanError(f"cannot write to {folder}: {ex.strerror or ex}; name another folder") from ex
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink()
    plan_file, map_file = targets
    return plan_file, map_file


def load_plan(path: Path | str) -> Plan:
    """Read a plan.

    Raises:
        PlanError: No file, or no plan.
    """
    return _load(Path(path), Plan, "plan")


def load_map(path: Path | str, plan: Plan | None = None) -> PlanMap:
    """Read a map; with a plan, check that it is that plan's.

    Raises:
        PlanError: No file, no map, or the map of another plan.
    """
    found = _load(Path(path), PlanMap, "map")
    if plan is not None:
        _check_fit(plan, found)
    return found


def _check_fit(plan: Plan, map: PlanMap) -> None:
    if map.plan_sha256 != plan.sha256:
        raise PlanError("the map belongs to another plan; give the two files that `annotate plan` wrote together")


def _load(path: Path, kind: type[M], what: str) -> M:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PlanError(f"{path.name}: larger than {MAX_BYTES // 2**20} MiB, which no {what} is")
        return kind.model_validate_json(path.read_bytes())
    except OSError as ex:
        raise PlanError(f"no {what} at {path} ({ex.strerror}); `psychosafe annotate plan` makes one") from ex
    except ValidationError as ex:
        raise PlanError(f"{path.name}: no {what} ({_first(ex)}); take the file as `annotate plan` wrote it") from ex


def _first(ex: ValidationError) -> str:
    error: Any = ex.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(p)[:40] for p in error["loc"][:4])
    more = f", and {ex.error_count() - 1} more" if ex.error_count() > 1 else ""
    return f"{where}: {error['msg'][:120]}{more}".lstrip(": ")
