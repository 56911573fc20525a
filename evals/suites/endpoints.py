"""What stands behind an address: asked once of every OpenAI-compatible server, recorded, and compared."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from evals.suites.model import ModelEntry

MAX_BYTES: Final = 4 * 2**20
TIMEOUT: Final = 20.0
_SILENT: Final = frozenset({404, 405, 501})
"""Statuses of a service that answers questions and lists no models."""
_FIELDS: Final = ("id", "root", "parent", "owned_by", "max_model_len")


@dataclass(frozen=True)
class Served:
    """What a server says that it serves.

    Attributes:
        url: The address that was asked.
        models: Of each model the stated `_FIELDS`; none where the service lists none.
    """

    url: str
    models: tuple[Mapping[str, Any], ...]

    @property
    def sha256(self) -> str:
        """Hash of the answer, without times and permissions, which change with every start."""
        return hashlib.sha256(json.dumps([self.url, self.models], sort_keys=True, default=str).encode()).hexdigest()

    def entry(self, name: str) -> Mapping[str, Any] | None:
        """What is said of one model."""
        return next((m for m in self.models if m.get("id") == name), None)

    def as_dict(self, name: str) -> dict[str, Any]:
        """What a log records: address, the model's own entry, hash of the whole answer."""
        return {"url": self.url, "model": dict(self.entry(name) or {}), "sha256": self.sha256[:16]}


def address_of(m: ModelEntry, environ: Mapping[str, str] | None = None) -> str | None:
    """The OpenAI-compatible address of a model; None for other providers, and where Inspect starts the server."""
    env = os.environ if environ is None else environ
    if m.base_url:
        return m.base_url
    if m.model.startswith("vllm/"):
        return None if m.serve else env.get("VLLM_BASE_URL") or None
    service = service_of(m.model)
    return env.get(f"{service}_BASE_URL") if service else None


def service_of(model: str) -> str | None:
    """Prefix of the variables of an `openai-api/SERVICE/NAME` model."""
    parts = model.split("/")
    return re.sub(r"[^A-Z0-9]", "_", parts[1].upper()) if parts[0] == "openai-api" and len(parts) > 2 else None


def name_at(m: ModelEntry) -> str:
    """What the server calls a model: the adapter's name where there is one."""
    name = m.model.partition("/")[2]
    if service_of(m.model):
        return name.partition("/")[2]
    return name.rpartition(":")[2] if m.model.startswith("vllm/") and ":" in name else name


def key_of(m: ModelEntry, environ: Mapping[str, str] | None = None) -> str | None:
    """The key that a model's server wants, from its provider's own variable; None where that is not set."""
    env = os.environ if environ is None else environ
    return env.get(f"{service_of(m.model) or m.model.partition('/')[0].upper()}_API_KEY") or None


def ask(url: str, key: str | None = None, timeout: float = TIMEOUT) -> Served:
    """Ask a server what it serves.

    Raises:
        OSError: It does not answer.
        ValueError: Its answer is no list of models.
    """
    request = urllib.request.Request(f"{url.rstrip('/')}/models")  # noqa: S310  (http and https alone pass the schema)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310
        raw = answer.read(MAX_BYTES + 1)
    data = json.loads(raw[:MAX_BYTES])
    # Some services send the bare list.
    listed = data.get("data") if isinstance(data, dict) else data
    if not isinstance(listed, list):
        raise ValueError("no list of models")
    return Served(url, tuple({k: m[k] for k in _FIELDS if m.get(k) is not None} for m in listed if isinstance(m, dict)))


def place_of_server(url: str) -> str:
    """What two addresses of one server share: scheme, address of the machine, port and path."""
    told = urllib.parse.urlsplit(url)
    host = (told.hostname or "").lower()
    with suppress(OSError, UnicodeError):
        host = str(sorted(socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP))[0][4][0])
    port = f":{told.port}" if told.port else ""
    # A machine calls itself by several names.
    return f"{told.scheme}://{'127.0.0.1' if host in ('::1', '0.0.0.0') else host}{port}{told.path.rstrip('/')}"  # noqa: S104


def compare(
    models: Sequence[ModelEntry], environ: Mapping[str, str] | None = None
) -> tuple[dict[str, Served], list[str]]:
    """Ask every server of a suite, and find models that are not there or are one and the same.

    Args:
        models: Models of a suite.
        environ: Environment variables; those of this process if not given.

    Returns:
        What is served, by id of the model; and what is wrong.
    """
    env = os.environ if environ is None else environ
    answers: dict[str, Served | str] = {}
    found: dict[str, Served] = {}
    wrong: list[str] = []
    reached: dict[tuple[str, str], list[str]] = {}
    places: dict[str, str] = {}
    for m in models:
        url = address_of(m, env)
        if url is None:
            continue
        if url not in answers:
            answers[url], places[url] = _asked(url, m, env), place_of_server(url)
        answer = answers[url]
        if isinstance(answer, str):
            wrong.append(f"{m.id}: {answer}")
            continue
        name = name_at(m)
        told = answer.entry(name)
        if told is None and not answer.models:
            found[m.id] = answer
            reached.setdefault((places[url], name), []).append(m.id)
            continue
        if told is None:
            there = ", ".join(str(x.get("id"))[:60] for x in answer.models[:8]) or "nothing"
            wrong.append(f"{m.id}: {url} does not serve {name!r}; it serves {there}")
            continue
        found[m.id] = answer
        # An alias has the same root as what it stands for; an adapter's root is its own folder.
        reached.setdefault((places[url], str(told.get("root") or name)), []).append(m.id)
    wrong += [
        f"{' and '.join(ids)} reach the same model at {url} ({root[:80]}); give each its own server or adapter"
        for (url, root), ids in reached.items()
        if len(ids) > 1 and not _apart(models, ids)
    ]
    return found, wrong


def _apart(models: Sequence[ModelEntry], ids: Sequence[str]) -> bool:
    """Whether models of one endpoint are meant to differ in their settings alone."""
    chosen = [m for m in models if m.id in ids]
    settings = {json.dumps([m.generation, m.args], sort_keys=True, default=str) for m in chosen}
    return len({m.model for m in chosen}) == 1 and len(settings) == len(chosen)


def _asked(url: str, m: ModelEntry, env: Mapping[str, str]) -> Served | str:
    # What a provider of Inspect's own sends to another address is its business.
    key = key_of(m, env) if m.model.startswith("vllm/") or service_of(m.model) else None
    try:
        return ask(url, key)
    except urllib.error.HTTPError as ex:
        # A forgotten /v1 is answered with 404, too.
        if ex.code in _SILENT and re.search(r"/v\d", url):
            return Served(url, ())
        return f"{url}/models answers {ex.code}; check the address (it ends with /v1, as a rule) and the key"
    except (OSError, ValueError) as ex:
        why = getattr(ex, "reason", None) or ex
        return f"{url} does not answer as an OpenAI-compatible server ({str(why)[:80]}); start it, or mend base_url"
