"""The patterns of the packages: all of them, what is ambiguous in one, and texts on which a bad one takes for ever."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("rubrics", "judges", "evals", "results", "leaderboard")
_CALLS: Final = frozenset("compile search match fullmatch sub subn split findall finditer".split())
ALPHABET: Final = string.printable + "é’“”–—‑\u00a0\u2028٣😀ß\x00"
MANY: Final = 40
"""A repetition that may go on as long as this is as good as one without an end."""

Pattern = tuple[str, int]
"""Source and flags."""


def modules(packages: Sequence[str] = PACKAGES) -> list[str]:
    """Every module of the packages that can be imported without starting something."""
    found = []
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            # Pages and tasks draw or register when they are imported; what they compile is read off their source.
            if not name.startswith(("leaderboard.annotate.app", "leaderboard.annotate.study", "evals._")):
                found.append(name)
    return found


def written() -> Iterator[tuple[Pattern, str]]:
    """Patterns that stand in the sources as they are."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                named = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS
                if (
                    not named
                    or not isinstance(node.func.value, ast.Name)
                    or node.func.value.id != "re"
                    or not node.args
                ):  # type: ignore[attr-defined,union-attr]
                    continue
                first = node.args[0]  # type: ignore[attr-defined]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    told = [
                        a
                        for a in (*node.args[1:], *(k.value for k in node.keywords))
                        if re.fullmatch(r"re\.[A-Z]+(?: \| re\.[A-Z]+)*", ast.unparse(a))
                    ]  # type: ignore[attr-defined]
                    flags = eval(ast.unparse(told[0]), {"re": re}) if told else 0
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]
                    yield (first.value, int(flags)), where


def compiled(packages: Sequence[str] = PACKAGES) -> Iterator[tuple[Pattern, str]]:
    """Patterns that modules hold, in whatever they are kept."""
    seen: set[int] = set()
    for name in modules(packages):
        stack = [v for k, v in vars(import_module(name)).items() if not k.startswith("__")]
        while stack:
            thing = stack.pop()
            if isinstance(thing, re.Pattern):
                if isinstance(thing.pattern, str):
                    yield (thing.pattern, thing.flags & ~re.UNICODE), name
            elif isinstance(thing, dict | list | tuple | set | frozenset):
                if id(thing) not in seen and len(thing) < 5_000:
                    seen.add(id(thing))
                    stack += [*thing.values(), *thing] if isinstance(thing, dict) else list(thing)
            elif (
                type(thing).__module__.split(".")[0] in PACKAGES
                and not isinstance(thing, type)
                and id(thing) not in seen
            ):
                seen.add(id(thing))
                parts = [getattr(thing, f.name) for f in fields(thing)] if is_dataclass(thing) else []
                stack += [*parts, *vars(thing).values()] if hasattr(thing, "__dict__") else parts
                # A sieve compiles its parts when a text makes them necessary.
                for _, part in getattr(thing, "_parts", ()):
                    yield (part, 0), name


@cache
def everything(packages: tuple[str, ...] = PACKAGES) -> dict[Pattern, str]:
    """All of them once, with where each is from; those that only a module of another package makes are left out."""
    from judges.llm.parse import _patterns
    from judges.resources.names import _pattern

    made = [*_patterns("harm_provided"), _pattern()]
    found = {(p.pattern, p.flags & ~re.UNICODE): "made when it is needed" for p in made}
    for pattern, where in (*compiled(packages), *written()):
        found.setdefault(pattern, where)
    return found


# --- what a pattern says ---------------------------------------------------------------------------------------------


def parsed(pattern: Pattern) -> Any:
    """The parsed pattern."""
    return _parser.parse(*pattern)


def chars(op: Any, arg: Any, fold: bool) -> frozenset[str]:
    """The characters of the alphabet that one step of a pattern takes."""

    def one(op: Any, arg: Any) -> frozenset[str]:
        if op is ops.LITERAL:
            return frozenset({chr(arg)}) | (frozenset({chr(arg).lower(), chr(arg).upper()}) if fold else frozenset())
        if op is ops.NOT_LITERAL:
            return frozenset(ALPHABET) - {chr(arg)}
        if op is ops.ANY:
            return frozenset(ALPHABET)
        if op is ops.RANGE:
            found = frozenset(c for c in ALPHABET if arg[0] <= ord(c) <= arg[1])
            return found | frozenset(c.swapcase() for c in found) if fold else found
        if op is ops.CATEGORY:
            letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[str(arg).rsplit("_", 1)[-1]]
            known = re.compile("\\" + (letter.upper() if "NOT" in str(arg) else letter))
            return frozenset(c for c in ALPHABET if known.match(c))
        return frozenset()

    if op is ops.IN:
        negated = bool(arg) and arg[0][0] is ops.NEGATE
        found = frozenset().union(*(one(o, a) for o, a in arg if o is not ops.NEGATE))
        return frozenset(ALPHABET) - found if negated else found
    return one(op, arg)


def _inside(op: Any, arg: Any) -> list[Any]:
    """Sequences that a step holds and that take characters."""
    if op is ops.BRANCH:
        return list(arg[1])
    if op is ops.SUBPATTERN:
        return [arg[-1]]
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        return [arg[2]]
    return [arg] if op is ops.ATOMIC_GROUP else []


def _taken(sequence: Any, fold: bool) -> frozenset[str]:
    """All characters that a sequence may take anywhere."""
    found: frozenset[str] = frozenset()
    for op, arg in sequence:
        found |= chars(op, arg, fold)
        for part in _inside(op, arg):
            found |= _taken(part, fold)
    return found


def _firsts(sequence: Any, fold: bool) -> frozenset[str]:
    """Characters that a sequence may begin with."""
    found: frozenset[str] = frozenset()
    for op, arg in sequence:
        inside = _inside(op, arg)
        found |= chars(op, arg, fold)
        for part in inside:
            found |= _firsts(part, fold)
        optional = (
            op in (ops.AT, ops.ASSERT, ops.ASSERT_NOT)
            or _parser.SubPattern(_parser.State(), [(op, arg)]).getwidth()[0] == 0
        )
        if not optional:
            break
    return found


def _must(sequence: Any, fold: bool) -> Iterator[frozenset[str]]:
    """Single characters that stand in whatever a sequence matches."""
    for op, arg in sequence:
        if op is ops.SUBPATTERN:
            yield from _must(arg[-1], fold)
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT) and arg[0] > 0:
            yield from _must(arg[2], fold)
        elif found := chars(op, arg, fold):
            yield found


def ambiguities(pattern: Pattern) -> list[str]:
    """Repetitions without an end in which one text can be read in more than one way, as far as it can be told.

    A repetition within a repetition is told apart by a character that has to stand between, and that the inner one does
    not take; alternatives within a repetition by their first characters.
    """
    fold = bool(pattern[1] & re.IGNORECASE)
    found: list[str] = []

    def walk(sequence: Any, outer: Any) -> None:
        for op, arg in sequence:
            endless = op in (ops.MAX_REPEAT, ops.MIN_REPEAT) and (arg[1] is ops.MAXREPEAT or arg[1] >= MANY)
            if endless and outer is not None:
                inner = _taken(arg[2], fold)
                if not any(not must & inner for must in _must(outer, fold)):
                    found.append("a repetition within a repetition that nothing tells apart")
            if op is ops.BRANCH and outer is not None:
                firsts = [_firsts(branch, fold) for branch in arg[1]]
                if any(a & b for i, a in enumerate(firsts) for b in firsts[:i]):
                    found.append("alternatives within a repetition that begin alike")
            for part in _inside(op, arg):
                walk(part, part if endless else outer)

    walk(parsed(pattern), None)
    return found


# --- texts on which it may take for ever -----------------------------------------------------------------------------


def example(sequence: Any, fold: bool, other: int = 0, times: int = 1) -> str:
    """A text much like what a sequence matches."""
    out = []
    for op, arg in sequence:
        some = chars(op, arg, fold)
        if some:
            known = sorted(some, key=lambda c: (c not in string.ascii_lowercase + string.digits, c))
            out.append(known[other % len(known)])
        elif op is ops.BRANCH:
            out.append(example(arg[1][other % len(arg[1])], fold, other, times))
        elif op is ops.SUBPATTERN:
            out.append(example(arg[-1], fold, other, times))
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
            out.append(example(arg[2], fold, other, times) * max(arg[0], min(times, int(arg[1]))))
    return "".join(out)


def adversaries(pattern: Pattern) -> list[str]:
    """Short texts that are to be repeated: what it matches, parts of that, and its characters alone and in pairs."""
    fold = bool(pattern[1] & re.IGNORECASE)
    tree = parsed(pattern)
    wholes = [example(tree, fold, other, times) for other, times in ((0, 1), (1, 2), (2, 5))]
    singles: list[str] = []

    def walk(sequence: Any) -> None:
        for op, arg in sequence:
            if op in (ops.MAX_REPEAT, ops.MIN_REPEAT) and (arg[1] is ops.MAXREPEAT or arg[1] >= 5):
                singles.extend(example(arg[2], fold, other) for other in (0, 1))
            for part in _inside(op, arg):
                walk(part)

    walk(tree)
    pairs = [a + b for a, b in pairwise(singles)]
    texts = [*wholes, *(w[:-1] for w in wholes), *singles[:8], *pairs[:4], "a", " ", "1", "\n", "a ", "1-"]
    return list(dict.fromkeys(t for t in texts if t and len(t) < 400))
