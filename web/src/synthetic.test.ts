import { describe, expect, it } from 'vitest';
import { latticeNoise, parseTileUrl, terrainHeight, terrainPixels } from './synthetic';

// FNV-1a, to hold a whole tile in one number.
function hash(bytes: Uint8ClampedArray): number {
  let h = 0x811c9dc5;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

describe('the synthetic picture', () => {
  it('is the same every time, and another elsewhere', () => {
    const tile = terrainPixels(12, 3457, 1512, 16);
    expect(hash(terrainPixels(12, 3457, 1512, 16))).toBe(hash(tile));
    expect(hash(terrainPixels(12, 3458, 1512, 16))).not.toBe(hash(tile));
    expect(tile.length).toBe(16 * 16 * 4);
  });

  it('is the same in every browser: a tile of a known place', () => {
    expect(latticeNoise(0, 0, 0)).toBeCloseTo(0.774970363592729, 12);
    expect(hash(terrainPixels(9, 432, 189, 32))).toBe(1618869050);
  });

  it('goes on from tile to tile', () => {
    // The height just west and just east of a border of tiles differs as little as anywhere.
    const x = 3458 / 4096;
    const step = 1e-9;
    for (let i = 0; i < 50; i++) {
      const y = (1512 + i / 50) / 4096;
      const jump = Math.abs(terrainHeight(x - step, y, 12) - terrainHeight(x + step, y, 12));
      expect(jump).toBeLessThan(1e-3);
    }
  });

  it('keeps the shape of the land when the map comes nearer', () => {
    for (let i = 0; i < 50; i++) {
      const x = 0.84 + i * 1e-4;
      const far = terrainHeight(x, 0.37, 9);
      expect(Math.abs(terrainHeight(x, 0.37, 14) - far)).toBeLessThan(0.03);
    }
  });

  it('is a picture: opaque, of many colours', () => {
    const pixels = terrainPixels(10, 864, 378, 64);
    const colours = new Set<number>();
    for (let i = 0; i < pixels.length; i += 4) {
      expect(pixels[i + 3]).toBe(255);
      colours.add((pixels[i]! << 16) | (pixels[i + 1]! << 8) | pixels[i + 2]!);
    }
    expect(colours.size).toBeGreaterThan(200);
  });

  it('spreads its noise evenly between 0 and 1', () => {
    let sum = 0;
    for (let i = 0; i < 4096; i++) {
      const noise = latticeNoise(i % 64, Math.floor(i / 64), 3);
      expect(noise).toBeGreaterThanOrEqual(0);
      expect(noise).toBeLessThan(1);
      sum += noise;
    }
    expect(Math.abs(sum / 4096 - 0.5)).toBeLessThan(0.03);
  });

  it('reads the addresses of its tiles alone', () => {
    expect(parseTileUrl('synthetic://12/3457/1512')).toEqual({ z: 12, x: 3457, y: 1512 });
    expect(() => parseTileUrl('synthetic://12/3457')).toThrow();
    expect(() => parseTileUrl('http://12/3/4')).toThrow();
  });
});
