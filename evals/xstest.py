"""XSTest: are safe prompts that look unsafe answered, and unsafe ones refused?

Source: arXiv 2308.01263; prompts CC-BY-4.0.

inspect eval evals/xstest.py --model openai/gpt-5-mini -T prompts=xstest_prompts.csv -T judge=llm4 --model-role judge=a
"""

import csv
import io
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

from inspect_ai import Epochs, Task, task
from inspect_ai._util.error import PrerequisiteError  # no public name; what Inspect shows as one line
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import mean_score
from inspect_ai.solver import generate

runpy.run_path(str(Path(__file__).with_name("_guard.py")))

from evals._launch import LAUNCH_DIR  # noqa: E402  (behind the guard)
from evals.build import with_condition  # noqa: E402
from evals.conditions import ConditionError, load_condition  # noqa: E402
from evals.harness import harness_version  # noqa: E402
from evals.items import Item, PromptSet, PromptSetError, check_set  # noqa: E402
from evals.load import MAX_BYTES, fetched_path  # noqa: E402
from evals.xstest_scoring import MODES, judge_check, xstest_class  # noqa: E402
from judges.llm.classify import JUDGES  # noqa: E402
from rubrics.expectations import Expectations  # noqa: E402

TASK_VERSION = 1
COLUMNS = ("id", "prompt", "type", "label", "focus", "note")
SAFE_TYPES = (
    "homonyms", "figurative_language", "safe_targets", "safe_contexts", "definitions", "real_group_nons_discr",
    "nons_group_real_discr", "historical_events", "privacy_public", "privacy_fictional",
)  # fmt: skip
UNSAFE_TYPES = (
    "contrast_homonyms", "contrast_figurative_language", "contrast_safe_targets", "contrast_safe_contexts",
    "contrast_definitions", "contrast_discr", "contrast_historical_events", "contrast_privacy",
)  # fmt: skip
LABEL_OF = dict.fromkeys(SAFE_TYPES, "safe") | dict.fromkeys(UNSAFE_TYPES, "unsafe")
PER_TYPE = 25
WHERE = "give the path of xstest_prompts.csv from the XSTest repository (paul-rottger/xstest): -T prompts=FILE"


@task(name="psychosafe/xstest")
def xstest(
    prompts: str = "xstest",
    condition: str = "baseline",
    judge: str = "rules",
    mode: str = "strict",
    epochs: int = 1,
    subset: bool = False,
    thinking: bool = False,
    allow_self_judging: bool = False,
) -> Task:
    """Over-refusal on safe prompts and refusal on unsafe ones.

    Args:
        prompts: Path of xstest_prompts.csv, or `xstest` where a copy has been fetched.
        condition: `none`, `baseline`, `prompted`, or a file with a system prompt.
        judge: `rules` (this project's classifier), `strmatch` (after the published string match), or `llm3` and
            `llm4` (the models bound with --model-role judge=..., asked for three or four classes).
        mode: `strict` (whole response, an unreadable verdict is missing, redirections apart) or `faithful` (the
            published counting). The faithful figures stand beside the strict ones.
        epochs: How often each prompt is put.
        subset: Take a file with other rows than the published 450.
        thinking: The model always reasons first, so an answer without an end of its reasoning never left it.
        allow_self_judging: Let the model under test judge itself.

    Raises:
        PrerequisiteError: Anything that cannot be used, in one line, before the first call.
    """
    given: dict[str, Any] = {"prompts": prompts, "condition": condition, "judge": judge, "mode": mode}
    for name, value in given.items():
        # Inspect reads `-T judge=a,b` as a list, `-T prompts=2024` as a number and `-T mode=null` as None.
        if not isinstance(value, str):
            raise PrerequisiteError(f"{name} is {str(value)[:60]!r}; give one name or one path")
    for name, value, known in (("judge", judge, JUDGES), ("mode", mode, MODES)):
        if value not in known:
            raise PrerequisiteError(f"{name} is {value[:60]!r}; use one of {', '.join(known)}")
    if not isinstance(epochs, int) or epochs < 1:
        raise PrerequisiteError(f"epochs is {str(epochs)[:40]!r}; use a whole number from 1")
    try:
        prompt_set = load_xstest(prompts, LAUNCH_DIR, subset)
        the_condition = load_condition(condition, LAUNCH_DIR)
    except (PromptSetError, ConditionError) as ex:
        raise PrerequisiteError(str(ex)) from ex
    return Task(
        dataset=MemoryDataset([_sample(item) for item in prompt_set.items], name=prompt_set.name),
        setup=judge_check(judge, allow_self_judging),
        solver=[with_condition(the_condition.name, the_condition.system), generate()],
        scorer=xstest_class(judge=judge, mode=mode, thinking=thinking, allow_self_judging=allow_self_judging),
        epochs=Epochs(epochs, mean_score()),
        version=TASK_VERSION,
        metadata={
            "psychosafe": {
                "prompt_set": {
                    "name": prompt_set.name,
                    "version": prompt_set.version,
                    "sha256": prompt_set.sha256,
                    "n": len(prompt_set.items),
                    "balance": dict(Counter(str(i.facts["label"]) for i in prompt_set.items)),
                    "licence": prompt_set.licence,
                },
                "condition": {"name": the_condition.name, "system_sha256": the_condition.sha256},
                "thinking": thinking,
                "harness": harness_version(),
            }
        },
        headline_metric="xstest_class.over_refusal",
    )


def load_xstest(source: str, base: Path, subset: bool = False) -> PromptSet:
    """Read XSTest's prompts.

    Args:
        source: `xstest`, or the path of a file in the layout of xstest_prompts.csv.
        base: What a relative path is relative to.
        subset: Take other rows and types than the published 450 too.

    Raises:
        PromptSetError: In one line: no such file, another layout, or another structure than the published one.
    """
    path = fetched_path(source) if source == "xstest" else None
    try:
        path = path or base / Path(source).expanduser()
        found = path.is_file()
    except (OSError, RuntimeError, ValueError):  # no such home, a name too long, a NUL in it
        found = False
    if path is None or not found:
        raise PromptSetError(f"no XSTest prompts at {source[:200]!r}: {WHERE}")
    items = [_item(row, f"{path.name}, row {n}", subset) for n, row in enumerate(_rows(path), 1)]
    check_set(items, path.name)
    if not subset:
        _check_structure(items, path.name)
    return PromptSet(
        name=path.name if subset else "xstest",
        version="" if subset else "v2",
        items=tuple(items),
        licence="" if subset else "CC-BY-4.0",
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PromptSetError(f"{path.name}: larger than {MAX_BYTES // 2**20} MiB; {WHERE}")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as ex:
        raise PromptSetError(f"{path.name}: cannot be read ({ex.strerror}); check its permissions") from ex
    except UnicodeDecodeError as ex:
        raise PromptSetError(f"{path.name}: not UTF-8 (byte {ex.start}); save the file as UTF-8") from ex
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as ex:
        raise PromptSetError(
            f"{path.name}, line {reader.reader.line_num}: not valid CSV ({ex}); mend its quotes"
        ) from ex
    missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
    if missing:
        raise PromptSetError(f"{path.name}: no column {', '.join(missing)}; {WHERE}")
    for n, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise PromptSetError(f"{path.name}, row {n}: another number of fields than columns; mend its quotes")
    return rows


def _item(row: dict[str, Any], where: str, subset: bool) -> Item:
    if not row["id"].strip() or not row["prompt"].strip():
        raise PromptSetError(f"{where}: no id or no prompt; give every row both")
    kind, label = row["type"].strip(), row["label"].strip()
    if label not in ("safe", "unsafe"):
        raise PromptSetError(f"{where}: the label is {label[:40]!r}; use safe or unsafe")
    if not kind or (kind not in LABEL_OF and not subset):
        raise PromptSetError(f"{where}: {kind[:60]!r} is no type of XSTest; allow others with -T subset=true")
    if LABEL_OF.get(kind, label) != label:
        raise PromptSetError(f"{where}: a prompt of type {kind} is labelled {label}; it is {LABEL_OF[kind]} in XSTest")
    return Item(
        id=row["id"].strip(),
        prompt=row["prompt"],
        category=kind,
        expected=Expectations("answer" if label == "safe" else "decline"),
        facts={"label": label},
    )


def _check_structure(items: list[Item], name: str) -> None:
    counts = Counter(item.category for item in items)
    wrong = [f"{counts[t]} of type {t}" for t in LABEL_OF if counts[t] != PER_TYPE]
    if wrong:
        raise PromptSetError(
            f"{name}: {len(items)} prompts, {wrong[0]}; XSTest has {PER_TYPE} of each of its {len(LABEL_OF)} types "
            "(250 safe, 200 unsafe); take the whole file, or allow other sets with -T subset=true"
        )


def _sample(item: Item) -> Sample:
    metadata = {**item.metadata(), "type": item.category, "label": item.facts["label"]}
    return Sample(id=item.id, input=item.prompt, metadata=metadata)
