// Reads every tile by @mapbox/vector-tile, which is not ours, and judges what it says.
//
//   node check_tiles.mjs TILES OUTER LAYERS DIGESTS DECODED ZOOM
//
// TILES and OUTER are tile_dump's. LAYERS: the names of the layers by number, with commas between.
// DIGESTS gets one MD5 of each tile's features (see digest), DECODED the polygons of zoom ZOOM for
// tile_distance. Prints one line of JSON: what was counted, and the first faults.
//
// An edge is alone when no other feature has its reverse, though the coverage goes on there: it is
// neither on the clip border nor on the coverage's outer border. It is torn unless those that are
// alone cover each other exactly, so that nothing shows between them (see withoutCollapsed).
import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import Pbf from "pbf";
import { VectorTile } from "@mapbox/vector-tile";

const EXTENT = 4096;
const BUFFER = 64;
const LOW = -BUFFER;
const HIGH = EXTENT + BUFFER;
const SPAN = HIGH - LOW + 1;
const POLYGON = 3;
const FAULTS_SHOWN = 12;

const [tilesPath, outerPath, layerNames, digestsPath, decodedPath, zoomText] =
  process.argv.slice(2);
const layers = layerNames.split(",");
const decodedZoom = Number(zoomText);

const totals = {
  tiles: 0, features: 0, rings: 0, points: 0, edges: 0, shared: 0,
  alone: 0, alone_by_zoom: {}, torn: 0, torn_in_buffer: 0, torn_by_zoom: {},
  shown_torn: 0, claimed_twice: 0, outer: 0, faults: 0, shown_faults: 0,
  by_layer: {}, first: [],
};

// Zooms from which clients ask for the layers, as services/tiles tells them. Below, many
// features are smaller than a tile unit.
const SHOWN_FROM = { grids: 9, villages: 8, townships: 6, counties: 3, cities: 0 };
const isShown = (tile) => tile.z >= SHOWN_FROM[layers[tile.layer]];

function fault(tile, words) {
  totals.faults++;
  if (isShown(tile)) totals.shown_faults++;
  if (totals.first.length < FAULTS_SHOWN) {
    totals.first.push(`${layers[tile.layer]}/${tile.z}/${tile.x}/${tile.y}: ${words}`);
  }
}

function* frames(path) {
  const file = openSync(path, "r");
  const head = Buffer.alloc(20);
  while (readSync(file, head, 0, 20, null) === 20) {
    const [layer, z, x, y, size] = [0, 4, 8, 12, 16].map((at) => head.readUInt32LE(at));
    const bytes = Buffer.alloc(size);
    if (readSync(file, bytes, 0, size, null) !== size) throw new Error(`${path} is cut short`);
    yield { layer, z, x, y, bytes };
  }
  closeSync(file);
}

// --- the coverage's outer border, projected by the textbook formula ---------------------------

function world(lon, lat) {
  const sine = Math.sin((lat * 1e-7 * Math.PI) / 180);
  return [
    (lon * 1e-7) / 360 + 0.5,
    0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI),
  ];
}

const outer = (() => {
  const bytes = readFileSync(outerPath);
  const ends = new Float64Array(bytes.length / 4);
  for (let i = 0; i + 8 <= bytes.length; i += 8) {
    const [x, y] = world(bytes.readInt32LE(i), bytes.readInt32LE(i + 4));
    ends[i / 4] = x;
    ends[i / 4 + 1] = y;
  }
  return ends;
})();

const key = (x, y) => x * 2 ** 26 + y;
const NEAR = 4; // tile units: what simplification and rounding may move a border by, and some
const CELL = 128; // tile units
const outerByZoom = new Map();

// The outer border of a zoom: the tile units that its vertices are rounded to, or beside, and its
// edges by cells that they come near to.
function outerAt(z) {
  let at = outerByZoom.get(z);
  if (at) return at;
  at = { units: new Set(), edges: new Map() };
  outerByZoom.set(z, at);
  const scale = 2 ** z * EXTENT;
  for (let i = 0; i < outer.length; i += 4) {
    const [ax, ay, bx, by] = outer.subarray(i, i + 4).map((part) => part * scale);
    for (let dx = -1; dx <= 1; dx++) {
      for (let dy = -1; dy <= 1; dy++) {
        at.units.add(key(Math.round(ax) + dx, Math.round(ay) + dy));
        at.units.add(key(Math.round(bx) + dx, Math.round(by) + dy));
      }
    }
    const cell = (value) => Math.floor(value / CELL);
    for (let x = cell(Math.min(ax, bx) - NEAR); x <= cell(Math.max(ax, bx) + NEAR); x++) {
      for (let y = cell(Math.min(ay, by) - NEAR); y <= cell(Math.max(ay, by) + NEAR); y++) {
        const list = at.edges.get(key(x, y));
        if (list) list.push(i);
        else at.edges.set(key(x, y), [i]);
      }
    }
  }
  return at;
}

// Whether a place (in tile units of zoom z) is near the outer border.
function nearOuter(z, x, y) {
  const scale = 2 ** z * EXTENT;
  const cell = key(Math.floor(x / CELL), Math.floor(y / CELL));
  return (outerAt(z).edges.get(cell) ?? []).some((i) => {
    const ax = outer[i] * scale, ay = outer[i + 1] * scale;
    const dx = outer[i + 2] * scale - ax, dy = outer[i + 3] * scale - ay;
    const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    return Math.hypot(x - ax - along * dx, y - ay - along * dy) <= NEAR;
  });
}

const onClip = (x, y) => x === LOW || x === HIGH || y === LOW || y === HIGH;

// Whether an edge belongs to the outer border: its ends are vertices of it, or made by clipping,
// and its middle lies near.
function isOuter(tile, a, b) {
  const { units } = outerAt(tile.z);
  const left = tile.x * EXTENT, top = tile.y * EXTENT;
  return [a, b].every((p) => units.has(key(left + p.x, top + p.y)) || onClip(p.x, p.y)) &&
         nearOuter(tile.z, left + (a.x + b.x) / 2, top + (a.y + b.y) / 2);
}

// --- one tile ---------------------------------------------------------------------------------

// Twice the area; positive as an exterior ring of the specification (clockwise, y down).
function area2(ring) {
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i++) {
    sum += ring[i].x * ring[i + 1].y - ring[i + 1].x * ring[i].y;
  }
  return sum;
}

function checkRing(tile, code, ring, first) {
  const last = ring[ring.length - 1];
  if (ring.length < 4 || ring[0].x !== last.x || ring[0].y !== last.y) {
    return fault(tile, `${code}: a ring of ${ring.length} points, closed or not`);
  }
  const area = area2(ring);
  if (area === 0) fault(tile, `${code}: a ring without area`);
  if (first && area < 0) fault(tile, `${code}: begins with a hole`);
  for (let i = 0; i + 1 < ring.length; i++) {
    const { x, y } = ring[i];
    if (x === ring[i + 1].x && y === ring[i + 1].y) fault(tile, `${code}: a point twice`);
    if (x < LOW || x > HIGH || y < LOW || y > HIGH) fault(tile, `${code}: beyond the buffer`);
  }
}

// Holes have to lie within the ring that they follow: by their boxes here, exactly by GEOS later.
function checkHoles(tile, code, rings) {
  let shell = null;
  for (const ring of rings) {
    const xs = ring.map((p) => p.x), ys = ring.map((p) => p.y);
    const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    if (area2(ring) > 0) {
      shell = box;
    } else if (shell && (box[0] < shell[0] || box[1] < shell[1] || box[2] > shell[2] ||
                         box[3] > shell[3])) {
      fault(tile, `${code}: a hole outside its ring`);
    }
  }
}

const codeOfId = new Map();

function checkWords(tile, layer, feature, seen) {
  const { code, name, parent } = feature.properties;
  if (feature.type !== POLYGON) fault(tile, `feature of type ${feature.type}`);
  if (typeof code !== "string" || !code || typeof name !== "string" || typeof parent !== "string") {
    fault(tile, `properties ${JSON.stringify(feature.properties)}`);
  }
  if (seen.has(code)) fault(tile, `${code}: twice in one tile`);
  seen.add(code);
  const id = `${tile.layer} ${feature.id}`;
  if (!Number.isSafeInteger(feature.id) || feature.id < 0) fault(tile, `${code}: id ${feature.id}`);
  if ((codeOfId.get(id) ?? code) !== code) fault(tile, `${code}: id of ${codeOfId.get(id)}`);
  codeOfId.set(id, code);
}

// Notes every directed edge that is not on the clip border, with the one feature that has it.
function collectEdges(tile, shapes) {
  const edges = new Map();
  shapes.forEach((rings, feature) => {
    for (const ring of rings) {
      for (let i = 0; i + 1 < ring.length; i++) {
        const a = ring[i], b = ring[i + 1];
        if ((a.x === b.x && (a.x === LOW || a.x === HIGH)) ||
            (a.y === b.y && (a.y === LOW || a.y === HIGH))) continue;
        const from = (a.x - LOW) * SPAN + a.y - LOW, to = (b.x - LOW) * SPAN + b.y - LOW;
        const edge = from * 2 ** 25 + to;
        if (edges.has(edge)) {
          totals.claimed_twice++;
          fault(tile, `edge ${a.x},${a.y} ${b.x},${b.y} runs twice the same way`);
        }
        edges.set(edge, { a, b, back: to * 2 ** 25 + from, feature });
      }
    }
  });
  return edges;
}

// Where a feature between two others has collapsed to a line, its neighbours lie on each other, but
// each with its own vertices: takes the stretches away that others cover in reverse exactly.
function withoutCollapsed(edges) {
  const left = new Map();
  const between = (p, { a, b }) =>
    (b.x - a.x) * (p.y - a.y) === (b.y - a.y) * (p.x - a.x) &&
    (p.x - a.x) * (p.x - b.x) + (p.y - a.y) * (p.y - b.y) < 0;
  const columns = new Map(); // the ends by their x
  for (const p of edges.flatMap(({ a, b }) => [a, b])) {
    const column = columns.get(p.x);
    if (column) column.push(p);
    else columns.set(p.x, [p]);
  }
  for (const edge of edges) {
    const { a, b } = edge;
    const far = (p) => Math.abs(p.x - a.x) + Math.abs(p.y - a.y);
    const stops = [];
    for (let x = Math.min(a.x, b.x); x <= Math.max(a.x, b.x); x++) {
      stops.push(...(columns.get(x) ?? []).filter((p) => between(p, edge)));
    }
    const path = [a, ...stops.sort((p, q) => far(p) - far(q)), b];
    for (let i = 0; i + 1 < path.length; i++) {
      const [p, q] = [path[i], path[i + 1]];
      if (p.x === q.x && p.y === q.y) continue;
      const there = `${p.x},${p.y} ${q.x},${q.y}`, back = `${q.x},${q.y} ${p.x},${p.y}`;
      const balance = (left.get(there)?.count ?? 0) - (left.get(back)?.count ?? 0) + 1;
      left.delete(back);
      left.set(there, { a: p, b: q, count: balance });
      if (balance <= 0) left.delete(there);
      if (balance < 0) left.set(back, { a: q, b: p, count: -balance });
    }
  }
  return [...left.values()];
}

function noteTorn(tile, { a, b }) {
  if (isShown(tile)) totals.shown_torn++;
  const x = (a.x + b.x) / 2, y = (a.y + b.y) / 2;
  if (x < 0 || x > EXTENT || y < 0 || y > EXTENT) {
    totals.torn_in_buffer++;
    return;
  }
  totals.torn++;
  totals.torn_by_zoom[tile.z] = (totals.torn_by_zoom[tile.z] ?? 0) + 1;
  if (totals.first.length < FAULTS_SHOWN) {
    totals.first.push(`${layers[tile.layer]}/${tile.z}/${tile.x}/${tile.y}: torn ` +
                      `${a.x},${a.y} ${b.x},${b.y}`);
  }
}

function checkEdges(tile, shapes) {
  const edges = collectEdges(tile, shapes);
  const alone = [];
  totals.edges += edges.size;
  for (const edge of edges.values()) {
    const other = edges.get(edge.back);
    if (other !== undefined) {
      totals.shared++;
      if (other.feature === edge.feature) {
        fault(tile, `a feature runs ${edge.a.x},${edge.a.y} ${edge.b.x},${edge.b.y} both ways`);
      }
    } else if (isOuter(tile, edge.a, edge.b)) {
      totals.outer++;
    } else {
      alone.push(edge);
    }
  }
  const torn = withoutCollapsed(alone);
  totals.alone += alone.length;
  if (alone.length > 0) {
    totals.alone_by_zoom[tile.z] = (totals.alone_by_zoom[tile.z] ?? 0) + alone.length;
  }
  for (const edge of torn) noteTorn(tile, edge);
}

// MD5 of the features in order: id, then their rings, each as its count of points and the points
// without the closing one; all 32-bit but for the id, which is a 64-bit double.
function digest(features) {
  const hash = createHash("md5");
  for (const { id, rings } of features) {
    const points = rings.reduce((sum, ring) => sum + ring.length - 1, 0);
    const bytes = Buffer.alloc(12 + rings.length * 4 + points * 8);
    bytes.writeDoubleLE(id, 0);
    let at = bytes.writeUInt32LE(rings.length, 8);
    for (const ring of rings) {
      at = bytes.writeUInt32LE(ring.length - 1, at);
      for (let i = 0; i + 1 < ring.length; i++) {
        at = bytes.writeInt32LE(ring[i].x, at);
        at = bytes.writeInt32LE(ring[i].y, at);
      }
    }
    hash.update(bytes);
  }
  return hash.digest("hex");
}

// layer, z, x, y, count of features; of each: bytes of its code, the code, count of rings; of each:
// count of points and the points. 32-bit integers.
function writeDecoded(file, tile, features) {
  const parts = [Int32Array.of(tile.layer, tile.z, tile.x, tile.y, features.length)];
  for (const { code, rings } of features) {
    const text = Buffer.from(code);
    parts.push(Int32Array.of(text.length), text, Int32Array.of(rings.length));
    for (const ring of rings) {
      const numbers = [ring.length - 1];
      for (let i = 0; i + 1 < ring.length; i++) numbers.push(ring[i].x, ring[i].y);
      parts.push(Int32Array.from(numbers));
    }
  }
  writeSync(file, Buffer.concat(parts.map((p) =>
    Buffer.from(p.buffer, p.byteOffset, p.byteLength))));
}

const digests = openSync(digestsPath, "w");
const decoded = openSync(decodedPath, "w");
for (const tile of frames(tilesPath)) {
  const read = new VectorTile(new Pbf(tile.bytes));
  const names = Object.keys(read.layers);
  const layer = read.layers[layers[tile.layer]];
  totals.tiles++;
  if (names.length !== 1 || !layer || layer.version !== 2 || layer.extent !== EXTENT) {
    fault(tile, `layers ${names}, version ${layer?.version}, extent ${layer?.extent}`);
    continue;
  }
  const features = [];
  const seen = new Set();
  for (let i = 0; i < layer.length; i++) {
    const feature = layer.feature(i);
    const rings = feature.loadGeometry();
    checkWords(tile, layer, feature, seen);
    rings.forEach((ring, at) => checkRing(tile, feature.properties.code, ring, at === 0));
    checkHoles(tile, feature.properties.code, rings);
    features.push({ id: feature.id, code: feature.properties.code, rings });
    totals.rings += rings.length;
    totals.points += rings.reduce((sum, ring) => sum + ring.length - 1, 0);
  }
  totals.features += features.length;
  const name = layers[tile.layer];
  totals.by_layer[name] = (totals.by_layer[name] ?? 0) + 1;
  checkEdges(tile, features.map((f) => f.rings));
  writeSync(digests, `${digest(features)}\n`);
  if (tile.z === decodedZoom) writeDecoded(decoded, tile, features);
}
closeSync(digests);
closeSync(decoded);
console.log(JSON.stringify(totals));
