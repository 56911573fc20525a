"""YAML within bounds, and errors that fit on a line."""

from __future__ import annotations

import time

import pytest

from rubrics.errors import MAX_MESSAGE, MendableError, one_line
from rubrics.loader import RubricError, parse_rubric
from rubrics.reading import MAX_CHARS, MAX_PARTS, YamlError, read_yaml
from tests.fuzz.edits import bomb


def test_what_yaml_says() -> None:
    text = "a: &x [1, yes, 2020-01-02]\nb: *x\nc: {<<: {d: e}, f: ~}\n"
    node, data = read_yaml(text)
    assert data["b"] == data["a"] and data["a"][:2] == [1, True] and data["c"] == {"d": "e", "f": None}
    assert node.value[1][0].start_mark.line == 1
    assert read_yaml("a: yes\nb: [1, ~]\n", as_text=True)[1] == {"a": "yes", "b": ["1", "~"]}
    assert read_yaml("") == (None, None)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: 1\na: 2\n", 2, "'a' stands twice"),
        ("a: &a [*a]\n", 1, "a part that holds itself"),
        (bomb(), 6, f"more than {MAX_PARTS:,} parts"),
        (bomb(merge=True), 6, f"more than {MAX_PARTS:,} parts"),
        ("a: " + "[" * 41 + "]" * 41, 1, "nested too deeply"),
        ("- " * 50 + "a", 1, "nested too deeply"),
        ("a: &a " + "[" * 38 + "]" * 38 + "\nb: &b " + "[" * 38 + "*a" + "]" * 38 + "\nc: [[[[[[[[*b]]]]]]]]", 3,
         "nested too deeply, what it refers to written out"),
        ("a: 1\nb: " + "9" * 5_000, 2, "a number of more than 300 digits"),
        ("a: 2020-99-99\n", None, "a value that is none"),
        ("a: !!map [b]\n", 1, "expected a mapping node"),
        ("a: !!bool x\n", None, "a value that is none"),
        ("a: !!python/name:os.system x\n", 1, "the tag '!!python/name:os.system' is not read here"),
        ("a: !!binary aGk=\n", 1, "the tag '!!binary' is not read here"),
        ("? [a]\n: b\n", 1, "unhashable key"),
        ("a: [1\n", 2, "expected ',' or ']'"),
        ('a:\n  - "\\ud83d"\n', 2, "half a character"),
        ("a" * (MAX_CHARS + 1), None, "longer than"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, line: int | None, why: str) -> None:
    began = time.process_time()
    with pytest.raises(YamlError) as caught:
        read_yaml(text)
    assert why in caught.value.what and caught.value.line == line, caught.value
    assert time.process_time() - began < 5


def test_errors_are_one_printable_line_that_keeps_its_end() -> None:
    assert one_line("a\n b\tc") == "a b c"
    assert one_line("half \ud83d, \x1b[31m and \u202e") == "half \\ud83d, \\x1b[31m and \\u202e"
    long = one_line("what is wrong: " + "x" * 10**6 + "; do this")
    assert len(long) == MAX_MESSAGE and long.startswith("what is wrong: x") and long.endswith("x; do this")
    assert str(MendableError("a\nb")) == "a b"
    with pytest.raises(RubricError) as caught:
        parse_rubric(f'name: x\nversion: "1"\ncriteria: [{{id: a, scale: "{"é" * 5_000}"}}]\n')
    assert len(str(caught.value)) <= MAX_MESSAGE
