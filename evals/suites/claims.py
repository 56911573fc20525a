"""Who runs what: a run is claimed by the exclusive creation of a file beside its logs, locally or in a bucket.

Claims are numbered. The highest number holds the run; its owner writes a beat into it now and then. A claim whose beat
stands still is stale, and the next number may be created: of several runners that try, one succeeds. An owner that was
only slow finds the higher number at its next beat, and stops. Nobody's clock is trusted: a watcher measures by its own
how long a beat stands still.

Exclusive creation is `O_EXCL` on a local disk, and a conditional put (`If-None-Match: *`, or its like) elsewhere,
through fsspec's mode `create`.
"""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import fsspec  # type: ignore[import-untyped]

EXPIRY: Final = 60.0
"""Seconds that a beat may stand still."""
_CLAIM: Final = "claim-{:04d}.json"
DONE: Final = "done.json"


class ClaimError(OSError):
    """A folder of runs that cannot be used, or a claim that is lost."""


@dataclass(frozen=True)
class Claim:
    """A claim as its file says it.

    Attributes:
        number: Its number, from 1.
        owner: Token of the owner: a random text.
        host: Machine of the owner.
        pid: Process of the owner.
        beat: How often the owner has written.
        samples: Samples that are finished.
        calls: Calls that came back, well or not.
        carried: Calls of earlier claims of this run.
        deaths: Earlier claims whose owner said nothing at the end: their last calls are not known.
        released: The owner has given up, and another may take over at once.
        reason: Why, where the run has failed.
    """

    number: int
    owner: str
    host: str
    pid: int
    beat: int = 0
    samples: int = 0
    calls: int = 0
    carried: int = 0
    deaths: int = 0
    released: bool = False
    reason: str = ""


class Place:
    """The folder of one run, on a local disk or anywhere that fsspec reaches.

    Args:
        url: Its path or URL.
        exclusive: Whether the place can create a file that must not be there yet. Without, who comes second may
            replace what the first wrote.
    """

    def __init__(self, url: str, exclusive: bool = True) -> None:
        self.url = url.rstrip("/")
        self.exclusive = exclusive
        self.fs, self.path = fsspec.core.url_to_fs(self.url)
        self.local = "file" in (self.fs.protocol if isinstance(self.fs.protocol, tuple) else (self.fs.protocol,))

    def make(self) -> None:
        """Make the folder, where there are folders.

        Raises:
            ClaimError: It cannot be made.
        """
        try:
            self.fs.makedirs(self.path, exist_ok=True)
        except OSError as ex:
            raise ClaimError(f"cannot write to {self.url}: {ex.strerror or ex}") from ex

    def names(self) -> list[str]:
        """Names of the files in it."""
        self.fs.invalidate_cache()
        try:
            return sorted(str(p).rstrip("/").rpartition("/")[2] for p in self.fs.ls(self.path, detail=False))
        except FileNotFoundError:
            return []

    def create(self, name: str, data: dict[str, Any]) -> bool:
        """Write a file that is not there yet, whole or not at all; False where it is there.

        Raises:
            ClaimError: It cannot be written.
        """
        raw = json.dumps(data).encode()
        target = f"{self.path}/{name}"
        try:
            if not self.exclusive:
                if self.read(name) is not None:
                    return False
                self.replace(name, data)
            elif self.local:
                # A link to a whole file: who sees the name sees all of it.
                part = _part(target, raw)
                try:
                    os.link(part, target)
                finally:
                    os.unlink(part)
            else:
                self.fs.pipe_file(target, raw, mode="create")
        except FileExistsError:
            return False
        except OSError as ex:
            raise ClaimError(f"cannot write to {self.url}: {ex.strerror or ex}") from ex
        return True

    def replace(self, name: str, data: dict[str, Any]) -> None:
        """Write a file anew, whole."""
        raw = json.dumps(data).encode()
        if self.local:
            target = f"{self.path}/{name}"
            os.replace(_part(target, raw), target)
        else:
            self.fs.pipe_file(f"{self.path}/{name}", raw)

    def read(self, name: str) -> dict[str, Any] | None:
        """A file of ours; None where it is not there or not whole."""
        with suppress(FileNotFoundError, ValueError):
            data = json.loads(self.fs.cat_file(f"{self.path}/{name}"))
            return data if isinstance(data, dict) else None
        return None

    def claim(self) -> Claim | None:
        """The claim that holds the run; None where there is none."""
        numbers = [n for n in self.names() if n.startswith("claim-") and n.endswith(".json")]
        if not numbers:
            return None
        told = self.read(numbers[-1])
        if told is None:
            # Damaged: it stands still, and the next number may be taken once it has expired.
            return Claim(int(numbers[-1][6:-5]), "", "", 0)
        return Claim(**{k: v for k, v in told.items() if k in Claim.__dataclass_fields__})

    def done(self) -> dict[str, Any] | None:
        """What was written when the run ended; None while it has not."""
        return self.read(DONE)


class Watch:
    """How long beats have stood still, by this process's own clock.

    Args:
        expiry: Seconds that a beat may stand still.
        clock: Seconds that never go back.
    """

    def __init__(self, expiry: float = EXPIRY, clock: Callable[[], float] = time.monotonic) -> None:
        self.expiry = expiry
        self._clock = clock
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}

    def stale(self, place: Place, claim: Claim) -> bool:
        """Whether a claim's owner is gone: it gave up, its beat stood still too long, or its process on
        this machine has ended.
        """
        if claim.released or (claim.host == machine() and not alive(claim.pid)):
            return True
        now, state = self._clock(), (claim.number, claim.beat)
        seen = self._seen.get(place.url)
        if seen is None or seen[0] != state:
            self._seen[place.url] = state, now
            return False
        return now - seen[1] > self.expiry


def take(place: Place, watch: Watch, owner: str, exclusive: bool = True) -> Claim | None:
    """Claim a run that nobody holds; None where somebody does, or another was faster, or it is done.

    Args:
        place: Its folder.
        watch: What tells a stale claim.
        owner: Token of the one who claims.
        exclusive: Whether others may want it too. Else whatever claim is there is taken over.
    """
    if place.done() is not None:
        return None
    held = place.claim()
    if exclusive and held is not None and not watch.stale(place, held):
        return None
    number = held.number + 1 if held else 1
    carried = held.carried + held.calls if held else 0
    deaths = held.deaths + (not held.released) if held else 0
    claim = Claim(number, owner, machine(), os.getpid(), carried=carried, deaths=deaths)
    return claim if place.create(_CLAIM.format(number), vars(claim)) else None


def beat(place: Place, claim: Claim, samples: int, calls: int) -> Claim:
    """Say that the owner is there, and how far it is.

    Raises:
        ClaimError: Another has the run now.
    """
    held = place.claim()
    if held is not None and (held.number > claim.number or held.owner not in (claim.owner, "")):
        raise ClaimError("another runner holds this run now: this one was taken for dead, and stops")
    new = replace(claim, beat=claim.beat + 1, samples=samples, calls=calls)
    place.replace(_CLAIM.format(claim.number), vars(new))
    return new


def release(place: Place, claim: Claim, samples: int, calls: int, reason: str = "") -> None:
    """Give a run up, so that whoever comes next may take it at once; with the reason if it has failed.

    A claim that was damaged is written anew; one that another has taken over stays.
    """
    held = place.claim()
    if held is not None and held.number == claim.number and held.owner in (claim.owner, ""):
        told = replace(claim, beat=held.beat + 1, samples=samples, calls=calls, released=True, reason=reason)
        place.replace(_CLAIM.format(claim.number), vars(told))


def finish(place: Place, claim: Claim, data: dict[str, Any]) -> bool:
    """Say that the run has ended; False where another said so before."""
    told = {**data, "claim": claim.number, "owner": claim.owner}
    if place.create(DONE, told):
        return True
    if place.done() is None:
        # It is there and says nothing: damaged since, else the run would never be done.
        place.replace(DONE, told)
        return True
    return False


def _part(target: str, raw: bytes) -> str:
    """Write a file beside the one that it is to become; nothing is left of it where that fails."""
    part = f"{target}.{uuid.uuid4().hex}.part"
    try:
        with open(part, "xb") as out:
            out.write(raw)
    except OSError:
        with suppress(OSError):
            os.unlink(part)
        raise
    return part


@cache
def machine() -> str:
    """What tells this machine from others, and this container from others on it: a process id means nothing there."""
    told = [socket.gethostname()]
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        told.append(f.read().strip()[:8])
    with suppress(OSError):
        told.append(os.readlink("/proc/self/ns/pid"))
    return "/".join(told)


def alive(pid: int) -> bool:
    """Whether a process of this machine is running."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # A zombie has ended, though nobody has asked how.
    with suppress(OSError), open(f"/proc/{pid}/stat", "rb") as f:
        return f.read().rpartition(b")")[2].split()[0] != b"Z"
    return True
