"""Copies of a score hold the same metadata, and a log reads the same."""

from __future__ import annotations

import json
from copy import deepcopy

from inspect_ai.scorer import Score

from judges.panel import make_score
from judges.panels import load_panel
from judges.response import read_response
from judges.seats import panel_record
from judges.verdict import Verdict
from rubrics import load_rubric


def test_a_score_is_copied_without_its_metadata_and_written_as_before() -> None:
    rubric, spec = load_rubric(), load_panel("offline")
    verdict = Verdict.given("rules", rubric, {"refusal": 1.0, "grounding": 4.0}, {"refusal": "it declines"}, "rules")
    score = make_score(
        rubric, [verdict], read_response("No. Here is a number."), None, panel_record(spec, rubric), spec
    )
    other = make_score(rubric, [verdict], read_response("No."), None, panel_record(spec, rubric), spec)
    copied = deepcopy(score)
    assert copied == score
    assert copied.metadata is not None
    assert score.metadata is not None
    assert other.metadata is not None
    assert isinstance(copied.value, dict)
    for key, part in score.metadata.items():
        assert isinstance(part, list) or copied.metadata[key] is part
        assert not isinstance(part, dict) or other.metadata[key] is not part, "scores share nothing that one may change"
    copied.value["refusal"] = 0.0
    copied.metadata["more"] = 1
    assert isinstance(score.value, dict)
    assert score.value["refusal"] == 1.0
    assert "more" not in score.metadata
    plain = json.loads(json.dumps(score.metadata))
    assert score.metadata["scales"] == {c.id: c.scale_facts() for c in rubric.criteria}
    assert score.metadata["rules"] == {a.id: a.rule for a in rubric.aggregates}
    assert json.loads(score.model_dump_json())["metadata"] == plain
    assert Score.model_validate_json(score.model_dump_json()).metadata == plain
