"use strict";
// One chart as inline SVG: axes, lines, crosses for what was refused, a cursor that reads values.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 560;
const MARGIN = { left: 58, right: 16, top: 12, bottom: 40 };

// An element with attributes and children. Text always goes in as a text node, never as markup.
function make(name, attributes = {}, ...children) {
  const inSvg = ["svg", "g", "path", "line", "text", "rect", "circle", "title"].includes(name);
  const element = inSvg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      element.setAttribute(key, String(value));
    }
  }
  element.append(...children);
  return element;
}

// --- numbers for people ---

function significant(number, digits = 3) {
  if (number >= 10 ** (digits - 1)) {
    return Math.round(number).toLocaleString("en-US");
  }
  return String(Number(number.toPrecision(digits)));
}

function duration(ms) {
  if (ms >= 1000) {
    return `${significant(ms / 1000)} s`;
  }
  return ms >= 1 || ms === 0 ? `${significant(ms)} ms` : `${significant(ms * 1000)} µs`;
}

// --- axes: a place in 0..1 for a value, and the ticks ---

function linearAxis(low, high, format = significant) {
  const rough = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
  const top = Math.max(low + step, Math.ceil((high - step * 1e-6) / step) * step);
  const ticks = [];
  for (let i = 0; low + i * step <= top + step / 2 && i < 40; i++) {
    ticks.push({ value: low + i * step, text: format(low + i * step) });
  }
  return { place: (value) => (value - low) / (top - low), ticks, format };
}

// Whole decades unless there are few; a value of 0 lies on the lower edge.
function logAxis(low, high, format = duration) {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.max(first + 1, Math.ceil(Math.log10(high) - 1e-9));
  const ticks = [];
  for (let power = first; power <= last; power++) {
    for (const digit of last - first <= 3 ? [1, 2, 5] : [1]) {
      const value = digit * 10 ** power;
      if (value <= 10 ** last * 1.0001) {
        ticks.push({ value, text: format(value) });
      }
    }
  }
  const place = (value) =>
    Math.max(0, (Math.log10(Math.max(value, 1e-12)) - first) / (last - first));
  return { place, ticks, format };
}

// Percentiles by their nines: 50 %, 90 %, 99 %, ... are equally far apart from 90 % on. Values on
// this axis are log10(1 / (1 - q)).
function ninesAxis(high) {
  const last = Math.max(2, high);
  const text = (value) => {
    const q = 100 * (1 - 10 ** -value);
    return `p${Number(q.toFixed(Math.max(0, Math.round(value) - 1)))}`;
  };
  const ticks = [{ value: 0, text: "p0" }, { value: Math.log10(2), text: "p50" }];
  for (let nines = 1; nines <= last + 1e-9; nines++) {
    ticks.push({ value: nines, text: text(nines) });
  }
  const format = (value) => `p${(100 * (1 - 10 ** -value)).toFixed(Math.ceil(value) + 1)}`;
  return { place: (value) => value / last, ticks, format };
}

// --- the chart ---

// series: {name, color (a CSS colour), dashed, dots, points: [[x, y | null], ...] by rising x where
// `cursor` is asked for}. crosses: [{x, text}].
function chart({ title, note, x, y, xLabel, height = 260, series, crosses = [], cursor = true }) {
  const inner = {
    width: WIDTH - MARGIN.left - MARGIN.right,
    height: height - MARGIN.top - MARGIN.bottom,
  };
  const px = (value) => MARGIN.left + x.place(value) * inner.width;
  const py = (value) => MARGIN.top + (1 - y.place(value)) * inner.height;
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title });
  svg.append(drawAxes(x, y, xLabel, px, py, inner, height));
  for (const line of series) {
    svg.append(...drawLine(line, px, py));
  }
  crosses.forEach((cross, index) => svg.append(...drawCross(cross, px, index)));
  const caption = make("figcaption", {}, title, " ", make("small", {}, note ?? ""));
  const figure = make("figure", {}, caption, legend(series), svg);
  if (cursor && series.some((line) => line.points.length > 0)) {
    addCursor(figure, svg, { x, y, px, py, series, height });
  }
  return figure;
}

function drawAxes(x, y, xLabel, px, py, inner, height) {
  const grid = make("g", { class: "grid" });
  const right = MARGIN.left + inner.width;
  const bottom = MARGIN.top + inner.height;
  for (const { value, text } of y.ticks) {
    const at = py(value);
    grid.append(
      make("line", { x1: MARGIN.left, x2: right, y1: at, y2: at }),
      make("text", { x: MARGIN.left - 6, y: at + 4, "text-anchor": "end" }, text),
    );
  }
  for (const { value, text } of x.ticks) {
    const at = px(value);
    if (at <= right + 1) {
      grid.append(
        make("line", { x1: at, x2: at, y1: MARGIN.top, y2: bottom }),
        make("text", { x: at, y: bottom + 15, "text-anchor": "middle" }, text),
      );
    }
  }
  const middle = MARGIN.left + inner.width / 2;
  grid.append(make("text", { x: middle, y: height - 7, "text-anchor": "middle" }, xLabel));
  return grid;
}

function drawLine({ name, color, dashed, dots, points }, px, py) {
  let path = "";
  let down = false;
  for (const [x, y] of points) {
    if (y === null) {
      down = false;
      continue;
    }
    path += `${down ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
    down = true;
  }
  const style = `stroke: ${color}`;
  const line = make("path", { class: dashed ? "series dashed" : "series", style, d: path });
  line.append(make("title", {}, name));
  const marks = (dots ? points : [])
    .filter(([, y]) => y !== null)
    .map(([x, y]) => make("circle", { cx: px(x), cy: py(y), r: 3.2, style: `fill: ${color}` }));
  return [line, ...marks];
}

// At the upper edge: what was asked for but not offered has a rate, but no latency.
function drawCross({ x, text }, px, index) {
  const [at, top] = [px(x), MARGIN.top + 8];
  const stroke = (dx) =>
    make("line", { class: "cross", x1: at - 5, x2: at + 5, y1: top - dx, y2: top + dx });
  const early = at < WIDTH / 2; // the words go where there is room
  const anchor = early ? "start" : "end";
  const words = { class: "refused", x: at + (early ? -5 : 5), "text-anchor": anchor };
  words.y = top + 19 + 13 * index;
  return [stroke(5), stroke(-5), make("text", words, text)];
}

function legend(series) {
  const list = make("ul", { class: "legend" });
  for (const { name, color, dashed } of series) {
    const swatch = make("i", { class: dashed && "dash", style: `border-color: ${color}` });
    list.append(make("li", {}, swatch, name));
  }
  return list;
}

// The point of a line that is nearest to x, by halving.
function nearest(points, x) {
  let [low, high] = [0, points.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < x) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return Math.abs(points[low][0] - x) < Math.abs(points[high][0] - x) ? points[low] : points[high];
}

// A line under the pointer, and the values of each series there.
function addCursor(figure, svg, { x, y, px, series, height }) {
  const bottom = height - MARGIN.bottom;
  const line = make("line", { class: "cursor", y1: MARGIN.top, y2: bottom, visibility: "hidden" });
  const tip = make("div", { class: "tip", hidden: "" });
  svg.append(line);
  figure.append(tip);
  const filled = series.filter(({ points }) => points.length > 0);
  const longest = filled.reduce((a, b) => (a.points.length >= b.points.length ? a : b)).points;
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * WIDTH;
    const wanted = nearest(longest, (at - px(0)) / (px(1) - px(0)))[0];
    const rows = filled.map(({ name, points }) => {
      const value = nearest(points, wanted)[1];
      return `${name}  ${value === null ? "–" : y.format(value)}`;
    });
    tip.textContent = [x.format(wanted), ...rows].join("\n");
    tip.hidden = false;
    const left = (px(wanted) / WIDTH) * box.width;
    tip.style.left = `${left > box.width / 2 ? left - tip.offsetWidth - 4 : left + 24}px`;
    tip.style.top = `${svg.offsetTop + 24}px`;
    for (const end of ["x1", "x2"]) {
      line.setAttribute(end, px(wanted));
    }
    line.setAttribute("visibility", "visible");
  });
  svg.addEventListener("pointerleave", () => {
    tip.hidden = true;
    line.setAttribute("visibility", "hidden");
  });
}
