// The criteria of one card. Keys are taken here and not on the server: a key counts for the criterion that was on the
// screen when it was pressed, however fast one types, and every message carries all keys of the card so far, so that
// none is lost where messages are merged. All text is set as text, never as markup.
//
// data: nonce, open (is the text on the screen), min_seconds, values ({id: index}), criteria ([{id, name, question,
//       note, options: [{label, anchor}]}])
// sent: keys_pressed = {nonce, entries: [[number, criterion index, option index]]}; option -1 takes the criterion back,
//       and criterion -1 asks for the card before.

const models = new WeakMap()
const EDITABLE = 'input, textarea, select, [contenteditable="true"]'

export default function (component) {
  const { data, parentElement, setStateValue } = component
  let model = models.get(parentElement)
  if (!model) {
    model = { nonce: null, values: [], entries: [], openSince: null }
    model.listener = (event) => onKey(model, event)
    models.set(parentElement, model)
  }
  // Added anew on every call: the clean-up below may have run without the element having gone.
  document.addEventListener('keydown', model.listener)
  model.send = setStateValue
  model.root = parentElement.querySelector('.panel')
  model.data = data
  if (model.nonce !== data.nonce) {
    model.nonce = data.nonce
    model.entries = []
    model.values = data.criteria.map((c) => data.values[c.id] ?? null)
    model.openSince = null
  }
  if (data.open && model.openSince === null) model.openSince = performance.now()
  draw(model)
  return () => document.removeEventListener('keydown', model.listener)
}

const step = (model) => model.values.indexOf(null)

function onKey(model, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
  const target = event.composedPath()[0]
  if (target instanceof Element && target.closest(EDITABLE)) return
  const scroll = { ArrowDown: 60, ArrowUp: -60, PageDown: 320, PageUp: -320 }[event.key]
  if (scroll && (target === document.body || target === document.documentElement)) {
    for (const box of document.querySelectorAll('[class*="st-key-text-answer"]')) box.scrollBy({ top: scroll })
    event.preventDefault()
    return
  }
  // A key held down is one key.
  if (event.repeat) return
  const digit = digitOf(event)
  if (digit !== null) choose(model, digit - 1)
  else if (event.key.toLowerCase() === 'u') undo(model)
}

function digitOf(event) {
  if (/^[1-9]$/.test(event.key)) return Number(event.key)
  // Layouts on which the row of digits needs the shift key.
  const row = /^Digit([1-9])$/.exec(event.code)
  return row && !event.shiftKey ? Number(row[1]) : null
}

function choose(model, option) {
  const at = step(model)
  if (!model.data.open || at < 0 || option >= model.data.criteria[at].options.length) return
  const first = model.entries.length === 0
  if (first && performance.now() - model.openSince < 1000 * model.data.min_seconds) return
  model.values[at] = option
  send(model, [at, option])
}

function undo(model) {
  const at = step(model)
  // The card is complete and on its way.
  if (at < 0) return
  if (at === 0) return send(model, [-1, -1])
  model.values[at - 1] = null
  send(model, [at - 1, -1])
}

function send(model, entry) {
  model.entries.push([model.entries.length, ...entry])
  model.send('keys_pressed', { nonce: model.nonce, entries: model.entries.slice() })
  draw(model)
}

function make(tag, className, text) {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}

function draw(model) {
  const { criteria, open } = model.data
  const active = step(model)
  const list = make('ol', 'criteria')
  criteria.forEach((criterion, at) => list.append(row(model, criterion, at, active, open)))
  const said = active < 0 ? 'Saving' : `${criteria[active].name}, ${active + 1} of ${criteria.length}`
  const live = model.root.querySelector('.live') ?? make('p', 'live')
  live.setAttribute('role', 'status')
  if (live.textContent !== said) live.textContent = said
  const back = make('button', 'undo', 'Undo ')
  back.type = 'button'
  back.disabled = active < 0
  back.setAttribute('aria-keyshortcuts', 'U')
  back.append(make('kbd', '', 'U'))
  back.onclick = () => undo(model)
  model.root.replaceChildren(live, list, back)
}

function row(model, criterion, at, active, open) {
  const item = make('li', at === active ? 'active' : at < active || active < 0 ? 'given' : 'waiting')
  const head = make('h3', '', criterion.name)
  if (criterion.note) head.append(make('span', 'note', criterion.note))
  item.append(head)
  const value = model.values[at]
  if (at !== active) {
    if (value !== null) head.append(make('span', 'value', criterion.options[value].label))
    return item
  }
  item.setAttribute('aria-current', 'step')
  item.append(make('p', 'question', criterion.question))
  const options = make('div', 'options')
  options.setAttribute('role', 'group')
  options.setAttribute('aria-label', criterion.question)
  criterion.options.forEach((option, n) => {
    const button = make('button', 'option')
    button.type = 'button'
    button.disabled = !open
    button.setAttribute('aria-keyshortcuts', String(n + 1))
    button.append(make('kbd', '', String(n + 1)))
    const words = make('span', 'words')
    // A point that reads like its key need not be said twice.
    if (option.label !== String(n + 1)) words.append(make('strong', '', option.label))
    words.append(make('span', '', option.anchor))
    button.append(words)
    button.onclick = () => choose(model, n)
    options.append(button)
  })
  item.append(options)
  return item
}
