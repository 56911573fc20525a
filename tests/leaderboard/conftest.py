"""What several files share: studies of annotators, a report of agreement, and a paper's report in three formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from leaderboard.agreement.figures import Figure, figures
from leaderboard.cli import main
from results.added import add_ratings
from results.agreement_records import AgreementReport
from results.manifest import ModelFacts, SourceFacts
from results.schema import Rating, ratings_table
from results.store import Store
from rubrics.expectations import DOMAINS
from tests.support.agreement_study import study_report
from tests.support.made_runs import HOSTILE, manifest, put

N = 40
NAMES = f"{HOSTILE} \\input{{/etc/passwd}} $x$ 50% a_b & c -- [d] `e` ```` 中 é"
"""A name that means something in HTML, in Markdown and in LaTeX; it ends where a label is cut."""


@pytest.fixture(scope="session", autouse=True)
def _components_scanned_once() -> Iterator[None]:
    """Each AppTest looks through the metadata of all installed packages for components, a third of a second a page."""
    from streamlit.components.v2 import manifest_scanner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes a study, and tells the app where its plan and its database are, and nothing of a map."""
    # A third of a second, which the folder's other tests do not wait for.
    from tests.support.annotation_study import made_study

    return partial(made_study, tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> AgreementReport:
    """The report of `study_report`: read only, for its coefficients are resampled for two seconds."""
    return study_report(tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="session")
def made(report: AgreementReport) -> dict[str, Figure]:
    """All figures of that report by name."""
    found = figures(report)
    assert len({f.name for f in found}) == len(found) == 8
    return {f.name: f for f in found}


@pytest.fixture(scope="session")
def paper_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs on two domains; two have hostile names, one value is missing, and a person rated two runs."""
    made = tmp_path_factory.mktemp("paper")
    store = Store(made)
    systems = (("made", "baseline"), ("made", "prompted"), (HOSTILE, "baseline"), (NAMES[len(HOSTILE) :], "a & b_%"))
    for k, (model, condition) in enumerate(systems):
        m = manifest(model, condition, n=N, self_family=k == 2)
        items = [i.model_copy(update={"domain": DOMAINS[n % 2]}) for n, i in enumerate(m.items)]
        m = m.model_copy(update={"items": tuple(items), "model": ModelFacts(name=model, generation={"temperature": 0})})
        quality = [None if k == 1 and n == 3 else ((n * 7) % 10) / 20 + 0.1 * k for n in range(N)]
        put(store, m, {"quality": quality, "refusal": [float((n + k) % 3 > 0) for n in range(N)]})
        if k < 2:
            rows = [
                Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater="Ada", repeat=0, rater_kind="human",
                       origin="imported", criterion="refusal", value=float(n % 3 > 0), status="ok")
                for n, i in enumerate(items)
            ]  # fmt: skip
            judge = [Rating(**{**r, "rater": "judge-1", "rater_kind": "llm", "origin": "measured"}) for r in rows]  # type: ignore[typeddict-item]
            add_ratings(store, m.run_id, ratings_table([*rows, *judge]), SourceFacts(file="ada.csv", sha256="1"))
    return made


@pytest.fixture(scope="session")
def paper_files(paper_store: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report on that store by suffix."""
    folder = tmp_path_factory.mktemp("reports")
    files = {suffix: folder / f"report.{suffix}" for suffix in ("md", "html", "tex")}
    for path in files.values():
        arguments = ["report", "--baseline", "made/baseline", "-o", str(path), "--store", str(paper_store)]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
    return files
