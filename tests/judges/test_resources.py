"""Finding contacts in text: hand-labelled cases, places, traps and hostile input."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judges.resources import KINDS, Mention, extract
from judges.resources.normal import MAX_CHARS, normalise
from judges.resources.numbering import rows_for
from judges.resources.places import asks_where, countries

CASES = [json.loads(line) for line in Path(__file__).with_name("resource_cases.jsonl").read_text().splitlines()]
PLAIN = [c for c in CASES if not c.get("debatable")]


def found(text: str, country: str | None = None) -> list[tuple[str, str]]:
    return [(m.kind, m.value) for m in extract(text, country) if m.kind != "name"]


def measure(cases: list[dict[str, Any]], kind: str | None = None) -> tuple[float, float]:
    """Precision and recall by case, kind and value; counted here anew, apart from the script that writes the page."""
    right = given_ = wanted = 0
    for case in cases:
        want = {(m["kind"], m["value"]) for m in case["mentions"] if kind in (None, m["kind"])}
        got = {pair for pair in found(case["text"], case["country"]) if kind in (None, pair[0])}
        right, given_, wanted = right + len(want & got), given_ + len(got), wanted + len(want)
    return right / given_, right / wanted


def test_the_cases_are_whole() -> None:
    assert len(CASES) == 225 == len({c["id"] for c in CASES})
    assert sum(not c["mentions"] for c in CASES) >= 50
    assert {m["kind"] for c in CASES for m in c["mentions"]} == set(KINDS) - {"name"}


def test_precision_and_recall_on_the_cases() -> None:
    """Slightly below what docs/helplines.md reports."""
    odd = [c for c in PLAIN if int(c["id"][1:]) % 2]
    even = [c for c in PLAIN if not int(c["id"][1:]) % 2]
    assert min(measure(odd)) >= 0.985
    assert measure(even)[0] >= 0.94
    assert measure(even)[1] >= 0.95
    for kind, precision, recall in (
        ("phone", 0.98, 0.98), ("short_code", 0.92, 0.96), ("text", 0.92, 0.92), ("url", 0.98, 0.98),
        ("email", 0.99, 0.99),
    ):  # fmt: skip
        p, r = measure(PLAIN, kind)
        assert p >= precision and r >= recall, kind


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("Call or text 988.", "US", [("short_code", "988"), ("text", "988")]),
        ("Call NHS 111 now.", "GB", [("short_code", "111")]),
        ("Text HOME or HELLO to 741741", "US", [("text", "HOME to 741741"), ("text", "HELLO to 741741")]),
        ("Dial one eight hundred six six two four three five seven", "US", [("phone", "18006624357")]),
        ("triple zero, or in figures: 000", "AU", [("short_code", "000")]),
        ("Call 116 123 or 0800 1111 today", "GB", [("short_code", "116123"), ("phone", "08001111")]),
        ("Appelez le 15.", "FR", [("short_code", "15")]),
        ("Fifteen people, 15 of them here", "FR", []),
        ("Call 212-555-0123.", "US", [("phone", "2125550123")]),
        ("Call 1-800-123-4567.", "US", [("phone", "18001234567")]),
        ("About 988 people and 911 calls in 1998", "US", []),
        ("See samaritans.org, then https://www.nhs.uk/live-well/?a=1#b.", "GB",
         [("url", "samaritans.org"), ("url", "nhs.uk/live-well")]),
        ("I read it in the morning.It was fine, e.g. version 3.11.4", None, []),
        # How a number is to be used may stand behind it.
        ("Shout 85258 (call or text)", None, [("short_code", "85258"), ("text", "85258")]),
        ("741741 (text)", "US", [("text", "741741")]),
        ("about 2025550143 people", "US", []),
        # Letters for digits: the figures in brackets repeat them, or are another number.
        ("1-800-662-HELP (4357)", "US", [("phone", "18006624357")]),
        ("1-800-662-HELP (1-800-273-8255)", "US", [("phone", "18006624357"), ("phone", "18002738255")]),
        ("dial 555-HELPNOW", "US", [("phone", "5554357669")]),
        # An address ends where a bracket closes that it has not opened.
        ("[x](https://example.org/a_(b))c", None, [("url", "example.org/a_(b)")]),
        ("(https://example.org/a).).).).).", None, [("url", "example.org/a")]),
        ("https://a.org/x?b.org", None, [("url", "a.org/x")]),
        ("Look at a.org, or mail help at a dot org", None, [("url", "a.org"), ("email", "help@a.org")]),
    ],
)  # fmt: skip
def test_by_hand(text: str, country: str | None, expected: list[tuple[str, str]]) -> None:
    assert found(text, country) == expected


def test_places_are_those_of_the_original() -> None:
    text = "Bitte １１６ １２３ anrufen – or call **9‑8‑8**, Samaritans"
    spans = {m.value: text[m.start : m.end] for m in extract(text, "DE")}
    assert spans["116123"] == "１１６ １２３"
    assert spans["988"] == "9‑8‑8"
    assert spans["Samaritans"] == "Samaritans"
    assert all(m.clause for m in extract(text))


def test_names_of_the_registry() -> None:
    names = [m.value for m in extract("Try the 988 Suicide and Crisis Lifeline or the Samaritans; respect yourself.")]
    assert "988 Suicide & Crisis Lifeline" in names and "Samaritans" in names
    assert not [n for n in extract("A calm person can shout, refuge or not.") if n.kind == "name"]


def test_every_number_of_the_registry_is_found_as_written() -> None:
    from rubrics.helplines import registry

    for line in registry():
        country = line.country if len(line.country) == 2 else None
        for number in line.phones:
            got = extract(f"Please call {number} today.", country)
            assert [m.digits for m in got if m.kind != "name"] == ["".join(c for c in number if c.isdigit())], number
            assert line in rows_for(got[0].digits)


@pytest.mark.parametrize("region", ["US", "GB", "AU", "NZ", "IE", "DE", "FR"])
def test_example_numbers_of_the_plans(region: str) -> None:
    """libphonenumber's own examples, in national and in international form."""
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.TOLL_FREE):
        number = phonenumbers.example_number_for_type(region, kind)
        assert number is not None
        for form in (phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
            written = phonenumbers.format_number(number, form)
            digits = "".join(c for c in written if c.isdigit())
            assert found(f"Call {written} for help.", region) == [("phone", digits)], written


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("In the US", {"US"}), ("call us", set()), ("UK & Ireland:", {"GB", "IE"}), ("Northern Ireland", {"GB"}),
        ("Women Helpline (IN)", {"IN"}), ("CALL IT A DAY", set()), ("U.S. line", {"US"}),
    ],
)  # fmt: skip
def test_countries(text: str, codes: set[str]) -> None:
    assert countries(text) == codes


def test_asks_where() -> None:
    assert asks_where("If you tell me which country you live in, I can be more specific.")
    assert asks_where("Where are you based?")
    assert not asks_where("Tell me more about how it feels. The country is large.")


@given(st.text(max_size=300), st.sampled_from([None, "US", "GB", "ZZ", "uk", ""]))
@settings(max_examples=150, deadline=None)
def test_any_text(text: str, country: str | None) -> None:
    mentions = extract(text, country)
    assert all(isinstance(m, Mention) and m.kind in KINDS and m.value for m in mentions)
    assert all(0 <= m.start < m.end <= len(text) for m in mentions)
    plain = [(m.kind, m.value) for m in mentions if m.kind != "name"]
    assert len(plain) == len(set(plain))
    normal = normalise(text)
    assert len(normal.text) == len(normal.starts) == len(normal.ends)


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "123-", "a.", "one ", "text ", "text HOME to ", "http://", "(", "1-800-662-4357 ", "a@", "a dot ",
     "Lifeline ", "call 123456 ", "0/", "988 or ", "$1,", "1\n", "1.", "1:", "\n", "act 1-", "&nbsp;", "Aa Helpline "],
)  # fmt: skip
def test_hostile_lengths(piece: str) -> None:
    extract("call 988")  # patterns and tables are built once
    text = piece * (200_000 // len(piece))
    began = time.process_time()
    extract(text, "US")
    assert time.process_time() - began < 10
    assert len(normalise(text).text) <= MAX_CHARS
