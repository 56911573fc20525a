"""Dependencies: declared is what is imported, licences are allowed, and a release's bill of materials is whole."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

import pytest

from scripts.audit import AdvisoryError, audit, read_advisories
from scripts.licences import DOCUMENT, UNKNOWN, document, listed, refused, with_listed
from scripts.pins import ROOT, Pin, declared, plain, read_pins
from scripts.sbom import bill

PACKAGES: Final = ("rubrics", "judges", "evals", "results", "leaderboard")
NOT_IMPORTED: Final = {
    "openai": "Inspect's clients of judges and models under test, which it does not bring itself",
    "anthropic": "Inspect's clients of judges and models under test, which it does not bring itself",
    "s3fs": "found by fsspec by the scheme of an address",
    "vllm": "a server, started as a process",
    "lm-eval": "a program, started as a process",
    "accelerate": "taken by Transformers where a model is loaded",
    "psycopg": "found by SQLAlchemy by the scheme of an address",
}
"""Declared for users and imported by nobody here, with the reason."""
COMES_WITH: Final = {
    "pydantic-core": "pydantic, which pins its version", "choreographer": "kaleido", "tokenizers": "transformers",
}  # fmt: skip
"""Imported and not declared, with what brings it."""
TESTS_COME_WITH: Final = {
    "boto3": "moto",
    "httpx": "inspect-ai",
    "tenacity": "inspect-ai",
    "zipfile-zstd": "inspect-ai",
}
MODULES: Final = {"torch": "torch", "transformers": "transformers", "peft": "peft", "tokenizers": "tokenizers"}
"""Distributions of modules that are not installed everywhere."""


def imported(folders: tuple[str, ...]) -> set[str]:
    """Distributions that the files of some folders import."""
    tops = set()
    for path in (p for folder in folders for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                tops |= {a.name.split(".")[0] for a in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                tops.add(node.module.split(".")[0])
    tops -= {*sys.stdlib_module_names, *PACKAGES, "scripts", "bench", "tests"}
    known = packages_distributions()
    return {plain(d) for top in tops for d in known.get(top, [MODULES.get(top, top)])[:1]}


def test_what_is_declared_is_imported_and_the_other_way_round() -> None:
    told = {extra: {plain(r.name) for r in each} for extra, each in declared().items()}
    for_users = {name for extra, names in told.items() if extra != "dev" for name in names}
    used = imported(PACKAGES)
    assert for_users - used - NOT_IMPORTED.keys() == set()
    assert used - for_users - COMES_WITH.keys() == set()
    # Nothing is excused that needs no excuse any more.
    assert NOT_IMPORTED.keys() - for_users == set() and NOT_IMPORTED.keys() & used == set()
    assert COMES_WITH.keys() - used == set() and COMES_WITH.keys() & for_users == set()
    others = imported(("tests", "bench", "scripts")) - for_users - told["dev"]
    assert others - COMES_WITH.keys() == TESTS_COME_WITH.keys()


def test_every_pinned_package_has_an_exact_version_and_no_address(tmp_path: Path) -> None:
    pins = read_pins()
    assert len(pins) > 150 and len({plain(p.name) for p in pins}) == len(pins)
    for names in declared().values():
        # vLLM chooses the versions of its own environment.
        assert {plain(r.name) for r in names} - {plain(p.name) for p in pins} <= {"vllm"}
    (tmp_path / "base.txt").write_text("a==1\nb @ https://example.org/b.whl\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"base\.txt, line 2: write NAME==VERSION"):
        read_pins(tmp_path, ("base",))


def test_licences_are_listed_and_allowed() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    pins = with_listed(read_pins(), text)
    assert refused(pins) == []
    wrong = Pin("made-up", "1", "base", "Proprietary", ("run time",))
    assert refused([wrong]) == ["made-up 1: Proprietary"]
    assert not refused([Pin("made-up", "1", "base", "GPL-2.0-or-later OR MIT", ("run time",))])
    assert refused([Pin("made-up", "1", "base", "MIT AND GPL-3.0-only", ("run time",))])
    # Metadata on another Python can need others, so that names, versions and licences are compared, and not the uses.
    assert {key: row[0] for key, row in listed(text).items()} == {(p.name, p.version): p.licence for p in pins}
    assert "| krippendorff |" in document(pins)
    assert UNKNOWN not in text


def test_a_licence_that_is_not_known_here_stays_as_it_is_listed() -> None:
    text = "| far-away | 1.0 | MIT | capabilities, dev |\n| far-away | 0.9 | ISC | tiny |\n"
    far = Pin("far-away", "1.0", "capabilities")
    kept = with_listed([far, replace(far, version="2.0"), replace(far, licence="Zlib", needed_by=("dev",))], text)
    assert [p.licence for p in kept] == ["MIT", "", "Zlib"]
    assert refused([replace(far, needed_by=("tiny",))]) == ["far-away 1.0: no licence stated"]


def advisory(name: str, ranges: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    part = {"package": {"ecosystem": "PyPI", "name": name}, "ranges": [{"type": "ECOSYSTEM", "events": ranges}]}
    return {"id": "MADE-UP-1", "summary": "a made-up\nweakness", "affected": [part], **more}


@pytest.mark.parametrize(
    ("events", "version", "found"),
    [
        ([{"introduced": "0"}, {"fixed": "2.0"}], "1.9", True),
        ([{"introduced": "0"}, {"fixed": "2.0"}], "2.0", False),
        ([{"introduced": "0"}, {"fixed": "2.0"}], "2.0rc1", True),
        ([{"introduced": "1.5"}], "1.4", False),
        ([{"introduced": "1.5"}], "1.10", True),
        ([{"introduced": "1"}, {"last_affected": "1.3"}], "1.3", True),
        ([{"introduced": "1"}, {"last_affected": "1.3"}], "1.3.1", False),
        ([{"fixed": "2"}, {"introduced": "1"}, {"introduced": "3"}, {"fixed": "4"}], "2.5", False),
        ([{"fixed": "2"}, {"introduced": "1"}, {"introduced": "3"}, {"fixed": "4"}], "3.5", True),
        ([{"introduced": "x"}], "1", False),
    ],
)
def test_an_audit_knows_which_versions_an_advisory_means(events: Any, version: str, found: bool) -> None:
    pins = [Pin("Made_Up.Package", version, "base")]
    told = audit(pins, [advisory("made-up-package", events)])
    assert told == ([f"Made_Up.Package {version}: MADE-UP-1 a made-up weakness"] if found else [])
    assert audit(pins, [advisory("made-up-package", events, withdrawn="2026-01-01T00:00:00Z")]) == []
    assert audit(pins, [advisory("another", events)]) == []
    listed = {
        "id": "M",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "made-up-package"}, "versions": [version]}],
    }
    assert audit(pins, [listed]) == [f"Made_Up.Package {version}: M"]


def test_an_audit_as_it_is_typed(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scripts.audit", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    (tmp_path / "a.json").write_text(json.dumps(advisory("numpy", [{"introduced": "0"}])), encoding="utf-8")
    done = run(str(tmp_path))
    assert done.returncode == 1 and done.stdout.startswith("numpy ") and "1 findings in" in done.stderr
    (tmp_path / "b.json").write_text("{", encoding="utf-8")
    done = run(str(tmp_path))
    assert done.returncode == 2 and "b.json: no JSON" in done.stderr and len(done.stderr.splitlines()) == 1
    for empty in ("[]", "{}", "[1]"):
        (tmp_path / "b.json").write_text(empty, encoding="utf-8")
        with pytest.raises(AdvisoryError):
            read_advisories(tmp_path / "b.json")


def test_the_bill_of_materials_has_what_its_specification_requires() -> None:
    pins = read_pins()
    told = bill(pins)
    assert told == bill(list(reversed(pins)))
    assert told["bomFormat"] == "CycloneDX" and told["specVersion"] == "1.5" and told["version"] == 1
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", told["serialNumber"]
    )
    refs = [told["metadata"]["component"]["bom-ref"], *(c["bom-ref"] for c in told["components"])]
    assert len(set(refs)) == len(refs) == len(pins) + 1
    for c in (told["metadata"]["component"], *told["components"]):
        assert c["type"] in {"application", "library"} and c["name"] and c["version"]
        assert re.fullmatch(r"pkg:pypi/[a-z0-9-]+@\S+", c["purl"])
        assert all(set(one) == {"expression"} for one in c.get("licenses", []))
    assert {d["ref"] for d in told["dependencies"]} == set(refs)
    assert all(set(d.get("dependsOn", [])) <= set(refs) for d in told["dependencies"])
    scopes = {c["name"]: c["scope"] for c in told["components"]}
    assert scopes["numpy"] == "required" and scopes["pytest"] == "optional"
    assert "://" not in json.dumps(told)
