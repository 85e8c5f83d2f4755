/* User actions: buttons and boxes, the pointer, keys, and the help that lists them. All of them call `change`,
 * `choose` or `point`. */
'use strict';

/* ---- controls ---- */

function drawControls() {
  for (const button of $('quantities').children)
    button.setAttribute('aria-pressed', button.dataset.quantity === view.quantity);
  $('attention').value = view.attention;
  $('head').replaceChildren(...Array.from(
      {length: attentionOf().heads}, (_, head) => element('option', {value: head}, String(head))));
  $('head').value = view.head;
  for (const [id, name] of [
           ['words', 'words'], ['root', 'root'], ['own', 'own'], ['importance', 'byImportance']])
    $(id).checked = view[name];
  $('root_label').hidden = !QUANTITIES[view.quantity].unit;
}

function makeControls() {
  $('quantities')
      .replaceChildren(...quantitiesThere().map(
          (quantity) => element(
              'button',
              {'data-quantity': quantity, title: `${QUANTITIES[quantity].meaning} (key q for the next)`},
              QUANTITIES[quantity].label)));
  $('attention')
      .replaceChildren(...data.attentions.map(
          (attention, number) => element('option', {value: number}, attentionTitle(attention))));
  $('words_label').hidden = !hasWords();
  $('importance').disabled = importanceOf(0, 0) === null;
  for (const option of $('order').options)
    option.hidden = /loss/.test(option.text) && lossOf(data.sentences[0]) === null;
  $('quantities').addEventListener('click', (event) => event.target.dataset.quantity && change({
                                                         quantity: event.target.dataset.quantity
                                                       }));
  $('attention').addEventListener('change', () => change({attention: Number($('attention').value)}));
  $('head').addEventListener('change', () => change({head: Number($('head').value)}));
  $('order').addEventListener('change', () => change({order: $('order').value}));
  for (const [id, name] of [
           ['words', 'words'], ['root', 'root'], ['own', 'own'], ['importance', 'byImportance']])
    $(id).addEventListener('change', () => change({[name]: $(id).checked}));
  $('smaller').addEventListener('click', () => zoom(1 / 1.25));
  $('larger').addEventListener('click', () => zoom(1.25));
  $('fit').addEventListener('click', () => change({zoom: 0}));
  $('save').addEventListener('click', save);
  $('theme').addEventListener('click', switchTheme);
  $('help').addEventListener('click', () => $('about').showModal());
}

function zoom(factor) { change({zoom: Math.round(Math.min(90, Math.max(4, large.layout.pitch * factor)))}); }

function save() {
  const name =
      `${attentionTitle(attentionOf())} head ${view.head} ${view.quantity}`.replace(/[^A-Za-z0-9]+/g, '-');
  saveFile(`${name}.svg`, svgFile(large));
}

const systemDark = matchMedia('(prefers-color-scheme: dark)');
let dark = null;  // as was asked for; null: as the system has it

function showTheme() {
  const isDark = dark ?? systemDark.matches;
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  $('theme').textContent = isDark ? 'light' : 'dark';
}

function switchTheme() {
  dark = !(dark ?? systemDark.matches);
  showTheme();
}

/* ---- pointing and choosing ---- */

/* The cell of a map under the pointer. */
function cellUnder(event, canvas, rows, columns) {
  const box = canvas.getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top) / box.height * rows),
        column = Math.floor((event.clientX - box.left) / box.width * columns);
  return {row: Math.min(Math.max(row, 0), rows - 1), column: Math.min(Math.max(column, 0), columns - 1)};
}

/* The cell for what is pointed at: for a row's label the row's strongest cell, for a column's the strongest in it. */
function cellOf(event) {
  const here = event.target.closest('.thumbnail, canvas.large, [data-row], [data-column]');
  if (!here) return null;
  if (here.matches('.thumbnail')) {
    const {attention, head, rows, columns} =
        Object.fromEntries(Object.entries(here.dataset).map(([name, text]) => [name, Number(text)]));
    const byKey = event.type === 'click' && event.detail === 0;  // then it is nowhere in the map
    return {
      attention,
      head,
      ...(byKey ? {row: view.row, column: view.column} :
                  cellUnder(event, here.querySelector('canvas'), rows, columns))
    };
  }
  const stage = {attention: view.attention, head: view.head};
  if (here.matches('canvas')) return {...stage, ...cellUnder(event, here, large.map.rows, large.map.columns)};
  const row = here.dataset.row && Number(here.dataset.row),
        column = here.dataset.column && Number(here.dataset.column);
  if (row !== undefined && column !== undefined) return {...stage, row, column};
  return {...stage, ...(row !== undefined ? strongestOfRow(row) : strongestOfColumn(column))};
}

function strongestOfRow(row) {
  const [column] = strongest(large.map, row);
  return {row, column: column ?? 0};
}

function strongestOfColumn(column) {
  const {map} = large;
  let best = 0;
  for (let i = 0; i < map.rows; i++)
    if (Math.abs(map.values[i * map.columns + column]) > Math.abs(map.values[best * map.columns + column]))
      best = i;
  return {row: best, column};
}

/* The cell of a token in the text above: a row or a column of the map, if the token is one. */
function cellOfChip(chip) {
  const attention = attentionOf(), place = Number(chip.dataset.place);
  if (chip.dataset.side === attention.rows)
    return {attention: view.attention, head: view.head, ...strongestOfRow(place)};
  if (chip.dataset.side === attention.columns)
    return {attention: view.attention, head: view.head, ...strongestOfColumn(place)};
  return null;
}

function listen() {
  for (const box of [$('stage'), $('panels'), $('text')]) {
    const found = (event) => {
      const chip = event.target.closest('.chip');
      return chip ? cellOfChip(chip) : cellOf(event);
    };
    box.addEventListener('pointermove', (event) => point(found(event)));
    box.addEventListener('pointerleave', () => point(null));
    box.addEventListener('click', (event) => choose(found(event)));
  }
  $('sentences').addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (button) change({sentence: Number(button.dataset.sentence)});
  });
  document.addEventListener('keydown', pressed);
  systemDark.addEventListener('change', showTheme);
  let width = window.innerWidth;
  window.addEventListener('resize', () => window.innerWidth !== width && (width = window.innerWidth, draw()));
}

/* Chooses a cell, which stays when the pointer leaves. A cell of another map makes that map the large one. */
function choose(cell) {
  if (!cell) return;
  if (cell.attention !== view.attention || cell.head !== view.head) return change(cell);
  Object.assign(view, cell);
  mark();
}

/* ---- keys ---- */

const next = (list, now, step) => list[(list.indexOf(now) + step + list.length) % list.length];

function step(name, list, by) { change({[name]: next(list, view[name], by)}); }

function move(rows, columns) {
  const row = Math.min(Math.max(view.row + rows, 0), large.map.rows - 1);
  const column = Math.min(Math.max(view.column + columns, 0), large.map.columns - 1);
  pointed = null;
  choose({attention: view.attention, head: view.head, row, column});
  showCell($('stage'), large.layout, row, column);
}

const numbersTo = (count) => Array.from({length: count}, (_, i) => i);

/* The next kind of attention, or the next layer of the same kind. */
function stepAttention(kind, by) {
  const kinds = [...new Set(data.attentions.map((attention) => attention.kind))], now = attentionOf();
  const wanted = kind ? next(kinds, now.kind, by) : now.kind;
  const of = numbersTo(data.attentions.length).filter((number) => data.attentions[number].kind === wanted);
  change({attention: kind ? of[of.length - 1] : next(of, view.attention, by)});
}

/* What each key does, in the order of the help; `by` is -1 with shift. */
const KEYS = [
  ['ArrowUp', '', () => move(-1, 0)],
  ['ArrowDown', '', () => move(1, 0)],
  ['ArrowLeft', '', () => move(0, -1)],
  ['ArrowRight', 'from cell to cell, once the large map has been clicked', () => move(0, 1)],
  ['h', 'next head (H: the one before)', (by) => step('head', numbersTo(attentionOf().heads), by)],
  ['l', 'next layer', (by) => stepAttention(false, by)],
  ['k', 'next kind of attention', (by) => stepAttention(true, by)],
  ['q', 'next quantity', (by) => step('quantity', quantitiesThere(), by)],
  ['n', 'next sentence', (by) => step('sentence', orderedSentences(), by)],
  ['w', 'words instead of tokens', () => hasWords() && change({words: !view.words})],
  ['r', 'colours of √A', () => change({root: !view.root})],
  ['i', 'heads by importance', () => !$('importance').disabled && change({byImportance: !view.byImportance})],
  ['o', 'each map on its own scale', () => change({own: !view.own})],
  ['+', 'larger', () => zoom(1.25)],
  ['-', 'smaller', () => zoom(1 / 1.25)],
  ['0', 'as large as there is room', () => change({zoom: 0})],
  ['s', 'save as SVG', save],
  ['d', 'dark or light', switchTheme],
  ['?', 'this', () => $('about').showModal()],
];

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $('about').open ||
      event.target.closest('select, input'))
    return;
  const key =
      KEYS.find(([name]) => name === event.key) || KEYS.find(([name]) => name === event.key.toLowerCase());
  if (!key || (event.key.startsWith('Arrow') && !$('stage').contains(document.activeElement)))
    return;  // they scroll elsewhere
  event.preventDefault();
  key[2](event.shiftKey && event.key !== '?' && event.key !== '+' ? -1 : 1);
}

function makeHelp() {
  const keys =
      KEYS.filter(([, what]) => what)
          .map(
              ([key, what]) => element(
                  'tr', {}, element('td', {}, element('kbd', {}, key.replace(/^Arrow.*/, '↑ ↓ ← →'))),
                  element('td', {}, what)));
  const quantities = quantitiesThere().map(
      (quantity) => element(
          'tr', {}, element('td', {}, QUANTITIES[quantity].label),
          element('td', {}, QUANTITIES[quantity].meaning)));
  $('about').replaceChildren(
      element(
          'form', {method: 'dialog'}, element('h2', {}, 'How to read this page'),
          element('button', {}, 'close')),
      element(
          'p', {},
          'A row looks at columns. A decoder’s row belongs to the token that it writes, having read the one ' +
              'before. Layers, heads and positions count from 0, as in the names of places. Click a small map to ' +
              'make it large; click a cell, a label or a token to choose it.'),
      element(
          'p', {},
          `${data.objective}. Gradients are blue where they are negative and orange where they are positive; ` +
              'their limit is the 99th percentile. Hatched pairs are blocked: A and dL/dS are exactly 0 there.'),
      element(
          'p', {},
          'The ring is around the same cell in maps of the same kind; in other maps it is around the row or ' +
              'the column that the same token has there.'),
      element('table', {}, ...quantities), element('table', {}, ...keys));
}
