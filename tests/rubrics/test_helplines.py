"""The helpline registry: rules of the file, coverage, the page made from it, and who names what."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from evals.policies import _texts
from evals.policies.cheats import CONTACTS
from judges.resources.extract import Mention, extract
from judges.resources.numbering import is_emergency, rows_for
from rubrics.helplines import (
    CLASSES,
    COLUMNS,
    HELPLINES_PATH,
    HELPLINES_VERSION,
    HelplineError,
    coverage,
    load_helplines,
    registry,
)

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "country": "GB", "name": "Example line (tests)", "aliases": "Example;Sample", "class": "crisis;victim",
    "audience": "minors/NIR", "phone": "0800 1111 / 01632 960 001", "short_code": "116123", "text": "HI to 85258",
    "url": "example.org/help", "evidence": "https://example.org/page", "grade": "A", "status": "verified",
    "as_of": "2026-11-25",
}  # fmt: skip


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(*rows: dict[str, str]) -> Path:
        path = tmp_path / "lines.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows({**GOOD, **row} for row in rows)
        return path

    return make


def test_a_row_by_hand(write: Callable[..., Path]) -> None:
    (line,) = load_helplines(write({}), version="x")
    assert line.classes == ("crisis", "victim")
    assert (line.audience, line.region) == ("minors", "NIR")
    assert line.phones == ("0800 1111", "01632 960 001")
    assert line.names == ("Example line", "Example", "Sample")
    assert line.numbers == ("0800 1111", "01632 960 001", "116123", "85258")
    assert line.serves("GB") and not line.serves("IE")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"status": "checked"}, "status is 'checked'; use verified, listed, stale"),
        ({"class": "suicide"}, "class is 'suicide'; use crisis"),
        ({"class": ""}, "class is ''"),
        ({"class": "crisis;suicide"}, "class is 'crisis;suicide'"),
        ({"audience": "adults"}, "audience is 'adults'"),
        ({"country": "UKX"}, "country is 'UKX'"),
        ({"name": ""}, "has no name"),
        ({"evidence": ""}, "verified without evidence"),
        ({"as_of": ""}, "verified without evidence"),
        ({"grade": ""}, "verified without evidence"),
        ({"grade": "C"}, "verified without evidence"),
        ({"status": "listed"}, "only verified rows are graded"),
        ({"phone": "", "short_code": "", "text": ""}, "verified without a number"),
        ({"phone": "call us"}, "phone 'call us' is no such number"),
        ({"short_code": "116 123"}, "short_code '116 123'"),
        ({"text": "to 85258"}, "text 'to 85258'"),
        ({"url": "https://example.org"}, "without https://"),
        ({"as_of": "last year"}, "write a date"),
        ({"phone": "", "short_code": "", "text": "", "url": "", "status": "listed", "grade": ""}, "no way to get in"),
    ],
)
def test_a_broken_row_is_named_in_one_line(write: Callable[..., Path], change: dict[str, str], says: str) -> None:
    with pytest.raises(HelplineError, match=re.escape(says)) as info:
        load_helplines(write({"name": "First", "phone": "0800 2222"}, change))
    assert "\n" not in str(info.value) and "row 3" in str(info.value)


def test_one_number_once_under_a_country_and_name(write: Callable[..., Path]) -> None:
    with pytest.raises(HelplineError, match=r"row 3 .* stands in row 2 too"):
        load_helplines(write({}, {"phone": "08001111", "short_code": "", "text": ""}))
    assert len(load_helplines(write({}, {"country": "IE"}, {"name": "Other"}))) == 3


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(HelplineError, match="cannot be read"):
        load_helplines(tmp_path / "missing.csv")
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HelplineError, match="cannot be read"):
        load_helplines(path)
    path.write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(HelplineError, match="no rows"):
        load_helplines(path)
    path.write_text("country,name\nGB,x\n")
    with pytest.raises(HelplineError, match="needs exactly the columns"):
        load_helplines(path)


def test_the_shipped_registry() -> None:
    assert registry() is registry()
    assert registry().version == HELPLINES_VERSION
    assert registry().sha256 == hashlib.sha256(HELPLINES_PATH.read_bytes()).hexdigest()
    rows = list(csv.DictReader(HELPLINES_PATH.read_text(encoding="utf-8").splitlines()))
    assert len(registry()) == len(rows)
    for country in ("US", "GB", "CA", "IE", "AU", "NZ"):
        assert coverage()[country]["emergency"].verified >= 1
        assert coverage()[country]["crisis"].verified >= 1


def test_verified_rests_on_no_third_party_list() -> None:
    """The marks of third-party lists, proxies and newspapers may stand beside evidence, never alone."""
    for line in registry():
        if line.status == "verified":
            assert not re.match(r"(?:RR|AL|VC|HS|PS)\b", line.evidence), line.name
            assert re.search(r"\b[a-z-]+\.[a-z]{2,}", line.evidence), line.name
            assert not re.search(r"proxy|wikipedia|\(press\)|another charity", line.evidence), line.name


def test_numbers_that_must_not_ship() -> None:
    for digits in (
        "900161515", "0223272327", "800186070", "0980980930", "0806231063", "08002666436", "09001995", "020667788",
        "020844448", "1888", "14416", "14446",
    ):  # fmt: skip
        assert not rows_for(digits), digits


def test_coverage_against_a_count_by_hand() -> None:
    rows = list(csv.DictReader(HELPLINES_PATH.read_text(encoding="utf-8").splitlines()))
    table = coverage()
    assert "SG" not in table  # stale only
    for country, row in table.items():
        assert tuple(row) == CLASSES
        for kind, cell in row.items():
            for status in ("verified", "listed"):
                own = [
                    r
                    for r in rows
                    if r["country"] == country and kind in r["class"].split(";") and r["status"] == status
                ]
                assert getattr(cell, status) == len(own)
    assert table["CA"]["perpetrator"].listed == table["CA"]["perpetrator"].verified == 0


def test_the_page_is_up_to_date() -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("helplines_script", ROOT / "scripts/helplines.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert (ROOT / "docs/helplines.md").read_text(encoding="utf-8") == script.page(), "run scripts/helplines.py"


# Contacts in texts of ours whose row is only listed. They stand in the `directory` policy, a cheat that no user reads.
LISTED_ONLY = {
    "247sexualabusesupport.org.uk": "the operator's site, seen without the number; no number is given",
    "0477131114": "Lifeline's text number: others' lists only",
    "08002255530": "Hilfe-Telefon Sexueller Missbrauch: the government page could not be seen again",
    "113": "113 Zelfmoordpreventie: the operator's page could not be seen again",
    "08000113": "113 Zelfmoordpreventie: press only",
    "113.nl": "113 Zelfmoordpreventie: as its numbers",
    "181": "Women Helpline (IN): a newspaper's report only",
}


def _sound(m: Mention) -> bool:
    """Whether a contact is verified, the directory, or an emergency number."""
    if m.kind in ("url", "email"):
        host = m.value.partition("/")[0]
        return host == "findahelpline.com" or any(
            h.url.partition("/")[0] == host and h.status == "verified" for h in registry()
        )
    return any(h.status == "verified" for h in rows_for(m.digits)) or any(
        is_emergency(m.digits, c) for c in ("US", "GB", "AU", "NZ", "IE")
    )


def _policy_texts() -> list[str]:
    return re.findall(r"\"[^\"\n]+\"", Path(_texts.__file__).read_text(encoding="utf-8"))


def test_our_texts_name_verified_lines_only() -> None:
    for text in (*_policy_texts(), (ROOT / "evals/conditions/prompted.md").read_text(encoding="utf-8")):
        for m in extract(text):
            assert m.kind == "name" or _sound(m), m.value
    assert any(m.value == "131114" for t in _policy_texts() for m in extract(t)), "the test must see the contacts"


def test_the_directory_policy_names_what_it_may() -> None:
    loose = {m.digits or m.value for line in CONTACTS for m in extract(line) if m.kind != "name" and not _sound(m)}
    assert loose == set(LISTED_ONLY)
