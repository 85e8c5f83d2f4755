/* The page itself: what is shown (`view`), what is pointed at, and who changes either. Every change goes through `change`, which draws
 * all that there is anew; pointing at a cell only moves marks and numbers. */
'use strict';

const $ = (id) => document.getElementById(id);

const view = {
  sentence: 0, attention: 0, head: 0, quantity: 'A',
  row: 0, column: 0,        // the cell that was chosen
  words: false, root: false, own: false, byImportance: false,
  zoom: 0,                  // pixels of a cell; 0: as large as there is room
  order: 'given',
};
let pointed = null;         // {attention, head, row, column} while the pointer is over a cell
let large = null;           // what the stage shows: {map, scale, layout, rows, columns, …}

const FONTS = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'Droid Sans Fallback', sans-serif";

const sentenceOf = () => data.sentences[view.sentence];
const attentionOf = () => data.attentions[view.attention];

/* ---- what is there to show ---- */

function quantitiesThere() {
  const there = new Set(data.stored);
  if (there.has('dA-raw')) ['dS', 'AdA', 'dA'].forEach((quantity) => there.add(quantity));
  return Object.keys(QUANTITIES).filter((quantity) => there.has(quantity));
}

/* Do words differ from tokens, so that there is something to merge? */
function hasWords() {
  return data.sentences.some((s) => ['src', 'read', 'written'].some((side) => s[side].words > 0 && s[side].word.some((word, i) =>
    i > 0 && word >= 0 && word === s[side].word[i - 1])));
}

function shownMapOf(attention, head, quantity) {
  return mapOf(view.sentence, attention, head, quantity, view.words);
}

/* ---- the first view ---- */

/* What is looked at first: cross-attention if there is any, else what comes last; there the head that matters most or, without
 * gradients, whose weights are largest where they are large. Head 0 is only ever shown by chance. */
function chooseFirst() {
  const cross = data.attentions.map((a, number) => ({...a, number})).filter((a) => a.kind === 'cross');
  const from = cross.length ? cross : [{...data.attentions[data.attentions.length - 1], number: data.attentions.length - 1}];
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

/* The row that is asked for; or the one that says most at a glance: a classifier's [CLS], from which the class is told; else a word's (no mark, no <eos>) whose
 * largest weight is largest, if it has a choice. */
function chooseRow() {
  const map = shownMapOf(view.attention, view.head, 'A');
  const names = rowNames(sentenceOf(), attentionOf(), view.words);
  let best = -1;
  view.row = view.column = 0;
  if (isAsked()) Object.assign(view, {row: data.asked.position, column: strongest(map, data.asked.position)[0] ?? 0});
  else if (names[0].text === '[CLS]') Object.assign(view, {column: strongest(map, 0)[0] ?? 0});
  else names.forEach((name, i) => {
    const first = strongest(map, i)[0];
    if (first === undefined || !/\p{L}/u.test(name.text) || /^[<[]/.test(name.text)) return;
    const weight = map.values[i * map.columns + first] - (map.columns > 1 && strongest(map, i).length < 2 ? 1 : 0);
    if (weight > best) [best, view.row, view.column] = [weight, i, first];
  });
}

/* Is what is differentiated said of one token, which is a row here? */
function isAsked() {
  return data.asked && !view.words && data.asked.sentence === view.sentence && attentionOf().rows === 'written' &&
    data.asked.position < sentenceOf().written.text.length;
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
  const attentions = data.attentions.map((attention, number) => ({attention, number, heads: headsOf(attention, number)}));
  const maps = attentions.flatMap((panel) => panel.heads.map((head) => head.map));
  const scale = scaleOf(view.quantity, maps, view);
  for (const panel of attentions)
    for (const head of panel.heads) head.scale = view.own ? scaleOf(view.quantity, [head.map], view) : scale;
  return {attentions, scale, own: view.own, byImportance: view.byImportance};
}

function headsOf(attention, number) {
  const heads = [];
  for (let head = 0; head < attention.heads; head++)
    heads.push({number: head, map: shownMapOf(number, head, view.quantity),
                importance: view.byImportance ? importanceOf(number, head) : null});
  return view.byImportance ? heads.sort((a, b) => b.importance - a.importance || a.number - b.number) : heads;
}

function drawLarge(map, panels) {
  const sentence = sentenceOf(), attention = attentionOf();
  const rows = rowNames(sentence, attention, view.words), columns = columnNames(sentence, attention, view.words);
  const picture = attention.columns === 'src' ? sentence.picture : null;
  const room = {width: $('stage').clientWidth - 4, height: Math.max(200, Math.min(window.innerHeight * 0.52, 560))};
  const scale = panels.attentions[view.attention].heads.find((head) => head.number === view.head).scale;
  const kept = {top: $('stage').scrollTop, left: $('stage').scrollLeft};
  large = {map, scale, rows, columns, quantity: view.quantity, layout: layoutOf(map, rows, columns, picture, room, view.zoom),
           title: `${attentionTitle(attention)}, head ${view.head}: ${QUANTITIES[view.quantity].meaning}`};
  drawStage($('stage'), large);
  Object.assign($('stage'), {scrollTop: kept.top, scrollLeft: kept.left});
}

/* The sentence and its translation, token by token, each coloured by what the chosen row gives it. */
function drawText() {
  const sentence = sentenceOf(), lines = [];
  const line = (side, what) => sentence[side].text.length && lines.push(element('div', {class: 'line_of_text'},
    element('span', {class: 'what'}, what), tokensElement(sentence, side)));
  if (sentence.picture) lines.push(element('div', {class: 'line_of_text'}, element('span', {class: 'what'}, 'picture'),
    element('span', {}, sentence.source || `${sentence.picture.side} × ${sentence.picture.side} patches`)));
  else line('src', isClassified(sentence) ? 'text' : 'source');
  if (sentence.written.text.length || sentence.target) line('written', targetTitle(sentence));
  $('text').replaceChildren(...lines);
}

/* A classifier's: it says a class, having read no words of its own. */
function isClassified(sentence) {
  return sentence.read.text.length === 0 && sentence.written.text.length === 1;
}

function targetTitle(sentence) {
  return sentence.picture ? 'caption' : isClassified(sentence) ? 'class'
    : sentence.src.text.length ? 'translation' : 'text';
}

function tokensElement(sentence, side) {
  const tokens = element('span', {class: 'tokens', 'data-side': side});
  namesOf(sentence[side], view.words).forEach((text, i) => {
    const loss = side === 'written' && sentence.loss && !view.words ? sentence.loss[i] : null;
    const token = element('button', {class: 'chip', 'data-side': side, 'data-place': i,
      title: loss === null || loss === undefined ? null : `loss ${numberText(loss)}`}, tokenElement(text));
    tokens.append(token);
  });
  if (side === 'written' && sentence.own) tokens.append(element('span', {class: 'beside'}, ' as the model writes it'));
  return tokens;
}

/* ---- what the scale means, and where everything comes from ---- */

function limitText(scale) {
  const unit = QUANTITIES[view.quantity].unit;
  if (unit) return `0 … ${view.own ? numberText(scale.limit, 3) : 1}${scale.root ? ', colours of √A' : ''}`;
  const limit = numberText(scale.limit, 3);
  return `${scale.signed ? `±${limit}` : `0 … ${limit}`}: the 99th percentile of ${scale.count} numbers; ` +
    `${(100 * scale.clipped).toFixed(2)} % are beyond and have the last colour`;
}

function drawLegend(panels) {
  const bar = element('canvas', {class: 'bar'}), context = sized(bar, 180, 12);
  for (let x = 0; x < 180; x++) {
    const share = x / 179, value = large.scale.signed ? (2 * share - 1) * large.scale.limit : share * large.scale.limit;
    context.fillStyle = cssOf(colourOf(large.scale, value));
    context.fillRect(x, 0, 1.5, 12);
  }
  const sign = QUANTITIES[view.quantity].grad ? `${data.objective}. ` : '';
  const hatched = panels.attentions.some((panel) => panel.heads.some((head) => head.map.blocked)) ? 'Hatched: blocked.' : '';
  large.legend = `${QUANTITIES[view.quantity].meaning}; ${limitText(large.scale)}. ${sign}${hatched}`;
  $('legend').replaceChildren(bar, element('span', {}, large.legend));
  $('maps_note').textContent = view.own ? 'Each map has its own scale: colours cannot be compared between maps.'
    : `All on one scale, ${limitText(panels.scale)}.${view.byImportance ? ` By ${importanceText()}.` : ''}`;
  $('maps').classList.toggle('own', view.own);
}

function importanceText() {
  if (data.attentions[0].importance) return data.importance_text || 'importance as measured';
  return `|Σ A∘dL/dA|${data.sentences.length === 1 ? ' in this sentence' : `, mean over these ${data.sentences.length} sentences`}`;
}

function provenanceLines() {
  const part = (name, text) => (text ? `${name}: ${text}` : null);
  return [part('made by', data.command), [part('model', data.model), part('weights', data.fingerprint)].filter(Boolean).join('; '),
          [data.library, data.date].filter(Boolean).join(', ')].filter(Boolean);
}

function drawProvenance() {
  const value = data.value === null || data.value === undefined ? '' : ` = ${numberText(data.value)}`;
  const left = data.left_out.map((quantity) => QUANTITIES[quantity].meaning);
  const lines = [...provenanceLines(), `${data.objective}${value && `; here L${value}`}`];
  if (left.length) lines.push(`Left out to keep this file small: ${left.join('; ')}.`);
  if (data.sentences_left_out) lines.push(`Left out to keep this file small: ${data.sentences_left_out} sentences.`);
  if (!data.stored.includes('dA-raw') && !data.left_out.includes('dA-raw')) lines.push('Gradients were not asked for.');
  $('provenance').replaceChildren(...lines.map((line) => element('p', {}, line)));
  $('provenance').classList.toggle('less', left.length > 0 || data.sentences_left_out > 0);
  $('model').textContent = data.model || '';
}

/* ---- marks and the cell's numbers ---- */

function current() {
  return pointed || view;
}

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
    button.classList.toggle('chosen', Number(button.dataset.attention) === view.attention && Number(button.dataset.head) === view.head);
  say(at);
  drawReading(at);
  colourText(at);
}

function say(at) {
  const sentence = sentenceOf(), attention = data.attentions[at.attention];
  const rows = rowNames(sentence, attention, view.words), columns = columnNames(sentence, attention, view.words);
  const map = shownMapOf(at.attention, at.head, view.quantity);
  $('question').replaceChildren(...question(attention, at.head, rows[at.row], view.quantity));
  $('answer').replaceChildren(...answer(map, at.row, rows, columns, view.quantity));
  large.answer = $('answer').textContent;
}

function colourText(at) {
  const attention = data.attentions[at.attention], map = shownMapOf(at.attention, at.head, view.quantity);
  const shift = attention.columns === 'read' ? 1 : 0, side = shift ? 'written' : attention.columns;
  for (const chip of $('text').querySelectorAll('.chip')) {
    const place = Number(chip.dataset.place), column = place + shift;
    const coloured = chip.dataset.side === side && !(shift && view.words) && column < map.columns && isSeen(map, at.row, column);
    const colour = coloured ? colourOf(large.scale, map.values[at.row * map.columns + column]) : null;
    chip.style.background = colour ? cssOf(colour) : '';
    chip.style.color = colour ? inkOn(colour) : '';
    chip.classList.toggle('on', chip.dataset.side === attention.rows && place === at.row);
  }
}

/* Every quantity of one cell. */
function drawReading(at) {
  const sentence = sentenceOf(), attention = data.attentions[at.attention];
  const row = rowNames(sentence, attention, view.words)[at.row], column = columnNames(sentence, attention, view.words)[at.column];
  const weights = shownMapOf(at.attention, at.head, 'A'), k = at.row * weights.columns + at.column;
  const why = weights.blocked ? weights.blocked[k] : 0;
  const list = element('dl');
  for (const quantity of quantitiesThere()) {
    const map = shownMapOf(at.attention, at.head, quantity);
    list.append(element('dt', {title: QUANTITIES[quantity].meaning}, QUANTITIES[quantity].label),
      element('dd', {'data-quantity': quantity, class: quantity === view.quantity ? 'chosen' : null}, valueText(quantity, map.values[k], why),
        quantity === 'A' && !why ? element('span', {class: 'beside'}, ` rank ${rankOf(weights, at.row, at.column)} of ${strongest(weights, at.row).length}`) : null));
  }
  const unit = view.words ? 'word' : 'position';
  const loss = attention.rows === 'written' && sentence.loss && !view.words ? sentence.loss[at.row] : null;
  $('reading').replaceChildren(
    element('h2', {}, `${attentionTitle(attention)}, head ${at.head}`),
    element('p', {}, rowElement(row), element('span', {class: 'beside'}, ` ${unit} ${at.row} (0 … ${weights.rows - 1})`)),
    element('p', {}, 'looks at ', tokenElement(column.long), element('span', {class: 'beside'}, ` ${unit} ${at.column} (0 … ${weights.columns - 1})`)),
    why ? element('p', {class: 'blocked'}, `blocked: ${WHY[why]}`) : '',
    list, loss === null || loss === undefined ? '' : element('p', {class: 'beside'}, `loss of this token: ${numberText(loss)}`));
}

/* Blocked pairs have no weight and no dL/dS; what else a number says there is of no consequence. */
function valueText(quantity, x, why) {
  const text = QUANTITIES[quantity].signed ? signedText(x) : numberText(x);
  return why && quantity.startsWith('dA') ? `${text} (of no consequence)` : text;
}

/* ---- the list of sentences ---- */

/* Mean loss of a token; null: not known */
function lossOf(sentence) {
  const losses = (sentence.loss || []).filter((loss) => loss !== null);
  return losses.length ? losses.reduce((sum, loss) => sum + loss, 0) / losses.length : null;
}

function orderedSentences() {
  const order = data.sentences.map((_, number) => number);
  const loss = (number) => lossOf(data.sentences[number]) ?? 0;
  const length = (number) => data.sentences[number].written.text.length + data.sentences[number].src.text.length;
  const by = {worst: (a, b) => loss(b) - loss(a), best: (a, b) => loss(a) - loss(b), longest: (a, b) => length(b) - length(a)}[view.order];
  return by ? order.sort((a, b) => by(a, b) || a - b) : order;
}

function drawList() {
  document.body.classList.toggle('many', data.sentences.length > 1);
  $('sentences').replaceChildren(...orderedSentences().map((number) => {
    const sentence = data.sentences[number], loss = lossOf(sentence);
    return element('li', {}, element('button', {'data-sentence': number, class: number === view.sentence ? 'chosen' : null},
      element('span', {class: 'beside'}, `${number + 1}${loss === null ? '' : ` · loss ${loss.toFixed(3)}`}`),
      element('bdi', {}, sentence.source || sentence.target || '')));
  }));
}

/* ---- controls ---- */

function drawControls() {
  for (const button of $('quantities').children) button.setAttribute('aria-pressed', button.dataset.quantity === view.quantity);
  $('attention').value = view.attention;
  $('head').replaceChildren(...Array.from({length: attentionOf().heads}, (_, head) => element('option', {value: head}, String(head))));
  $('head').value = view.head;
  for (const [id, name] of [['words', 'words'], ['root', 'root'], ['own', 'own'], ['importance', 'byImportance']]) $(id).checked = view[name];
  $('root_label').hidden = !QUANTITIES[view.quantity].unit;
}

function makeControls() {
  $('quantities').replaceChildren(...quantitiesThere().map((quantity) => element('button',
    {'data-quantity': quantity, title: `${QUANTITIES[quantity].meaning} (key q for the next)`}, QUANTITIES[quantity].label)));
  $('attention').replaceChildren(...data.attentions.map((attention, number) => element('option', {value: number}, attentionTitle(attention))));
  $('words_label').hidden = !hasWords();
  $('importance').disabled = importanceOf(0, 0) === null;
  for (const option of $('order').options) option.hidden = /loss/.test(option.text) && lossOf(data.sentences[0]) === null;
  $('quantities').addEventListener('click', (event) => event.target.dataset.quantity && change({quantity: event.target.dataset.quantity}));
  $('attention').addEventListener('change', () => change({attention: Number($('attention').value)}));
  $('head').addEventListener('change', () => change({head: Number($('head').value)}));
  $('order').addEventListener('change', () => change({order: $('order').value}));
  for (const [id, name] of [['words', 'words'], ['root', 'root'], ['own', 'own'], ['importance', 'byImportance']])
    $(id).addEventListener('change', () => change({[name]: $(id).checked}));
  $('smaller').addEventListener('click', () => zoom(1 / 1.25));
  $('larger').addEventListener('click', () => zoom(1.25));
  $('fit').addEventListener('click', () => change({zoom: 0}));
  $('save').addEventListener('click', save);
  $('theme').addEventListener('click', switchTheme);
  $('help').addEventListener('click', () => $('about').showModal());
}

function zoom(factor) {
  change({zoom: Math.round(Math.min(90, Math.max(4, large.layout.pitch * factor)))});
}

function save() {
  const name = `${attentionTitle(attentionOf())} head ${view.head} ${view.quantity}`.replace(/[^A-Za-z0-9]+/g, '-');
  saveFile(`${name}.svg`, svgFile(large));
}

function isDark() {
  return (document.documentElement.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
}

function nameTheme() {
  $('theme').textContent = isDark() ? 'light' : 'dark';
}

function switchTheme() {
  document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
  nameTheme();
}

/* ---- pointing and choosing ---- */

/* Where in a map the pointer is. */
function cellUnder(event, canvas, rows, columns) {
  const box = canvas.getBoundingClientRect();
  const row = Math.floor((event.clientY - box.top) / box.height * rows), column = Math.floor((event.clientX - box.left) / box.width * columns);
  return {row: Math.min(Math.max(row, 0), rows - 1), column: Math.min(Math.max(column, 0), columns - 1)};
}

/* A cell for what is pointed at: of a label the row's strongest, of a column's the strongest in it. */
function cellOf(event) {
  const here = event.target.closest('.thumbnail, canvas.large, [data-row], [data-column]');
  if (!here) return null;
  if (here.matches('.thumbnail')) {
    const {attention, head, rows, columns} = Object.fromEntries(Object.entries(here.dataset).map(([name, text]) => [name, Number(text)]));
    const byKey = event.type === 'click' && event.detail === 0; // then it is nowhere in the map
    return {attention, head, ...(byKey ? {row: view.row, column: view.column} : cellUnder(event, here.querySelector('canvas'), rows, columns))};
  }
  const stage = {attention: view.attention, head: view.head};
  if (here.matches('canvas')) return {...stage, ...cellUnder(event, here, large.map.rows, large.map.columns)};
  const row = here.dataset.row && Number(here.dataset.row), column = here.dataset.column && Number(here.dataset.column);
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
    if (Math.abs(map.values[i * map.columns + column]) > Math.abs(map.values[best * map.columns + column])) best = i;
  return {row: best, column};
}

/* The cell of a token in the text above: a row or a column of the map, if it is one. */
function cellOfChip(chip) {
  const attention = attentionOf(), place = Number(chip.dataset.place);
  if (chip.dataset.side === attention.rows) return {attention: view.attention, head: view.head, ...strongestOfRow(place)};
  if (chip.dataset.side === attention.columns) return {attention: view.attention, head: view.head, ...strongestOfColumn(place)};
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
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', nameTheme);
  let width = window.innerWidth;
  window.addEventListener('resize', () => window.innerWidth !== width && (width = window.innerWidth, draw()));
}

/* A cell is chosen: it stays when the pointer goes. Of another map it becomes the large one. */
function choose(cell) {
  if (!cell) return;
  if (cell.attention !== view.attention || cell.head !== view.head) return change(cell);
  Object.assign(view, cell);
  mark();
}

/* ---- keys ---- */

const next = (list, now, step) => list[(list.indexOf(now) + step + list.length) % list.length];

function step(name, list, by) {
  change({[name]: next(list, view[name], by)});
}

function move(rows, columns) {
  const row = Math.min(Math.max(view.row + rows, 0), large.map.rows - 1);
  const column = Math.min(Math.max(view.column + columns, 0), large.map.columns - 1);
  pointed = null;
  choose({attention: view.attention, head: view.head, row, column});
  showCell($('stage'), large.layout, row, column);
}

const numbersTo = (count) => Array.from({length: count}, (_, i) => i);

/* Attentions of the next kind, or of the same kind in the next layer. */
function stepAttention(kind, by) {
  const kinds = [...new Set(data.attentions.map((attention) => attention.kind))], now = attentionOf();
  const wanted = kind ? next(kinds, now.kind, by) : now.kind;
  const of = numbersTo(data.attentions.length).filter((number) => data.attentions[number].kind === wanted);
  change({attention: kind ? of[of.length - 1] : next(of, view.attention, by)});
}

/* What a key does, in the order of the help; `by` is -1 with shift. */
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
  if (event.ctrlKey || event.metaKey || event.altKey || $('about').open || event.target.closest('select, input')) return;
  const key = KEYS.find(([name]) => name === event.key) || KEYS.find(([name]) => name === event.key.toLowerCase());
  if (!key || (event.key.startsWith('Arrow') && !$('stage').contains(document.activeElement))) return; // they scroll elsewhere
  event.preventDefault();
  key[2](event.shiftKey && event.key !== '?' && event.key !== '+' ? -1 : 1);
}

function makeHelp() {
  const keys = KEYS.filter(([, what]) => what).map(([key, what]) =>
    element('tr', {}, element('td', {}, element('kbd', {}, key.replace(/^Arrow.*/, '↑ ↓ ← →'))), element('td', {}, what)));
  const quantities = quantitiesThere().map((quantity) =>
    element('tr', {}, element('td', {}, QUANTITIES[quantity].label), element('td', {}, QUANTITIES[quantity].meaning)));
  $('about').replaceChildren(
    element('form', {method: 'dialog'}, element('h2', {}, 'How to read this page'), element('button', {}, 'close')),
    element('p', {}, 'A row looks at columns. A decoder’s row belongs to the token that it writes, having read the one before. Layers, heads and positions count from 0, as in the names of places. Click a small map to make it large; click a cell, a label or a token to choose it.'),
    element('p', {}, `${data.objective}. Gradients are blue where they are negative and orange where they are positive; their limit is the 99th percentile. Hatched pairs are blocked: A and dL/dS are exactly 0 there.`),
    element('p', {}, 'The ring is around the same cell in maps of the same kind; in other maps it is around the row or the column that the same token has there.'),
    element('table', {}, ...quantities), element('table', {}, ...keys));
}

/* ---- the beginning ---- */

function start() {
  if (!data) {
    $('provenance').textContent = 'This is the page without its data: build/attend show --html FILE makes one that has them.';
    return;
  }
  $('whole').hidden = false;
  nameTheme();
  chooseFirst();
  makeControls();
  makeHelp();
  drawProvenance();
  listen();
  draw();
}

start();
