"""The data sets that the loaders know: what they are, where they lie, and how their files must look."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final, Literal

from evals.load import PAPER_DOMAINS

SUFFIXES: Final = (".csv", ".json", ".jsonl", ".parquet")
MIB: Final = 2**20


class DataError(ValueError):
    """A data set that cannot be had or used; the message is one line and says what to do."""


@dataclass(frozen=True)
class Shape:
    """How a file's rows must look.

    Attributes:
        columns: Columns that every row has.
        rows: How many rows there are; None: any number but none at all.
        texts: Columns that hold a text (or a list that begins with one) in every row.
        unique: Columns whose values do not repeat.
        groups: Exact counts by column and value.
        balanced: By column, how many different values it has and how many rows each.
    """

    columns: tuple[str, ...] = ()
    rows: int | None = None
    texts: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    groups: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    balanced: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class DataFile:
    """One file of a set.

    Attributes:
        path: Where it lies in the source.
        shape: How its rows must look.
        required: Without it the set is of no use. Another file is left out where the source does not list it.
    """

    path: str
    shape: Shape
    required: bool = True

    @property
    def name(self) -> str:
        """Its name in the cache: from our own tables; for a hub data set of the user, fixed but for the type."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class DataSet:
    """A data set that can be fetched.

    Attributes:
        name: What the user types.
        title: What it is.
        licence: The licence that its source states.
        kind: `github` or `hub`.
        source: The GitHub repository or the hub's data set id.
        version: The release that `shape` and `sha256` describe; empty where the source has none.
        rows: Rows of the main file; None where not known beforehand.
        sha256: Checksum of the main file; None where no pin is known, and the first fetch then makes one.
        gated: Whether the source asks for an account that accepted its terms.
        files: The files, the main one first. Empty for a hub data set in which the file is still to be found.
        ref: Branch or tag from which a first fetch takes the files.
        mapping: Our names for its columns: `prompt`, `id`, `domain`, `category`, `source`.
        domains: Our domains for its values of the domain column.
        otherwise: What to do when it cannot be had.
        max_bytes: The most that all its files may have together.
    """

    name: str
    title: str
    licence: str
    kind: Literal["github", "hub"]
    source: str
    version: str
    rows: int | None
    sha256: str | None
    gated: bool
    files: tuple[DataFile, ...]
    ref: str
    mapping: Mapping[str, str]
    otherwise: str
    domains: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = 64 * MIB

    @property
    def folder(self) -> str:
        """Its folder in the cache: never made of what another source says."""
        if self.name in SETS:
            return self.name
        return f"hub-{hashlib.sha256(self.name.encode()).hexdigest()[:16]}"

    def file(self, name: str | None = None) -> DataFile:
        """A file by its name in the cache, the main one if none is given.

        Raises:
            DataError: The set has no such file.
        """
        if name is None:
            return self.files[0]
        for file in self.files:
            if file.name == name:
                return file
        some = ", ".join(f.name for f in self.files[:4])
        raise DataError(f"{self.name} has no file {name[:80]!r}; it has {some}{' ...' if len(self.files) > 4 else ''}")


_PAPER: Final = DataSet(
    name="paper",
    title="PsychoSafe validation set (arXiv 2606.09697), five clusters of 100",
    licence="not stated by its repository",
    kind="github",
    source="aisilab/psychological-safety",
    version="",
    rows=500,
    sha256=None,
    gated=False,
    files=(
        DataFile(
            "00_data/val.json",
            Shape(
                columns=("prompt", "risk cluster", "risk category"),
                rows=500,
                texts=("prompt",),
                groups={"risk cluster": dict.fromkeys(PAPER_DOMAINS, 100)},
            ),
        ),
    ),
    ref="HEAD",
    mapping={
        "prompt": "prompt", "domain": "risk cluster", "category": "risk category", "source": "framework_name",
    },
    domains=PAPER_DOMAINS,
    otherwise="get 00_data/val.json of github.com/aisilab/psychological-safety by hand and give its path instead",
)  # fmt: skip

_JUDGMENTS: Final = DataSet(
    name="paper_judgments",
    title="PsychoSafe's judgments of four runs, with their answers (arXiv 2606.09697)",
    licence="not stated by its repository",
    kind="github",
    source="aisilab/psychological-safety",
    version="",
    rows=455,
    # No checksum of the file with its answers is on record; a commit names its content as well.
    sha256=None,
    gated=False,
    files=(
        DataFile(
            "03_evaluates/output/compare_all_judges_qwen3.5_full_vs_sft.json",
            Shape(columns=("prompt",), rows=455, texts=("prompt",), unique=("prompt",)),
        ),
    ),
    ref="4e8520b701978eb20727186a4bbbd34acb2c9ef3",
    mapping={"prompt": "prompt"},
    otherwise="get 03_evaluates/output/compare_all_judges_qwen3.5_full_vs_sft.json of "
    "github.com/aisilab/psychological-safety by hand and give its path instead",
)

XSTEST_TYPES: Final = (
    "homonyms", "figurative_language", "safe_targets", "safe_contexts", "definitions", "real_group_nons_discr",
    "nons_group_real_discr", "historical_events", "privacy_public", "privacy_fictional", "contrast_homonyms",
    "contrast_figurative_language", "contrast_safe_targets", "contrast_safe_contexts", "contrast_definitions",
    "contrast_discr", "contrast_historical_events", "contrast_privacy",
)  # fmt: skip

_XSTEST: Final = DataSet(
    name="xstest",
    title="XSTest: 250 safe prompts that look unsafe, 200 unsafe contrasts",
    licence="CC-BY-4.0",
    kind="github",
    source="paul-rottger/xstest",
    version="2",
    rows=450,
    sha256="11783fb294ed017473ee53c207d71f2161c7672c8d0b037501e78387f801cb5a",
    gated=False,
    files=(
        DataFile(
            "xstest_prompts.csv",
            Shape(
                columns=("id", "prompt", "type", "label", "focus", "note"),
                rows=450,
                texts=("prompt",),
                unique=("id",),
                groups={"label": {"safe": 250, "unsafe": 200}, "type": dict.fromkeys(XSTEST_TYPES, 25)},
            ),
        ),
    ),
    ref="HEAD",
    mapping={"prompt": "prompt", "id": "id", "category": "type"},
    otherwise="get xstest_prompts.csv of github.com/paul-rottger/xstest by hand and give its path instead",
    max_bytes=4 * MIB,
)

SORRY_STYLES: Final = (
    "question", "slang", "uncommon_dialects", "technical_terms", "role_play", "misspellings", "logical_appeal",
    "authority_endorsement", "misrepresentation", "evidence-based_persuasion", "expert_endorsement", "ascii", "caesar",
    "morse", "atbash", "translate-ml", "translate-ta", "translate-mr", "translate-zh-cn", "translate-fr",
)  # fmt: skip
"""SORRY-Bench's 20 mutations. `question` is one of them: the base set's own style is called `base`."""


def _sorry_bench(name: str, release: str, categories: int) -> DataSet:
    columns, rows = ("question_id", "category", "turns"), 10 * categories
    base = Shape(columns, rows, ("turns",), ("question_id",), balanced={"category": (categories, 10)})
    # Mutations hold a few rows without a text (benchmarks.md section 1): only the base set must have one in each.
    mutation = Shape(columns, rows, (), ("question_id",))
    source = f"sorry-bench/sorry-bench-{release}"
    return DataSet(
        name=name,
        title=f"SORRY-Bench {release[:4]}/{release[4:]}: {categories} categories of 10, and 20 mutations",
        licence="custom (sorry-bench); may not be passed on",
        kind="hub",
        source=source,
        version=release,
        rows=rows,
        sha256=None,
        gated=True,
        files=(
            DataFile("question.jsonl", base),
            *(DataFile(f"question_{style}.jsonl", mutation, required=False) for style in SORRY_STYLES),
            DataFile("judge_prompts.jsonl", Shape(), required=False),
        ),
        ref="main",
        mapping={"prompt": "turns", "id": "question_id", "category": "category"},
        otherwise=f"accept the terms at huggingface.co/datasets/{source} and set HF_TOKEN to a token of that account",
        max_bytes=256 * MIB,
    )


SETS: Final[Mapping[str, DataSet]] = {
    s.name: s
    for s in (
        _PAPER, _XSTEST, _sorry_bench("sorry_bench", "202503", 44), _sorry_bench("sorry_bench_202406", "202406", 45),
        _JUDGMENTS,
    )
}  # fmt: skip
"""The known sets by name."""

_HUB_ID: Final = re.compile(r"([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?::([^\x00-\x1f\\]{1,300}))?", re.ASCII)


def dataset(name: str) -> DataSet:
    """The specification of a known set, or of a hub data set by its id.

    Args:
        name: A name in `SETS`, or `owner/name` or `owner/name:FILE` of a data set on the hub, FILE being the path of
            its CSV, JSON, JSONL or Parquet file.

    Raises:
        DataError: Neither; or a FILE that is none of these types or leaves its folder.
    """
    if name in SETS:
        return SETS[name]
    match = _HUB_ID.fullmatch(name)
    if match is None or (match[2] is None and name.lower().endswith(SUFFIXES)):
        known = ", ".join(SETS)
        raise DataError(f"no data set {name[:120]!r}: use {known}, a hub data set (owner/name), or a file that exists")
    source, path = match[1], match[2]
    if path is not None:
        parts = path.split("/")
        if any(p in ("", ".", "..") for p in parts) or not path.lower().endswith(SUFFIXES):
            raise DataError(f"{source}: {path[:120]!r} cannot be read; name a file that ends in {', '.join(SUFFIXES)}")
    return DataSet(
        name=name,
        title="hub data set",
        licence="see its page",
        kind="hub",
        source=source,
        version="",
        rows=None,
        sha256=None,
        gated=False,
        files=(HubFile(path, Shape()),) if path else (),
        ref="main",
        mapping={},
        otherwise=f"see huggingface.co/datasets/{source}; a gated set needs its terms accepted and HF_TOKEN set",
        max_bytes=256 * MIB,
    )


@dataclass(frozen=True)
class HubFile(DataFile):
    """A file of a hub data set that the user named: in the cache it has a name of ours."""

    @property
    def name(self) -> str:
        """`data` with the file's type."""
        return "data" + PurePosixPath(self.path).suffix.lower()
