"""Style of the board's file, behind the shared one."""

from __future__ import annotations

from typing import Final

BOARD: Final = """
:root { --link: #0a5ca8 } @media (prefers-color-scheme: dark) { :root { --link: #7cc0f5 } }
a { color: var(--link) } :focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
nav { display: flex; flex-wrap: wrap; gap: .25rem; border-bottom: 1px solid var(--rule); padding-bottom: .5rem;
  position: sticky; top: 0; background: var(--page); z-index: 3; padding-top: .5rem }
nav a { padding: .3rem .75rem; border-radius: 6px; text-decoration: none; color: var(--ink) }
nav a:hover { background: var(--head) }
nav a[aria-current] { background: var(--head); color: var(--link); font-weight: 600 }
.js .page:not(.now), .js .option:not(.now) { display: none }
.js .page { scroll-margin-top: 100vh } .option { scroll-margin-top: 7rem }
.page > h2 { margin-top: 1.5rem; font-size: 1.45rem } .page > h3 { margin-top: 2.5rem; font-size: 1.2rem }
h4 { font-size: 1rem; margin: 1.5rem 0 .3rem }
.option > .name { font-weight: 600; margin-top: 1.25rem }
.pick { display: flex; flex-wrap: wrap; gap: .15rem .6rem; align-items: baseline; margin: 1rem 0 .6rem;
  font-size: .9rem; color: var(--soft) }
.pick select { font: inherit; color: var(--ink); background: var(--page); border: 1px solid var(--rule);
  border-radius: 6px; padding: .3rem .5rem; max-width: 100%; min-width: 0 }
.signs { white-space: pre-wrap }
.cut { font-style: italic; color: var(--soft) }
.draw { overflow-x: auto; overflow-y: hidden; max-width: 76rem } .js .chart { height: var(--high) }
.scroll { width: fit-content; max-width: 100% } table { width: auto }
td { max-width: none; white-space: nowrap } td.words { min-width: 14rem; max-width: 26rem }
td.wide { min-width: min(34rem, 65vw); max-width: 44rem }
footer { margin-top: 3rem; border-top: 1px solid var(--rule); padding-top: .5rem }
.tall { max-height: 36rem; overflow-y: auto } .tall thead th { position: sticky; top: 0; z-index: 1 }
.tall thead th:first-child { z-index: 2 }
pre { background: var(--head); border-radius: 6px; padding: .6rem .9rem; overflow-x: auto; font-size: .85rem;
  max-width: 76rem } details { margin: .6rem 0 }
summary { cursor: pointer; font-weight: 600 }
@media (max-width: 40rem) { nav { position: static } nav a { padding: .25rem .5rem } body { padding-top: 1rem } }
@media print { nav, .pick { display: none } .tall { max-height: none } }
"""
