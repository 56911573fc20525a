"""The figures as image files, for papers: drawn by kaleido in a Chromium of this machine, without any request."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, get_args

import plotly.graph_objects as go

from leaderboard.agreement.drawing import Figure

Format = Literal["png", "svg", "pdf"]
WIDTH: Final = 760
"""Width of an image in pixels: two columns of a paper at a readable size of letters."""
_SCALE: Final = {"png": 3, "svg": 1, "pdf": 1}
_SECONDS: Final = 60


class ImageError(ValueError):
    """Why no images were written, and what to do."""


def write_images(figures: Sequence[Figure], folder: Path, fmt: Format = "svg") -> tuple[Path, ...]:
    """Write every figure to a file of its own: all of them, or none.

    Args:
        figures: The figures, of unlike names.
        folder: Where to; made if it is not there. Files of the same names are replaced.
        fmt: Format.

    Returns:
        The files.

    Raises:
        ImageError: In one line, what is missing: kaleido, a browser, or a folder that can be written to.
    """
    if fmt not in get_args(Format):
        raise ImageError(f"no images are written as {fmt!r}: choose png, svg or pdf")
    names = [f"{f.name}.{fmt}" for f in figures]
    taken = next((n for n in names if (folder / n).is_dir()), None)
    if taken is not None:
        raise ImageError(f"{taken} is a folder: name another folder for the images")
    nearest = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not nearest.is_dir():
        raise ImageError("images cannot be written into a file: name a folder")
    images = _draw(figures, fmt)
    held = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = Path(tempfile.mkdtemp(prefix=".images-", dir=folder))
        for name, data in zip(names, images, strict=True):
            (held / name).write_bytes(data)
        # Only once all of them are on the disk do they take their places.
        return tuple((held / name).replace(folder / name) for name in names)
    except OSError as ex:
        raise ImageError(
            f"images cannot be written there ({ex.strerror}): name a folder that can be written to"
        ) from ex
    finally:
        if held is not None:
            shutil.rmtree(held, ignore_errors=True)


def _draw(figures: Sequence[Figure], fmt: Format) -> list[bytes]:
    try:
        from choreographer.errors import BrowserClosedError, BrowserDepsError, BrowserFailedError, ChromeNotFoundError
        from kaleido import Kaleido
    except ImportError as ex:
        raise ImageError("images need kaleido: pip install -e '.[figures]'") from ex

    async def draw() -> list[bytes]:
        # MathJax would be fetched from a network; formulas are escaped anyway.
        async with Kaleido(n=1, timeout=_SECONDS, mathjax=False) as drawer:
            return [await drawer.calc_fig(_on_paper(f), opts=_options(f, fmt)) for f in figures]

    try:
        return asyncio.run(draw())
    except (ChromeNotFoundError, BrowserFailedError, BrowserDepsError, BrowserClosedError) as ex:
        named = os.environ.get("BROWSER_PATH")
        where = "BROWSER_PATH names no browser that starts" if named else "none was found"
        raise ImageError(
            f"images need Chromium or Chrome, and {where}: apt-get install chromium, or set BROWSER_PATH to its path"
        ) from ex
    except TimeoutError as ex:
        raise ImageError(
            f"the browser took more than {_SECONDS} s for an image: try again when the machine is less busy"
        ) from ex


def _on_paper(figure: Figure) -> Any:
    drawing = go.Figure(figure.figure)
    drawing.update_layout(paper_bgcolor="#FFFFFF", width=_width(figure))
    return drawing


def _options(figure: Figure, fmt: Format) -> Any:
    return {"format": fmt, "width": _width(figure), "height": figure.height, "scale": _SCALE[fmt]}


def _width(figure: Figure) -> int:
    return max(WIDTH, figure.width)
