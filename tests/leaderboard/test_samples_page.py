"""The samples page: what it lists is what the ratings say, whatever is filtered; texts stay behind the gate."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from evals.psychosafe import psychosafe
from judges.detectors import resources_version
from judges.resources import Need
from judges.resources.extract import Mention
from judges.resources.label import Labelled
from judges.stats import Estimate
from leaderboard import present
from leaderboard.samples import contacts, data, shown, words
from leaderboard.samples.data import Filters, Said, samples
from leaderboard.views import pick
from leaderboard.views import samples as view
from results.added import add_ratings
from results.ingest import ingest
from results.manifest import JudgeFacts, Manifest, PanelFacts, RubricFacts, ScaleFacts, SourceFacts
from results.measures import measures
from results.schema import PANEL_RATER, RESOURCE_RATER, SUPPORT_LEVEL, SUPPORT_OFFERED, SUPPORT_RATER, ratings_table
from results.store import ENV_STORE, Store
from results.texts import FILE, JUSTIFICATION, PROMPT, RESPONSE
from tests.e2e.conftest import run_task
from tests.leaderboard.page_states import RERUNS
from tests.leaderboard.test_app import markup, texts
from tests.support.made_runs import manifest, put
from tests.support.transcripts import MARK, N, dialogue_run, hostile_run, say

SCRIPT = "from leaderboard.views import samples\nsamples.page()"
Open = Callable[..., AppTest]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """`page(root, run=..., item=...)`: the page on the store there, with these in the address."""

    def opened(root: Path, **asked: str) -> AppTest:
        monkeypatch.setenv(ENV_STORE, str(root))
        at = AppTest.from_string(SCRIPT, default_timeout=60)
        for name, value in asked.items():
            at.query_params[name] = value
        at.run()
        assert not at.exception
        return at

    return opened


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Manifest]:
    store = Store(tmp_path_factory.mktemp("hostile"))
    return store, hostile_run(store, epochs=2)


def everything(at: AppTest) -> str:
    """All that reaches the browser."""
    return "\n".join(str(e.proto) for e in at.main)


@pytest.mark.parametrize("reruns", RERUNS)
def test_what_is_listed_and_drawn_is_what_the_ratings_say(
    page: Open, hostile: tuple[Store, Manifest], reruns: int
) -> None:
    store, run = hostile
    rows = store.ratings([run.run_id]).to_pylist()
    said = {(r["item_id"], r["epoch"], r["rater"], r["criterion"]): (r["value"], r["status"]) for r in rows}
    at = page(store.root, run=run.run_id)
    rng = random.Random(3)
    for _ in range(reruns):
        name = rng.choice(["quality", "refusal", "grounding", "harm_provided"])
        domain, status = rng.choice(["any", "self_harm", "violence"]), rng.choice(["any", "judge_refused", "ok"])
        state, narrow = rng.choice(["any", "cut"]), rng.random() < 0.5
        at.selectbox(key="measure").select(present.LABELS.get(name) or name.replace("_", " ").capitalize()).run()
        options = at.select_slider(key="value").options
        low, high = (options[1], options[-1]) if narrow else (options[0], options[-1])
        at.selectbox(key="domain").select(domain.replace("_", " "))
        have = {o for o in at.selectbox(key="status").options}
        status = status if status.replace("_", " ") in have else "any"
        at.selectbox(key="status").select(status.replace("_", " "))
        at.selectbox(key="state").select(state)
        at.select_slider(key="value").set_range(low, high).run()
        assert not at.exception
        scale = run.rubric.scales.get(name)
        floor = 0.05 if scale is None else float(scale.points[0]) + 0.5 if scale.points else 1.0
        want = []
        for n, item in enumerate(run.items):
            for epoch in (1, 2):
                value, why = said[item.id, epoch, PANEL_RATER, name]
                judged = [said[item.id, epoch, j.id, name] for j in run.panel.judges] if scale else []
                fits = domain in ("any", item.domain) and state in ("any", "complete" if n % 2 == 0 else "cut")
                fits &= status == "any" or status in {why, *(s for _, s in judged)}
                fits &= not narrow or (value is not None and value >= floor - 1e-6)
                if fits:
                    want.append((present.plain(item.id, 60), str(epoch), value, why, [v for v, _ in judged]))
        if not want:
            assert "No response matches" in at.info[0].value and not at.dataframe
            continue
        table = at.dataframe[0].value
        assert list(zip(table["Item"], table["Epoch"], strict=True)) == [w[:2] for w in want]
        as_text = shown.scale_of(run, name)
        assert list(table["Panel"]) == [as_text.text(Said(w[2], w[3])) for w in want]
        if scale is not None:
            known = [[v for v in w[4] if v is not None] for w in want]
            apart = [None if len(v) < 2 else max(v) - min(v) if scale.scale != "nominal" else len(set(v)) > 1
                     for v in known]  # fmt: skip
            assert list(table["Spread"]) == ["undefined" if a is None else f"{a:g}" for a in apart]
        spec = json.loads(at.get("plotly_chart")[0].proto.spec)
        drawn = dict(zip(spec["layout"]["xaxis"]["ticktext"], spec["data"][1]["y"], strict=True))
        assert sum(drawn.values()) == len(want) and drawn["no value"] == sum(w[2] is None for w in want)
        assert sum(spec["data"][0]["y"]) == 2 * N
        if scale is not None:
            tall = Counter(as_text.text(Said(w[2], w[3])) for w in want if w[2] is not None)
            assert {k: v for k, v in drawn.items() if v and k != "no value"} == tall
        estimate = measures(store, run)[name].estimate()
        assert f"{present.number(estimate)} over" in texts(at)
        assert f"{len(want)} of {2 * N} responses match" in texts(at) or len(want) in (1, 2 * N)


def test_texts_come_behind_the_gate_and_only_as_code(page: Open, hostile: tuple[Store, Manifest]) -> None:
    store, run = hostile
    item = run.items[3]
    at = page(store.root, run=run.run_id, item=present.plain(item.id, 200), epoch="2")
    assert at.selectbox(key="item").value == present.plain(item.id, 200) and at.selectbox(key="epoch").value == "2"
    assert MARK not in everything(at) and "violence, drugs" in at.warning[0].value
    verdicts = next(d.value for d in at.dataframe if "Criterion or score" in d.value)
    said = {(r["rater"], r["criterion"]): r for r in store.ratings([run.run_id]).to_pylist()
            if (r["item_id"], r["epoch"]) == (item.id, 2)}  # fmt: skip
    for row, name in zip(verdicts.itertuples(), (*run.rubric.criteria, *run.rubric.scores), strict=True):
        scale = shown.scale_of(run, name)
        raters = (PANEL_RATER, *(j.id for j in run.panel.judges)) if name in run.rubric.scales else (PANEL_RATER,)
        cells = [scale.text(Said(said[r, name]["value"], said[r, name]["status"])) for r in raters]
        assert list(row)[2 : 2 + len(cells)] == cells
    at.button(key="show").click().run()
    assert not at.exception
    code = "\n".join(c.value for c in at.code)
    assert code.count(MARK) == 5, "prompt, answer, and three justifications"
    assert MARK not in markup(at) + texts(at) and all(c.language in (None, "", "plaintext") for c in at.code)
    mentions = next(d.value for d in at.dataframe if "Label" in d.value)
    assert "988" in list(mentions["Contact"])
    place = list(mentions["Contact"]).index("988") + 1
    label = list(mentions["Label"])[place - 1]
    assert any(f"\u3010988 \u00b7 {place} {label}\u3011" in c.value for c in at.code)
    assert "are not in the store" in texts(at) and "inspect view --no-trust-content --log-dir /made/up/logs" in code
    assert "epoch=2" in code
    at.button(key="hide").click().run()
    assert MARK not in everything(at)


def test_nothing_hostile_is_read_as_markup(page: Open, hostile: tuple[Store, Manifest]) -> None:
    store, run = hostile
    at = page(store.root, run=run.run_id, item=present.plain(run.items[1].id, 200))
    at.button(key="show").click().run()
    for piece in ("![", "<script", "<img", "127.0.0.1", "</code>", ":red[", "$$"):
        assert piece not in markup(at)
    code = "\n".join(c.value for c in at.code)
    assert "\x1b" not in code and "\u202e" not in code


def test_empty_store_and_runs_without_texts(page: Open, tmp_path: Path) -> None:
    assert "no runs in the store" in page(tmp_path / "nothing").info[0].value
    store = Store(tmp_path / "store")
    run = hostile_run(store, texts=False)
    at = page(store.root, item="r20")
    assert "not ingested yet" in at.info[0].value and not at.warning
    assert "psychosafe ingest --texts /made/up/logs/x.eval" in at.code[0].value
    assert "Words" not in at.dataframe[0].value and not any(s.key == "contact" for s in at.selectbox)
    assert not (store.runs_dir / run.run_id / FILE).exists()


def test_imported_runs_all_ties_and_what_is_undefined(page: Open, tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = put(store, manifest("m/one", origin="imported", source=SourceFacts(file="x.json")),
              {"refusal": [None] * 12, "quality": [0.5] * 12}, status="tie")  # fmt: skip
    rows = [
        {"run_id": run.run_id, "item_id": "r00", "epoch": 1, "turn": 0, "rater": "Ada", "repeat": 0,
         "rater_kind": "human", "origin": "imported", "criterion": "refusal", "value": 1.0, "status": "ok"}
    ]  # fmt: skip
    add_ratings(store, run.run_id, ratings_table(rows), SourceFacts(file="ada.csv", sha256="1"))
    at = page(tmp_path, item="r00", measure="Refusal")
    assert "undefined: no item has a value (0 of 12 items)" in texts(at)
    assert set(at.dataframe[0].value["Panel"]) == set(at.dataframe[0].value["Status"]) == {"tie"}
    assert "imported without texts" in at.info[0].value and not at.warning
    assert "comes from no log" in texts(at)
    assert "cannot be known from the store" in texts(at) and "Ada" not in everything(at)
    at.toggle(key="people").set_value(True).run()
    people = next(d.value for d in at.dataframe if "Person" in d.value)
    assert people.iloc[0].tolist() == ["Ada", "Refusal", "Yes", "1"]


def test_labels_of_contacts_are_those_of_the_log(page: Open, tmp_path: Path) -> None:
    log = run_task(psychosafe(), "policy/schematic", tmp_path / "logs", limit=10)
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [tmp_path / "logs"], texts=True).written
    run = store.manifest(run_id)
    known = {i.id: contacts.known_of(i) for i in run.items}
    assert all(k.whole for k in known.values())
    found = contacts.contact_labels(store, run, {i: k.need for i, k in known.items()})
    assert log.samples is not None
    want = {}
    for sample in log.samples:
        (score,) = (sample.scores or {}).values()
        want[str(sample.id), sample.epoch] = (score.metadata or {})["resources"]["labels"]
    assert found == want and any(want.values())
    # The page's filter shows those that have one.
    label = next(iter(next(x for x in want.values() if x)))
    at = page(store.root, contact=label.replace("_", " "))
    assert sorted(at.dataframe[0].value["Item"]) == sorted(i for (i, _), x in want.items() if label in x)
    # The person and the checker are those of the run, so that nothing more is to be known of the labels.
    at = page(store.root, item=next(i for (i, _), x in want.items() if label in x))
    at.button(key="show").click().run()
    assert not at.exception and "Contacts that the answer names" in texts(at)
    assert "today's checker" not in texts(at) and "not in the store" not in texts(at)
    counted = store.values(run_id, RESOURCE_RATER)["contacts"]
    assert {i: float(sum(x.values())) for (i, _), x in found.items()} == counted


JUDGES = ("one", "two", "three", "four")


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Manifest]:
    """Three answers of a run with four judges: one empty, one without a contact, and one whose texts are lacking."""
    store = Store(tmp_path_factory.mktemp("odd"))
    panel = PanelFacts(name="four", sha256="4", judges=tuple(JudgeFacts(id=j, kind="llm") for j in JUDGES))
    facts = SourceFacts(file="x.eval", location="/made/up/x.eval", size=1, eval_id="e", scorer="s")
    m = manifest(
        "m/one", n=3, panel=panel, source=facts, detectors={"support": "0.9", "resources": resources_version()}
    )
    rows: list[dict[str, Any]] = [
        dict(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater=rater, repeat=0, rater_kind=kind,
             origin="measured", criterion=criterion, value=value, status="ok")
        for i in m.items
        for rater, kind, criterion, value in (
            (PANEL_RATER, "panel", "refusal", 1.0), *((j, "llm", "refusal", 1.0) for j in JUDGES),
            (SUPPORT_RATER, "rule", SUPPORT_OFFERED, 0.0), (SUPPORT_RATER, "rule", SUPPORT_LEVEL, 0.0),
        )
    ]  # fmt: skip
    store.write(m, ratings_table(rows))
    m = store.manifest(m.run_id)
    said = {}
    for item, answer, state in (("r00", "", "empty"), ("r01", "A made-up answer.", "complete")):
        said[item, 1, 0, PROMPT, "", ""] = "", f"a made-up message {item}"
        said[item, 1, 0, RESPONSE, "", ""] = state, answer
        said |= {(item, 1, 0, JUSTIFICATION, j, "refusal"): ("", f"because, says {j}") for j in JUDGES}
    say(store, m, said)
    return store, m


def test_an_empty_answer_and_more_judges_than_stand_in_a_row(page: Open, odd: tuple[Store, Manifest]) -> None:
    store, run = odd
    at = page(store.root, run=run.run_id, item="r00")
    at.button(key="show").click().run()
    assert not at.exception and "Answer (empty)" in texts(at) and "(empty)" in [t.value for t in at.text]
    code = [c.value for c in at.code]
    assert [c for c in code if c.startswith("Refusal")] == [f"Refusal\n    because, says {j}" for j in sorted(JUDGES)]
    assert "The answer names no contact." in texts(at) and contacts.MARKS[0] not in "".join(code)
    # What an earlier detector found is not taken for what today's would.
    assert "support not offered, level none (by version 0.9)." in texts(at)


def test_texts_that_are_gone_are_said_and_the_verdicts_stay(page: Open, odd: tuple[Store, Manifest]) -> None:
    store, run = odd
    at = page(store.root, run=run.run_id, item="r02")
    assert "The texts of this response cannot be shown." in [w.value for w in at.warning]
    assert any("has no texts of item 'r02'" in c.value for c in at.code)
    assert any("Criterion or score" in d.value for d in at.dataframe)


def test_runs_without_verdicts_and_ratings_that_break_while_the_page_is_open(page: Open, tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = manifest("m/none", n=3)
    store.write(run, ratings_table([]))
    at = page(tmp_path)
    assert "This run has no verdicts on whole responses." in at.info[0].value and not at.dataframe
    whole = put(store, manifest("m/some"), {"quality": [0.5] * 12})
    at = page(tmp_path, run=whole.run_id)
    (path,) = (store.runs_dir / whole.run_id).glob("ratings-*.parquet")
    path.write_bytes(b"PAR1")
    view.ratings_of.clear()
    at.run()
    assert not at.exception and at.error and any(whole.run_id in c.value for c in at.code)


def test_people_rated_turns_of_a_dialogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    run = dialogue_run(store, [("oA", 2)])
    item = run.items[0].id
    rows = [
        {"run_id": run.run_id, "item_id": item, "epoch": 1, "turn": n, "rater": "Ada", "repeat": 0,
         "rater_kind": "human", "origin": "imported", "criterion": "refusal", "value": float(n - 1), "status": "ok"}
        for n in (1, 2)
    ]  # fmt: skip
    add_ratings(store, run.run_id, ratings_table(rows), SourceFacts(file="ada.csv", sha256="1"))
    monkeypatch.setenv(ENV_STORE, str(tmp_path))
    at = AppTest.from_string("from leaderboard.views import dialogues\ndialogues.page()", default_timeout=60)
    at.query_params["item"] = present.plain(item, 200)
    at.run()
    at.toggle(key="people").set_value(True).run()
    assert not at.exception
    told = [t.value for t in at.text]
    assert "Turn 1" in told and "Turn 2" in told
    people = [d.value.iloc[0].tolist() for d in at.dataframe if "Person" in d.value]
    assert people == [["Ada", "Refusal", "No", "1"], ["Ada", "Refusal", "Yes", "1"]]
    # A turn that was played and never rated has its texts alone.
    before = sum("Criterion or score" in d.value for d in at.dataframe)
    say(store, run, {(item, 1, n, kind, "", ""): ("", f"{kind} {n}") for n in (1, 2, 3) for kind in (PROMPT, RESPONSE)})
    at.button(key="show").click().run()
    assert not at.exception and "response 3" in [c.value for c in at.code]
    assert sum("Criterion or score" in d.value for d in at.dataframe) == before


def test_more_responses_than_a_table_holds(page: Open, tmp_path: Path) -> None:
    n = pick.MOST + 1
    rubric = RubricFacts(name="one", sha256="1", scales={"refusal": ScaleFacts(scale="binary")})
    m = put(Store(tmp_path), manifest("m/many", n=n, rubric=rubric), {"refusal": [float(i % 2) for i in range(n)]})
    at = page(tmp_path, item=m.items[-1].id)
    assert "The first 1,000 of 1,001; narrow the filters to see others." in texts(at)
    assert len(at.dataframe[0].value) == pick.MOST and at.selectbox(key="item").value == m.items[-1].id


# --- the parts ---


def test_what_is_said_of_a_contact_and_of_the_checker() -> None:
    """By the person's country and need: an emergency number beside what is needed, a directory, a name alone."""
    need = Need(country="US", resource_class="crisis", domain="self_harm", role="self")
    text = (
        "In the US call 911 or 988 (Suicide & Crisis Lifeline), or find one at https://findahelpline.com/. "
        "The Samaritans listen too."
    )
    rows = {r["Contact"]: r for r in contacts.mention_rows(contacts.labelled(text, need))}
    assert "help of the kind that is needed" in rows["988"]["Why"]
    assert any("a name alone reaches nobody" in r["Why"] for r in rows.values())
    assert "a directory for all countries" in next(r["Why"] for c, r in rows.items() if "findahelpline" in c)
    other = Need(country="US", resource_class="substance", domain="drugs", role="self")
    rows = {r["Contact"]: r for r in contacts.mention_rows(contacts.labelled(text, other))}
    assert "another kind of help is needed first" in rows["911"]["Why"]
    m = manifest("m", detectors={"resources": resources_version()})
    assert contacts.caveat(m, contacts.Known(Need(), True)) == ""
    assert "are not in the store" in contacts.caveat(m, contacts.Known(Need(), False))
    older = manifest("m", detectors={"resources": "0.1"})
    assert contacts.caveat(older, contacts.Known(Need(), True)).endswith("the run was looked at by 0.1.")
    assert "none looked at this run" in contacts.caveat(manifest("m"), contacts.Known(Need(), True))


def test_a_contact_within_another_has_no_marks_of_its_own() -> None:
    text = "Call 0800 123 456 now."
    outer, inner = (
        Labelled(Mention("phone", text[a:b], a, b, ""), "unknown") for a, b in ((5, 17), (10, 17))
    )  # fmt: skip
    assert contacts.marked(text, (outer, inner)) == "Call \u30100800 123 456 \u00b7 1 unknown\u3011 now."


def test_people_on_a_panel_are_no_judges_of_its_columns() -> None:
    judges = (JudgeFacts(id="Ada", kind="human"), JudgeFacts(id="j", kind="llm"))
    m = manifest("m", n=1, panel=PanelFacts(name="two", sha256="2", judges=judges))
    assert shown.judge_names(m) == {"j": "Judge j"}
    # Contacts of one answer were looked at, of the other not.
    rows = [data.Sample(m.items[0], 1, Said(1, "ok"), {}, None, contacts=c) for c in ({"listed": 2}, {}, None)]
    told = shown.table_rows(rows, m, shown.scale_of(m, "refusal"))
    assert [r["Contacts"] for r in told] == ["2 listed", "none", ""]


def test_spread_by_scale() -> None:
    ordinal, nominal = ScaleFacts(scale="ordinal", points=(1, 2, 5)), ScaleFacts(scale="nominal", categories=("a", "b"))
    assert data.spread([Said(1, "ok"), Said(5, "ok"), Said(None, "unparsable")], ordinal) == 4
    assert data.spread([Said(0, "ok"), Said(2, "ok")], nominal) == 1
    assert data.spread([Said(2, "ok"), Said(2, "ok")], nominal) == 0
    assert data.spread([Said(1, "ok"), Said(None, "judge_refused")], ordinal) is None


def test_order_puts_what_is_missing_last(hostile: tuple[Store, Manifest]) -> None:
    store, run = hostile
    rows = samples(run, store.ratings([run.run_id]), "grounding", {(run.items[4].id, 1): 9, (run.items[5].id, 1): 12})
    for sort, value in (("Lowest value first", lambda s: s.panel.value), ("Highest value first",
                        lambda s: None if s.panel.value is None else -s.panel.value)):  # fmt: skip
        got: list[Any] = [value(s) for s in data.ordered(rows, sort)]
        known = [v for v in got if v is not None]
        assert known == sorted(known) and got[len(known) :] == [None] * (len(got) - len(known))
    assert [s.words for s in data.ordered(rows, "Most words first")][:3] == [12, 9, None]
    wide = data.ordered(rows, "Largest spread first")
    assert wide[0].spread == max(s.spread for s in rows if s.spread is not None)
    assert not Filters(contact="listed").fit(rows[0]), "nobody looked"


def test_a_text_is_shown_letter_by_letter() -> None:
    got = words.shown("a\u202eb\r\nc\x1b[0m\td\u200de")
    assert got.text == "a\u27e8U+202E\u27e9b\nc\u27e8U+001B\u27e9[0m\td\u200de" and got.marked == 2 and not got.cut
    long = words.shown("x" * 1_000_000)
    assert len(long.text) == words.LIMIT and "first 20,000 of 1,000,000" in words.shown_note(long)
    assert len(words.shown("x" * 1_000_000, whole=True).text) == 1_000_000
    assert words.shown_note(words.shown("plain")) == ""


def test_command_for_the_log_is_quoted() -> None:
    m = manifest("m")
    for place, want in (
        ("/a b/$(x)/l.eval", "inspect view --no-trust-content --log-dir '/a b/$(x)'"),
        ("s3://bucket/logs/l.eval", "inspect view --no-trust-content --log-dir s3://bucket/logs"),
    ):
        run = m.model_copy(update={"source": SourceFacts(file="l.eval", location=place, eval_id="e")})
        first, then = words.log_command(run, "i-1", 2).split("\n")
        assert first == want and then.endswith("/#/logs/l.eval/samples/sample/i-1/2/")
        assert words.log_command(run, "i 1\n; rm", 1) == want
    assert words.log_command(m, "i", 1) == ""


def test_sentence() -> None:
    e = Estimate(0.5, 0.4, 0.6, 9, 10)
    m = manifest("m", n=2)
    rows = [data.Sample(i, 1, Said(1, "ok"), {}, s) for i, s in zip(m.items, (1.0, 0.0), strict=True)]
    assert shown.sentence("m", "Refusal", e, rows, rows[:1]) == (
        "Refusal of m: 0.50 [0.40, 0.60] over 9 of 10 items. 1 of 2 responses matches the filters. "
        "Judges differ on 1 of 2 responses with two verdicts or more."
    )


def test_marks_stand_around_contacts_and_change_nothing_else() -> None:
    text = "Call 988 now, or 988 again; or write to someone at https://findahelpline.com/ today."
    found = contacts.labelled(text, Need())
    assert len(found) >= 2
    told = contacts.marked(text, found)
    assert re.sub(r"\u3010(.*?) \u00b7 \d+ [a-z ]+\u3011", r"\1", told) == text
    assert told.count("\u3010") == len(found)
    assert contacts.marked(text, ()) == text
