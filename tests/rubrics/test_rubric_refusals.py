"""Rubrics that are refused: what is wrong is said in one line, which names the line of the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from rubrics import RubricError, parse_rubric
from tests.support.sample_rubric import GOOD, swapped


def line_of(text: str, needle: str) -> int:
    """The line (from 1) on which `needle` stands, once."""
    hits = [n for n, line in enumerate(text.splitlines(), 1) if needle in line]
    assert len(hits) == 1, (needle, hits)
    return hits[0]


def refused(text: str) -> tuple[str, int | None]:
    """The message of the refusal, and the line that it names."""
    with pytest.raises(RubricError) as info:
        parse_rubric(text, name="my.yaml")
    message = str(info.value)
    assert message.startswith("my.yaml: ")
    assert "\n" not in message, "errors are one line"
    found = re.search(r"line (\d+): ", message)
    return message, int(found[1]) if found else None


def test_the_sample_is_good() -> None:
    assert parse_rubric(GOOD).score_ids == ("alpha", "beta", "gamma", "delta", "plain", "gated", "good", "twin")


def test_a_criterion_id_that_stands_twice() -> None:
    text = swapped("id: beta", "id: alpha")
    message, line = refused(text)
    assert "'alpha'" in message
    assert "twice" in message
    assert line == [n for n, row in enumerate(text.splitlines(), 1) if "id: alpha" in row][1]


def test_an_aggregate_id_that_stands_twice() -> None:
    text = swapped("id: gated", "id: plain")
    message, line = refused(text)
    assert "'plain'" in message
    assert line == [n for n, row in enumerate(text.splitlines(), 1) if "id: plain" in row][1]


def test_an_aggregate_named_like_a_criterion() -> None:
    text = swapped("id: gated", "id: beta")
    message, line = refused(text)
    assert "'beta'" in message
    assert line == [n for n, row in enumerate(text.splitlines(), 1) if "id: beta" in row][1]


@pytest.mark.parametrize("scale", ["likert", "Binary", "''", "5", "null", "[binary]"])
def test_an_unknown_scale(scale: str) -> None:
    text = swapped("scale: ordinal", f"scale: {scale}  # HERE")
    message, line = refused(text)
    assert line == line_of(text, "# HERE")
    assert "scale" in message
    for known in ("binary", "ordinal", "nominal"):
        assert known in message


def block(text: str, criterion: str) -> range:
    """The lines of a criterion."""
    rows = text.splitlines()
    start = line_of(text, f"id: {criterion}")
    end = next((n for n in range(start + 1, len(rows) + 1) if re.match(r"  - id|\S", rows[n - 1])), len(rows) + 1)
    return range(start, end)


@pytest.mark.parametrize(
    ("old", "new", "criterion", "says"),
    [
        ("      0: It is not.\n", "", "alpha", "anchor text for 0"),
        ("      1: It is.\n", "      1: '  '\n", "alpha", "anchor text for 1"),
        ("      2: Some.\n", "", "beta", "anchor text for 2"),
        ("      partial: A part.\n", "", "gamma", "anchor text for partial"),
        ("      partial: A part.\n", "      partly: A part.\n", "gamma", "anchor text for partial"),
        ("      3: Much.\n", "      3: Much.\n      4: Very much.\n", "beta", "anchor for 4"),
        ("points: [1, 2, 3]", "points: [3, 2, 1]", "beta", "ascending"),
        ("points: [1, 2, 3]", "points: [1, 1, 2, 3]", "beta", "ascending"),
        ("points: [1, 2, 3]", "points: [1]", "beta", "at least two"),
        ("    points: [1, 2, 3]\n", "", "beta", "points"),
        ("categories: [none, partial, full]", "categories: [none]", "gamma", "categories"),
        ("categories: [none, partial, full]", "categories: [none, none, full]", "gamma", "categories"),
        ("categories: [none, partial, full]", "points: [1, 2]", "gamma", "categories"),
        ("best: none", "best: nought", "gamma", "'nought'"),
        ("scale: binary\n", "scale: binary\n    points: [0, 1]\n", "alpha", "points"),
        ("scale: binary\n", "scale: binary\n    categories: [a, b]\n", "alpha", "categories"),
        ("scale: binary\n", "scale: binary\n    best: '1'\n", "alpha", "best"),
    ],
)
def test_a_scale_that_is_not_whole(old: str, new: str, criterion: str, says: str) -> None:
    text = swapped(old, new)
    message, line = refused(text)
    assert says in message
    assert line in block(text, criterion)


@pytest.mark.parametrize("criterion", ["alpha", "beta", "gamma"])
def test_no_anchors_at_all(criterion: str) -> None:
    data = yaml.safe_load(GOOD)
    (broken,) = (c for c in data["criteria"] if c["id"] == criterion)
    del broken["anchors"]
    text = yaml.safe_dump(data, sort_keys=False)
    message, line = refused(text)
    assert "anchors" in message
    assert line in block(text.replace("\n- ", "\n  - "), criterion)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("of: [alpha, beta]", "of: [alpha, nope]  # HERE"),
        ("of: [alpha, beta]", "of:\n      - alpha\n      - nope  # HERE"),
        ("gate: alpha", "gate: nope  # HERE"),
        ("harm: gamma", "harm: nope  # HERE"),
        ("- {criterion: beta, when: always}", "- {criterion: nope, when: always}  # HERE"),
        ("- {criterion: alpha, when: resource_required}", "- {criterion: nope, when: resource_required}  # HERE"),
        ("of: [delta]", "of: [nope]  # HERE"),
    ],
)
def test_an_aggregate_over_an_unknown_criterion(old: str, new: str) -> None:
    text = swapped(old, new)
    message, line = refused(text)
    assert "unknown criterion 'nope'" in message
    assert line == line_of(text, "# HERE")


def test_a_mean_over_an_aggregate_is_over_an_unknown_criterion() -> None:
    message, _ = refused(swapped("of: [delta]", "of: [plain]"))
    assert "unknown criterion 'plain'" in message


@pytest.mark.parametrize("inner", ["good", "gated", "beta", "nope"])
def test_a_gate_needs_an_aggregate_above_it(inner: str) -> None:
    """Below it, itself, a criterion, or nothing at all."""
    text = swapped("of: [plain]", f"of: [{inner}]  # HERE")
    message, line = refused(text)
    assert f"{inner!r}" in message
    assert "above" in message
    assert line == line_of(text, "# HERE")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("harm: gamma", "harm: beta", "'beta'"),
        ("    best: none\n", "", "'gamma'"),
        ("of: [delta]", "of: [alpha]", "'alpha'"),
        ("    best: full\n", "", "'delta'"),
    ],
)
def test_rules_that_need_a_best_category(old: str, new: str, says: str) -> None:
    message, line = refused(swapped(old, new))
    assert "best" in message
    assert says in message
    assert line is not None


@pytest.mark.parametrize(("old", "new"), [("of: [alpha, beta]", "of: [alpha, kind]"), ("gate: alpha", "gate: kind")])
def test_no_aggregate_reads_categories_without_a_best_one(old: str, new: str) -> None:
    """Their last would silently count as the good end."""
    kind = """\
  - id: kind
    question: Of which kind?
    scale: nominal
    categories: [one, two, three]
    best: two
    anchors: {one: A., two: B., three: C.}
aggregates:
"""
    text = swapped(old, new).replace("aggregates:\n", kind)
    assert [parse_rubric(text).criterion("kind").rescale(x) for x in (0, 1, 2)] == [0.0, 1.0, 0.0]
    message, line = refused(text.replace("    best: two\n", ""))
    assert "needs `best` on the criterion 'kind'" in message
    assert line is not None and new in text.replace("    best: two\n", "").splitlines()[line - 1]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('version: "1"\n', 'version: "1"\ncolour: red  # HERE\n', "colour"),
        ("    question: How much?\n", "    question: How much?\n    weight: 3  # HERE\n", "weight"),
        ("    rule: mean\n", "    rule: mean\n    weights: [1, 2]  # HERE\n", "weights"),
        ("    gate: alpha\n", "    gate: alpha\n    harm: gamma  # HERE\n", "harm"),
        ("    rule: gate\n", "    rule: gate\n    note: hello  # HERE\n", "note"),
        ("    harm: gamma\n", "    harm: gamma\n    note: hello  # HERE\n", "note"),
        (
            "- {criterion: beta, when: always}",
            "- {criterion: beta, when: always, weight: 2}  # HERE",
            "weight",
        ),
    ],
)
def test_extra_keys(old: str, new: str, key: str) -> None:
    text = swapped(old, new)
    message, line = refused(text)
    assert key in message
    assert line == line_of(text, "# HERE")


@pytest.mark.parametrize(
    ("old", "new", "says", "here"),
    [
        ("rule: mean", "rule: median  # HERE", "unknown rule", False),
        ("of: [plain]", "of: [plain, plain]  # HERE", "of", True),
        ("of: [alpha, beta]", "of: []  # HERE", "of", True),
        ("when: always", "when: sometimes", "when", False),
        ("id: beta", "id: Beta Two  # HERE", "id", True),
        ("question: How much?", "question: ''  # HERE", "question", True),
        ('version: "1"', "version: 1.0  # HERE", "version", True),
        ("name: sample", "name: ../../etc  # HERE", "name", True),
    ],
)
def test_other_refusals(old: str, new: str, says: str, here: bool) -> None:
    text = swapped(old, new)
    message, line = refused(text)
    assert says in message
    assert line is not None
    if here:
        assert line == line_of(text, "# HERE")


@pytest.mark.parametrize(
    ("dropped", "key"),
    [
        ("name: sample\n", "name"),
        ('version: "1"\n', "version"),
        ("    gate: alpha\n", "gate"),
        ("    harm: gamma\n", "harm"),
    ],
)
def test_a_missing_key_is_named(dropped: str, key: str) -> None:
    message, line = refused(swapped(dropped, ""))
    assert re.search(rf"\b{key}` is missing", message), message
    assert line is not None


@pytest.mark.parametrize("text", ["", "null", "just words", "- a\n- b\n", "5"])
def test_something_that_is_no_mapping(text: str) -> None:
    message, line = refused(text)
    assert "mapping" in message
    assert line == 1


def test_no_criteria() -> None:
    message, _ = refused('name: a\nversion: "1"\ncriteria: []\n')
    assert "criteria" in message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: a\nversion: [1\nx: 2\n", 3),
        ("name: a\n\tversion: 1\n", 2),
        ("name: a\nversion: 'b\n", None),
        ("name: a\nversion: *nowhere\n", 2),
        ("a: 1\n---\nb: 2\n", None),
        ("name: !!python/object/apply:os.system [true]\n", 1),
        ("? {a: 1}\n: 2\n", 1),
    ],
)
def test_broken_yaml(text: str, line: int | None) -> None:
    message, named = refused(text)
    assert "YAML" in message
    assert named is not None
    if line is not None:
        assert named == line


def test_characters_that_yaml_does_not_take() -> None:
    """One line, like every error."""
    message, _ = refused(GOOD.replace("Is it so?", "Is \x00 it so?"))
    assert "YAML" in message


def test_hostile_nesting() -> None:
    for text in ("[" * 50_000, "a: " * 20_000, "{a: " * 20_000):
        with pytest.raises(RubricError):
            parse_rubric(text)


def test_python_tags_are_never_built(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(RubricError):
        parse_rubric(f"name: !!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{mark}']]")
    assert not mark.exists()


def test_aliases_may_repeat_a_text() -> None:
    text = GOOD.replace("      1: Little.", "      1: &same Little.").replace("      3: Much.", "      3: *same")
    assert parse_rubric(text).criterion("beta").anchors["3"] == "Little."
