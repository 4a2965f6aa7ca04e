import { describe, expect, it } from 'vitest';
import type { LiveIncident, LiveWorker } from './model';
import { difference, incidentFeature, workerFeature, collection } from './points';
import { Picture } from './store';

function incident(id: string, changes: Partial<LiveIncident> = {}): LiveIncident {
  return {
    id,
    state: 'OFFERED',
    class: '01',
    severity: 2,
    lon: 123.8,
    lat: 42.3,
    grid: 'g',
    handler: 'w1',
    attempt: 1,
    reported_ms: 1,
    updated_ms: 1,
    version: 1,
    ...changes,
  };
}

function worker(id: string, changes: Partial<LiveWorker> = {}): LiveWorker {
  return { id, lon: 1, lat: 2, onDuty: true, fullTime: true, load: 0, positionMs: 1, ...changes };
}

function filled(): Picture {
  const picture = new Picture();
  picture.apply({ type: 'open' });
  picture.apply({ type: 'snapshot', incidents: [incident('a'), incident('b')], workers: [] });
  picture.apply({ type: 'snapshot', incidents: [], workers: [worker('w'), worker('x')] });
  picture.apply({ type: 'ready', edition: 3, timeMs: 10 });
  picture.takeIncidents();
  picture.takeWorkers();
  return picture;
}

describe('Picture', () => {
  it('shows a snapshot only when it is whole', () => {
    const picture = new Picture();
    picture.apply({ type: 'open' });
    picture.apply({ type: 'snapshot', incidents: [incident('a')], workers: [worker('w')] });
    expect(picture.incidents.size).toBe(0);
    expect(picture.edition).toBeNull();
    picture.apply({ type: 'ready', edition: 3, timeMs: 10 });
    expect([...picture.incidents.keys()]).toEqual(['a']);
    expect([...picture.workers.keys()]).toEqual(['w']);
    expect(picture.edition).toBe(3);
    expect(picture.takeIncidents()).toEqual({ all: true });
    expect(picture.takeIncidents()).toBeNull();
  });

  it('drops a snapshot that broke off and keeps the old picture', () => {
    const picture = filled();
    picture.apply({ type: 'open' });
    picture.apply({ type: 'snapshot', incidents: [incident('new')], workers: [] });
    picture.apply({ type: 'open' });
    expect([...picture.incidents.keys()]).toEqual(['a', 'b']);
    picture.apply({ type: 'ready', edition: 3, timeMs: 11 }); // resumed, no snapshot
    expect([...picture.incidents.keys()]).toEqual(['a', 'b']);
    expect(picture.takeIncidents()).toBeNull();
  });

  it('replaces all with a second snapshot', () => {
    const picture = filled();
    picture.apply({ type: 'open' });
    picture.apply({ type: 'snapshot', incidents: [incident('c')], workers: [] });
    picture.apply({ type: 'ready', edition: 4, timeMs: 11 });
    expect([...picture.incidents.keys()]).toEqual(['c']);
    expect(picture.counts).toEqual({ open: 1, offers: 1, desks: 0, workers: 0, onDuty: 0 });
    expect(picture.takeWorkers()).toEqual({ all: true });
  });

  it('folds changes and counts them', () => {
    const picture = filled();
    expect(picture.counts).toEqual({ open: 2, offers: 2, desks: 0, workers: 2, onDuty: 2 });
    picture.apply({ type: 'incident', incident: incident('a', { state: 'AT_DESK', version: 2 }) });
    picture.apply({ type: 'incident', incident: incident('c', { state: 'PLACE_UNKNOWN' }) });
    picture.apply({ type: 'workers', workers: [worker('w', { onDuty: false }), worker('y')] });
    expect(picture.counts).toEqual({ open: 3, offers: 1, desks: 2, workers: 3, onDuty: 2 });
    expect(picture.takeIncidents()).toEqual({ all: false, ids: new Set(['a', 'c']) });
    expect(picture.takeWorkers()).toEqual({ all: false, ids: new Set(['w', 'y']) });
  });

  it('takes a closed incident away, once', () => {
    const picture = filled();
    const closed = incident('a', { state: 'CLOSED', version: 5 });
    picture.apply({ type: 'incident', incident: closed });
    picture.apply({ type: 'incident', incident: closed });
    expect([...picture.incidents.keys()]).toEqual(['b']);
    expect(picture.counts.open).toBe(1);
    expect(picture.takeIncidents()).toEqual({ all: false, ids: new Set(['a']) });
  });

  it('does not go back to an older version of an incident', () => {
    const picture = filled();
    picture.apply({ type: 'incident', incident: incident('a', { state: 'STARTED', version: 4 }) });
    picture.apply({ type: 'incident', incident: incident('a', { state: 'ACCEPTED', version: 3 }) });
    expect(picture.incidents.get('a')!.state).toBe('STARTED');
  });

  it('follows the edition', () => {
    const picture = filled();
    picture.apply({ type: 'edition', number: 9 });
    expect(picture.edition).toBe(9);
  });
});

describe('points', () => {
  it('draws only what has a place', () => {
    const things = [incident('a'), incident('b', { lon: null, lat: null })];
    const { features } = collection(things, incidentFeature);
    expect(features.map(({ properties }) => properties!['id'])).toEqual(['a']);
  });

  it('names properties as the tiles do', () => {
    expect(workerFeature(worker('w', { onDuty: false }))).toEqual({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [1, 2] },
      properties: { id: 'w', on_duty: 0, full_time: 1, load: 0 },
    });
  });

  it('puts what is there and removes what is gone or has lost its place', () => {
    const things = new Map([
      ['a', incident('a')],
      ['b', incident('b', { lon: null, lat: null })],
    ]);
    const ids = new Set(['a', 'b', 'gone']);
    const { add, remove } = difference({ all: false, ids }, things, incidentFeature);
    expect(add!.map(({ properties }) => properties!['id'])).toEqual(['a']);
    expect(remove).toEqual(['b', 'gone']);
  });
});
