/* All maps, small: a panel for each kind, whose rows are layers and whose columns are heads. All have one scale,
 * unless each has its own, which is marked. The cell that is pointed at has a ring in every map. */
'use strict';

/* What panels show: for each attention its heads in order, with their maps. */
function drawPanels(box, panels) {
  const kinds = [...new Set(data.attentions.map((attention) => attention.kind))];
  box.replaceChildren(...kinds.map((kind) => panelElement(kind, panels, box.clientWidth, kinds.length)));
}

function panelElement(kind, panels, width, count) {
  const heads =
      Math.max(...panels.attentions.filter((p) => p.attention.kind === kind).map((p) => p.heads.length));
  const room = width >= 900 ? width / Math.min(count, 3) - 24 : width;
  const size = Math.max(34, Math.min(118, (room - 58) / heads - 8));
  const grid =
      element('div', {class: 'grid', style: `grid-template-columns:auto repeat(${heads},max-content)`});
  for (const panel of panels.attentions) {
    if (panel.attention.kind !== kind) continue;
    grid.append(
        element('span', {class: 'layer'}, kind === 'pooling' ? '' : `layer ${panel.attention.layer}`));
    for (const head of panel.heads) grid.append(thumbnail(panel, head, panels, size));
    for (let rest = panel.heads.length; rest < heads; rest++) grid.append(element('span'));
  }
  return element('section', {class: 'panel'}, element('h3', {}, kindTitle(kind)), grid);
}

function thumbnail(panel, head, panels, size) {
  const pitch = size / Math.max(head.map.rows, head.map.columns);
  const canvas = element('canvas');
  const context = sized(canvas, head.map.columns * pitch, head.map.rows * pitch);
  paintCells(context, head.map, head.scale, pitch);
  paintBlocked(context, head.map, pitch);
  const about = [`head ${head.number}`];
  if (head.importance !== null && panels.byImportance) about.push(numberText(head.importance, 2));
  if (panels.own) about.push(`≤ ${numberText(head.scale.limit, 2)}`);
  return element(
      'button', {
        class: 'thumbnail',
        'data-attention': panel.number,
        'data-head': head.number,
        'data-rows': head.map.rows,
        'data-columns': head.map.columns,
        title: `${attentionTitle(panel.attention)}, head ${head.number}`,
      },
      element(
          'span', {class: 'canvas', style: `width:${canvas.style.width};height:${canvas.style.height}`},
          canvas, element('span', {class: 'ring'})),
      element('span', {class: 'about'}, about.join(' · ')));
}

/* ---- the ring ----
 * In maps of the same kind the ring marks the same cell. In others it marks what belongs to the same tokens: a row
 * where these tokens are rows, a column where they are columns. */

/* {row, column} in a map of `to`, either null for all of them; null: nothing in the map belongs to the cell. */
function sameCell(from, to, row, column) {
  if (from.rows === to.rows && from.columns === to.columns) return {row, column};
  if (from.rows === to.rows) return {row, column: null};
  if (from.columns === to.columns) return {row: null, column};
  if (from.columns === to.rows) return {row: column, column: null};
  if (from.rows === to.columns) return {row: null, column: row};
  return null;
}

function markPanels(box, attention, row, column) {
  for (const button of box.querySelectorAll('.thumbnail')) {
    const to = data.attentions[button.dataset.attention], ring = button.querySelector('.ring');
    const cell = row === null ? null : sameCell(attention, to, row, column);
    ring.hidden = !cell;
    if (cell)
      placeRing(
          ring, button.querySelector('canvas'), cell, Number(button.dataset.rows),
          Number(button.dataset.columns));
  }
}

/* At least six pixels, around the cell's middle, so that it is visible in small maps too. */
function placeRing(ring, canvas, cell, rows, columns) {
  const whole = {x: parseFloat(canvas.style.width), y: parseFloat(canvas.style.height)};
  const span = (at, count, length) => {
    if (at === null) return [0, length];
    const size = Math.max(6, length / count);
    return [(at + 0.5) * length / count - size / 2, size];
  };
  const [x, width] = span(cell.column, columns, whole.x), [y, height] = span(cell.row, rows, whole.y);
  Object.assign(
      ring.style,
      {left: `${x - 2}px`, top: `${y - 2}px`, width: `${width + 4}px`, height: `${height + 4}px`});
}
