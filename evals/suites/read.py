"""Reading suite files, with everything that is wrong said at once."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from evals.suites.model import ModelEntry, Suite, SuiteError, TaskEntry
from evals.suites.section import Capabilities
from evals.suites.serve import Serve
from rubrics.reading import MAX_CHARS, YamlError, read_yaml

MAX_BYTES: Final = MAX_CHARS
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PARTS: Final[Mapping[str, type[BaseModel]]] = {
    "models": ModelEntry, "tasks": TaskEntry, "serve": Serve, "capabilities": Capabilities,
}  # fmt: skip


def read_suite(path: Path, environ: Mapping[str, str] | None = None) -> Suite:
    """Read a suite file.

    `${NAME}` in a `base_url` means that environment variable.

    Args:
        path: The file.
        environ: Environment variables; those of this process if not given.

    Raises:
        SuiteError: Every reason why it cannot be used, a line each.
    """
    data = _data(path)
    missing: list[str] = []
    _filled(data, os.environ if environ is None else environ, missing)
    try:
        suite = Suite.model_validate(data)
    except ValidationError as ex:
        # Where every entry of a list is wrong, that it has none which is right says nothing more.
        places = {e["loc"][:1] for e in ex.errors() if len(e["loc"]) > 1}
        told = [e for e in ex.errors() if e["type"] != "too_short" or e["loc"] not in places]
        raise SuiteError(*missing, *dict.fromkeys(map(_said, told))) from ex
    reasons = [*missing, *suite.problems()]
    if reasons:
        raise SuiteError(*reasons)
    return suite


def _data(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SuiteError(f"{path}: larger than {MAX_BYTES:,} bytes; a suite is a page of YAML")
        text = path.read_text(encoding="utf-8")
    except OSError as ex:
        raise SuiteError(f"{path}: cannot be read ({ex.strerror}); there are suites in suites/") from ex
    except UnicodeDecodeError as ex:
        raise SuiteError(f"{path}: not UTF-8 text; save it as UTF-8") from ex
    try:
        _, data = read_yaml(text)
    except YamlError as ex:
        where = f", line {ex.line}" if ex.line is not None else ""
        raise SuiteError(f"{path}{where}: not valid YAML: {ex.what}") from ex
    if not isinstance(data, dict):
        raise SuiteError(f"{path}: no suite: it begins with `suite: NAME`, then `models:` and `tasks:`")
    return data


def _filled(data: dict[str, Any], environ: Mapping[str, str], missing: list[str]) -> None:
    """Put variables into addresses; those that are not set are named."""
    models = data.get("models")
    for entry in models if isinstance(models, list) else ():
        url = entry.get("base_url") if isinstance(entry, dict) else None
        if isinstance(url, str):
            for name in _VARIABLE.findall(url):
                if not environ.get(name):
                    missing.append(f"models: {str(entry.get('id'))[:60]}: base_url needs ${name}, which is not set")
            # What is not set stays an address, so that the rest of the file is checked too.
            entry["base_url"] = _VARIABLE.sub(lambda m: environ.get(m[1]) or "http://not-set", url)


def _said(error: Any) -> str:
    loc = [str(p + 1) if isinstance(p, int) else str(p) for p in error["loc"]]
    where = ".".join(loc) or "suite"
    if error["type"] == "extra_forbidden":
        owner = next((_PARTS[p] for p in reversed(loc[:-1]) if p in _PARTS), Suite)
        near = difflib.get_close_matches(loc[-1], list(owner.model_fields), 1)
        return f"{where[:120]}: unknown key{f'; did you mean {near[0]!r}?' if near else ''}"
    if error["type"] == "missing":
        return f"{where[:120]}: is missing"
    return f"{where[:120]}: {error['msg'].removeprefix('Value error, ')[:300]}"
