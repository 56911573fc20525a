"""What public docstrings have to say: the errors that a function raises itself, and the shapes of its arrays."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("rubrics", "judges", "evals", "results", "leaderboard")
AXES = {
    "...", "1 + B", "2", "B", "G", "N", "P", "clusters", "draws", "groups", "items", "judges", "k", "measures", "n",
    "people", "raters", "replicates", "repeats", "resamples", "rows", "runs", "units",
}  # fmt: skip
"""What an axis of an array may be called: a shape is such names in brackets, `(runs, items)`."""
Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def modules(*rooms: str, word: str = "") -> dict[str, ast.Module]:
    """The modules of some rooms in which a word stands, by name."""
    files = [p for room in rooms for p in sorted((ROOT / room).rglob("*.py")) if word in p.read_text(encoding="utf-8")]
    name = {p: ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in files}
    return {name[p]: ast.parse(p.read_text(encoding="utf-8")) for p in files}


def public(node: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Named]]:
    for child in node.body:
        if isinstance(child, Named) and not child.name.startswith("_"):
            yield prefix + child.name, child
            yield from public(child, f"{prefix}{child.name}.") if isinstance(child, ast.ClassDef) else ()


def names(node: ast.AST | None) -> set[str]:
    return {getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(node or ast.Pass())}


def raised(nodes: Iterable[ast.AST]) -> set[str]:
    """Classes (capital names: no `raise helper(ex)`) that code raises and does not catch; functions in it left out."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Try):
            caught = set().union(*(names(h.type) for h in node.handlers))
            found |= (raised(node.body) - caught) | raised([*node.handlers, *node.orelse, *node.finalbody])
        elif isinstance(node, ast.Raise):
            found |= {*re.findall(r"^raise (?:\w+\.)*([A-Z]\w*)", ast.unparse(node))} - {"AssertionError"}
        elif not isinstance(node, Named | ast.expr):
            found |= raised(ast.iter_child_nodes(node))
    return found


def unsaid(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """By public function, what it raises and does not list under `Raises:`; a command's docstring is its help."""
    found = {}
    for module, (name, node) in ((m, p) for m, tree in trees.items() for p in public(tree)):
        listed = (ast.get_docstring(node) or "").partition("Raises:")[2]
        lacking = {e for e in raised(node.body) if not re.search(rf"\b{e}:", listed)}
        if lacking and not re.search(r"\.(command|group)\(", " ".join(map(ast.unparse, node.decorator_list))):
            found[f"{module}.{name}"] = lacking
    return found


def array_names(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """By module, the names that stand for a numpy array: its own aliases, and those that it takes from the others."""
    known, before = {module: {"NDArray", "ndarray"} for module in trees}, 0
    while before < (before := sum(map(len, known.values()))):
        for module, node in ((m, node) for m, tree in trees.items() for node in tree.body):
            if isinstance(node, ast.ImportFrom):
                known[module] |= {a.asname or a.name for a in node.names if a.name in known.get(node.module or "", ())}
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                known[module] |= {node.targets[0].id} if names(node.value) & known[module] else set()
    return known


def shapeless(trees: Mapping[str, ast.Module]) -> list[str]:
    """Public functions with an array in their signature, and classes with one in a field, that state no shape."""
    known, found = array_names(trees), []
    for module, (name, node) in ((m, p) for m, tree in trees.items() for p in public(tree)):
        fields = [a.annotation for a in node.body if isinstance(a, ast.AnnAssign)]
        parts = fields if isinstance(node, ast.ClassDef) else [node.args, node.returns]
        said = re.findall(r"\(([^()]*)\)", " ".join((ast.get_docstring(node) or "").split()))
        if any(names(p) & known[module] for p in parts) and not any({*s.split(", ")} <= AXES for s in said):
            found.append(f"{module}.{name}")
    return found


def test_errors_are_said() -> None:
    tree = ast.parse("""
def bare(x): raise ValueError(x)
async def beside(x):
    'Names KeyError, but not where errors are listed.'
    try: raise TypeError
    except TypeError as ex: raise errors.KeyError from ex
    def inner(): raise ValueError
class Thing:
    def method(self):
        'Raises:\\n ValueError: Too large.'
        if self: raise ValueError; raise OSError; raise unwritable(self); raise AssertionError
    def _own(self): raise ValueError
@click.command("name")
def command(): raise ValueError
""")
    assert unsaid({"m": tree}) == {"m.bare": {"ValueError"}, "m.beside": {"KeyError"}, "m.Thing.method": {"OSError"}}
    assert unsaid(modules(*ROOMS, word="raise ")) == {}, "list under `Raises:` what is raised"


def test_shapes_are_said() -> None:
    a = "Array = npt.NDArray[np.float64]\nValues = Sequence[float] | Array\nTable = Mapping[str, float]"
    b = """
from a import Table, Values as Given
def bare(x: Given): 'An array (of numbers).'
def said(x: Given): 'Values, (runs, items).'
def other(x: Table, y: pa.Table): 'No array.'
class Thing:
    x: np.ndarray
    def method(self) -> list[NDArray[np.int64]]: 'Arrays.'
"""
    assert shapeless({"b": ast.parse(b), "a": ast.parse(a)}) == ["b.bare", "b.Thing", "b.Thing.method"]
    assert shapeless(modules("judges")) == [], "say which axis of each array is what, such as (runs, items)"
