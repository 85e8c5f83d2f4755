/* What is shown beside the maps: the sentence, a question and its answer, a cell's numbers, the meaning of colours,
 * the list of sentences, and the page's origin. */
'use strict';

/* ---- the sentence ---- */

/* The sentence and its translation, token by token, coloured by the chosen row's weights. */
function drawText() {
  const sentence = sentenceOf(), lines = [];
  const line = (side, what) => sentence[side].text.length &&
      lines.push(element(
          'div', {class: 'line_of_text'}, element('span', {class: 'what'}, what),
          tokensElement(sentence, side)));
  if (sentence.picture)
    lines.push(element(
        'div', {class: 'line_of_text'}, element('span', {class: 'what'}, 'picture'),
        element(
            'span', {}, sentence.source || `${sentence.picture.side} × ${sentence.picture.side} patches`)));
  else
    line('src', isClassified(sentence) ? 'text' : 'source');
  if (sentence.written.text.length || sentence.target) line('written', targetTitle(sentence));
  $('text').replaceChildren(...lines);
}

/* A classifier's sentence: it predicts a class and reads no words of its own. */
function isClassified(sentence) {
  return sentence.read.text.length === 0 && sentence.written.text.length === 1;
}

function targetTitle(sentence) {
  return sentence.picture      ? 'caption' :
      isClassified(sentence)   ? 'class' :
      sentence.src.text.length ? 'translation' :
                                 'text';
}

function tokensElement(sentence, side) {
  const tokens = element('span', {class: 'tokens', 'data-side': side});
  namesOf(sentence[side], view.words).forEach((text, i) => {
    const loss = side === 'written' && sentence.loss && !view.words ? sentence.loss[i] : null;
    const token = element(
        'button', {
          class: 'chip',
          'data-side': side,
          'data-place': i,
          title: loss === null || loss === undefined ? null : `loss ${numberText(loss)}`
        },
        tokenElement(text));
    tokens.append(token);
  });
  if (side === 'written' && sentence.own)
    tokens.append(element('span', {class: 'beside'}, ' as the model writes it'));
  return tokens;
}

/* ---- the scale's meaning, and the page's origin ---- */

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
    const share = x / 179,
          value = large.scale.signed ? (2 * share - 1) * large.scale.limit : share * large.scale.limit;
    context.fillStyle = cssOf(colourOf(large.scale, value));
    context.fillRect(x, 0, 1.5, 12);
  }
  const sign = QUANTITIES[view.quantity].grad ? `${data.objective}. ` : '';
  const hatched = panels.attentions.some((panel) => panel.heads.some((head) => head.map.blocked)) ?
      'Hatched: blocked.' :
      '';
  large.legend = `${QUANTITIES[view.quantity].meaning}; ${limitText(large.scale)}. ${sign}${hatched}`;
  $('legend').replaceChildren(bar, element('span', {}, large.legend));
  $('maps_note').textContent = view.own ?
      'Each map has its own scale: colours cannot be compared between maps.' :
      `All on one scale, ${limitText(panels.scale)}.${view.byImportance ? ` By ${importanceText()}.` : ''}`;
  $('maps').classList.toggle('own', view.own);
}

function importanceText() {
  if (data.attentions[0].importance) return data.importance_text || 'importance as measured';
  return `|Σ A∘dL/dA|${
      data.sentences.length === 1 ? ' in this sentence' :
                                    `, mean over these ${data.sentences.length} sentences`}`;
}

function provenanceLines() {
  const part = (name, text) => (text ? `${name}: ${text}` : null);
  return [
    part('made by', data.command),
    [part('model', data.model), part('weights', data.fingerprint)].filter(Boolean).join('; '),
    [data.library, data.date].filter(Boolean).join(', ')
  ].filter(Boolean);
}

function drawProvenance() {
  const value = data.value === null || data.value === undefined ? '' : ` = ${numberText(data.value)}`;
  const left = data.left_out.map((quantity) => QUANTITIES[quantity].meaning);
  const lines = [...provenanceLines(), `${data.objective}${value && `; here L${value}`}`];
  if (left.length) lines.push(`Left out to keep this file small: ${left.join('; ')}.`);
  if (data.sentences_left_out)
    lines.push(`Left out to keep this file small: the last ${
        data.sentences_left_out === 1 ? 'sentence' : `${data.sentences_left_out} sentences`}.`);
  if (!data.stored.includes('dA-raw') && !data.left_out.includes('dA-raw'))
    lines.push('Gradients were not asked for.');
  $('provenance').replaceChildren(...lines.map((line) => element('p', {}, line)));
  $('provenance').classList.toggle('less', left.length > 0 || data.sentences_left_out > 0);
  $('model').textContent = data.model || '';
}

/* ---- the cell that is pointed at ---- */

function say(at) {
  const sentence = sentenceOf(), attention = data.attentions[at.attention];
  const rows = rowNames(sentence, attention, view.words),
        columns = columnNames(sentence, attention, view.words);
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
    const coloured = chip.dataset.side === side && !(shift && view.words) && column < map.columns &&
        isSeen(map, at.row, column);
    const colour = coloured ? colourOf(large.scale, map.values[at.row * map.columns + column]) : null;
    chip.style.background = colour ? cssOf(colour) : '';
    chip.style.color = colour ? inkOn(colour) : '';
    chip.classList.toggle('on', chip.dataset.side === attention.rows && place === at.row);
  }
}

/* Every quantity of one cell. */
function drawReading(at) {
  const sentence = sentenceOf(), attention = data.attentions[at.attention];
  const row = rowNames(sentence, attention, view.words)[at.row],
        column = columnNames(sentence, attention, view.words)[at.column];
  const weights = shownMapOf(at.attention, at.head, 'A'), k = at.row * weights.columns + at.column;
  const why = weights.blocked ? weights.blocked[k] : 0;
  const list = element('dl');
  for (const quantity of quantitiesThere()) {
    const map = shownMapOf(at.attention, at.head, quantity);
    list.append(
        element('dt', {title: QUANTITIES[quantity].meaning}, QUANTITIES[quantity].label),
        element(
            'dd', {'data-quantity': quantity, class: quantity === view.quantity ? 'chosen' : null},
            valueText(quantity, map.values[k], why),
            quantity === 'A' && !why ?
                element(
                    'span', {class: 'beside'},
                    ` rank ${rankOf(weights, at.row, at.column)} of ${strongest(weights, at.row).length}`) :
                null));
  }
  const unit = view.words ? 'word' : 'position';
  const loss = attention.rows === 'written' && sentence.loss && !view.words ? sentence.loss[at.row] : null;
  $('reading').replaceChildren(
      element('h2', {}, `${attentionTitle(attention)}, head ${at.head}`),
      element(
          'p', {}, rowElement(row),
          element('span', {class: 'beside'}, ` ${unit} ${at.row} (0 … ${weights.rows - 1})`)),
      element(
          'p', {}, 'looks at ', tokenElement(column.long),
          element('span', {class: 'beside'}, ` ${unit} ${at.column} (0 … ${weights.columns - 1})`)),
      why ? element('p', {class: 'blocked'}, `blocked: ${WHY[why]}`) : '', list,
      loss === null || loss === undefined ?
          '' :
          element('p', {class: 'beside'}, `loss of this token: ${numberText(loss)}`));
}

/* Blocked pairs have no weight and no dL/dS; their other numbers have no effect. */
function valueText(quantity, x, why) {
  const text = QUANTITIES[quantity].signed ? signedText(x) : numberText(x);
  return why && quantity.startsWith('dA') ? `${text} (of no consequence)` : text;
}

/* ---- the list of sentences ---- */

/* Mean loss of a token; null: unknown */
function lossOf(sentence) {
  const losses = (sentence.loss || []).filter((loss) => loss !== null);
  return losses.length ? losses.reduce((sum, loss) => sum + loss, 0) / losses.length : null;
}

function orderedSentences() {
  const order = data.sentences.map((_, number) => number);
  const loss = (number) => lossOf(data.sentences[number]) ?? 0;
  const length = (number) =>
      data.sentences[number].written.text.length + data.sentences[number].src.text.length;
  const by = {
    worst: (a, b) => loss(b) - loss(a),
    best: (a, b) => loss(a) - loss(b),
    longest: (a, b) => length(b) - length(a)
  }[view.order];
  return by ? order.sort((a, b) => by(a, b) || a - b) : order;
}

function drawList() {
  document.body.classList.toggle('many', data.sentences.length > 1);
  $('sentences').replaceChildren(...orderedSentences().map((number) => {
    const sentence = data.sentences[number], loss = lossOf(sentence);
    return element(
        'li', {},
        element(
            'button', {'data-sentence': number, class: number === view.sentence ? 'chosen' : null},
            element(
                'span', {class: 'beside'},
                `${number + 1}${loss === null ? '' : ` · loss ${loss.toFixed(3)}`}`),
            element('bdi', {}, sentence.source || sentence.target || '')));
  }));
}
