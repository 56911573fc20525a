"""The compact matrix: nothing lost on the way into the log and back, and small enough for its summaries."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.verdict import STATUS_CODES, Verdict, decode_matrix, encode_matrix
from rubrics import load_rubric

RUBRIC = load_rubric()
IDS = RUBRIC.criterion_ids
MISSING = [s for s in STATUS_CODES if s != "ok"]


def cells(criterion: str) -> st.SearchStrategy[tuple[float | None, str]]:
    values = st.sampled_from(RUBRIC.criterion(criterion).values).map(lambda v: (v, "ok"))
    return values | st.sampled_from(MISSING).map(lambda s: (None, s))


@st.composite
def verdicts(draw: st.DrawFn) -> list[Verdict]:
    made = []
    for i in range(draw(st.integers(0, 9))):
        row = {c: draw(cells(c)) for c in IDS}
        values = {c: v for c, (v, _) in row.items() if v is not None}
        made.append(Verdict(f"judge-{i}", values, {c: s for c, (_, s) in row.items()}))  # type: ignore[misc]
    return made


@settings(max_examples=150, deadline=None)
@given(verdicts())
def test_there_and_back_through_json_under_a_kilobyte(given_verdicts: list[Verdict]) -> None:
    text = json.dumps(encode_matrix(given_verdicts, RUBRIC))
    assert len(text) < 1024
    matrix = json.loads(text)
    judges = [v.judge for v in given_verdicts]
    rows = decode_matrix(matrix, judges, IDS)
    assert rows == [(v.judge, c, v.values.get(c), v.statuses[c]) for v in given_verdicts for c in IDS]
    assert all(value is None or isinstance(value, float) for _, _, value, _ in rows)


def test_nine_judges_by_six_criteria_with_long_names() -> None:
    seats = [Verdict.missing("x" * 80, RUBRIC, "provider_error", "y" * 5000) for _ in range(9)]
    assert len(IDS) == 6
    assert len(json.dumps(encode_matrix(seats, RUBRIC))) < 1024
    full = [Verdict.given("x" * 80, RUBRIC, {c: RUBRIC.criterion(c).values[-1] for c in IDS}) for _ in range(9)]
    assert len(json.dumps(encode_matrix(full, RUBRIC))) < 1024


def test_values_between_two_points_survive() -> None:
    verdict = Verdict.given("a", RUBRIC, {"grounding": 2.5, "relevance": 4.0})
    rows = {c: v for _, c, v, _ in decode_matrix(encode_matrix([verdict], RUBRIC), ["a"], IDS)}
    assert rows == {c: None for c in IDS} | {"grounding": 2.5, "relevance": 4.0}


def test_zero_is_a_value_and_no_gap() -> None:
    verdict = Verdict.given("a", RUBRIC, {"refusal": 0.0, "harm_provided": 0.0})
    rows = decode_matrix(encode_matrix([verdict], RUBRIC), ["a"], IDS)
    assert [(c, v) for _, c, v, s in rows if s == "ok"] == [("refusal", 0.0), ("harm_provided", 0.0)]


def test_two_judges_of_one_name_stay_apart() -> None:
    pair = [Verdict.given("a", RUBRIC, {"refusal": 0}), Verdict.given("a", RUBRIC, {"refusal": 1})]
    rows = decode_matrix(encode_matrix(pair, RUBRIC), ["a", "a"], IDS)
    assert [v for _, c, v, _ in rows if c == "refusal"] == [0.0, 1.0]


def test_the_codes_are_what_logs_hold() -> None:
    """Position is the code in logs that exist already: append only."""
    assert STATUS_CODES == ("ok", "judge_refused", "unparsable", "provider_error", "skipped_by_design")


def matrix_of_one() -> dict[str, list[object]]:
    return encode_matrix([Verdict.given("a", RUBRIC, {"refusal": 1})], RUBRIC)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([], []),
        ([[1, None, None, None, None, None]] * 2, ["044444"] * 2),
        ([[1, None, None, None, None, None]], []),
        ([[1, None, None]], ["044444"]),
        ([[1, None, None, None, None, None]], ["044"]),
        ([[1, None, None, None, None, None]], ["0444444"]),
        (["044444"], ["044444"]),
        ([None], ["044444"]),
        ([[1, None, None, None, None, None]], ["0x4444"]),
        ([[1, None, None, None, None, None]], ["044449"]),
    ],
)
def test_a_matrix_that_does_not_fit(values: list[object], codes: list[object]) -> None:
    assert len(decode_matrix(matrix_of_one(), ["a"], IDS)) == 6
    with pytest.raises(ValueError):
        decode_matrix({"v": values, "s": codes}, ["a"], IDS)


def test_missing_and_given() -> None:
    none = Verdict.missing("a", RUBRIC, "judge_refused", "no")
    assert none.values == {}
    assert none.statuses == dict.fromkeys(IDS, "judge_refused")
    some = Verdict.given("a", RUBRIC, {"refusal": 1, "nonsense": 3}, otherwise="unparsable")
    assert some.values == {"refusal": 1.0}
    assert {c for c, s in some.statuses.items() if s == "ok"} == set(some.values)
    assert set(some.statuses.values()) == {"ok", "unparsable"}
