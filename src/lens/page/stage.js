/* The large map: lines between tokens on the left, the map with its labels on the right, row by row. All is in one
 * scrolling box, and labels stick to its edges. `layoutOf` alone decides the positions, for the screen and for
 * files. */
'use strict';

const SVG = 'http://www.w3.org/2000/svg';
const MANY = 40;  // tokens from which on only the strongest lines of a row are drawn, and labels are short
const LEAST_PITCH = 15;  // pixels of a cell that its label can still be read at
const MOST_PITCH = 60;
const NUMBERS_FROM = 30;  // pixels of a cell that has room for its number

function svgElement(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const ruler = document.createElement('canvas').getContext('2d');

function widthOf(text, font) {
  ruler.font = `${font}px ${FONTS}`;
  return ruler.measureText(text).width;
}

function widest(texts, font) { return texts.reduce((most, text) => Math.max(most, widthOf(text, font)), 0); }

/* The length of a column's label: upright characters are one below the other, others are rotated. */
function labelLength(text, font) {
  return isUpright(text) ? lettersOf(text).length * font * 1.2 : widthOf(text, font);
}

/* ---- positions ---- */

/* Sizes in pixels: a cell's pitch, the font, and the widths of tokens attended to (`source`), lines, row labels
 * (`labels`) and the map, which are side by side. */
function layoutOf(map, rows, columns, picture, room, zoom) {
  const many = Math.max(map.rows, map.columns) >= MANY;
  const short = many || room.width < 720;
  const least = room.width < 520 ? 60 : Math.max(80, room.width * 0.16);
  const sized = (pitch) => {
    const font = Math.min(14, Math.max(6, pitch * 0.78));
    const source = picture ? Math.min(216, room.width * 0.4) :
                             Math.min(130, widest(columns.map((c) => shown(c.text)), font) + 10);
    const labels =
        Math.min(short ? 120 : 240, widest(rows.map((r) => (short ? shown(r.text) : rowText(r))), font) + 18);
    return {font, source, labels, pitch};
  };
  let pitch = zoom;
  if (!pitch) {
    const first = sized(LEAST_PITCH);
    const across = (room.width - first.source - first.labels - least - 12) / map.columns;
    pitch = Math.floor(Math.min(MOST_PITCH, Math.max(LEAST_PITCH, Math.min(across, room.height / map.rows))));
  }
  const l = sized(pitch);
  const head = Math.min(130, Math.max(...columns.map((c) => labelLength(shown(c.text), l.font)), 10) + 10);
  const lines = Math.max(
      least,
      Math.min(
          room.width - l.source - l.labels - map.columns * pitch - 12, 1.4 * least, 300));  // what is left
  const left = picture ? l.source : Math.max(map.columns * pitch, 0);
  return {
    ...l,
    lines,
    head,
    short,
    many,
    picture,
    width: map.columns * pitch,
    height: map.rows * pitch,
    tall: Math.max(map.rows * pitch, left)
  };
}

/* Where a line begins: right of a token in the list, or at a patch of the picture. */
function sourceAt(l, column) {
  if (!l.picture) return {x: l.source + 2, y: (column + 0.5) * l.pitch};
  const cell = l.source / l.picture.side;
  return {x: (column % l.picture.side + 0.5) * cell, y: (Math.floor(column / l.picture.side) + 0.5) * cell};
}

function pathOf(l, row, column) {
  const from = sourceAt(l, column), to = {x: l.source + l.lines - 4, y: (row + 0.5) * l.pitch};
  const middle = l.source + l.lines / 2;
  return `M${round(from.x)} ${round(from.y)}C${round(middle)} ${round(from.y)} ${round(middle)} ${
      round(to.y)} ${round(to.x)} ${round(to.y)}`;
}

function round(x) { return Math.round(x * 10) / 10; }

/* Lines worth drawing, {row, column, strength of 0 … 1, sign}: all visible ones; with many tokens the three
 * strongest of each row. */
function linesOf(map, scale, many) {
  const lines = [];
  for (let row = 0; row < map.rows; row++)
    strongest(map, row).slice(0, many ? 3 : map.columns).forEach((column) => {
      const x = map.values[row * map.columns + column];
      const strength = Math.min(1, Math.abs(x) / scale.limit);
      if (strength >= 0.02) lines.push({row, column, strength, sign: Math.sign(x)});
    });
  return lines;
}

function lineLook(line, scale) {
  const colour = scale.signed ? (line.sign < 0 ? 'minus' : 'plus') : 'weight';
  return {colour, width: round(0.6 + 5 * line.strength), opacity: round(0.2 + 0.75 * line.strength)};
}

/* ---- drawing it ---- */

/* Draws a map into the box; `markStage` can then mark its cells. */
function drawStage(box, shownMap) {
  const {map, scale, rows, columns, layout: l} = shownMap;
  box.style.gridTemplateColumns = `${l.source + l.lines}px ${l.labels}px ${l.width}px`;
  box.style.gridTemplateRows = `${l.head}px ${l.tall}px`;
  box.replaceChildren(
      element(
          'div', {class: 'corner sides'}, element('span', {}, 'looked at'), element('span', {}, 'looking')),
      element('div', {class: 'corner'}), headElement(columns, l), linesElement(shownMap),
      labelsElement(rows, l), mapElement(map, scale, shownMap.quantity, l));
}

function headElement(columns, l) {
  const head = element('div', {class: 'columns', style: `font-size:${l.font}px`});
  columns.forEach((name, j) => {
    const text = shown(name.text);
    head.append(element(
        'span', {
          class: isUpright(text) ? 'column upright' : 'column turned',
          'data-column': j,
          title: name.where || text,
          style: `left:${j * l.pitch}px;width:${l.pitch}px`,
        },
        ...(isUpright(text) ? lettersOf(text).map((letter) => element('span', {}, letter)) :
                              [element('bdi', {}, text)])));
  });
  return head;
}

function labelsElement(rows, l) {
  const labels = element('div', {class: 'labels', style: `font-size:${l.font}px`});
  rows.forEach((name, i) => {
    const label = rowElement(name, l.short);
    label.title = rowText(name);
    label.dataset.row = i;
    label.style.top = `${i * l.pitch}px`;
    label.style.lineHeight = label.style.height = `${l.pitch}px`;
    labels.append(label);
  });
  return labels;
}

function linesElement(shownMap) {
  const {map, scale, columns, layout: l} = shownMap;
  const svg =
      svgElement('svg', {class: 'lines', width: l.source + l.lines, height: l.tall, 'font-size': l.font});
  const cell = element('div', {class: 'between'}, svg);
  if (l.picture) cell.prepend(pictureElement(l.picture, l.source));
  for (const line of linesOf(map, scale, l.many)) {
    const look = lineLook(line, scale);
    svg.append(svgElement('path', {
      class: `line ${look.colour}`,
      'data-row': line.row,
      'data-column': line.column,
      d: pathOf(l, line.row, line.column),
      'stroke-width': look.width,
      'stroke-opacity': look.opacity
    }));
  }
  columns.forEach(
      (name, j) => svg.append(
          l.picture ? svgElement('rect', {class: 'patch', 'data-column': j, ...patchBox(l, j)}) :
                      svgElement(
                          'text', {
                            class: 'source',
                            'data-column': j,
                            x: l.source - 4,
                            y: (j + 0.5) * l.pitch,
                            'text-anchor': 'end',
                            'dominant-baseline': 'central'
                          },
                          clipped(shown(name.text), l.source - 8, l.font))));
  return cell;
}

function patchBox(l, column) {
  const size = l.source / l.picture.side, at = sourceAt(l, column);
  return {x: at.x - size / 2 + 1, y: at.y - size / 2 + 1, width: size - 2, height: size - 2};
}

/* The beginning of a text that fits the available width. */
function clipped(text, width, font) {
  if (widthOf(text, font) <= width) return text;
  const letters = lettersOf(text);
  while (letters.length > 1 && widthOf(`${letters.join('')}…`, font) > width) letters.pop();
  return `${letters.join('')}…`;
}

/* The picture that the encoder read, patch by patch. */
function pictureElement(picture, size) {
  const canvas = element('canvas', {class: 'picture'});
  const pixels = picture.side * picture.cell, small = document.createElement('canvas');
  small.width = small.height = pixels;
  small.getContext('2d').putImageData(new ImageData(pictureBytes(picture), pixels, pixels), 0, 0);
  const context = sized(canvas, size, size);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, size, size);
  return canvas;
}

function pictureBytes(picture) {
  const {side, cell} = picture, from = bytesOf(picture.pixels),
               to = new Uint8ClampedArray(side * side * cell * cell * 4).fill(255);
  for (let k = 0; k < side * side * cell * cell; k++) {
    const patch = Math.floor(k / (cell * cell)),
          y = Math.floor(patch / side) * cell + Math.floor(k % (cell * cell) / cell);
    const x = patch % side * cell + k % cell;
    for (let c = 0; c < 3; c++) to[4 * (y * side * cell + x) + c] = from[3 * k + c];
  }
  return to;
}

function mapElement(map, scale, quantity, l) {
  const canvas = element('canvas', {class: 'large'});
  const context = sized(canvas, l.width, l.height);
  paintCells(context, map, scale, l.pitch);
  paintBlocked(context, map, l.pitch);
  if (l.pitch >= 12) paintGrid(context, map, l.pitch);
  if (l.pitch >= NUMBERS_FROM) paintNumbers(context, map, scale, quantity, l);
  return element(
      'div', {class: 'map'}, canvas, element('div', {class: 'row_mark'}),
      element('div', {class: 'cell_mark'}));
}

/* A number short enough for a cell: ".83" for a weight; for others two digits, if they fit. */
function cellText(quantity, x) {
  if (x === 0) return '';
  if (QUANTITIES[quantity].unit) return x < 0.005 ? '' : x.toFixed(2).replace(/^0/, '');
  const text = shortText(quantity, x).replace(/^([+−]?)0\./, '$1.');
  return text.length <= 6 ? text : '';
}

/* Thin lines, so that the eye can follow a row through empty cells. */
function paintGrid(context, map, pitch) {
  context.fillStyle = 'rgba(90, 90, 110, 0.22)';
  for (let i = 1; i < map.rows; i++) context.fillRect(0, i * pitch - 0.5, map.columns * pitch, 1);
  for (let j = 1; j < map.columns; j++) context.fillRect(j * pitch - 0.5, 0, 1, map.rows * pitch);
}

function paintNumbers(context, map, scale, quantity, l) {
  context.font = `${Math.min(12, l.pitch * 0.32)}px ${FONTS}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  map.values.forEach((x, k) => {
    const row = Math.floor(k / map.columns), column = k % map.columns;
    if (!isSeen(map, row, column)) return;
    context.fillStyle = inkOn(colourOf(scale, x));
    context.fillText(
        cellText(quantity, x), (column + 0.5) * l.pitch, (row + 0.5) * l.pitch + 0.5, l.pitch - 2);
  });
}

/* ---- marking a cell ---- */

function markStage(box, l, row, column) {
  const place = (mark, x, y, width, height) => {
    mark.hidden = row === null;
    Object.assign(mark.style, {left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px`});
  };
  place(box.querySelector('.row_mark'), 0, row * l.pitch, l.width, l.pitch);
  place(box.querySelector('.cell_mark'), column * l.pitch, row * l.pitch, l.pitch, l.pitch);
  for (const line of box.querySelectorAll('.line'))
    line.classList.toggle('on', Number(line.dataset.row) === row);
  for (const name of box.querySelectorAll('[data-row]:not(.line)'))
    name.classList.toggle('on', Number(name.dataset.row) === row);
  for (const name of box.querySelectorAll('[data-column]:not(.line)'))
    name.classList.toggle('on', Number(name.dataset.column) === column);
}

/* Scrolls until a cell is visible, not covered by the labels that stick to the edges. */
function showCell(box, l, row, column) {
  const x = l.source + l.lines + l.labels + column * l.pitch, y = l.head + row * l.pitch;
  if (y - l.head < box.scrollTop) box.scrollTop = y - l.head;
  if (y + l.pitch > box.scrollTop + box.clientHeight) box.scrollTop = y + l.pitch - box.clientHeight;
  if (x - l.labels < box.scrollLeft && box.scrollLeft > 0) box.scrollLeft = x - l.labels;
  if (x + l.pitch > box.scrollLeft + box.clientWidth) box.scrollLeft = x + l.pitch - box.clientWidth;
}
