// Draws sprites/*.svg into one sheet for MapLibre, at single and double density:
//   node scripts/sprites.mjs OUT_FOLDER
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

const GAP = 2; // pixels between two pictures, so that scaling never mixes them
const ROW_WIDTH = 256;

const out = process.argv[2];
if (!out) {
  console.error('usage: node scripts/sprites.mjs OUT_FOLDER');
  process.exit(2);
}
const folder = new URL('../sprites/', import.meta.url);
const wasm = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
await initWasm(readFileSync(wasm));

const pictures = readdirSync(folder)
  .filter((name) => name.endsWith('.svg'))
  .sort()
  .map((name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const size = text.match(/<svg [^>]*width="(\d+)" height="(\d+)"[^>]*>/);
    if (!size) throw new Error(`sprites/${name}: its <svg> needs whole width and height`);
    const inside = text.slice(text.indexOf('>') + 1, text.lastIndexOf('</svg>'));
    return { name: name.slice(0, -4), width: +size[1], height: +size[2], inside };
  });

// Rows from left to right, each as high as its highest picture.
let x = 0;
let y = 0;
let rowHeight = 0;
for (const picture of pictures) {
  if (x + picture.width > ROW_WIDTH) {
    x = 0;
    y += rowHeight + GAP;
    rowHeight = 0;
  }
  Object.assign(picture, { x, y });
  x += picture.width + GAP;
  rowHeight = Math.max(rowHeight, picture.height);
}
const height = y + rowHeight;
const sheet = [
  `<svg xmlns="http://www.w3.org/2000/svg" width="${ROW_WIDTH}" height="${height}">`,
  ...pictures.map((one) => `<g transform="translate(${one.x} ${one.y})">${one.inside}</g>`),
  '</svg>',
].join('');

mkdirSync(out, { recursive: true });
for (const ratio of [1, 2]) {
  const suffix = ratio === 1 ? '' : `@${ratio}x`;
  const index = {};
  for (const one of pictures) {
    index[one.name] = {
      x: one.x * ratio,
      y: one.y * ratio,
      width: one.width * ratio,
      height: one.height * ratio,
      pixelRatio: ratio,
    };
  }
  const drawn = new Resvg(sheet, { fitTo: { mode: 'zoom', value: ratio } }).render();
  writeFileSync(`${out}/gridwarden${suffix}.png`, drawn.asPng());
  writeFileSync(`${out}/gridwarden${suffix}.json`, JSON.stringify(index));
}
