"""Copies of finished logs that are runs of their own, and logs with something wrong in them."""

from __future__ import annotations

import json
import shutil
import uuid
import zipfile
from pathlib import Path
from typing import Any

import zipfile_zstd  # noqa: F401  (teaches zipfile method 93)
from pydantic_core import from_json

LAST = ("summaries.json", "reductions.json", "header.json")
"""What Inspect writes behind the samples."""
_ZSTD = 93


def copy_log(source: Path, target: Path, eval_id: str, header: dict[str, Any] | None = None) -> Path:
    """A copy of a log as another evaluation: its own id, and own ids of its samples.

    Only what stands behind the samples is written anew, so that copying takes as long as the file is large.

    Args:
        source: The log.
        target: Where the copy goes.
        eval_id: Its evaluation id.
        header: Fields of the header that are to be others.
    """
    shutil.copyfile(source, target)
    with zipfile.ZipFile(target, "a") as archive:
        # Copies of one log are the same bytes for the same id.
        told = {name: archive.read(name) for name in LAST if name in archive.namelist()}
        first = min(archive.getinfo(name).header_offset for name in told)
        for name in told:
            archive.filelist.remove(archive.NameToInfo.pop(name))
        archive.start_dir = first
        archive._didModify = True  # type: ignore[attr-defined]
        top = from_json(told["header.json"], allow_inf_nan=True)
        top["eval"]["eval_id"] = eval_id
        top |= header or {}
        told["header.json"] = json.dumps(top).encode()
        rows = from_json(told["summaries.json"], allow_inf_nan=True)
        for n, row in enumerate(rows):
            row["uuid"] = uuid.uuid5(uuid.NAMESPACE_OID, f"{eval_id}/{n}").hex[:22]
        told["summaries.json"] = json.dumps(rows).encode()
        for name, data in told.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=_ZSTD)
    return target
