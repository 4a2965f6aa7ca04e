import type { StyleSpecification } from 'maplibre-gl';
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  layerId,
  LEVEL_CHOICES,
  NAME_ZOOM_MIN,
  PARTS,
  plan,
  TILE_ZOOM_MIN,
  ZOOM_MAX,
} from './levels';
import { INCIDENT_STATES, LEVELS } from './model';
import { FIRST_LAYER, pageStyle, tileUrl } from './style';
import json from './style.json';

const common = json as unknown as StyleSpecification;
const style = pageStyle(common, 'http://node:7680', 5, 'us');

describe('style.json', () => {
  it('asks nobody but the node', () => {
    const urls = JSON.stringify(json).match(/"[^"]*(?:\/\/|\{base\})[^"]*"/g) ?? [];
    expect(urls.length).toBeGreaterThan(0);
    for (const url of urls) expect(url).toMatch(/^"\{base\}\//);
  });

  it('shows the levels by zoom as the page does at first', () => {
    const auto = plan('auto');
    for (const level of LEVELS) {
      for (const part of PARTS) {
        const layer = json.layers.find(({ id }) => id === layerId(level, part));
        const zooms = [layer?.minzoom ?? 0, layer?.maxzoom ?? ZOOM_MAX];
        expect(zooms, layerId(level, part)).toEqual(auto[level][part]);
      }
    }
  });

  it('writes a name at its one place, not once in every tile', () => {
    LEVELS.forEach((level, index) => {
      expect(json.layers.find(({ id }) => id === layerId(level, 'label'))).toMatchObject({
        source: 'labels',
        'source-layer': 'labels',
        filter: ['==', ['get', 'level'], index],
      });
    });
  });

  it('uses the one font that the node has, and pictures that the sprite has', () => {
    const text = JSON.stringify(json);
    expect(new Set(text.match(/"text-font":\[[^\]]*\]/g))).toEqual(
      new Set(['"text-font":["Gridwarden Regular"]']),
    );
    const pictures = readdirSync(new URL('../sprites', import.meta.url));
    for (const state of INCIDENT_STATES) expect(pictures).toContain(`incident-${state}.svg`);
    expect(pictures).toContain('worker-on.svg');
    expect(pictures).toContain('worker-off.svg');
  });
});

describe('pageStyle', () => {
  it('has tiles of the edition and no address left open', () => {
    expect(JSON.stringify(style)).not.toContain('{base}');
    expect(style.sources['grids']).toMatchObject({
      tiles: ['http://node:7680/tiles/grids/{z}/{x}/{y}.mvt?edition=5'],
      minzoom: TILE_ZOOM_MIN.grids,
      maxzoom: 14,
    });
    expect(style.sources['labels']).toMatchObject({
      tiles: ['http://node:7680/tiles/labels/{z}/{x}/{y}.mvt?edition=5'],
      minzoom: 0,
      maxzoom: 14,
    });
    expect(style.sprite).toBe('http://node:7680/sprites/gridwarden');
    expect(style.glyphs).toBe('http://node:7680/glyphs/{fontstack}/{range}.pbf');
  });

  it('draws incidents and workers from the live stream', () => {
    for (const layer of style.layers) {
      if (!('source' in layer)) continue;
      expect(Object.keys(style.sources)).toContain(layer.source);
      const live = layer.source === 'incidents' || layer.source === 'workers';
      expect('source-layer' in layer).toBe(!live && layer.source !== 'selection');
    }
    expect(style.sources['workers']).toMatchObject({ type: 'geojson', promoteId: 'id' });
  });

  it('keeps backgrounds lowest and the selected point highest', () => {
    expect(style.layers[1]!.id).toBe(FIRST_LAYER);
    expect(style.layers.at(-1)!.id).toBe('selection-point');
    const ids = style.layers.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.indexOf('selection-line')).toBeLessThan(ids.indexOf('workers-dot'));
  });

  it('leaves the common style as it was', () => {
    expect(common.sources['incidents']).toEqual({
      type: 'vector',
      url: '{base}/tiles/incidents.json',
    });
  });
});

describe('tileUrl', () => {
  it('names the layer and the edition', () => {
    expect(tileUrl('', 'cities', 12)).toBe('/tiles/cities/{z}/{x}/{y}.mvt?edition=12');
  });
});

describe('plan', () => {
  it('fills one level at each zoom, without gap, when it goes by zoom', () => {
    const auto = plan('auto');
    for (let zoom = 0; zoom < 22; zoom += 0.1) {
      const filled = LEVELS.filter((level) => {
        const [min, max] = auto[level].fill!;
        return zoom >= min && zoom < max;
      });
      expect(filled.length, `zoom ${zoom}`).toBe(1);
      expect(zoom >= TILE_ZOOM_MIN[filled[0]!], `${filled[0]} has no tiles at ${zoom}`).toBe(true);
    }
  });

  it('never asks for tiles that there are none of', () => {
    for (const choice of LEVEL_CHOICES) {
      for (const level of LEVELS) {
        for (const part of PARTS) {
          const zooms = plan(choice)[level][part];
          const min = part === 'label' ? NAME_ZOOM_MIN[level] : TILE_ZOOM_MIN[level];
          if (zooms) expect(zooms[0]).toBeGreaterThanOrEqual(min);
        }
      }
    }
  });

  it('draws a chosen level at all zooms, those above as lines, those below not', () => {
    const made = plan('townships');
    expect(made.townships.fill).toEqual([TILE_ZOOM_MIN.townships, ZOOM_MAX]);
    expect(made.counties.line).not.toBeNull();
    expect(made.counties.fill).toBeNull();
    expect(made.villages).toEqual({ fill: null, line: null, label: null });
  });
});
