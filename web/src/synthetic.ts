// A picture of land that there is not: the same noise for the same place in every browser, so that
// the satellite view can be shown without a network. Each tile says SYNTHETIC.

export const TERRAIN_PIXELS = 128; // a side of a tile as computed; drawn twice as large
const SEED = 0x9e3779b1;
const FIRST_ZOOM = 7; // the widest features are as large as a tile of this zoom
const FINER_ZOOMS = 5; // the finest are as large as a tile of the shown zoom and so many more
const FALLOFF = 0.6; // of the height of each octave to the one before
const FIELD_ZOOM = 16; // fields are as large as a tile of this zoom
const FIELD_OCTAVE = 77; // a hash apart from those of the heights

// A hash of a lattice point in 0 .. 1; integer arithmetic alone, so the same everywhere.
export function latticeNoise(x: number, y: number, octave: number): number {
  let h = Math.imul(x | 0, 0x27d4eb2d) ^ Math.imul(y | 0, 0x165667b1);
  h = Math.imul(h ^ Math.imul(octave + 1, SEED), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000;
}

// Noise of one octave at a place in lattice units, smooth between the lattice points.
function smoothNoise(x: number, y: number, octave: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const fx = x - column;
  const fy = y - row;
  const u = fx * fx * (3 - 2 * fx);
  const v = fy * fy * (3 - 2 * fy);
  const north = mix(latticeNoise(column, row, octave), latticeNoise(column + 1, row, octave), u);
  const south = mix(
    latticeNoise(column, row + 1, octave),
    latticeNoise(column + 1, row + 1, octave),
    u,
  );
  return mix(north, south, v);
}

const mix = (a: number, b: number, t: number): number => a + (b - a) * t;

// Height 0 .. 1 at a place of the world, x and y from 0 to 1. Octaves that a zoom can't show are
// left out; they add as much as they take, so zooming in only adds detail.
export function terrainHeight(x: number, y: number, zoom: number): number {
  const octaves = Math.max(2, zoom + FINER_ZOOMS - FIRST_ZOOM);
  let sum = 0;
  let weight = 0.62;
  for (let octave = 0; octave < octaves; octave++) {
    const scale = 2 ** (FIRST_ZOOM + octave);
    sum += weight * (smoothNoise(x * scale, y * scale, octave) - 0.5);
    weight *= FALLOFF;
  }
  return Math.max(0, Math.min(1, 0.5 + sum));
}

// How much lighter or darker a field is than the land around it; only seen from near.
export function fieldLight(x: number, y: number, zoom: number): number {
  const seen = Math.max(0, Math.min(1, (zoom - 10) / 3));
  if (seen === 0) return 1;
  const scale = 2 ** FIELD_ZOOM;
  const bend = smoothNoise(x * scale * 0.5, y * scale * 0.5, FIELD_OCTAVE) * 0.7;
  const column = Math.floor((x + y * 0.4) * scale + bend);
  const row = Math.floor((y - x * 0.4) * scale * 1.6 + bend);
  return 1 + seen * 0.3 * (latticeNoise(column, row, FIELD_OCTAVE + 1) - 0.5);
}

// From water through fields and woods to bare hills: [height, red, green, blue].
const COLOURS: ReadonlyArray<readonly [number, number, number, number]> = [
  [0, 38, 66, 84],
  [0.36, 52, 84, 98],
  [0.385, 122, 118, 88],
  [0.45, 106, 116, 72],
  [0.55, 74, 96, 56],
  [0.66, 58, 80, 50],
  [0.8, 110, 102, 80],
  [1, 150, 142, 126],
];

function colourOf(height: number): [number, number, number] {
  for (let i = 1; i < COLOURS.length; i++) {
    const above = COLOURS[i]!;
    if (height > above[0]) continue;
    const below = COLOURS[i - 1]!;
    const t = (height - below[0]) / (above[0] - below[0]);
    return [mix(below[1], above[1], t), mix(below[2], above[2], t), mix(below[3], above[3], t)];
  }
  return [150, 142, 126];
}

// The pixels of a tile, red green blue alpha row by row, lit from the north-west.
export function terrainPixels(z: number, x: number, y: number, side: number): Uint8ClampedArray {
  const world = 2 ** z;
  const step = 1 / (world * side);
  const width = side + 1; // one more row and column to the west and north, for the light
  const heights = new Float64Array(width * width);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column < width; column++) {
      const wx = x / world + (column - 1) * step;
      const wy = y / world + (row - 1) * step;
      heights[row * width + column] = terrainHeight(wx, wy, z);
    }
  }
  // Slopes shrink with the octaves that a nearer view adds; the light makes up for it.
  const gain = (side / 14) * FALLOFF ** Math.min(0, 9 - z);
  const pixels = new Uint8ClampedArray(side * side * 4);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const height = heights[(row + 1) * width + column + 1]!;
      const slope = height - heights[row * width + column]!;
      const field = fieldLight(x / world + column * step, y / world + row * step, z);
      const light = field * Math.max(0.7, Math.min(1.3, 1 + slope * gain));
      const [red, green, blue] = colourOf(height);
      pixels.set([red * light, green * light, blue * light, 255], (row * side + column) * 4);
    }
  }
  return pixels;
}

export function parseTileUrl(url: string): { z: number; x: number; y: number } {
  const found = /^synthetic:\/\/(\d{1,2})\/(\d+)\/(\d+)$/.exec(url);
  if (!found) throw new Error(`${url} is no address of a synthetic tile`);
  return { z: Number(found[1]), x: Number(found[2]), y: Number(found[3]) };
}

// The tile as a picture of 256 pixels with its label, for MapLibre's addProtocol.
export async function syntheticTile(url: string): Promise<ImageBitmap> {
  const { z, x, y } = parseTileUrl(url);
  const pixels = terrainPixels(z, x, y, TERRAIN_PIXELS);
  const small = new OffscreenCanvas(TERRAIN_PIXELS, TERRAIN_PIXELS);
  const image = new ImageData(TERRAIN_PIXELS, TERRAIN_PIXELS);
  image.data.set(pixels);
  small.getContext('2d')!.putImageData(image, 0, 0);
  const canvas = new OffscreenCanvas(256, 256);
  const context = canvas.getContext('2d')!;
  context.imageSmoothingQuality = 'high';
  context.drawImage(small, 0, 0, 256, 256);
  context.font = '600 13px system-ui, "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif';
  context.textAlign = 'center';
  context.lineWidth = 3;
  context.strokeStyle = 'rgba(0, 0, 0, 0.45)';
  context.fillStyle = 'rgba(255, 255, 255, 0.82)';
  context.strokeText('SYNTHETIC 合成', 128, 132);
  context.fillText('SYNTHETIC 合成', 128, 132);
  return createImageBitmap(canvas);
}
