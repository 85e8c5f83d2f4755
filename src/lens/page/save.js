/* The large map as an SVG file: what the stage shows, with its legend and origin, in light colours, for a handout or
 * a paper. Cells are rectangles and text stays text; there are no bitmaps. */
'use strict';

function escaped(text) { return String(text).replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`); }

const INK = {
  text: '#1c1c22',
  beside: '#6a6a75',
  weight: '#206b96',
  minus: '#2a68b0',
  plus: '#c2600a'
};

function svgText(x, y, text, more) {
  return `<text x="${round(x)}" y="${round(y)}" ${more || ''}>${escaped(text)}</text>`;
}

/* The whole file as text. */
function svgFile(shownMap) {
  const {layout: l} = shownMap;
  const notes = [shownMap.title, shownMap.answer, shownMap.legend, ...provenanceLines()].filter(Boolean);
  const width = Math.max(l.source + l.lines + l.labels + l.width + 20, 480);
  const top = 46, mapTop = top + l.head, height = mapTop + l.tall + 16 + 15 * (notes.length - 1);
  const at = (x, y, parts) => `<g transform="translate(${round(x)} ${round(y)})">${parts.join('\n')}</g>`;
  return `<svg xmlns="${SVG}" width="${round(width)}" height="${round(height)}" viewBox="0 0 ${
      round(width)} ${round(height)}" font-family="${escaped(FONTS)}" font-size="${round(l.font)}" fill="${
      INK.text}">
<defs><pattern id="blocked" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="${
      HATCH.paper}"/><path d="M0 6L6 0M-1 1L1 -1M5 7L7 5" stroke="${
      HATCH.line}" stroke-width="1.2"/></pattern></defs>
<rect width="100%" height="100%" fill="#fff"/>
${svgText(10, 18, notes[0], 'font-size="14" font-weight="bold"')}
${svgText(10, 35, notes[1], 'font-size="13"')}
${at(10, mapTop, svgLines(shownMap))}
${at(10 + l.source + l.lines, mapTop, svgRows(shownMap))}
${
      at(10 + l.source + l.lines + l.labels, mapTop,
         [
           ...svgColumns(shownMap), ...svgCells(shownMap)
         ])}
${
      notes.slice(2)
          .map(
              (note, i) =>
                  svgText(10, mapTop + l.tall + 20 + 15 * i, note, `font-size="11" fill="${INK.beside}"`))
          .join('\n')}
</svg>
`;
}

function svgLines({map, scale, columns, layout: l}) {
  const lines = linesOf(map, scale, l.many).map((line) => {
    const look = lineLook(line, scale);
    return `<path d="${pathOf(l, line.row, line.column)}" fill="none" stroke="${
        INK[look.colour]}" stroke-width="${look.width}" stroke-opacity="${look.opacity}"/>`;
  });
  const names = columns.map(
      (name, j) =>
          (l.picture ? svgText(
                           sourceAt(l, j).x, sourceAt(l, j).y, name.text,
                           'text-anchor="middle" dominant-baseline="central"') :
                       svgText(
                           l.source - 4, (j + 0.5) * l.pitch, clipped(shown(name.text), l.source - 8, l.font),
                           'text-anchor="end" dominant-baseline="central"')));
  return [...lines, ...names];
}

function svgRows({rows, layout: l}) {
  return rows.map(
      (name, i) => svgText(
          l.labels - 6, (i + 0.5) * l.pitch,
          clipped(l.short ? shown(name.text) : rowText(name), l.labels - 8, l.font),
          'text-anchor="end" dominant-baseline="central"'));
}

/* Upright characters are one below the other; others are rotated and read upwards. */
function svgColumns({columns, layout: l}) {
  return columns.map((name, j) => {
    const x = (j + 0.5) * l.pitch, text = shown(name.text);
    if (!isUpright(text))
      return svgText(
          0, 0, clipped(text, l.head - 8, l.font),
          `transform="translate(${round(x)} -5) rotate(-90)" dominant-baseline="central"`);
    const letters = lettersOf(text);
    return letters
        .map((c, n) => svgText(x, -6 - (letters.length - 1 - n) * l.font * 1.2, c, 'text-anchor="middle"'))
        .join('');
  });
}

function svgCells({map, scale, quantity, layout: l}) {
  const cells = [];
  map.values.forEach((x, k) => {
    const row = Math.floor(k / map.columns), column = k % map.columns;
    const fill = isSeen(map, row, column) ? cssOf(colourOf(scale, x)) : 'url(#blocked)';
    cells.push(`<rect x="${column * l.pitch}" y="${row * l.pitch}" width="${l.pitch}" height="${
        l.pitch}" fill="${fill}" stroke="#8a8a96" stroke-opacity="0.3" stroke-width="0.5"/>`);
    if (l.pitch < NUMBERS_FROM || !isSeen(map, row, column) || !cellText(quantity, x)) return;
    cells.push(svgText(
        (column + 0.5) * l.pitch, (row + 0.5) * l.pitch, cellText(quantity, x),
        `text-anchor="middle" dominant-baseline="central" font-size="${
            round(Math.min(12, l.pitch * 0.32))}" fill="${inkOn(colourOf(scale, x))}"`));
  });
  return cells;
}

/* Offers a text as a file to save. */
function saveFile(name, text) {
  const address = URL.createObjectURL(new Blob([text], {type: 'image/svg+xml'}));
  const link = element('a', {href: address, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
