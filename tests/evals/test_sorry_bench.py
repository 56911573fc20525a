"""SORRY-Bench end to end, on a small set of our own: policies, ciphers, translations, and what goes into the store."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log_sample_summaries

from evals.sorry.decode import encode
from evals.sorry.taxonomy import BROKEN_OUT, CIPHERS, DOMAINS, TRANSLATIONS
from evals.sorry_bench import sorry_bench
from judges.stats import wilson
from results.ingest import ingest, read_log
from results.store import Store
from tests.evals.conftest import Ask
from tests.support.openai_server import Handler, ScriptedServer, content_filter, status, text, verdict_json
from tests.support.sorry import ANSWER, QUESTIONS, REFUSAL, by, figures, meta, run, scores, value

# --- rules, in this process ------------------------------------------------------------------------------------------


def test_policies_at_both_ends(folder: Path) -> None:
    blunt = run(sorry_bench(prompts=str(folder), mutations="base,slang"), "policy/blunt", folder)
    comply = run(sorry_bench(prompts=str(folder), mutations="base,slang"), "policy/comply", folder)
    assert {value(s) for s in scores(blunt).values()} == {0.0}
    assert {value(s) for s in scores(comply).values()} == {1.0}
    got = figures(blunt)
    low, high = wilson(0, 4)
    assert (got["fulfilment.rate_mean"], got["fulfilment.rate_n"]) == (0.0, 4)
    assert (got["fulfilment.rate_low"], got["fulfilment.rate_high"]) == pytest.approx((low, high))
    assert got["sorry_panel.coverage_fulfilment"] == 1.0
    assert by(comply)["mutation/slang"] == 1.0 and by(comply)["mutation/slang/n"] == 4
    assert by(comply)["mutation/slang/low"] == pytest.approx(wilson(4, 4)[0])


def test_a_partial_answer_is_fulfilment(folder: Path) -> None:
    log = run(sorry_bench(prompts=str(folder)), "policy/partial", folder)
    assert {value(s) for s in scores(log).values()} == {1.0}


def test_figures_stand_by_name(folder: Path) -> None:
    got = by(run(sorry_bench(prompts=str(folder)), "policy/comply", folder))
    for category in BROKEN_OUT:
        expected = 1 if category in ("Unhealthy Behaviors", "Medical Advice") else 0
        assert got[f"category/{category}/n"] == expected
        assert math.isnan(got[f"category/{category}"]) == (expected == 0)
    assert {got[f"domain/{d}/n"] for d in DOMAINS} == {1}
    assert got["category/Self-Harm/n"] == 1
    assert "category/Malware/n" not in got
    assert got["all/without advice/n"] == 2
    assert not [k for k in got if re.search(r"/\d+(/|$)", k)]


def test_the_empty_answer_has_no_value(folder: Path) -> None:
    log = run(sorry_bench(prompts=str(folder)), "policy/empty", folder)
    for score in scores(log).values():
        assert math.isnan(value(score))
        assert score.reason == "no_response"
        assert "the response is empty" in (score.explanation or "")
    got = by(log)
    assert (got["all/worst case/low"], got["all/worst case/high"], got["all/missing"]) == (0.0, 1.0, 4)
    assert figures(log)["sorry_panel.coverage_fulfilment"] == 0.0


def test_null_turns_are_reported(folder: Path) -> None:
    log = run(sorry_bench(prompts=str(folder), mutations="question"), "policy/blunt", folder)
    facts = (log.eval.metadata or {})["psychosafe"]
    assert facts["sorry_bench"]["null_turns"] == ["051-question"]
    assert facts["prompt_set"]["n"] == 3
    assert set(scores(log)) == {"001-question", "381-question", "391-question"}


@pytest.mark.socket
def test_styles_are_averaged_within_a_question(folder: Path, chat: Ask) -> None:
    answer = "Sure, here it is: [placeholder answer, part 1]."
    model = chat("half", lambda r: text(answer if r.last_user.startswith("slang") else "I can't help with that."))
    log = run(sorry_bench(prompts=str(folder), mutations="base,slang"), model, folder)
    assert figures(log)["fulfilment.rate_mean"] == 0.5
    assert figures(log)["fulfilment.rate_n"] == 4
    assert (by(log)["mutation/base"], by(log)["mutation/slang"], by(log)["mutation/average"]) == (0, 1, 1)


def test_epochs(folder: Path) -> None:
    log = run(sorry_bench(prompts=str(folder), epochs=2), "policy/comply", folder)
    assert figures(log)["fulfilment.rate_n"] == 4
    assert figures(log)["fulfilment.rate_mean"] == 1.0


# --- ciphers ---------------------------------------------------------------------------------------------------------


@pytest.mark.socket
def test_strict_reads_both_forms(folder: Path, chat: Ask) -> None:
    cases = {1: (REFUSAL, False, 0), 51: (REFUSAL, True, 0), 381: (ANSWER, False, 1), 391: (ANSWER, True, 1)}
    by_text = {QUESTIONS[n]: case for n, case in cases.items()}

    def answer(request: Any) -> Any:
        cipher, _, question = request.last_user.partition(": ")
        said, coded, _ = by_text[question]
        return text(encode(said, cipher) if coded else said)

    log = run(sorry_bench(prompts=str(folder), mutations=list(CIPHERS)), chat("cipherer", answer), folder)
    assert len(scores(log)) == 16
    for key, score in scores(log).items():
        _, coded, want = cases[int(key[:3])]
        assert value(score) == want, key
        assert meta(score)["forms"]["judged"] == ["answer", "decoded"][: 1 + coded], key
        assert ("decoded" in meta(score)["form_texts"]) == coded


@pytest.mark.socket
def test_either_form_fulfils(folder: Path, chat: Ask) -> None:
    judge = chat("either", lambda r: text(verdict_json(r, {"fulfilment": int(ANSWER[:20] in r.last_user)})))
    model = chat("coder", text(encode(ANSWER, "caesar")))
    log = run(sorry_bench(prompts=str(folder), mutations="caesar", judge="llm"), model, folder,
              model_roles={"judge": judge})  # fmt: skip
    for score in scores(log).values():
        assert value(score) == 1
        assert [m["v"] for m in meta(score)["forms"]["verdicts"]] == [[[0]], [[1]]]


@pytest.mark.socket
def test_faithful_decodes_always(folder: Path, chat: Ask, raw: Ask, server: ScriptedServer) -> None:
    task = sorry_bench(prompts=str(folder), mutations="caesar", judge="official", mode="faithful")
    log = run(task, chat("plain", text(REFUSAL)), folder, model_roles={"judge": raw("gibber", text("0"))})
    assert {value(s) for s in scores(log).values()} == {0.0}
    assert all(meta(s)["forms"]["judged"] == ["decoded"] for s in scores(log).values())
    shown = [r.body["prompt"] for r in server.calls("gibber")]
    assert len(shown) == 4
    assert all(REFUSAL not in p and encode("I'm sorry", "caesar") not in p and "F'j ploov" in p for p in shown)


# --- translations ----------------------------------------------------------------------------------------------------


def marked(said: str) -> Handler:
    """A translator that does as it is told."""

    def handler(request: Any) -> Any:
        found = re.search(r"<<([0-9a-f]{16})>>", request.last_user)
        assert found is not None
        return text(f"<<{found[1]}>>\n{said}\n<<{found[1]}>>")

    return handler


def test_without_a_translator_strict_says_so(folder: Path) -> None:
    log = run(sorry_bench(prompts=str(folder), mutations="base,translate-fr"), "policy/blunt", folder)
    for key, score in scores(log).items():
        if key.endswith("base"):
            assert value(score) == 0
            continue
        assert math.isnan(value(score))
        assert score.reason == "no_translator"
        assert "--model-role translator=MODEL" in (score.explanation or "")
        assert meta(score)["gaps"] == {"fulfilment": "skipped_by_design"}
    assert figures(log)["sorry_panel.coverage_fulfilment"] == 0.5


def test_without_a_translator_faithful_does_not_start(folder: Path) -> None:
    task = sorry_bench(prompts=str(folder), mutations="translate-ta", mode="faithful")
    log = run(task, "policy/blunt", folder)
    assert log.status == "error" and log.error is not None
    assert "bind --model-role translator=MODEL" in log.error.message


@pytest.mark.socket
def test_the_judge_sees_the_translation(folder: Path, chat: Ask, raw: Ask, server: ScriptedServer) -> None:
    roles = {"judge": raw("bilingual", text(" 0\n")), "translator": chat("interpreter", marked(REFUSAL))}
    task = sorry_bench(prompts=str(folder), mutations=list(TRANSLATIONS), judge="official")
    log = run(task, chat("polyglot", text("Désolé [placeholder]")), folder, model_roles=roles)
    assert len(scores(log)) == len(server.calls("bilingual")) == 20
    for score in scores(log).values():
        assert value(score) == 0
        assert meta(score)["forms"]["judged"] == ["translated"]
        assert meta(score)["forms"]["unchanged"] is False
    for request in server.calls("bilingual"):
        assert REFUSAL in request.body["prompt"] and "Désolé" not in request.body["prompt"]
        assert sum(t in request.body["prompt"] for t in QUESTIONS.values()) == 1
        assert "translate-" not in request.body["prompt"]  # the base question, never the mutated prompt
    assert by(log)["all/translation unchanged"] == 0


@pytest.mark.socket
def test_faithful_takes_what_a_translation_service_gives_and_sends_it_no_empty_answer(
    folder: Path, chat: Ask, server: ScriptedServer
) -> None:
    service = chat("service", text(REFUSAL))
    task = sorry_bench(prompts=str(folder), mutations="translate-fr", mode="faithful")
    first = next(iter(QUESTIONS.values()))
    speaker = chat("speaker", lambda request: text("" if first in request.last_user else "Désolé [placeholder]"))
    log = run(task, speaker, folder, model_roles={"translator": [service]})
    forms = [meta(s)["forms"] for s in scores(log).values()]
    assert [f["judged"] for f in forms] == [["translated"]] * 4 and server.count("service") == 3
    assert sorted(f["unchanged"] for f in forms) == [False, False, False, True]
    assert sorted(map(value, scores(log).values()))[:3] == [0, 0, 0]
    two = run(task, speaker, folder, model_roles={"translator": [service, chat("another", text("x"))]})
    assert two.error is not None and "the role translator holds 2 models; bind one" in two.error.message


@pytest.mark.socket
def test_an_unchanged_translation_is_logged(folder: Path, chat: Ask) -> None:
    roles = {"translator": chat("same", marked(REFUSAL))}
    log = run(sorry_bench(prompts=str(folder), mutations="translate-fr"), chat("english", text(REFUSAL)), folder,
              model_roles=roles)  # fmt: skip
    assert all(meta(s)["forms"]["unchanged"] is True and value(s) == 0 for s in scores(log).values())
    assert by(log)["all/translation unchanged"] == 4


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (text("I'm sorry, I can't translate that."), "unparsable"),
        (content_filter(""), "unparsable"),
        (status(400, "no such language"), "provider_error"),
    ],
)
@pytest.mark.socket
def test_a_translator_that_fails(folder: Path, chat: Ask, handler: Handler, code: str) -> None:
    log = run(sorry_bench(prompts=str(folder), mutations="translate-fr"), chat("fr", text("Voilà [placeholder].")),
              folder, model_roles={"translator": chat("bad", handler)})  # fmt: skip
    for score in scores(log).values():
        assert math.isnan(value(score))
        assert "translator: " in (score.explanation or "")
        assert meta(score)["verdicts"]["v"] == [[None]]
        assert meta(score)["verdicts"]["s"] == [{"unparsable": "2", "provider_error": "3"}[code]]


# --- into the store --------------------------------------------------------------------------------------------------


@pytest.mark.socket
def test_the_log_is_ingested(folder: Path, tmp_path: Path, chat: Ask, raw: Ask) -> None:
    handler: Handler = lambda r: text("hm" if "insult" in r.last_user else "1")  # noqa: E731
    task = sorry_bench(prompts=str(folder), mutations="base,caesar", judge="official")
    log = run(task, chat("m", text(ANSWER)), folder, model_roles={"judge": raw("mistral-two", handler)})
    path = Path(log.location.removeprefix("file://"))
    ((manifest, table),) = read_log(path)
    rows = table.to_pylist()
    assert manifest.task == "sorry_bench"
    assert manifest.prompt_set.name == "SORRY-Bench 202503"
    assert (manifest.prompt_set.n, manifest.prompt_set.scored, manifest.limited) == (8, 8, False)
    assert manifest.rubric.scales["fulfilment"].direction == "lower"
    assert {i.category for i in manifest.items} == {"Personal Insult Words", "Self-Harm", "Unhealthy Behaviors",
                                                    "Medical Advice"}  # fmt: skip
    panel = {r["item_id"]: (r["value"], r["status"]) for r in rows if r["rater"] == "panel"}
    assert panel["051-caesar"] == (1.0, "ok")
    assert panel["001-base"] == (None, "no_quorum")
    seat = {r["item_id"]: r["status"] for r in rows if r["rater_kind"] == "llm"}
    assert seat["001-base"] == "unparsable"
    assert ingest(Store(tmp_path / "store"), [path]).written == [manifest.run_id]


def test_what_results_need_survives_into_the_summaries(folder: Path) -> None:
    log = run(sorry_bench(prompts=str(folder)), "policy/wrapper", folder)
    for summary in read_eval_log_sample_summaries(log.location):
        kept = meta((summary.scores or {})["sorry_panel"])
        for key in ("panel", "scales", "verdicts", "response", "gaps", "forms"):
            assert isinstance(kept[key], dict), key


def test_modes_are_never_compared(folder: Path) -> None:
    keys = set()
    for mode in ("strict", "faithful"):
        log = run(sorry_bench(prompts=str(folder), mode=mode), "policy/blunt", folder)
        ((manifest, _),) = read_log(Path(log.location.removeprefix("file://")))
        keys.add(manifest.comparability("fulfilment")[0])
    assert len(keys) == 2
