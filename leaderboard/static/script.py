"""The scripts of the board's file. They make no request; without them all pages stand one below another."""

from __future__ import annotations

from typing import Final

PAGES: Final = """
(() => {
const root = document.documentElement, title = document.title;
const pages = [...document.querySelectorAll('.page')], links = [...document.querySelectorAll('nav a')];
root.classList.add('js');
const seen = () => dispatchEvent(new Event('seen'));
function pick(option) {
  for (const other of option.parentElement.children) other.classList.toggle('now', other === option);
  const label = option.parentElement.previousElementSibling;
  if (label?.matches('.pick')) label.lastElementChild.value = option.id;
}
for (const choice of document.querySelectorAll('.choice')) {
  const options = [...choice.children];
  if (options.length > 1) {
    const label = document.createElement('label'), select = document.createElement('select');
    label.className = 'pick';
    label.append(choice.dataset.label, select);
    for (const option of options) select.add(new Option(option.firstElementChild.textContent, option.id));
    select.addEventListener('change', () => {
      pick(document.getElementById(select.value));
      history.replaceState(null, '', '#' + select.value);
      seen();
    });
    choice.before(label);
    for (const option of options) option.firstElementChild.hidden = true;
  }
  pick(options[0]);
}
function go() {
  const target = document.getElementById(location.hash.slice(1));
  const page = target?.closest('.page') ?? pages[0];
  for (const other of pages) other.classList.toggle('now', other === page);
  for (const link of links) {
    if (link.hash === '#' + page.id) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (pages.length > 1) document.title = page.querySelector('h2').textContent + ' · ' + title;
  for (let at = target; at && at !== page && page.contains(at); at = at.parentElement) {
    if (at.matches('.option')) pick(at);
    if (at.matches('details')) at.open = true;
  }
  if (target && target !== page && page.contains(target)) target.scrollIntoView();
  else scrollTo(0, 0);
  seen();
}
addEventListener('hashchange', go);
document.addEventListener('toggle', seen, true);
go();
})();
"""
"""Which page and which view of it is seen: the address names it, so that links, reload and the back key work."""
CHARTS: Final = """
(() => {
const dark = matchMedia('(prefers-color-scheme: dark)'), read = {};
function draw() {
  const page = document.querySelector('.page.now'), side = dark.matches ? 'dark' : 'light';
  for (const chart of page.querySelectorAll('.chart')) {
    if (chart.closest('details:not([open]), .option:not(.now)')) continue;
    if (chart.dataset.side === side) { Plotly.Plots.resize(chart); continue; }
    read[page.id] ??= JSON.parse(document.getElementById('figures-' + page.id).textContent);
    const figure = read[page.id][chart.dataset.figure];
    if (!chart.dataset.side) chart.replaceChildren();
    chart.dataset.side = side;
    Plotly.react(chart, figure[side].data, figure[side].layout, figure.config);
  }
}
addEventListener('seen', draw);
dark.addEventListener('change', draw);
draw();
})();
"""
"""Draws each chart when it is first seen, and again where the colours have changed since."""
