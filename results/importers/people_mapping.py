"""The mapping file: which column, field or question of somebody's file means what.

YAML, read as text throughout, so that `yes`, `no` and `1` mean what stands there:

    run: v0                          # a run's id, the start of it, or its label; or {column: Run}
    item: Item                       # the column of item ids; or prompt: the column of the prompts' texts
    epoch: Epoch                     # columns, which may be left out: epoch 1, turn 0
    turn: Turn
    rater: Anna                      # the person; or {column: Rater}
    criteria:                        # a column for each criterion
      refusal: {column: "Refused?", values: {yes: 1, no: 0, "n/a": skipped}}
      grounding: {column: Grounding}
    columns:                         # or a column for each person and criterion; then no rater
      "Anna: refusal": {rater: Anna, criterion: refusal}

`values` gives for a cell's text (in any case) the value or label of the scale, or `skipped`; with it, other texts are
refused. What is left out is looked for under the names of the long layout (`run_id`, `item_id`, `rater`). For Label
Studio and Argilla a column is a field of the task or record, and a criterion's column the name of its control or
question; the rater comes from the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from results.importers.people_rows import RefusedRow, file_name, read_file, shown, text_of
from results.importers.people_runs import Runs
from results.importers.psychosafe import ImportRefused
from rubrics.reading import YamlError, read_yaml

MAX_CHARS: Final = 100_000
SKIPPED: Final = "skipped"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Part):
    """A column."""

    column: str


class _Read(_Part):
    values: dict[str, str] = Field(default_factory=dict)

    def read(self, raw: Any) -> tuple[Any, str | None]:
        """Value and status of a cell.

        Raises:
            ValueError: Not among `values`.
        """
        if not self.values:
            return raw, None
        text = ("" if raw is None else str(raw)).strip().casefold()
        for key, value in self.values.items():
            if key.strip().casefold() == text:
                return (None, SKIPPED) if value.strip().casefold() == SKIPPED else (value, None)
        if not text:
            return None, None
        raise ValueError(f"{shown(raw)} is not among the mapping's values ({', '.join(self.values)[:80]})")


class CriterionColumn(_Read):
    """The column of one criterion."""

    column: str


class PersonColumn(_Read):
    """Whose column it is, and for which criterion."""

    rater: str
    criterion: str


class Mapping(_Part):
    """Which column means what; see the module."""

    run: str | Column = Column(column="run_id")
    item: str | None = None
    prompt: str | None = None
    epoch: str | None = None
    turn: str | None = None
    rater: str | Column = Column(column="rater")
    criteria: dict[str, CriterionColumn] = Field(default_factory=dict)
    columns: dict[str, PersonColumn] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Mapping:
        if self.item is not None and self.prompt is not None:
            raise ValueError("give item or prompt, not both")
        if self.criteria and self.columns:
            raise ValueError("give criteria or columns, not both")
        return self

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that a table has to have."""
        named = [self.prompt or self.item or "item_id", self.epoch, self.turn, *self.columns]
        named += [c.column for c in (self.run, *(() if self.columns else (self.rater,))) if isinstance(c, Column)]
        return tuple(dict.fromkeys(c for c in (*named, *(c.column for c in self.criteria.values())) if c))


class Places:
    """Run and item of a row, as a mapping says.

    Args:
        mapping: The mapping.
        runs: The runs of the store.

    Raises:
        StoreError: The mapping names a run that is not there, or not one alone.
    """

    def __init__(self, mapping: Mapping, runs: Runs) -> None:
        self._mapping = mapping
        self._runs = runs
        self._run = None if isinstance(mapping.run, Column) else runs.find(mapping.run).run_id

    def of(self, row: dict[str, Any], where: str) -> tuple[str, str] | RefusedRow:
        """Ids of the run and the item that a row is about, or why it is refused."""
        m = self._mapping
        run_id = self._run if not isinstance(m.run, Column) else text_of(row.get(m.run.column))
        if not run_id:
            return RefusedRow(where, f"no run in {shown(m.run.column if isinstance(m.run, Column) else m.run)}")
        if m.prompt is None:
            return run_id, text_of(row.get(m.item or "item_id"))
        prompt = row.get(m.prompt)
        if not isinstance(prompt, str) or not prompt.strip():
            return RefusedRow(where, f"no prompt in {shown(m.prompt)}")
        if self._runs.get(run_id) is None:
            return RefusedRow(where, f"no run {shown(run_id)} in the store; `psychosafe runs` lists what there is")
        found = self._runs.items_of(run_id, prompt)
        if len(found) != 1:
            what = "no item" if not found else f"{len(found)} items"
            return RefusedRow(where, f"{run_id} has {what} with this prompt; name the item by its id")
        return run_id, found[0]


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        ImportRefused: In one line: it cannot be read, is no YAML, or the field that is wrong.
    """
    name = file_name(path)
    text, _ = read_file(path, "mapping")
    if len(text) > MAX_CHARS:
        raise ImportRefused(f"{name}: longer than {MAX_CHARS:,} characters; a mapping names columns only")
    try:
        # As text throughout: in YAML 1.1, `yes` is a truth value and `1` a number.
        _, data = read_yaml(text, as_text=True)
    except YamlError as ex:
        line = f" at line {ex.line}" if ex.line is not None else ""
        raise ImportRefused(
            f"{name}: not valid YAML{line}: {ex.what}; `psychosafe import --help` shows an example"
        ) from ex
    try:
        return Mapping.model_validate(data)
    except ValidationError as ex:
        first = ex.errors()[0]
        place = ".".join(str(p) for p in first["loc"] if str(p) not in ("Column", "str"))[:80]
        why = first["msg"].removeprefix("Value error, ")
        raise ImportRefused(f"{name}: {place + ': ' if place else ''}{why}; see `psychosafe import --help`") from ex
