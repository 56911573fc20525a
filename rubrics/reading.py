"""Reading YAML that somebody else wrote: it means no more than it is long, and what is wrong has a line.

Over PyYAML's safe loader: a key that stands twice is an error and not silently the last of the two; a part that is
referred to may be referred to again only as long as the whole stays small (one line of ten references, ten times over,
would be ten thousand million parts once somebody walks through it); and only texts, numbers, truth values, dates, lists
and mappings are read.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

MAX_CHARS: Final = 200_000
"""Characters of a YAML file; the files of this project are a page or two. PyYAML reads some 100,000 a second."""
MAX_PARTS: Final = 50_000
"""Parts of a file once everything that is referred to is written out."""
MAX_DEPTH: Final = 40
"""Levels of a file; the deepest of this project has seven."""
_MAX_DIGITS: Final = 300
_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_TAG}merge"
_TAGS: Final = frozenset(f"{_TAG}{t}" for t in "null bool int float timestamp str seq map merge value".split())


class YamlError(ValueError):
    """YAML that cannot be read.

    Attributes:
        line: Where, from 1; None where it is not known.
        what: What is wrong, without the line.
    """

    def __init__(self, what: str, line: int | None = None) -> None:
        self.line = line
        self.what = " ".join(what.split())[:200]
        super().__init__(f"line {line}: {self.what}" if line is not None else self.what)


class _Bounds:
    """What a loader of PyYAML needs besides: keys that stand once, and nesting as deep as a person would.

    At each of its tokens the scanner looks at every level that is open.
    """

    flow_level: int
    indents: list[int]
    line: int
    construct_object: Any

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:
        self._check_depth(self.flow_level)
        super().fetch_flow_collection_start(TokenClass)  # type: ignore[misc]

    def add_indent(self, column: int) -> bool:
        self._check_depth(len(self.indents))
        return bool(super().add_indent(column))  # type: ignore[misc]

    def _check_depth(self, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise YamlError("nested too deeply", self.line + 1)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            name = None if key.tag == _MERGE else self.construct_object(key, deep=True)
            if isinstance(name, str) and name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{name[:60]!r} stands twice", key.start_mark)
            seen.add(name if isinstance(name, str) else None)
        found: dict[Any, Any] = super().construct_mapping(node, deep)  # type: ignore[misc]
        return found


class _Loader(_Bounds, yaml.SafeLoader):
    """Values as YAML 1.1 reads them."""


class _TextLoader(_Bounds, yaml.BaseLoader):
    """Every value as the text that stands there."""


def read_yaml(text: str, as_text: bool = False) -> tuple[Any, Any]:
    """Read YAML text.

    Args:
        text: One document.
        as_text: Leave every value as it is written: in YAML 1.1 `yes` is a truth value and `1` a number.

    Returns:
        The tree of nodes, which knows the lines, and the data; None and None for an empty text.

    Raises:
        YamlError: Why it cannot be read.
    """
    if len(text) > MAX_CHARS:
        raise YamlError(f"longer than {MAX_CHARS:,} characters")
    try:
        loader = (_TextLoader if as_text else _Loader)(text)
        node = loader.get_single_node()
        _size(node, {})
        return node, loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as ex:
        mark = getattr(ex, "problem_mark", None)
        raise YamlError(str(getattr(ex, "problem", None) or ex), mark.line + 1 if mark is not None else None) from ex
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as ex:
        if isinstance(ex, YamlError):
            raise
        # What a tag or a date promises and the text behind it does not keep.
        raise YamlError(f"a value that is none ({type(ex).__name__}); put quotes around texts") from ex


def _size(node: Any, known: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """Parts and levels of a node with everything that it refers to written out."""
    if node is None:
        return 0, 0
    line = node.start_mark.line + 1
    if id(node) in known:
        found = known[id(node)]
        if found is None:
            raise YamlError("a part that holds itself", line)
        return found
    known[id(node)] = None
    if node.tag not in _TAGS:
        raise YamlError(f"the tag {node.tag.replace(_TAG, '!!')[:60]!r} is not read here", line)
    size, levels = 1, 0
    if isinstance(node, yaml.ScalarNode):
        if not node.value.isascii() and any("\ud800" <= c <= "\udfff" for c in node.value):
            raise YamlError("half a character, which no file can hold; write it whole", line)
        if node.tag in (f"{_TAG}int", f"{_TAG}float") and len(node.value) > _MAX_DIGITS:
            raise YamlError(f"a number of more than {_MAX_DIGITS} digits; put quotes around texts", line)
    else:
        parts = (p for pair in node.value for p in pair) if isinstance(node, yaml.MappingNode) else iter(node.value)
        for part in parts:
            more, below = _size(part, known)
            size, levels = size + more, max(levels, below + 1)
            if size > MAX_PARTS:
                raise YamlError(f"more than {MAX_PARTS:,} parts, what it refers to written out", line)
            if levels > 2 * MAX_DEPTH:
                # Brackets within lines count anew, hence twice as many; what is referred to adds its own levels.
                raise YamlError("nested too deeply, what it refers to written out", line)
    known[id(node)] = size, levels
    return size, levels
