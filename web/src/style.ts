// The map style that any client gets (style.json), fitted to the page: tiles of one edition, and
// incidents and workers from the live stream in the place of tiles.

import type { LayerSpecification, SourceSpecification, StyleSpecification } from 'maplibre-gl';
import { TILE_ZOOM_MAX, TILE_ZOOM_MIN } from './levels';
import { LEVELS } from './model';

export const LIVE_SOURCES = ['incidents', 'workers'] as const;
export type LiveSource = (typeof LIVE_SOURCES)[number];

// What the node makes of an edition: boundaries, and one point for each name.
export const EDITION_SOURCES = [...LEVELS, 'labels'] as const;
export type EditionSource = (typeof EDITION_SOURCES)[number];

export const SELECTION = 'selection';
// The lowest layer of the map proper: backgrounds go below it.
export const FIRST_LAYER = 'cities-fill';

export function tileUrl(base: string, source: EditionSource, edition: number): string {
  return `${base}/tiles/${source}/{z}/{x}/{y}.mvt?edition=${edition}`;
}

export function pageStyle(
  common: StyleSpecification,
  base: string,
  edition: number,
  attribution: string,
): StyleSpecification {
  const sources: Record<string, SourceSpecification> = {};
  for (const name of EDITION_SOURCES) {
    sources[name] = {
      type: 'vector',
      tiles: [tileUrl(base, name, edition)],
      minzoom: name === 'labels' ? 0 : TILE_ZOOM_MIN[name],
      maxzoom: TILE_ZOOM_MAX,
      ...(name === 'grids' ? { attribution } : {}),
    };
  }
  for (const name of LIVE_SOURCES) sources[name] = pointSource();
  sources[SELECTION] = { type: 'geojson', data: { type: 'FeatureCollection', features: [] } };
  const local = JSON.parse(JSON.stringify(common).replaceAll('{base}', base)) as StyleSpecification;
  const layers = local.layers.map(ownLayer);
  const firstPoint = layers.findIndex((layer) => layer.id === 'workers-dot');
  layers.splice(firstPoint, 0, ...selectedArea);
  layers.push(...selectedPoint);
  return { ...local, sources, layers };
}

function pointSource(): SourceSpecification {
  return {
    type: 'geojson',
    promoteId: 'id',
    maxzoom: 12,
    buffer: 32,
    data: { type: 'FeatureCollection', features: [] },
  };
}

function ownLayer(layer: LayerSpecification): LayerSpecification {
  if (!('source' in layer) || !LIVE_SOURCES.some((name) => name === layer.source)) return layer;
  const { 'source-layer': _, ...rest } = layer as LayerSpecification & { 'source-layer'?: string };
  return rest as LayerSpecification;
}

const selectedArea: LayerSpecification[] = [
  {
    id: 'selection-fill',
    type: 'fill',
    source: SELECTION,
    filter: ['!=', ['geometry-type'], 'Point'],
    paint: { 'fill-color': '#0ea5e9', 'fill-opacity': 0.18 },
  },
  {
    id: 'selection-casing',
    type: 'line',
    source: SELECTION,
    filter: ['!=', ['geometry-type'], 'Point'],
    layout: { 'line-join': 'round' },
    paint: { 'line-color': '#ffffff', 'line-width': 6, 'line-opacity': 0.9 },
  },
  {
    id: 'selection-line',
    type: 'line',
    source: SELECTION,
    filter: ['!=', ['geometry-type'], 'Point'],
    layout: { 'line-join': 'round' },
    paint: { 'line-color': '#0369a1', 'line-width': 3 },
  },
];

const selectedPoint: LayerSpecification[] = [
  {
    id: 'selection-point-casing',
    type: 'circle',
    source: SELECTION,
    filter: ['==', ['geometry-type'], 'Point'],
    paint: {
      'circle-radius': 16,
      'circle-color': 'rgba(0,0,0,0)',
      'circle-stroke-color': '#ffffff',
      'circle-stroke-width': 6,
    },
  },
  {
    id: 'selection-point',
    type: 'circle',
    source: SELECTION,
    filter: ['==', ['geometry-type'], 'Point'],
    paint: {
      'circle-radius': 17,
      'circle-color': 'rgba(0,0,0,0)',
      'circle-stroke-color': '#0369a1',
      'circle-stroke-width': 3,
    },
  },
];
