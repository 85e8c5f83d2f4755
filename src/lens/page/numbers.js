/* Numbers. The page stores A, S, raw dL/dA and norms of each sentence and attention as float32, [heads, rows,
 * columns]; this file computes all others from them. It knows nothing of the screen. */
'use strict';

const data = readData();

/* The data that the program has put in; null if this file is opened as source, without data. */
function readData() {
  const text = document.getElementById('data').textContent;
  return text.startsWith('{') ? JSON.parse(text) : null;
}

/* ---- stored quantities ---- */

function bytesOf(base64) { return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)); }

/* float32; little-endian on every machine that runs a browser */
function floatsOf(base64) {
  const bytes = new DataView(bytesOf(base64).buffer);
  const floats = new Float32Array(bytes.byteLength / 4);
  for (let i = 0; i < floats.length; i++) floats[i] = bytes.getFloat32(4 * i, true);
  return floats;
}

const decoded = new Map();  // of the sentences that were looked at: base64 once each

function forgetNumbers() { decoded.clear(); }

/* All heads' numbers of a stored quantity; null: not stored. */
function storedNumbers(stored, quantity) {
  if (!(quantity in stored)) return null;
  if (!decoded.has(stored)) decoded.set(stored, {});
  const kept = decoded.get(stored);
  if (!kept[quantity]) kept[quantity] = floatsOf(stored[quantity]);
  return kept[quantity];
}

/* ---- computed quantities ---- */

/* dL/dA - Σ_j A_j·dL/dA_j: each row centred by its weights, since a constant added to a row changes no later
 * gradient. */
function centred(weights, grads, columns) {
  const out = new Float64Array(weights.length);
  for (let from = 0; from < out.length; from += columns) {
    let mean = 0;
    for (let j = from; j < from + columns; j++) mean += weights[j] * grads[j];
    for (let j = from; j < from + columns; j++) out[j] = grads[j] - mean;
  }
  return out;
}

function product(a, b) { return Float64Array.from(a, (x, i) => x * b[i]); }

/* How each quantity that is not stored follows from A and raw dL/dA. dS = A∘(dL/dA - Σ A·dL/dA) holds for softmax;
 * for other normalisers dS is stored. */
const DERIVED = {
  'dA': (weights, grads, columns) => centred(weights, grads, columns),
  'dS': (weights, grads, columns) => product(weights, centred(weights, grads, columns)),
  'AdA': (weights, grads) => product(weights, grads),
};

/* One head's numbers, [rows·columns]; null: not available. Norms shared by all heads are stored once. */
function numbersOf(stored, head, size, columns, quantity) {
  const part = (all) => all && (all.length > size ? all.subarray(head * size, (head + 1) * size) : all);
  const own = part(storedNumbers(stored, quantity));
  if (own) return own;
  const grads = part(storedNumbers(stored, 'dA-raw'));
  if (!grads || !DERIVED[quantity]) return null;
  return DERIVED[quantity](part(storedNumbers(stored, 'A')), grads, columns);
}

/* Why pairs are blocked: a digit for each, 0 for visible ones; null: all are visible. */
function blockedOf(sentence, stored, head) {
  const number = stored.blocked[stored.blocked.length > 1 ? head : 0];
  return number < 0 ? null : Uint8Array.from(sentence.blocked[number]);
}

/* ---- maps: {rows, columns, values, blocked} ---- */

function tokenMap(sentenceNumber, attentionNumber, head, quantity) {
  const sentence = data.sentences[sentenceNumber], attention = data.attentions[attentionNumber];
  const stored = sentence.maps[attentionNumber];
  const rows = sentence[attention.rows].text.length, columns = sentence[attention.columns].text.length;
  const values = numbersOf(stored, head, rows * columns, columns, quantity);
  return {rows, columns, values, blocked: blockedOf(sentence, stored, head)};
}

/* From tokens to words: sums over a word's columns, means over its rows. Tokens of no word are left out; a pair of
 * words is blocked if all pairs of their tokens are. */
function wordMap(map, rowTokens, columnTokens) {
  const rows = rowTokens.words, columns = columnTokens.words;
  const values = new Float64Array(rows * columns), blocked = new Uint8Array(rows * columns);
  const tokens = new Array(rows).fill(0), seen = new Uint8Array(rows * columns);
  rowTokens.word.forEach((row, i) => {
    if (row < 0) return;
    tokens[row]++;
    columnTokens.word.forEach((column, j) => {
      if (column < 0) return;
      const from = i * map.columns + j, to = row * columns + column;
      values[to] += map.values[from];
      if (map.blocked && map.blocked[from])
        blocked[to] = map.blocked[from];
      else
        seen[to] = 1;
    });
  });
  for (let k = 0; k < values.length; k++) {
    values[k] /= tokens[Math.floor(k / columns)] || 1;
    if (seen[k]) blocked[k] = 0;
  }
  return {rows, columns, values, blocked: blocked.some((why) => why) ? blocked : null};
}

/* The map as shown, by tokens or by words. values is null if the quantity is not available. */
function mapOf(sentenceNumber, attentionNumber, head, quantity, words) {
  const map = tokenMap(sentenceNumber, attentionNumber, head, quantity);
  if (!words || !map.values) return map;
  const sentence = data.sentences[sentenceNumber], attention = data.attentions[attentionNumber];
  return wordMap(map, sentence[attention.rows], sentence[attention.columns]);
}

/* ---- rows of a map ---- */

function isSeen(map, row, column) { return !map.blocked || map.blocked[row * map.columns + column] === 0; }

/* The visible columns of a row, largest size first. */
function strongest(map, row) {
  const columns = [];
  for (let j = 0; j < map.columns; j++)
    if (isSeen(map, row, j)) columns.push(j);
  const size = (j) => Math.abs(map.values[row * map.columns + j]);
  return columns.sort((a, b) => size(b) - size(a) || a - b);
}

/* 1 if no visible number in the row is larger */
function rankOf(map, row, column) {
  let rank = 1;
  for (let j = 0; j < map.columns; j++)
    if (isSeen(map, row, j) && map.values[row * map.columns + j] > map.values[row * map.columns + column])
      rank++;
  return rank;
}

/* ---- several maps ---- */

/* The size that 99 of 100 numbers do not exceed, without blocked ones and NaN, and the share of numbers that do
 * exceed it. */
function limitOf(maps) {
  const seen = [];
  for (const map of maps)
    for (let k = 0; k < map.values.length; k++)
      if ((!map.blocked || !map.blocked[k]) && Number.isFinite(map.values[k]))
        seen.push(Math.abs(map.values[k]));
  if (!seen.length) return {limit: 1, clipped: 0, count: 0};
  const sizes = Float64Array.from(seen).sort();
  const limit = sizes[Math.max(0, Math.ceil(0.99 * sizes.length) - 1)] || sizes[sizes.length - 1];
  const beyond = sizes.filter((size) => size > limit).length;
  return {limit: limit || 1, clipped: beyond / sizes.length, count: sizes.length};
}

/* A head's importance in one sentence, |Σ A∘dL/dA|, the derivative by a gate on the head (Michel et al. 2019). null
 * without gradients. */
function importanceIn(sentenceNumber, attentionNumber, head) {
  const map = tokenMap(sentenceNumber, attentionNumber, head, 'AdA');
  return map.values && Math.abs(map.values.reduce((sum, x) => sum + x, 0));
}

/* The importance measured by the program, otherwise the mean over this page's sentences. */
function importanceOf(attentionNumber, head) {
  const given = data.attentions[attentionNumber].importance;
  if (given) return given[head];
  const each = data.sentences.map((_, s) => importanceIn(s, attentionNumber, head));
  return each.includes(null) ? null : each.reduce((sum, x) => sum + x, 0) / each.length;
}
