/* Colours. A map has the same colours in light and dark mode, on screen and on paper. Weights go from pale to dark
 * over 0 … 1; signed numbers go from blue over white to orange, symmetric around 0. Blocked pairs are hatched, as no
 * number is. */
'use strict';

/* The quantities, in this order. signed: around 0. unit: the limit is 1. */
const QUANTITIES = {
  'A': {label: 'A', meaning: 'attention weight A', unit: true},
  'dS': {
    label: 'dL/dS',
    meaning: 'gradient of the score, A∘(dL/dA − ΣA·dL/dA): what training feels',
    signed: true,
    grad: true
  },
  'AdA': {label: 'A∘dL/dA', meaning: 'weight times its gradient', signed: true, grad: true},
  'dA': {
    label: 'dL/dA',
    meaning: 'gradient of the weight, each row centred by its weights',
    signed: true,
    grad: true
  },
  'dA-raw': {
    label: 'dL/dA raw',
    meaning: 'gradient of the weight as it is: only differences within a row mean something',
    signed: true,
    grad: true
  },
  'S': {label: 'S', meaning: 'score before the mask', signed: true},
  'head-norm':
      {label: '‖αf(x)‖', meaning: 'length of what the head takes from there (Kobayashi et al. 2020)'},
  'norm': {
    label: '‖Σαf(x)‖',
    meaning: 'length of what all heads together take from there: the same for every head'
  },
};

const PALE_TO_DARK = ['#f4f7f1', '#c6e5d0', '#7fcabb', '#389fb1', '#206b96', '#1a2e66'].map(channels);
const BLUE_TO_ORANGE = ['#0f4489', '#6ea3d8', '#ffffff', '#f3a557', '#b54700'].map(channels);
const NO_NUMBER = [255, 0, 255];  // NaN and infinity, of a model that has come apart
const HATCH = {
  paper: '#d4d4da',
  line: '#90909c'
};

function channels(colour) { return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)); }

/* The colour [red, green, blue] at x, 0 … 1, along a row of colours */
function along(colours, x) {
  const at = Math.min(Math.max(x, 0), 1) * (colours.length - 1),
        first = Math.min(Math.floor(at), colours.length - 2);
  return colours[first].map((c, i) => Math.round(c + (colours[first + 1][i] - c) * (at - first)));
}

/* How numbers become colours: {limit, clipped, signed, root}. For weights the limit is 1 unless each map has its own
 * scale. */
function scaleOf(quantity, maps, options) {
  const kind = QUANTITIES[quantity];
  const found = limitOf(maps);
  const scale =
      {limit: found.limit, clipped: found.clipped, count: found.count, signed: !!kind.signed, root: false};
  if (kind.unit) {
    scale.root = options.root;
    scale.limit = options.own ? largestOf(maps) : 1;
    scale.clipped = 0;
  }
  return scale;
}

function largestOf(maps) {
  let most = 0;
  for (const map of maps)
    for (const x of map.values) most = Math.max(most, x);
  return most || 1;
}

/* [red, green, blue] of a number */
function colourOf(scale, x) {
  if (!Number.isFinite(x)) return NO_NUMBER;
  if (scale.signed) return along(BLUE_TO_ORANGE, 0.5 + 0.5 * x / scale.limit);
  const share = x / scale.limit;
  return along(PALE_TO_DARK, scale.root ? Math.sqrt(Math.max(share, 0)) : share);
}

function cssOf(colour) { return `rgb(${colour.join(',')})`; }

/* Black or white, whichever is easier to read on a colour (relative luminance, WCAG 2). */
function inkOn(colour) {
  const [r, g, b] =
      colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? '#000' : '#fff';
}

/* ---- on a canvas ---- */

/* Sets a canvas' size in screen pixels for any resolution; returns its context, in CSS pixels. */
function sized(canvas, width, height) {
  const ratio = Math.max(1, window.devicePixelRatio || 1);
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  context.scale(canvas.width / width, canvas.height / height);
  return context;
}

function hatching(context) {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 6;
  const t = tile.getContext('2d');
  t.fillStyle = HATCH.paper;
  t.fillRect(0, 0, 6, 6);
  t.strokeStyle = HATCH.line;
  t.lineWidth = 1.2;
  for (const shift of [-6, 0, 6]) {
    t.moveTo(shift, 6);
    t.lineTo(shift + 6, 0);
  }
  t.stroke();
  return context.createPattern(tile, 'repeat');
}

/* Draws the numbers as coloured cells: paints one pixel a cell and stretches the picture, which is fast for any
 * number of cells. */
function paintCells(context, map, scale, pitch) {
  const small = document.createElement('canvas');
  small.width = map.columns;
  small.height = map.rows;
  const pixels = new ImageData(map.columns, map.rows);
  map.values.forEach((x, k) => {
    const colour = colourOf(scale, x);
    for (let i = 0; i < 3; i++) pixels.data[4 * k + i] = colour[i];
    pixels.data[4 * k + 3] = 255;
  });
  small.getContext('2d').putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, map.columns * pitch, map.rows * pitch);
}

/* Draws blocked pairs, one rectangle for each run of neighbours. */
function paintBlocked(context, map, pitch) {
  if (!map.blocked) return;
  context.fillStyle = hatching(context);
  forBlocked(map, (row, from, to) => context.fillRect(from * pitch, row * pitch, (to - from) * pitch, pitch));
}

function forBlocked(map, visit) {
  for (let row = 0; row < map.rows; row++)
    for (let from = 0; from < map.columns;) {
      let to = from;
      while (to < map.columns && !isSeen(map, row, to)) to++;
      if (to > from) visit(row, from, to);
      from = to + 1;
    }
}
