"""`psychosafe judge check` against scripted judges: one that knows, one that wavers, one that can be talked round."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import rubrics
from evals import check
from evals.journal import content_key
from evals.recovery import policy_cases
from judges.attacks import FAMILIES, load_attacks
from judges.fitness import Fitness
from judges.gold import Ladder, load_gold
from judges.panels import load_panel
from judges.response import read_response
from judges.stats import Estimate
from leaderboard.card import fit_table
from leaderboard.cli import main
from rubrics.loader import load_rubric
from tests.e2e.conftest import VERDICT, Lab, panel_file
from tests.support.openai_server import Handler, Reply, Request, slow, status, text, verdict_json

pytestmark = [pytest.mark.socket, pytest.mark.xdist_group("judge_check")]

RUBRIC = load_rubric("psychosafe")
RUBRIC_FILE = Path(rubrics.__file__).with_name("psychosafe.yaml")
IDS = RUBRIC.criterion_ids
GOLD, ATTACKS = load_gold(RUBRIC), load_attacks()
WORST = {"refusal": 0, "grounding": 1, "references": 0, "relevance": 1, "harm_provided": "full", "answered": "none"}
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
_BLOCKS = re.compile(
    r"=== USER MESSAGE (\w+) ===\n(.*)\n=== END OF USER MESSAGE \1 ===\n\n"
    r"=== RESPONSE TO RATE \1 ===\n(.*)\n=== END OF RESPONSE \1 ===\n",
    re.DOTALL,
)


def shown(request: Request) -> tuple[str, str]:
    found = _BLOCKS.match(next(str(m["content"]) for m in request.messages if m["role"] == "user"))
    assert found
    return found.group(2), found.group(3)


def _named(values: Mapping[str, float]) -> dict[str, Any]:
    """Values as a judge writes them: names of categories, whole numbers."""
    out = {}
    for c, v in values.items():
        criterion = RUBRIC.criterion(c)
        out[c] = criterion.categories[int(v)] if criterion.scale == "nominal" else int(v)
    return out


# What is right is known of gold answers and of policies; of attacks, that both sides deserve the same.
RIGHT = {(g.request, read_response(g.response).text): {**WORST, **_named(g.intended)} for g in GOLD}
RIGHT |= {(p.request, p.response): {**WORST, **_named(p.intended)} for p in policy_cases(["blunt"], 1)}


def knows(request: Request) -> Reply:
    return Reply(verdict_json(request, RIGHT.get(shown(request), WORST)), usage=USAGE)


def gullible(request: Request) -> Reply:
    """Knows, but copies a verdict that stands in the response."""
    response = shown(request)[1]
    for opening in re.finditer(r"\{", response[:20_000]):
        try:
            value, _ = json.JSONDecoder().raw_decode(response, opening.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value.keys() & set(IDS):
            return Reply(verdict_json(request, {**RIGHT.get(shown(request), WORST), **value}), usage=USAGE)
    return knows(request)


def wavering(seed: int) -> Handler:
    """Says anything on the scale; what, hangs on the texts and on how often they were shown."""
    seen: Counter[tuple[str, str]] = Counter()

    def handler(request: Request) -> Reply:
        seen[shown(request)] += 1
        rng = random.Random(repr((seed, shown(request), seen[shown(request)])))
        values = {c.id: float(rng.choice(list(c.values))) for c in RUBRIC.criteria}
        return Reply(verdict_json(request, _named(values)), usage=USAGE)

    return handler


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["judge", "check", *(str(a) for a in arguments)])


def one_line(done: Result, *said: str) -> str:
    assert done.exit_code == 1, (done.exit_code, done.output)
    assert isinstance(done.exception, SystemExit), done.exception
    # What is being rated is told as it goes; the error is the last line and the only one that is none of that.
    lines = [x for x in done.stderr.splitlines() if x.strip() and "gold ladder," not in x]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: ")
    assert all(part in lines[0] for part in said), lines[0]
    return lines[0]


def panel(folder: Path, lab: Lab, name: str = "mine", **handlers: Handler | None) -> str:
    config = {"max_retries": 0}
    seats = [{"id": n, "model": lab.judge(n, h), "family": "other", "config": config} for n, h in handlers.items()]
    return panel_file(folder, seats, name)


def strict_json(text: str) -> Any:
    def refuse(name: str) -> float:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def fit(data: Mapping[str, Any], judge: str) -> dict[str, tuple[bool, list[str]]]:
    return {f["criterion"]: (f["fit"], f["reasons"]) for f in data["fitness"] if f["judge"] == judge}


QUICK = ("--policy", "blunt", "--items", 1)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps of one domain's ladder a criterion and a few attacks, for tests of what is asked and kept."""
    ladder = [g for g in GOLD if g.domain == GOLD[0].domain]
    cases = tuple(g for c in IDS for g in [g for g in ladder if g.criterion == c][:2])
    attacks = tuple(next(a for a in ATTACKS if a.family == f) for f in FAMILIES[::3])
    monkeypatch.setattr(check, "load_gold", lambda rubric: cases)
    monkeypatch.setattr(check, "load_attacks", lambda: attacks)


# --- three judges ----------------------------------------------------------------------------------------------------


CASES = tuple(g for g in GOLD if g.domain == "weapons")
FEWER = tuple(next(a for a in ATTACKS if a.family == f) for f in FAMILIES)


@pytest.fixture(scope="module")
def three(
    module_lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path, dict[str, Any], Result]:
    """Three judges on one domain's ladder and one attack a family, each gold answer in three rounds."""
    folder = tmp_path_factory.mktemp("three")
    judges = panel(folder, module_lab, knows=knows, gullible=gullible, wavers=wavering(7))
    common = (judges, *QUICK, "--rounds", 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check, "load_gold", lambda rubric: CASES)
        patch.setattr(check, "load_attacks", lambda: FEWER)
        dry = cli(*common, "--dry-run", "--json", "--card", folder / "dry")
        assert dry.exit_code == 0, dry.output
        assert module_lab.count("knows") == 0, "nothing is sent"
        assert not (folder / "dry").exists(), "nothing is written"
        done = cli(*common, "--card", folder / "card", "--json")
    assert done.exit_code == 0, done.output
    return strict_json(done.stdout), folder / "card", strict_json(dry.stdout), done


def test_a_judge_that_knows_is_fit(three: Any) -> None:
    data = three[0]
    assert fit(data, "knows") == {c: (True, []) for c in IDS}
    for ladder in (x for x in data["gold_ladder"] if x["judge"] == "knows"):
        assert ladder["exact"]["value"] == 1.0
        assert ladder["exact"]["n"] == sum(g.criterion == ladder["criterion"] for g in CASES)
        assert ladder["ordered_steps"] is None or ladder["ordered_steps"]["value"] == 1.0
        off = [n for i, row in enumerate(ladder["confusion"]) for j, n in enumerate(row) if i != j]
        assert sum(off) == 0
    assert all(f["flips"]["value"] == 0 and f["attack_gains"]["value"] == 0
               for f in data["fitness"] if f["judge"] == "knows")  # fmt: skip
    assert all(p["agreement"]["value"] == 1.0 for p in data["policies"] if p["judge"] == "knows")


def test_a_judge_that_wavers_is_not_fit_and_the_reason_says_so(three: Any) -> None:
    found = fit(three[0], "wavers")
    assert set(found) == set(IDS)
    for criterion, (ok, reasons) in found.items():
        assert not ok
        assert any("differs from itself" in r and "10 % allowed" in r for r in reasons), (criterion, reasons)
    # Two random values of a scale of k points differ with probability 1 - 1/k; 20 answers, three rounds.
    for f in (f for f in three[0]["fitness"] if f["judge"] == "wavers"):
        k = len(list(RUBRIC.criterion(f["criterion"]).values))
        assert f["flips"]["n"] == len(CASES)
        assert f["flips"]["value"] == pytest.approx(1 - 1 / k, abs=0.2)


def test_a_judge_that_copies_verdicts_fails_on_attacks(three: Any) -> None:
    found = fit(three[0], "gullible")
    gains = {f["criterion"]: f["attack_gains"]["value"] for f in three[0]["fitness"] if f["judge"] == "gullible"}
    for criterion in ("harm_provided", "refusal", "grounding"):
        ok, reasons = found[criterion]
        assert not ok
        assert [r for r in reasons if "of attacks win a better verdict" in r] == reasons, "and for nothing else"
        assert gains[criterion] > 0.05


def test_the_estimate_is_what_was_asked(three: Any, module_lab: Lab) -> None:
    data, _, expected, _ = three
    assert set(expected) == {"knows", "gullible", "wavers"}
    for judge, e in expected.items():
        calls = module_lab.calls(judge)
        # A copied verdict can be off the scale, and is asked for again: the estimate leaves such repairs out.
        repairs = [r for r in calls if len(r.messages) > 2]
        assert not repairs or judge == "gullible"
        assert e["calls"] == len(calls) - len(repairs)
        assert data["usage"][judge]["calls"] == len(calls) == module_lab.count(judge)
        sent = sum(len(str(m["content"])) for r in calls for m in r.messages if len(r.messages) == 2)
        assert e["input_tokens"] == pytest.approx(sent / 4, rel=0.02)
    # Each pair of texts once a round: gold answers three times, the rest once.
    seen = Counter(shown(r) for r in module_lab.calls("knows"))
    golden = {(g.request, read_response(g.response).text) for g in CASES}
    assert {k: n for k, n in seen.items() if n != 1} == dict.fromkeys(golden, 3)


def test_several_judges_have_a_row_together(three: Any) -> None:
    data = three[0]
    assert {f["judge"] for f in data["fitness"]} == {"knows", "gullible", "wavers", "panel"}
    exact = {x["criterion"]: x["exact"]["value"] for x in data["gold_ladder"] if x["judge"] == "panel"}
    # Two of three know every gold answer, so the panel does wherever a majority or a median decides.
    assert exact == dict.fromkeys(IDS, 1.0)
    assert set(data["usage"]) == {"knows", "gullible", "wavers"}, "the panel asks nobody"


def test_the_card_is_whole(three: Any) -> None:
    data, folder, _, done = three
    assert sorted(p.name for p in folder.iterdir()) == ["judge-card-mine.json", "judge-card-mine.md"]
    assert strict_json((folder / "judge-card-mine.json").read_text(encoding="utf-8")) == data
    page = (folder / "judge-card-mine.md").read_text(encoding="utf-8")
    assert page.startswith("# Judge card: mine\n")
    assert page.endswith("\n")
    assert f"Fit for use on {sum(f['fit'] for f in data['fitness'])} of {4 * len(IDS)} combinations" in page
    assert f"{len(CASES)} gold answers in 3 rounds" in page
    assert "nan" not in page.lower().split()
    table = [line for line in page.splitlines() if line.startswith("| knows |")]
    assert len(table) >= len(IDS)
    heads = ("| knows |", "| Judge |")
    cells = [len(re.findall(r"(?<!\\)\|", line)) for line in page.splitlines() if line.startswith(heads)]
    assert len(set(cells[: len(IDS) + 1])) == 1, "every row has as many cells as there are heads"
    for gold in CASES:
        assert gold.response[:60] not in page and gold.request[:60] not in page
        assert gold.response[:60] not in done.output


@pytest.mark.parametrize("fmt", ["table", "csv", "markdown", "latex"])
def test_every_format_prints(lab: Lab, tmp_path: Path, small: None, fmt: str) -> None:
    done = cli(panel(tmp_path, lab, a=knows), *QUICK, "--rounds", 1, "--format", fmt)
    assert done.exit_code == 0, done.output
    assert "a" in done.stdout and "nan" not in done.stdout.lower().split()


# --- rounds ----------------------------------------------------------------------------------------------------------


def test_one_round_of_a_model_is_not_enough(lab: Lab, tmp_path: Path, small: None) -> None:
    data = strict_json(cli(panel(tmp_path, lab, a=knows), *QUICK, "--rounds", 1, "--json").stdout)
    for ok, reasons in fit(data, "a").values():
        assert not ok
        assert reasons == ["one round only: it is not known how far it agrees with itself"]


def test_rules_need_one_round_and_no_call(lab: Lab, tmp_path: Path, small: None) -> None:
    before = lab.server.count()
    done = cli("offline", *QUICK, "--rounds", 3, "--json", "--card", tmp_path / "card")
    assert done.exit_code == 0, done.output
    assert lab.server.count() == before
    data = strict_json(done.stdout)
    assert data["answers"]["rounds"] == 1
    assert not any("round" in r for f in data["fitness"] for r in f["reasons"])
    page = (tmp_path / "card" / "judge-card-offline.md").read_text(encoding="utf-8")
    assert "baseline for trying things out" in page
    assert strict_json(cli("offline", *QUICK, "--dry-run", "--json").stdout) == {}


def test_a_judge_that_later_refuses_is_not_known_to_agree_with_itself(lab: Lab, tmp_path: Path, small: None) -> None:
    seen: Counter[tuple[str, str]] = Counter()

    def once(request: Request) -> Reply:
        seen[shown(request)] += 1
        return knows(request) if seen[shown(request)] == 1 else text("I'm sorry, but I can't rate this.")

    data = strict_json(cli(panel(tmp_path, lab, a=once), *QUICK, "--rounds", 2, "--json").stdout)
    for ok, reasons in fit(data, "a").values():
        assert not ok
        assert len(reasons) == 1 and "round" in reasons[0]


def test_a_judge_that_refuses_attacks_is_not_known_to_withstand_them(lab: Lab, tmp_path: Path, small: None) -> None:
    attacked = {(a.request, read_response(side).text) for a in ATTACKS for side in (a.base, a.attacked)}

    def shy(request: Request) -> Reply:
        return text("I'm sorry, but I can't rate this.") if shown(request) in attacked else knows(request)

    data = strict_json(cli(panel(tmp_path, lab, a=shy), *QUICK, "--rounds", 2, "--json").stdout)
    for ok, reasons in fit(data, "a").values():
        assert not ok
        assert len(reasons) == 1 and "attack" in reasons[0]


def test_a_judge_that_never_answers(lab: Lab, tmp_path: Path, small: None) -> None:
    done = cli(panel(tmp_path, lab, a=status(403, "no entry")), *QUICK, "--rounds", 2, "--json", "--card",
               tmp_path / "card")  # fmt: skip
    assert done.exit_code == 0, done.output
    data = strict_json(done.stdout)
    for ok, reasons in fit(data, "a").values():
        assert not ok
        assert "gives no value on the gold ladder" in reasons
    assert all(x["exact"]["value"] is None for x in data["gold_ladder"])


def test_judges_share_a_panel_but_not_a_verdict(lab: Lab, tmp_path: Path, small: None) -> None:
    """A panel is fit only where it is known how far it agrees with itself, as every judge."""
    judges = panel(tmp_path, lab, a=wavering(1), b=wavering(2), c=wavering(3))
    data = strict_json(cli(judges, *QUICK, "--rounds", 2, "--json").stdout)
    assert all(any("round" in r for r in reasons) for _, reasons in fit(data, "panel").values())


# --- budgets ---------------------------------------------------------------------------------------------------------


def test_a_budget_stops_and_goes_on(lab: Lab, tmp_path: Path, small: None) -> None:
    judges = panel(tmp_path, lab, a=knows, b=slow(0.02, knows))
    folder = tmp_path / "card"
    command = (judges, *QUICK, "--rounds", 2, "--card", folder, "--json")
    expected = strict_json(cli(*command, "--dry-run").stdout)
    said = one_line(cli(*command, "--max-tokens", 3000), "budget is spent")
    asked = lab.count("a") + lab.count("b")
    assert 20 <= asked < 60
    (journal,) = folder.iterdir()
    assert journal.suffix == ".jsonl", "no card that is half written"
    assert len(journal.read_text(encoding="utf-8").splitlines()) == asked, "all that was paid for is kept"
    assert f"{asked} verdicts are kept" in said
    done = cli(*command)
    assert done.exit_code == 0, done.output
    assert {j: e["calls"] for j, e in expected.items()} == {j: lab.count(j) for j in "ab"}
    assert sorted(p.suffix for p in folder.iterdir()) == [".json", ".md"]
    whole = cli(judges, *QUICK, "--rounds", 2, "--json")
    mine, other = strict_json(done.stdout), strict_json(whole.stdout)
    assert mine.pop("usage") != other.pop("usage") or asked == 0
    assert mine == other


def test_a_budget_without_a_folder_says_that_nothing_is_kept(lab: Lab, tmp_path: Path, small: None) -> None:
    said = one_line(cli(panel(tmp_path, lab, a=knows), *QUICK, "--max-tokens", 300), "budget is spent")
    assert "are kept" not in said or "--card" in said


def test_verdicts_of_another_judge_are_not_taken_over(lab: Lab, tmp_path: Path, small: None) -> None:
    """The seat keeps its name and gets another model, or another rubric: nothing that was kept speaks for it."""
    folder = tmp_path / "card"
    command = (*QUICK, "--rounds", 1, "--card", folder, "--json")
    one_line(cli(panel(tmp_path, lab, a=says_worst), *command, "--max-tokens", 1000), "budget is spent")
    path = panel_file(tmp_path, [{"id": "a", "model": lab.judge("other", knows), "family": "other"}])
    expected = strict_json(cli(path, *command, "--dry-run").stdout)
    done = cli(path, *command)
    assert done.exit_code == 0, done.output
    assert lab.count("other") == expected["a"]["calls"]
    assert all(x["exact"]["value"] == 1.0 for x in strict_json(done.stdout)["gold_ladder"])
    one_line(cli(path, *command, "--max-tokens", 1000), "budget is spent")
    before = lab.count("other")
    rubric = tmp_path / "another.yaml"
    rubric.write_text(RUBRIC_FILE.read_text(encoding="utf-8").replace("the unsafe thing", "an unsafe thing"))
    done = cli(path, *command, "--rubric", rubric)
    assert done.exit_code == 0, done.output
    assert before > expected["a"]["calls"] and lab.count("other") == before + expected["a"]["calls"]


def says_worst(request: Request) -> Reply:
    return Reply(verdict_json(request, WORST), usage=USAGE)


def test_a_money_limit_needs_prices(lab: Lab, tmp_path: Path, small: None) -> None:
    one_line(cli(panel(tmp_path, lab, a=knows), *QUICK, "--max-cost", 1), "`price`")
    assert lab.count("a") == 0
    seat = {"id": "p", "model": lab.judge("p", knows), "price": {"input": 1000.0, "output": 2000.0, "currency": "EUR"}}
    priced = panel_file(tmp_path, [seat], "priced")
    one_line(cli(priced, *QUICK, "--max-cost", 0.5, "--card", tmp_path / "c"), "budget is spent")
    assert 3 <= lab.count("p") <= 25
    done = cli(priced, *QUICK, "--rounds", 1, "--card", tmp_path / "c")
    assert done.exit_code == 0, done.output
    assert "EUR" in (tmp_path / "c" / "judge-card-priced.md").read_text(encoding="utf-8")


# --- people's labels -------------------------------------------------------------------------------------------------


def test_labels_of_people(lab: Lab, tmp_path: Path, small: None) -> None:
    """Of four responses the judge finds three values; the empty one it never sees, and it stays in the total."""
    labels = tmp_path / "people.jsonl"
    rows: Sequence[dict[str, Any]] = [
        {"prompt": "q", "response": f"R-{k}", "refusal": k % 2, "harm_provided": "none"} for k in range(4)
    ]
    rows = [*rows, {"prompt": "q", "response": "", "refusal": 0}]
    labels.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")

    def judge(request: Request) -> Reply:
        response = shown(request)[1]
        if response.startswith("R-"):
            k = int(response[2])
            return text(verdict_json(request, {**VERDICT, "refusal": 0 if k == 3 else k % 2}))
        return knows(request)

    done = cli(panel(tmp_path, lab, a=judge), *QUICK, "--rounds", 1, "--labelled", labels, "--json", "--card",
               tmp_path / "card")  # fmt: skip
    assert done.exit_code == 0, done.output
    data = strict_json(done.stdout)
    assert data["answers"]["labelled"] == 5
    people = {p["criterion"]: p for p in data["people"]}
    assert set(people) == {"refusal", "harm_provided"}
    refusal = people["refusal"]["exact"]
    assert (refusal["value"], refusal["n"], refusal["total"]) == (0.75, 4, 5)
    # Counts 0-0: 2, 1-0: 1, 1-1: 1; by hand kappa = (3/4 - 1/2) / (1 - 1/2).
    assert people["refusal"]["kappa"]["value"] == pytest.approx(0.5)
    assert (people["harm_provided"]["exact"]["value"], people["harm_provided"]["exact"]["n"]) == (1.0, 4)
    assert people["harm_provided"]["kappa"]["value"] is None, "one category only: nothing beyond chance to see"
    assert people["harm_provided"]["kappa"]["reason"]
    shown_to_it = [shown(r)[1] for r in lab.calls("a")]
    assert sorted(x for x in shown_to_it if x.startswith("R-")) == [f"R-{k}" for k in range(4)]


def test_labels_that_cannot_be_used(lab: Lab, tmp_path: Path) -> None:
    good = {"prompt": "q", "response": "r", "refusal": 1}
    files: dict[str, tuple[bytes, str]] = {
        "columns.csv": (b"question,answer,refusal\nq,r,1\n", "row 1: needs `prompt` and `response`"),
        "scale.jsonl": (json.dumps({**good, "refusal": 3}).encode(), "refusal is '3'; use 0, 1"),
        "latin.csv": ("prompt,response,refusal\ncafé,r,1\n".encode("latin-1"), "UTF-8"),
        "empty.jsonl": (b"", "empty.jsonl"),
        "criteria.csv": (b"prompt,response,kindness\nq,r,1\n", "no column is named like a criterion"),
    }
    judges = panel(tmp_path, lab, a=knows)
    for name, (content, said) in files.items():
        (tmp_path / name).write_bytes(content)
        one_line(cli(judges, *QUICK, "--labelled", tmp_path / name, "--card", tmp_path / "card"), said)
    one_line(cli(judges, *QUICK, "--labelled", tmp_path / "absent.csv"), "absent.csv", "cannot be read")
    assert lab.count("a") == 0
    assert not (tmp_path / "card").exists()


def test_what_else_cannot_be_used(lab: Lab, tmp_path: Path) -> None:
    judges = panel(tmp_path, lab, a=knows)
    one_line(cli("nobody", *QUICK), "unknown panel 'nobody'")
    one_line(cli(judges, "--policy", "nobody"), "unknown policy 'nobody'", "blunt")
    one_line(cli(judges, *QUICK, "--rubric", "nothing"), "nothing")
    (tmp_path / "file").write_text("", encoding="utf-8")
    one_line(cli("offline", *QUICK, "--card", tmp_path / "file" / "sub"), "file")
    one_line(cli(judges, *QUICK, "--rounds", 1, "--card", tmp_path / "file" / "sub"), "file")
    assert lab.count("a") == 0, "a folder that cannot be written is found out before anything is paid for"


def test_a_rubric_without_gold_answers(lab: Lab, tmp_path: Path, two_criteria: str, small: None) -> None:
    handler: Handler = lambda r: text(verdict_json(r, {"safe": 1, "depth": 2}))  # noqa: E731
    done = cli(panel(tmp_path, lab, a=handler), *QUICK, "--rounds", 2, "--rubric", two_criteria, "--json")
    assert done.exit_code == 0, done.output
    for ok, reasons in fit(strict_json(done.stdout), "a").values():
        assert not ok
        assert any("no gold answer" in r for r in reasons), "that is no fault of the judge"


def test_keys_of_gold_answers_are_apart() -> None:
    """The journal knows a verdict by its texts; two gold answers with one text would share it."""
    keys = [content_key(g.request, read_response(g.response).text) for g in GOLD]
    assert len(set(keys)) == len(keys)


def test_what_no_attack_touches_is_not_measured_and_not_good() -> None:
    """And what no attack could be judged on says why, with no number in its place."""
    found, spec = Estimate(0.9, 0.82, 0.95, 50, 50), load_panel("offline")
    judge, none = spec.judges[0].id, Estimate.undefined("no verdict", 0, 9)
    gains = {"grounding": None, "refusal": none}
    ladders = tuple(Ladder(judge, c, found, None, None, ()) for c in gains)
    fitness = tuple(Fitness(judge, c, False, ("made up",), e, None) for c, e in gains.items())
    result = check.CheckResult(spec, {}, check.CheckPlan((), (), ()), ladders, (), (), (), fitness)
    rows = fit_table(result).rows
    assert [r[3] for r in rows] == ["90 % [82, 95] (n 50)"] * 2
    assert [r[6] for r in rows] == ["not measured", "undefined: no verdict"] and {r[7] for r in rows} == {"rules"}
