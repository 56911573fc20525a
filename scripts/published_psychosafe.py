"""Compute results/published/psychosafe.json from the published judgment file.

    python -m scripts.published_psychosafe PATH/compare_all_judges_qwen3.5_full_vs_sft.json

Only aggregates are kept (mean, sample SD, n); the file itself, with its prompts, stays where it is.
"""

import hashlib
import json
import statistics
import sys
import tempfile
from pathlib import Path

from results.importers.psychosafe import read_judgments
from results.schema import PANEL_RATER, ratings_table
from results.store import Store

OUT = Path(__file__).resolve().parent.parent / "results" / "published" / "psychosafe.json"
MEASURES = ("refusal", "grounding", "references", "relevance", "paper", "gated_published")


def main(path: Path) -> None:
    """Compute and write the figures."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for manifest, ratings in read_judgments(path):
            store.write(manifest, ratings_table(ratings))
            values = store.values(manifest.run_id, PANEL_RATER)
            rows.append(
                {
                    "id": manifest.source.note.removeprefix("run "),
                    "model": manifest.model.name,
                    "condition": manifest.condition.name,
                    "judges": [j.id for j in manifest.panel.judges],
                    "measures": {
                        m: {
                            "mean": round(statistics.fmean(values[m].values()), 6),
                            "sd": round(statistics.stdev(values[m].values()), 6),
                            "n": len(values[m]),
                        }
                        for m in MEASURES
                    },
                }
            )
    data = {
        "title": "PsychoSafe (arXiv 2606.09697), validation set, as judged by the authors' judge",
        "source": {
            "paper": "https://arxiv.org/abs/2606.09697",
            "file": path.name,
            "revision": "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest(),
        },
        "note": "Means over the 455 prompts rated in all four runs; the other 45 of 500 are not in the file. "
        "One judge, of the family of the models that it judged. gated_published is ours, from the same ratings.",
        "runs": rows,
        "claims": {"overall": 0.281, "references": 0.468, "grounding": 0.348},
    }
    OUT.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {OUT.relative_to(OUT.parent.parent.parent)}: {len(rows)} runs")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
