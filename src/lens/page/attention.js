/* The page itself: what is shown (`view`), what is pointed at, and who changes either. Every change goes through
 * `change`, which draws everything again; pointing at a cell only moves marks and numbers. */
'use strict';

const $ = (id) => document.getElementById(id);

const view = {
  sentence: 0,
  attention: 0,
  head: 0,
  quantity: 'A',
  row: 0,
  column: 0,  // the cell that was chosen
  words: false,
  root: false,
  own: false,
  byImportance: false,
  zoom: 0,  // pixels of a cell; 0: as large as there is room
  order: 'given',
};
let pointed = null;  // {attention, head, row, column} while the pointer is over a cell
let large = null;    // what the stage shows: {map, scale, layout, rows, columns, …}

const FONTS = 'system-ui, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", "Noto Sans CJK SC", ' +
  '"PingFang SC", "Microsoft YaHei", "Droid Sans Fallback", sans-serif';

const sentenceOf = () => data.sentences[view.sentence];
const attentionOf = () => data.attentions[view.attention];

/* ---- what the data contain ---- */

function quantitiesThere() {
  const there = new Set(data.stored);
  if (there.has('dA-raw')) ['dS', 'AdA', 'dA'].forEach((quantity) => there.add(quantity));
  return Object.keys(QUANTITIES).filter((quantity) => there.has(quantity));
}

/* Do words differ from tokens, so that merging makes sense? */
function hasWords() {
  return data.sentences.some(
      (s) => ['src', 'read', 'written'].some(
          (side) => s[side].words > 0 &&
              s[side].word.some((word, i) => i > 0 && word >= 0 && word === s[side].word[i - 1])));
}

function shownMapOf(attention, head, quantity) {
  return mapOf(view.sentence, attention, head, quantity, view.words);
}

/* ---- the first view ---- */

/* The first attention: cross-attention if there is any, otherwise the last one; in it the most important head or,
 * without gradients, the head with the lowest entropy. */
function chooseFirst() {
  const cross = data.attentions.map((a, number) => ({...a, number})).filter((a) => a.kind === 'cross');
  const from = cross.length ?
      cross :
      [{...data.attentions[data.attentions.length - 1], number: data.attentions.length - 1}];
  let best = -1;
  for (const attention of from)
    for (let head = 0; head < attention.heads; head++) {
      const score = headScore(attention.number, head);
      if (score > best) [best, view.attention, view.head] = [score, attention.number, head];
    }
  chooseRow();
}

function headScore(attention, head) {
  const given = data.attentions[attention].importance;
  const importance = given ? given[head] : importanceIn(view.sentence, attention, head);
  if (importance !== null) return importance;
  const map = shownMapOf(attention, head, 'A');
  let sum = 0;
  for (let i = 0; i < map.rows; i++) {
    const first = strongest(map, i)[0];
    if (first !== undefined) sum += map.values[i * map.columns + first] / map.rows;
  }
  return sum;
}

/* The objective's row; otherwise the most telling one: a classifier's [CLS], from which it predicts; otherwise the
 * word (no mark, no <eos>) with the largest weight among rows that see several keys. */
function chooseRow() {
  const map = shownMapOf(view.attention, view.head, 'A');
  const names = rowNames(sentenceOf(), attentionOf(), view.words);
  let best = -1;
  view.row = view.column = 0;
  if (isAsked())
    Object.assign(view, {row: data.asked.position, column: strongest(map, data.asked.position)[0] ?? 0});
  else if (names[0].text === '[CLS]')
    Object.assign(view, {column: strongest(map, 0)[0] ?? 0});
  else
    names.forEach((name, i) => {
      const first = strongest(map, i)[0];
      if (first === undefined || !/\p{L}/u.test(name.text) || /^[<[]/.test(name.text)) return;
      const weight =
          map.values[i * map.columns + first] - (map.columns > 1 && strongest(map, i).length < 2 ? 1 : 0);
      if (weight > best) [best, view.row, view.column] = [weight, i, first];
    });
}

/* Is the objective one token, which is a row here? */
function isAsked() {
  return data.asked && !view.words && data.asked.sentence === view.sentence &&
      attentionOf().rows === 'written' && data.asked.position < sentenceOf().written.text.length;
}

/* ---- drawing ---- */

/* Changes what is shown and draws it. */
function change(what) {
  Object.assign(view, what);
  if ('sentence' in what) forgetNumbers();
  if ('sentence' in what || 'words' in what) chooseRow();
  pointed = null;
  draw();
}

function draw() {
  const attention = attentionOf();
  view.head = Math.min(view.head, attention.heads - 1);
  const panels = panelsOf();
  const map = shownMapOf(view.attention, view.head, view.quantity);
  view.row = Math.min(view.row, map.rows - 1);
  view.column = Math.min(view.column, map.columns - 1);
  drawControls();
  drawText();
  drawLarge(map, panels);
  drawPanels($('panels'), panels);
  drawLegend(panels);
  drawList();
  mark();
}

/* All heads' maps with their scales and, if asked for, in their order. */
function panelsOf() {
  const attentions =
      data.attentions.map((attention, number) => ({attention, number, heads: headsOf(attention, number)}));
  const maps = attentions.flatMap((panel) => panel.heads.map((head) => head.map));
  const scale = scaleOf(view.quantity, maps, view);
  for (const panel of attentions)
    for (const head of panel.heads) head.scale = view.own ? scaleOf(view.quantity, [head.map], view) : scale;
  return {attentions, scale, own: view.own, byImportance: view.byImportance};
}

function headsOf(attention, number) {
  const heads = [];
  for (let head = 0; head < attention.heads; head++)
    heads.push({
      number: head,
      map: shownMapOf(number, head, view.quantity),
      importance: view.byImportance ? importanceOf(number, head) : null
    });
  return view.byImportance ? heads.sort((a, b) => b.importance - a.importance || a.number - b.number) : heads;
}

function drawLarge(map, panels) {
  const sentence = sentenceOf(), attention = attentionOf();
  const rows = rowNames(sentence, attention, view.words),
        columns = columnNames(sentence, attention, view.words);
  const picture = attention.columns === 'src' ? sentence.picture : null;
  const room = {
    width: $('stage').clientWidth - 4,
    height: Math.max(200, Math.min(window.innerHeight * 0.52, 560))
  };
  const scale = panels.attentions[view.attention].heads.find((head) => head.number === view.head).scale;
  const kept = {top: $('stage').scrollTop, left: $('stage').scrollLeft};
  large = {
    map,
    scale,
    rows,
    columns,
    quantity: view.quantity,
    layout: layoutOf(map, rows, columns, picture, room, view.zoom),
    title: `${attentionTitle(attention)}, head ${view.head}: ${QUANTITIES[view.quantity].meaning}`
  };
  drawStage($('stage'), large);
  Object.assign($('stage'), {scrollTop: kept.top, scrollLeft: kept.left});
}

/* ---- marks and the cell's numbers ---- */

function current() { return pointed || view; }

function point(cell) {
  if (JSON.stringify(cell) === JSON.stringify(pointed)) return;
  pointed = cell;
  mark();
}

function mark() {
  const at = current(), onStage = at.attention === view.attention && at.head === view.head;
  markStage($('stage'), large.layout, onStage ? at.row : null, at.column);
  markPanels($('panels'), data.attentions[at.attention], at.row, at.column);
  for (const button of $('panels').querySelectorAll('.thumbnail'))
    button.classList.toggle(
        'chosen',
        Number(button.dataset.attention) === view.attention && Number(button.dataset.head) === view.head);
  say(at);
  drawReading(at);
  colourText(at);
}

/* ---- start ---- */

function start() {
  if (!data) {
    $('provenance').textContent =
        'This is the page without its data: build/attend show --html FILE makes one that has them.';
    return;
  }
  $('whole').hidden = false;
  showTheme();
  chooseFirst();
  makeControls();
  makeHelp();
  drawProvenance();
  listen();
  draw();
}

start();
