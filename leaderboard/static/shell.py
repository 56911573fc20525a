"""The file around a page: title, style, and the policy that forbids every request."""

from __future__ import annotations

from typing import Final

from leaderboard.static.pieces import esc

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --rule: #d5dae0; --page: #fff; --head: #f4f6f8;
  --loud: #fff4d6; --loud-rule: #b58100 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #a3adb8; --rule: #39414b; --page: #12161c;
  --head: #1c222a; --loud: #33290f; --loud-rule: #d9a520 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 92rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1rem } h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .4rem }
p { margin: .4rem 0; max-width: 52rem; overflow-wrap: anywhere } .soft, small { color: var(--soft) }
.loud { background: var(--loud); border-left: 4px solid var(--loud-rule); padding: .6rem .9rem; margin: .8rem 0 }
.scroll { overflow-x: auto; margin: .6rem 0; border: 1px solid var(--rule); border-radius: 6px }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .45rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule) }
tr:last-child > * { border-bottom: 0 } thead th { background: var(--head); font-weight: 600; white-space: nowrap }
tbody th { font-weight: 600; min-width: 11rem; overflow-wrap: anywhere } td { min-width: 3rem; max-width: 13.5rem }
th:first-child { position: sticky; left: 0 } tbody th { background: var(--page) }
@media (max-width: 40rem) { tbody th { min-width: 9rem } h1 { font-size: 1.45rem } h2 { font-size: 1.15rem } }
td.words { white-space: normal; min-width: 16rem; overflow-wrap: anywhere } td.num, th.num { text-align: right }
.chart { width: 100% } li { overflow-wrap: anywhere }
"""


def page(title: str, body: str, scripted: bool = False, style: str = "") -> str:
    """A whole page, whose content security policy forbids every request.

    Args:
        title: Its title, escaped here.
        body: Safe HTML.
        scripted: Whether scripts in the body may run.
        style: Rules behind the shared ones.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    policy += "; script-src 'unsafe-inline'" if scripted else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{esc(title)}</title><style>{STYLE}{style}</style></head><body><h1>{esc(title)}</h1>{body}</body></html>\n"
    )
