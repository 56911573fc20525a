"""Rubric files: the two that ship, how files are read, the hash of what a rubric says, and values on its scales."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rubrics import RubricError, load_rubric, parse_rubric, rubric_sha256
from rubrics.loader import BUILT_IN, MAX_BYTES
from tests.support.sample_rubric import GOOD, swapped

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
