"""Personal access codes: one per annotator, derived from the plan, the name and a secret that lies beside the plan.

Nothing is stored per person, and a code of one plan is worth nothing for another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from typing import Final

from judges.annotation.model import AnnotationError, Plan

BESIDE: Final = ".annotate-secret"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
CODE_LENGTH: Final = 10
"""Characters of base32: 50 bits."""


def codes(plan: Plan, plan_path: Path) -> dict[str, str]:
    """The access code of every annotator, for whoever runs the study.

    Args:
        plan: The plan.
        plan_path: Its file; the secret is made beside it at the first call.

    Returns:
        Codes by annotator name.

    Raises:
        AnnotationError: The secret can be neither read nor made.
    """
    secret = _secret(plan_path)
    return {name: _code(plan, name, secret) for name in plan.annotators}


def adjudicator_code(plan: Plan, plan_path: Path) -> str:
    """The access code of whoever settles disagreements.

    Raises:
        AnnotationError: The secret can be neither read nor made.
    """
    # No annotator has a colon in the name.
    return _code(plan, "adjudicator:", _secret(plan_path))


def admit_adjudicator(plan: Plan, plan_path: Path, name: str, code: str) -> str | None:
    """The adjudicator's name as typed, if the code is right.

    Raises:
        AnnotationError: The secret can be neither read nor made.
    """
    right = adjudicator_code(plan, plan_path).replace("-", "")
    return name.strip() if hmac.compare_digest(_typed(code), right.encode()) and NAME.fullmatch(name.strip()) else None


def admit(plan: Plan, plan_path: Path, name: str, code: str) -> str | None:
    """The annotator of that name, if the code is theirs; whether the name or the code is wrong is not told.

    Args:
        plan: The plan.
        plan_path: Its file.
        name: What was typed; capitals do not matter.
        code: What was typed; spaces, hyphens and capitals do not matter.

    Raises:
        AnnotationError: The secret can be neither read nor made.
    """
    secret = _secret(plan_path)
    wanted = name.strip().casefold()
    found = next((n for n in plan.annotators if n.casefold() == wanted), None)
    # An unknown name takes the same path as a known one.
    right = _code(plan, found if found is not None else wanted, secret).replace("-", "")
    return found if hmac.compare_digest(_typed(code), right.encode()) and found is not None else None


def _typed(code: str) -> bytes:
    return "".join(c for c in code.upper() if c.isalnum()).encode()


def _code(plan: Plan, name: str, secret: bytes) -> str:
    digest = hmac.new(secret, f"{plan.sha256}\n{name}".encode(), hashlib.sha256).digest()
    text = base64.b32encode(digest).decode()[:CODE_LENGTH]
    return f"{text[:5]}-{text[5:]}"


def _secret(plan_path: Path) -> bytes:
    path = plan_path.with_name(BESIDE)
    try:
        if not path.exists():
            draft = path.with_name(f"{BESIDE}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_hex(32) + "\n")
            try:
                # Whoever links first wins; a second process reads that one's.
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink(missing_ok=True)
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as ex:
        why = ex.strerror if isinstance(ex, OSError) else "no hexadecimal text"
        raise AnnotationError(
            f"the secret for access codes, {BESIDE} beside the plan, cannot be read or made ({why}); "
            "check the folder's permissions"
        ) from ex
