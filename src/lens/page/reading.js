/* Words: names of rows, columns and cells, and a cell's or a row's numbers as a sentence. Foreign text (tokens,
 * names) enters the document as text only, never as markup. */
'use strict';

/* An element with attributes and children; strings become text. */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== undefined && value !== null && value !== false)
      made.setAttribute(name, value === true ? '' : value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/* A token made visible, in its own writing direction whatever surrounds it. */
function tokenElement(text) { return element('bdi', {class: 'token'}, shown(text)); }

function shown(text) { return text.trim() === '' ? text.replace(/ /g, '␣') || '∅' : text; }

/* Are its characters written upright, one below the other, in a column? (Chinese, Japanese, Korean, and pictures
 * such as 😀) */
function isUpright(text) {
  return /[⺀-鿿가-힯豈-﫿︰-﹏＀-￯]|[\u{20000}-\u{3ffff}]|\p{Emoji_Presentation}/u.test(text);
}

/* Characters as a reader sees them: an accent belongs to its letter, and a family emoji is one character. */
function lettersOf(text) {
  if (!Intl.Segmenter) return [...text];  // browsers of before 2024
  return Array.from(new Intl.Segmenter().segment(text), (part) => part.segment);
}

/* ---- tokens and words ---- */

/* Joins the pieces of a word: "@@" marks a piece that another one follows. */
function wordTexts(tokens) {
  const texts = new Array(tokens.words).fill('');
  tokens.text.forEach((text, i) => {
    const word = tokens.word[i];
    if (word >= 0) texts[word] += text.replace(/@@$/, '');
  });
  return texts;
}

function namesOf(tokens, words) { return words ? wordTexts(tokens) : tokens.text; }

/* Names of an attention's rows: {text, read, verb}. A decoder's row is named by the token that it writes after
 * reading the one before. */
function rowNames(sentence, attention, words) {
  const tokens = sentence[attention.rows];
  const writes = attention.rows === 'written';
  return namesOf(tokens, words).map((text, i) => ({
                                      text,
                                      verb: !writes                    ? '' :
                                          attention.kind === 'pooling' ? 'says ' :
                                                                         'writes ',
                                      read: writes && !words && sentence.read.text.length ?
                                          sentence.read.text[i] :
                                          undefined,
                                    }));
}

/* Names of its columns: {text, long, where}; long is for sentences. For a picture: which patch, and what is on it. */
function columnNames(sentence, attention, words) {
  const side = sentence.picture && attention.columns === 'src' ? sentence.picture.side : 0;
  return namesOf(sentence[attention.columns], words).map((text, j) => {
    if (!side) return {text, long: text, where: ''};
    const row = Math.floor(j / side) + 1, column = j % side + 1;
    return {
      text: `${row},${column}`,
      long: text === '.' ? `patch ${row},${column}` : `${text} (${row},${column})`,
      where: `patch, row ${row}, column ${column}: ${text}`
    };
  });
}

/* "writes chat (read le)" */
function rowElement(name, short) {
  const token = tokenElement(name.text);
  if (short || !name.verb) return element('span', {class: 'row'}, token);
  const read = name.read === undefined ?
      null :
      element('span', {class: 'beside'}, ' (read ', tokenElement(name.read), ')');
  return element('span', {class: 'row'}, element('span', {class: 'beside'}, name.verb), token, read);
}

function rowText(name) {
  return `${name.verb}${shown(name.text)}${name.read === undefined ? '' : ` (read ${shown(name.read)})`}`;
}

/* ---- attentions and heads ---- */

function attentionTitle(attention) {
  if (attention.kind === 'pooling') return 'pooling';
  return `${attention.kind}, layer ${attention.layer}`;
}

function kindTitle(kind) {
  return {
    'encoder self': 'Encoder self-attention',
    'decoder self': 'Decoder self-attention',
    'cross': 'Cross-attention',
    'pooling': 'Pooling'
  }[kind];
}

/* ---- numbers ---- */

/* A number with this many digits and a true minus sign. */
function numberText(x, digits = 4) {
  if (x === 0) return '0';
  const size = Math.abs(x);
  const text =
      size >= 1e-3 && size < 1e5 ? String(Number(size.toPrecision(digits))) : size.toExponential(digits - 1);
  return (x < 0 ? '−' : '') + text.replace('e-', 'e−').replace('e+', 'e');
}

function signedText(x, digits) { return (x > 0 ? '+' : '') + numberText(x, digits); }

/* Weights with two decimals, signed numbers with two digits. */
function shortText(quantity, x) {
  if (QUANTITIES[quantity].unit) return x.toFixed(2);
  return QUANTITIES[quantity].signed ? signedText(x, 2) : numberText(x, 2);
}

/* ---- a question, and its answer in a line ---- */

function question(attention, head, name, quantity) {
  const token = tokenElement(name.text);
  const where = `${attentionTitle(attention)}, head ${head}: `;
  switch (quantity) {
    case 'dS':
      return [where, 'How does L change with the scores of ', token, '?'];
    case 'dA':
    case 'dA-raw':
      return [where, 'How does L change with the weights of ', token, '?'];
    case 'AdA':
      return [where, 'What are the weights of ', token, ' worth to L, each times its gradient?'];
    case 'head-norm':
    case 'norm':
      return [where, 'How much is taken from where for ', token, '?'];
  }
  if (attention.rows === 'src') return [where, 'What does ', token, ' look at?'];
  return [
    where, `What does the model look at ${attention.kind === 'pooling' ? 'to say' : 'when it writes'} `,
    token, '?'
  ];
}

/* Columns worth naming: the strongest, and up to two more with at least a tenth of its size, if they do not round to
 * 0. */
function named(map, row) {
  const columns = strongest(map, row), from = row * map.columns;
  const least = Math.abs(map.values[from + columns[0]]) / 10;
  return columns.filter(
      (j, n) => n === 0 || (n < 3 && Math.abs(map.values[from + j]) >= least && map.values[from + j] !== 0));
}

/* token 0.83, token 0.09 */
function listed(map, row, columns, quantity) {
  return named(map, row).flatMap(
      (j, n) =>
          [n ? ', ' : '', tokenElement(columns[j].long),
           ` ${shortText(quantity, map.values[row * map.columns + j])}`]);
}

function answer(map, row, rows, columns, quantity) {
  const who = tokenElement(rows[row].text);
  if (!strongest(map, row).length) return [who, ' sees nothing: every pair of this row is blocked.'];
  const what = listed(map, row, columns, quantity);
  switch (quantity) {
    case 'A':
      return [who, ' looks at ', ...what];
    case 'S':
      return [who, ' scores ', ...what];
    case 'dS':
    case 'dA':
    case 'dA-raw':
    case 'AdA':
      return [who, ' on ', ...what];
    default:
      return [who, ' takes from ', ...what];
  }
}

/* ---- why a pair is blocked ---- */

const WHY = [
  '',
  'padding: no token stands there',
  'causal: the column comes after the row',
  'window: the column is too far away',
  'user: the mask that was given hides it',
];
