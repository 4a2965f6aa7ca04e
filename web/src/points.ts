// Incidents and workers as the features that the map draws; properties as in the node's tiles.

import type { GeoJSONSourceDiff } from 'maplibre-gl';
import type { LiveIncident, LiveWorker } from './model';
import type { Changed } from './store';

export type PointFeature = GeoJSON.Feature<GeoJSON.Point>;

// null: its place is not known, so it is not drawn.
export function incidentFeature(incident: LiveIncident): PointFeature | null {
  const { id, state, severity, grid, handler } = incident;
  return pointFeature(incident, { id, state, class: incident.class, severity, grid, handler });
}

export function workerFeature(worker: LiveWorker): PointFeature | null {
  return pointFeature(worker, {
    id: worker.id,
    on_duty: worker.onDuty ? 1 : 0,
    full_time: worker.fullTime ? 1 : 0,
    load: worker.load,
  });
}

function pointFeature(
  at: { lon: number | null; lat: number | null },
  properties: Record<string, string | number>,
): PointFeature | null {
  if (at.lon === null || at.lat === null) return null;
  const geometry: GeoJSON.Point = { type: 'Point', coordinates: [at.lon, at.lat] };
  return { type: 'Feature', geometry, properties };
}

export function collection<T>(
  things: Iterable<T>,
  featureOf: (thing: T) => PointFeature | null,
): GeoJSON.FeatureCollection<GeoJSON.Point> {
  const features: PointFeature[] = [];
  for (const thing of things) {
    const feature = featureOf(thing);
    if (feature) features.push(feature);
  }
  return { type: 'FeatureCollection', features };
}

// The changed ones, each put or, where it is gone or has no place, removed.
export function difference<T>(
  changed: Extract<Changed, { all: false }>,
  things: ReadonlyMap<string, T>,
  featureOf: (thing: T) => PointFeature | null,
): GeoJSONSourceDiff {
  const add: PointFeature[] = [];
  const remove: string[] = [];
  for (const id of changed.ids) {
    const thing = things.get(id);
    const feature = thing === undefined ? null : featureOf(thing);
    if (feature) add.push(feature);
    else remove.push(id);
  }
  return { remove, add };
}
