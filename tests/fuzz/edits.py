"""Documents that are nearly right, and what hostile or careless writers put into them."""

from __future__ import annotations

import copy
import csv
import io
import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import yaml


class Raw(str):
    """Text that stands in a JSON document as it is."""


LONG: Final = "a made-up message about a hard day " * 600
NUMBERS: Final[tuple[Any, ...]] = (
    0, 1, -1, 2, 5, 7, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**30, 0.5, -0.0, 1e308, 5e-324, Raw("NaN"),
    Raw("Infinity"), Raw("-Infinity"), Raw("1e999"), Raw("9" * 400), Raw("9" * 5_000), Raw("-0"), Raw("0.1e-9999"),
)  # fmt: skip
TEXTS: Final = (
    "", " ", "\n", "a", "0", "1", "5", "1.0", "١", "½", "²", "1_0", "nan", "inf", "None", "null", "true", "yes", "No",
    "\x00", "a\x00b", "\x1b[31mred\x1b[0m", "\r", "\u2028", "\x85", "\ufeff", "\ud83d", "half \udc00 of a pair",
    "\u202etxet kcab", "\u2066\u2069", "\u200b", "e\u0301" * 50, "é" * 300, "😀" * 200, "../../etc/passwd", "/", "~",
    "C:\\x", "=1+1", "<script>x</script>", "$(id)", "${HOME}", "{}", "[]", "%s%n", "x" * 300, "x" * 5_000, LONG,
    "2020-99-99", "2020-01-01", "1e999", "9" * 400, "9" * 5_000, "-", "_", ".", "a.b", "a:b", "a,b", 'a"b', "a'b", "a|b",
    "policy/blunt", "openai/x", "offline", "binary", "ordinal", "nominal", "decline", "self_harm", "required",
)  # fmt: skip
NESTED: Final[tuple[Any, ...]] = (
    Raw("[" * 200 + "]" * 200), Raw("[" * 100_000 + "]" * 100_000), Raw('{"a":' * 3_000 + "1" + "}" * 3_000),
    Raw("[" * 5_000), [], {}, [[]], [None], [1, "a"], {"a": {}}, {"": ""}, [{}], ["a"] * 2_000,
    {f"k{i}": i for i in range(500)},
)  # fmt: skip
CONSTANTS: Final[tuple[Any, ...]] = (None, True, False)
_DUMPER: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def junk(chance: Random) -> Any:
    """One value that hardly fits."""
    return copy.deepcopy(chance.choice(chance.choice((NUMBERS, TEXTS, TEXTS, NESTED, CONSTANTS))))


def _places(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    found, stack = [], [data]
    while stack:
        part = stack.pop()
        keys: Sequence[Any] = list(part) if isinstance(part, dict) else range(len(part))
        for key in keys:
            found.append((part, key))
            if isinstance(part[key], dict | list):
                stack.append(part[key])
    return found


def edited(data: Any, chance: Random, edits: int) -> Any:
    """A document with some parts dropped, doubled, renamed, reordered, or put in another's place."""
    data = copy.deepcopy(data)
    for _ in range(edits):
        places = _places(data) if isinstance(data, dict | list) else []
        if not places or chance.random() < 0.02:
            data = junk(chance)
            continue
        part, key = chance.choice(places)
        what = chance.randrange(8)
        if what == 0:
            del part[key]
        elif what == 1:
            other, at = chance.choice(places)
            part[key] = copy.deepcopy(other[at]) if not isinstance(other, list) or at < len(other) else None
        elif what == 2 and isinstance(part, dict):
            name = chance.choice((*TEXTS[:50], *part))
            part[name] = part.pop(key)
        elif what == 3 and isinstance(part, dict):
            pairs = list(part.items())
            chance.shuffle(pairs)
            part.clear()
            part.update(pairs)
        elif what == 3 or (what == 4 and isinstance(part, list)):
            part.append(copy.deepcopy(part[key]))
        elif what == 5:
            part[key] = [part[key]] if chance.random() < 0.5 else {"a": part[key]}
        elif what == 6 and isinstance(part[key], str):
            part[key] = edited_text(part[key], chance, 2)
        else:
            part[key] = junk(chance)
    return data


def as_json(data: Any, chance: Random) -> str:
    """A document as JSON text, in which a key may stand twice and a number be none."""
    out: list[str] = []
    plain = chance.random() < 0.7

    def write(part: Any) -> None:
        if isinstance(part, Raw):
            out.append(part)
        elif isinstance(part, dict):
            out.append("{")
            for n, (key, value) in enumerate(part.items()):
                for again in range(1 + (chance.random() < 0.005)):
                    out.append("," * bool(n or again) + json.dumps(str(key), ensure_ascii=plain) + ":")
                    write(value)
            out.append("}")
        elif isinstance(part, list | tuple):
            out.append("[")
            for n, value in enumerate(part):
                out.append("," * bool(n))
                write(value)
            out.append("]")
        else:
            out.append(json.dumps(part, ensure_ascii=plain))

    write(data)
    return "".join(out)


YAML_JUNK: Final = (
    "&a [*a]", "&a {x: *a}", "!!binary x", "!!binary aGk=", "!!python/object/apply:os.getcwd []", "!!set {a}", "!!int x",
    "!!bool x", "!!map [a]", "!!map x", "!!seq {a: b}", "!!timestamp x", "!!float 1:1e5", "!!omap [a: b]", "!x y",
    "2020-99-99", "0001-01-01 00:00:00 +99:99", "1:30:59", "1:59" * 2_000, "0x" + "f" * 5_000, "9" * 5_000, "0b2", ".nan",
    "-.inf", "? [a, b]\n: c", "{[a]: b}", "{? {a: b} : c}", "*unknown", "|\n  text\n   more", ">-\n  a", "'", '"', '"\\ud83d"',
    '"\\x00"', "@", "`", "%YAML 9.9", "--- a\n--- b", "...", "\t", "- - - - a", "[" * 3_000, "{a: " * 3_000, "- " * 3_000,
    "<<: {a: b}", "<<: [x]", "<<: *a", "~", "=", "#", "!!str", "!<tag:yaml.org,2002:int> 5", "{a: 1, a: 2}", "\x85", "\u2028",
)  # fmt: skip


def bomb(levels: int = 9, merge: bool = False) -> str:
    """YAML of a few lines that are ten to the power of their number once written out."""
    lines = ["l0: &l0 {k0: a}" if merge else "l0: &l0 [a, a]"]
    for n in range(1, levels + 1):
        refs = ", ".join([f"*l{n - 1}"] * 10)
        lines.append(f"l{n}: &l{n} " + (f"{{<<: [{refs}], k{n}: a}}" if merge else f"[{refs}]"))
    return "\n".join(lines) + "\n"


def as_yaml(data: Any, chance: Random, edits: int) -> str:
    """A document as YAML text, with what YAML alone allows put in at some places."""
    raws: list[str] = []
    held, plain = _held(data, raws), chance.random() < 0.5
    try:
        text = str(yaml.dump(held, Dumper=_DUMPER, sort_keys=False, allow_unicode=plain))
    except UnicodeEncodeError:  # half a character, which the quicker one does not write
        text = str(yaml.safe_dump(held, sort_keys=False, allow_unicode=plain))
    for n, raw in enumerate(raws):
        # Brackets in their thousands take seconds to be refused, and teach nothing that some hundreds do not.
        text = text.replace(f"raw-{n}-held", raw if len(raw) < 6_000 else raw[:1_500])
    for _ in range(edits if chance.random() < 0.6 else 0):
        lines = text.split("\n")
        at = chance.randrange(len(lines))
        what = chance.randrange(6)
        if what == 0:
            lines[at] = lines[at].partition(":")[0] + ": " + chance.choice(YAML_JUNK)
        elif what == 1:
            lines.insert(at, chance.choice(YAML_JUNK))
        elif what == 2:
            lines = [*bomb(chance.randrange(1, 10), chance.random() < 0.5).split("\n"), *lines]
            at = chance.randrange(10, len(lines)) if len(lines) > 10 else 0
            lines[at] = lines[at].partition(":")[0] + ": *l" + str(chance.randrange(9))
        elif what == 3:
            lines[at] = " " * chance.randrange(5) + lines[at].lstrip()
        else:
            lines[at] = edited_text(lines[at], chance, 1)
        text = "\n".join(lines)
    return text


def _held(data: Any, raws: list[str]) -> Any:
    """The document with a name in the place of each piece of raw text."""
    if isinstance(data, Raw):
        raws.append(str(data))
        return f"raw-{len(raws) - 1}-held"
    if isinstance(data, dict):
        return {str(key): _held(value, raws) for key, value in data.items()}
    return [_held(value, raws) for value in data] if isinstance(data, list) else data


def rows_of(data: Any, otherwise: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The rows of a table, of a document that may be none any more."""
    rows = [r for r in data if isinstance(r, dict) and r] if isinstance(data, list) else []
    return rows or otherwise


def as_csv(rows: Sequence[dict[str, Any]], separator: str = ",") -> str:
    """Rows as a table."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=separator, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


MARKS: Final = tuple("{}[]\"',:;|#-*&!%@`\\/<>()=\n\r\t\0 .0159aeE+é") + (
    "\ud83d",
    "\u202e",
    '""',
    "\n\n",
    "null",
    "-1",
)


def edited_text(text: str, chance: Random, edits: int) -> str:
    """A text with pieces taken out, doubled, moved or put in."""
    for _ in range(edits):
        at = chance.randrange(len(text) + 1)
        to = min(len(text), at + chance.choice((1, 1, 2, 5, 20, 200)))
        what = chance.randrange(7)
        if what == 0:
            text = text[:at] + text[to:]
        elif what == 1:
            text = text[:at] + text[at:to] * chance.choice((2, 2, 30, 1_000)) + text[to:]
        elif what == 2:
            text = text[:at] + chance.choice(TEXTS) + text[at:]
        elif what == 3:
            text = text[:at]
        elif what == 4:
            text = text[to:] + text[at:to] + text[:at]
        else:
            text = text[:at] + chance.choice(MARKS) + text[at:]
        text = text[:1_000_000]
    return text


def edited_bytes(data: bytes, chance: Random, edits: int) -> bytes:
    """Bytes with some flipped, taken out, doubled, or cut off."""
    out = bytearray(data)
    for _ in range(edits):
        at = chance.randrange(len(out) + 1)
        what = chance.randrange(6)
        if what == 0:
            del out[at:]
        elif what == 1:
            del out[at : at + chance.choice((1, 4, 64))]
        elif what == 2:
            out[at:at] = bytes(chance.randrange(256) for _ in range(chance.choice((1, 4, 64))))
        elif what == 3:
            out[at:at] = out[at : at + 64]
        elif at < len(out):
            out[at] = chance.choice((0, 255, out[at] ^ (1 << chance.randrange(8)), chance.randrange(256)))
    return bytes(out)


def file_bytes(text: str, chance: Random, edits: int) -> bytes:
    """A text as a file, now and then in another encoding or with bytes that are none of it."""
    dice = chance.random()
    if dice < 0.04 and edits:
        return chance.choice((b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"")) + text.encode("utf-16-le", "surrogatepass")
    data = text.encode("utf-8", "surrogatepass")
    if dice < 0.1 and edits:
        return edited_bytes(data, chance, edits)
    return b"\xef\xbb\xbf" + data if dice > 0.97 else data


def mixed(text: str, data: Any, write: Callable[[Any, Random], str], chance: Random, edits: int) -> bytes:
    """A case of a text format: mostly an edited document, else the edited text of the right one."""
    if chance.random() < 0.75:
        return file_bytes(write(edited(data, chance, edits), chance), chance, edits)
    return file_bytes(edited_text(text, chance, edits), chance, edits)
