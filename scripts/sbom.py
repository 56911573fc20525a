"""`python -m scripts.sbom [FILE]`: the bill of materials of the pinned versions, CycloneDX 1.5 as JSON.

The same pins give the same bytes: the serial number is made of them, and no time of writing is stated.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

from scripts.pins import ROOT, Pin, read_pins


def bill(pins: list[Pin]) -> dict[str, Any]:
    """The bill as JSON-ready data.

    Args:
        pins: What is installed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    own = f"pkg:pypi/{project['name']}@{project['version']}"
    parts = sorted(pins, key=lambda p: p.purl)
    digest = hashlib.sha256("\n".join([own, *(p.purl for p in parts)]).encode()).digest()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": own, "name": project["name"], "version": project["version"],
                "purl": own, "licenses": [{"expression": project["license"]}],
            }
        },
        "components": [_component(p) for p in parts],
        "dependencies": [
            {"ref": own, "dependsOn": [p.purl for p in parts if "run time" in p.needed_by]},
            *({"ref": p.purl} for p in parts),
        ],
    }  # fmt: skip


def _component(p: Pin) -> dict[str, Any]:
    part: dict[str, Any] = {
        "type": "library", "bom-ref": p.purl, "name": p.name, "version": p.version, "purl": p.purl,
        "scope": "required" if "run time" in p.needed_by else "optional",
    }  # fmt: skip
    return part | ({"licenses": [{"expression": p.licence}]} if p.licence else {})


def main() -> None:
    """Write the bill to the file that is named, else to the standard output."""
    text = json.dumps(bill(read_pins()), indent=1) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
