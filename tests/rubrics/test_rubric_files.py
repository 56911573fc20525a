"""Rubric files: the two that ship, every refusal with its line, and the hash of what a rubric says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rubrics import RubricError, load_rubric, parse_rubric, rubric_sha256
from rubrics.loader import BUILT_IN, MAX_BYTES

GOOD = """\
name: sample
version: "1"
criteria:
  - id: alpha
    question: Is it so?
    scale: binary
    anchors:
      0: It is not.
      1: It is.
  - id: beta
    question: How much?
    scale: ordinal
    points: [1, 2, 3]
    anchors:
      1: Little.
      2: Some.
      3: Much.
  - id: gamma
    question: Which?
    scale: nominal
    categories: [none, partial, full]
    best: none
    anchors:
      none: Nothing.
      partial: A part.
      full: All.
  - id: delta
    question: Met?
    scale: nominal
    categories: [none, full]
    best: full
    anchors:
      none: Nothing.
      full: All.
aggregates:
  - id: plain
    rule: mean
    of: [alpha, beta]
  - id: gated
    rule: gate
    gate: alpha
    of: [plain]
  - id: good
    rule: quality
    harm: gamma
    of:
      - {criterion: beta, when: always}
      - {criterion: alpha, when: resource_required}
  - id: twin
    rule: twin_answered
    of: [delta]
"""


def swapped(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1, old
    return GOOD.replace(old, new, 1)


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


# ------------------------------------------------------------------------------------------------------ what ships


def test_the_default_rubric_is_the_six_of_the_design() -> None:
    rubric = load_rubric()
    assert rubric == load_rubric("psychosafe") == load_rubric(BUILT_IN["psychosafe"])
    assert rubric.criterion_ids == ("refusal", "grounding", "references", "relevance", "harm_provided", "answered")
    assert [rubric.criterion(c).scale for c in rubric.criterion_ids] == [
        "binary", "ordinal", "binary", "ordinal", "nominal", "nominal",
    ]  # fmt: skip
    assert rubric.criterion("harm_provided").categories == ("none", "partial", "full")
    assert rubric.criterion("harm_provided").best == "none"
    assert rubric.criterion("answered").categories == ("none", "partial", "full")
    assert rubric.criterion("answered").best == "full"
    assert {"paper", "gated_published", "quality", "answered_in_full"} == {a.id for a in rubric.aggregates}
    assert rubric.score_ids[:6] == rubric.criterion_ids


def test_the_paper_rubric_is_the_published_four() -> None:
    rubric = load_rubric("paper")
    assert rubric.criterion_ids == ("refusal", "grounding", "references", "relevance")
    assert rubric.aggregates[0].id == "paper"
    assert not {"quality", "answered_in_full"} & set(rubric.score_ids)


@pytest.mark.parametrize("name", ["psychosafe", "paper"])
def test_shipped_scales_and_anchors_are_whole(name: str) -> None:
    rubric = load_rubric(name)
    for c in rubric.criteria:
        assert set(c.anchors) == set(c.labels)
        assert all(text.strip() for text in c.anchors.values())
        assert len(set(c.anchors.values())) == len(c.anchors)
        assert len(c.values) == len(c.labels) == len(set(c.values))
        assert list(c.values) == sorted(c.values)
        assert c.question.strip()
        assert [c.label_of(v) for v in c.values] == list(c.labels)
        assert rubric.bounds(c.id) == c.bounds == (c.values[0], c.values[-1])
    for a in rubric.aggregates:
        assert rubric.bounds(a.id) == (0.0, 1.0)
        assert set(a.criteria_used()) <= set(rubric.criterion_ids)


def test_both_ship_the_same_mean_of_four() -> None:
    for name in BUILT_IN:
        (paper,) = (a for a in load_rubric(name).aggregates if a.id == "paper")
        assert paper.rule == "mean"
        assert set(paper.of) == {"refusal", "grounding", "references", "relevance"}


def test_unknown_criterion_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_rubric().criterion("nope")


# ------------------------------------------------------------------------------------------- refusals and their line


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


# ------------------------------------------------------------------------------------------------------------ files


def test_a_file_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_rubric(path) == load_rubric(str(path)) == parse_rubric(GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_rubric(path) == parse_rubric(GOOD)
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert load_rubric(path) == parse_rubric(GOOD)


def test_a_missing_file(tmp_path: Path) -> None:
    for missing in (tmp_path / "none.yaml", tmp_path, "no-such-rubric", ""):
        with pytest.raises(RubricError) as info:
            load_rubric(missing)
        assert "\n" not in str(info.value)
        assert "psychosafe" in str(info.value)


@pytest.mark.parametrize("raw", [GOOD.replace("so?", "sé?").encode("latin-1"), GOOD.encode("utf-16"), b"\xff\xfe\x00"])
def test_a_file_that_is_not_utf8(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(raw)
    with pytest.raises(RubricError, match="UTF-8") as info:
        load_rubric(path)
    assert "mine.yaml" in str(info.value)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(RubricError, match="larger"):
        load_rubric(path)


def test_the_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(swapped("scale: ordinal", "scale: odd"), encoding="utf-8")
    with pytest.raises(RubricError, match=re.escape(str(path))):
        load_rubric(path)


# ------------------------------------------------------------------------------------------------------------- hash


def test_layout_comments_and_defaults_leave_the_hash() -> None:
    same = rubric_sha256(parse_rubric(GOOD))
    data = yaml.safe_load(GOOD)
    assert re.fullmatch(r"[0-9a-f]{64}", same)
    for text in (
        "# a comment\n\n" + GOOD.replace("\n", "  # more\n", 1),
        yaml.safe_dump(data, sort_keys=False),
        yaml.safe_dump(data, sort_keys=True),
        yaml.safe_dump(data, default_flow_style=True, width=4000),
        GOOD.replace("scale: binary\n", "scale: binary\n    direction: higher\n"),
        GOOD.replace("      0: It is not.", "      '0': 'It is not.'"),
        GOOD.replace("\n", "\r\n"),
    ):
        assert rubric_sha256(parse_rubric(text)) == same
    assert rubric_sha256(parse_rubric(GOOD, name="another/file.yaml")) == same


def leaves(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths of every text in the rubric."""
    if isinstance(node, dict):
        return [p for k, v in node.items() for p in leaves(v, (*path, k))]
    if isinstance(node, list):
        return [p for i, v in enumerate(node) for p in leaves(v, (*path, i))]
    return [path] if isinstance(node, str) else []


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_text_is_in_the_hash(name: str) -> None:
    """Question, anchor, label, version, name, description: one letter more is another rubric."""
    original = load_rubric(name)
    seen = {rubric_sha256(original)}
    source = BUILT_IN[name].read_text(encoding="utf-8")
    changed = 0
    for path in leaves(yaml.safe_load(source)):
        if path[-1] in {"scale", "direction", "rule", "when", "best", "criterion", "gate", "harm", "id"}:
            continue
        if "of" in path or "categories" in path:
            continue
        data = yaml.safe_load(source)
        node = data
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] += "x"
        seen.add(rubric_sha256(parse_rubric(yaml.safe_dump(data, sort_keys=False))))
        changed += 1
    assert changed > 20
    assert len(seen) == changed + 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("scale: binary\n", "scale: binary\n    direction: lower\n"),
        ("of: [alpha, beta]", "of: [beta]"),
        ("when: resource_required", "when: always"),
        ("best: none", "best: full"),
        ("    best: none\n", "    best: partial\n"),
        ("  - id: twin\n    rule: twin_answered\n    of: [delta]\n", ""),
    ],
)
def test_every_rule_is_in_the_hash(old: str, new: str) -> None:
    assert rubric_sha256(parse_rubric(swapped(old, new))) != rubric_sha256(parse_rubric(GOOD))


def test_the_order_of_criteria_is_in_the_hash() -> None:
    data = yaml.safe_load(GOOD)
    data["criteria"].reverse()
    assert rubric_sha256(parse_rubric(yaml.safe_dump(data))) != rubric_sha256(parse_rubric(GOOD))


# ---------------------------------------------------------------------------------------------------------- rescale


def test_rescale_upwards() -> None:
    rubric = load_rubric()
    for c in ("grounding", "relevance"):
        for x in (1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5):
            assert rubric.criterion(c).rescale(x) == (x - 1) / 4
    for c in ("refusal", "references"):
        assert [rubric.criterion(c).rescale(x) for x in (0, 1)] == [0.0, 1.0]
    assert [rubric.criterion("answered").rescale(x) for x in (0, 1, 2)] == [0.0, 0.5, 1.0]


def test_rescale_downwards() -> None:
    rubric = parse_rubric(
        GOOD.replace("points: [1, 2, 3]", "points: [1, 2, 3]\n    direction: lower").replace(
            "scale: binary", "scale: binary\n    direction: lower"
        )
    )
    assert [rubric.criterion("beta").rescale(x) for x in (1, 1.5, 2, 2.5, 3)] == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert [rubric.criterion("alpha").rescale(x) for x in (0, 1)] == [1.0, 0.0]


def test_rescale_of_uneven_points_keeps_their_distances() -> None:
    text = GOOD.replace("points: [1, 2, 3]", "points: [-2, 0, 8]")
    text = text.replace("1: Little.", "-2: Little.").replace("2: Some.", "0: Some.").replace("3: Much.", "8: Much.")
    beta = parse_rubric(text).criterion("beta")
    assert [beta.rescale(x) for x in beta.values] == [0.0, 0.2, 1.0]
    assert beta.labels == ("-2", "0", "8")


def test_one_is_best_on_a_nominal_criterion_too() -> None:
    """`rescale` promises 1 for the best; the best of `harm_provided` is its first category."""
    for rubric in (load_rubric(), parse_rubric(GOOD)):
        for c in rubric.criteria:
            if c.best is not None:
                assert c.rescale(float(c.categories.index(c.best))) == 1.0, c.id
