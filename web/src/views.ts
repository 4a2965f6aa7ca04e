// What the panel shows of a place, a grid, an area, a worker and an incident.

import type { Api } from './api';
import { h } from './dom';
import * as format from './format';
import type { I18n } from './i18n';
import { iconUrl } from './icons';
import type { CityMap } from './map';
import type {
  Area,
  AreaRef,
  City,
  GridFeature,
  GridRef,
  IncidentState,
  IncidentTrail,
  Located,
  NearWorker,
  Position,
  Worker,
} from './model';
import type { View } from './panel';

const NEAREST_COUNT = 5;

export interface ViewContext {
  i18n: I18n;
  api: Api;
  map: CityMap;
  city: () => City;
  now: () => number; // the node's time
  openGrid: (code: string) => void;
  openArea: (code: string) => void;
  openWorker: (id: string) => void;
  reportAt: (at: Position) => void;
}

export const pointFeature = (at: Position): GeoJSON.Feature => ({
  type: 'Feature',
  properties: {},
  geometry: { type: 'Point', coordinates: at },
});

interface Place {
  located: Located;
  grid: GridFeature | null;
  people: Worker[];
  near: NearWorker[];
}

export function placeView(context: ViewContext, at: Position): View<Place> {
  const { i18n, api, map } = context;
  const [lon, lat] = at;
  return {
    key: `place ${lon} ${lat}`,
    title: () => i18n.t('place.title'),
    async load(signal) {
      const [located, near] = await Promise.all([
        api.locate(lon, lat, signal),
        api.nearest(lon, lat, NEAREST_COUNT, true, signal),
      ]);
      const code = located.grid?.code;
      const [grid, people] = await Promise.all([
        code ? api.grid(code, signal) : null,
        code ? api.people(code, signal) : { workers: [] },
      ]);
      return { located, grid, people: people.workers, near: near.workers };
    },
    loaded({ grid }) {
      map.select(grid ? [grid, pointFeature(at)] : [pointFeature(at)]);
    },
    body({ located, people, near }) {
      const report = h('button', {
        type: 'button',
        class: 'button primary wide',
        onclick: () => context.reportAt(at),
      });
      report.textContent = i18n.t('place.reportHere');
      return [
        facts([[i18n.t('place.coordinates'), format.coordinates(lon, lat)]]),
        h('h3', {}, i18n.t('place.responsible')),
        located.grid ? gridCard(context, located.grid) : nobody(context, located),
        ...(located.grid
          ? [h('h3', {}, i18n.t('place.people')), peopleList(context, people, 'place.noPeople')]
          : []),
        h('h3', {}, i18n.t('place.nearest')),
        peopleList(context, near, 'place.noNearest'),
        report,
      ];
    },
  };
}

function nobody(context: ViewContext, located: Located): HTMLElement {
  const { i18n } = context;
  const { nearest } = located;
  return h(
    'div',
    { class: 'card', 'data-grid': '' },
    h('p', {}, i18n.t('place.nobody')),
    nearest
      ? h(
          'p',
          {},
          link(
            i18n.t('place.nearestGrid', {
              name: nearest.name || nearest.code,
              distance: format.distance(i18n, nearest.distance_m),
            }),
            () => context.openGrid(nearest.code),
          ),
        )
      : null,
  );
}

function gridCard(context: ViewContext, grid: GridRef): HTMLElement {
  const { i18n } = context;
  return h(
    'div',
    { class: 'card', 'data-grid': grid.code },
    h('p', { class: 'strong' }, grid.name || grid.code),
    h('p', { class: 'code' }, grid.code),
    h('p', { class: `kind kind-${grid.kind}` }, i18n.word('kind', grid.kind)),
    chain(context, grid.areas),
  );
}

// The areas from the city down to the village.
function chain(context: ViewContext, areas: readonly AreaRef[]): HTMLElement {
  const { i18n } = context;
  const list = h('ol', { class: 'chain', 'aria-label': i18n.t('grid.chain') });
  for (const area of [...areas].sort((a, b) => b.level - a.level)) {
    const name = link(area.name || area.code, () => context.openArea(area.code));
    name.title = `${i18n.word('level', String(area.level))} ${area.code}`;
    list.append(h('li', {}, name));
  }
  return list;
}

export function gridView(context: ViewContext, code: string): View<[GridFeature, Worker[]]> {
  const { i18n, api, map } = context;
  return {
    key: `grid ${code}`,
    title: (data) => data?.[0].properties.name || `${i18n.t('grid.title')} ${code}`,
    async load(signal) {
      const [grid, people] = await Promise.all([api.grid(code, signal), api.people(code, signal)]);
      return [grid, people.workers];
    },
    loaded: ([grid]) => map.select([grid]),
    body: ([grid, people]) => [
      gridCard(context, grid.properties),
      facts([[i18n.t('grid.edition'), String(grid.properties.edition.number)]]),
      h('h3', {}, i18n.t('place.people')),
      peopleList(context, people, 'place.noPeople'),
    ],
  };
}

export function areaView(context: ViewContext, code: string): View<Area> {
  const { i18n, api, map } = context;
  return {
    key: `area ${code}`,
    title: (area) => area?.name || `${i18n.t('area.title')} ${code}`,
    load: (signal) => api.area(code, signal),
    loaded: () => map.select([]),
    body(area) {
      const fit = () => map.fit(area.bounds);
      const show = h('button', { type: 'button', class: 'button', onclick: fit });
      show.textContent = i18n.t('panel.show');
      return [
        facts([
          [i18n.t('grid.code'), area.code],
          [i18n.t('area.level'), i18n.word('level', String(area.level))],
          [i18n.t('area.grids'), format.count(i18n.lang, area.grids)],
        ]),
        chain(context, area.chain),
        show,
      ];
    },
  };
}

export function workerView(context: ViewContext, id: string): View<Worker> {
  const { i18n, api, map } = context;
  return {
    key: `worker ${id}`,
    title: (worker) => (worker ? worker.name || worker.id : `${i18n.t('worker.title')} ${id}`),
    load: (signal) => api.worker(id, signal),
    loaded: ({ position }) =>
      map.select(position ? [pointFeature([position.lon, position.lat])] : []),
    body(worker) {
      const { position } = worker;
      const homes = h('span', { class: 'links' });
      for (const code of worker.home_grids) homes.append(link(code, () => context.openGrid(code)));
      return [
        h('p', { class: 'status-line' }, dutyIcon(worker), i18n.word('duty', worker.duty)),
        facts([
          [i18n.t('grid.code'), worker.id],
          [i18n.t('worker.kind'), i18n.word('worker', worker.kind)],
          [
            i18n.t('worker.load'),
            i18n.t('worker.loadOf', { load: worker.load, capacity: worker.capacity }),
          ],
          [i18n.t('worker.homes'), homes],
          [i18n.t('worker.skills'), worker.skills.join(', ') || i18n.t('worker.noSkills')],
          [
            i18n.t('worker.position'),
            position
              ? link(format.age(i18n, position.time_ms, context.now()), () =>
                  map.fly([position.lon, position.lat]),
                )
              : i18n.t('worker.noPosition'),
          ],
        ]),
        h('p', { class: 'muted small' }, i18n.t('worker.masked')),
      ];
    },
  };
}

const STEPS: readonly IncidentState[] = ['OFFERED', 'ACCEPTED', 'STARTED', 'RESOLVED', 'CLOSED'];

export function incidentView(context: ViewContext, id: string): View<IncidentTrail> {
  const { i18n, api, map } = context;
  return {
    key: `incident ${id}`,
    title: () => i18n.t('incident.title'),
    load: (signal) => api.incident(id, signal),
    loaded({ incident }) {
      const placed = incident.lon !== null && incident.lat !== null;
      map.select(placed ? [pointFeature([incident.lon!, incident.lat!])] : []);
    },
    body: (trail) => [
      h('p', { class: 'code', id: 'incident-id' }, id),
      stateLine(context, trail),
      steps(context, trail.incident.state),
      incidentFacts(context, trail),
      h('h3', {}, i18n.t('incident.trail')),
      trailList(context, trail),
      h('p', { class: 'muted small' }, i18n.t('incident.follows')),
    ],
  };
}

function stateLine({ i18n }: ViewContext, { incident }: IncidentTrail): HTMLElement {
  const due =
    incident.state === 'OFFERED' && incident.answer_by_ms > 0
      ? i18n.t('incident.answerBy', { time: format.clockTime(i18n.lang, incident.answer_by_ms) })
      : '';
  return h(
    'p',
    { class: 'status-line', id: 'incident-state', 'data-state': incident.state, role: 'status' },
    h('img', { src: iconUrl(`incident-${incident.state}`), alt: '', width: 24, height: 24 }),
    h('strong', {}, i18n.word('state', incident.state)),
    due ? h('span', { class: 'muted' }, due) : null,
  );
}

// How far it has come; a desk stands where the offer would.
function steps({ i18n }: ViewContext, state: IncidentState): HTMLElement {
  const list = h('ol', { class: 'steps' });
  const first = state === 'AT_DESK' || state === 'PLACE_UNKNOWN' ? state : 'OFFERED';
  const shown = [first, ...STEPS.slice(1)];
  const at = shown.indexOf(state);
  shown.forEach((step, index) => {
    const kind = index < at ? 'done' : index === at ? 'now' : 'ahead';
    const current = index === at ? 'step' : null;
    list.append(h('li', { class: kind, 'aria-current': current }, i18n.word('state', step)));
  });
  return list;
}

function incidentFacts(context: ViewContext, { incident }: IncidentTrail): HTMLElement {
  const { i18n, map } = context;
  const { lon, lat, handler, grid } = incident;
  const isDesk = handler.startsWith('desk:');
  const outside = incident.nearest
    ? i18n.t('place.nearestGrid', {
        name: incident.nearest.grid,
        distance: format.distance(i18n, incident.nearest.distance_m),
      })
    : '';
  return facts([
    [i18n.t('incident.class'), format.className(i18n.lang, context.city().classes, incident.class)],
    [i18n.t('incident.severity'), i18n.word('severity', String(incident.severity))],
    [
      i18n.t('incident.handler'),
      isDesk || handler === ''
        ? format.handler(i18n, handler)
        : link(handler, () => context.openWorker(handler)),
    ],
    [i18n.t('incident.attempt'), incident.attempt > 0 ? String(incident.attempt) : ''],
    [
      i18n.t('incident.grid'),
      grid ? link(grid, () => context.openGrid(grid)) : `${i18n.t('incident.noGrid')} ${outside}`,
    ],
    [
      i18n.t('report.place'),
      lon !== null && lat !== null
        ? link(format.coordinates(lon, lat), () => map.fly([lon, lat]))
        : i18n.t('incident.placeUnknown'),
    ],
    [i18n.t('incident.reported'), format.time(i18n.lang, incident.reported_ms)],
    [i18n.t('incident.channel'), i18n.word('channel', incident.channel)],
    [i18n.t('incident.address'), incident.address],
    [i18n.t('incident.description'), incident.description],
  ]);
}

function trailList({ i18n }: ViewContext, { events }: IncidentTrail): HTMLElement {
  const list = h('ol', { class: 'trail', id: 'incident-trail' });
  for (const event of [...events].sort((a, b) => b.version - a.version)) {
    const note = format.eventNote(event);
    list.append(
      h(
        'li',
        { 'data-kind': event.kind },
        h(
          'time',
          { datetime: new Date(event.time_ms).toISOString() },
          format.time(i18n.lang, event.time_ms),
        ),
        h('span', {}, format.eventWords(i18n, event)),
        note ? h('q', {}, note) : null,
      ),
    );
  }
  return list;
}

function peopleList(
  context: ViewContext,
  workers: ReadonlyArray<Worker | NearWorker>,
  none: 'place.noPeople' | 'place.noNearest',
): HTMLElement {
  const { i18n } = context;
  if (workers.length === 0) return h('p', { class: 'muted' }, i18n.t(none));
  const list = h('ul', { class: 'people' });
  for (const worker of workers) {
    const row = h('button', { type: 'button', onclick: () => context.openWorker(worker.id) });
    row.append(
      dutyIcon(worker),
      h('span', { class: 'strong' }, worker.name || worker.id),
      h('span', { class: 'muted' }, i18n.word('worker', worker.kind)),
      h('span', { class: 'end' }, 'distance_m' in worker
        ? format.distance(i18n, worker.distance_m)
        : i18n.word('duty', worker.duty)),
    );
    list.append(h('li', { 'data-worker': worker.id }, row));
  }
  return list;
}

function dutyIcon(worker: Worker): HTMLElement {
  const name = worker.duty === 'ON' ? 'worker-on' : 'worker-off';
  return h('img', { src: iconUrl(name), alt: '', width: 20, height: 20 });
}

// Rows of a name and a value; empty values are left out.
function facts(rows: Array<[string, string | HTMLElement]>): HTMLElement {
  const list = h('dl', { class: 'facts' });
  for (const [name, value] of rows) {
    if (value === '') continue;
    list.append(h('dt', {}, name), h('dd', {}, value));
  }
  return list;
}

function link(text: string, go: () => void): HTMLButtonElement {
  return h('button', { type: 'button', class: 'link', onclick: go }, text);
}
