// What the node's HTTP answers hold. Coordinates are degrees; times are milliseconds since 1970.

export const INCIDENT_STATES = [
  'PLACE_UNKNOWN',
  'OFFERED',
  'AT_DESK',
  'ACCEPTED',
  'STARTED',
  'RESOLVED',
  'CLOSED',
] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

export const LEVELS = ['grids', 'villages', 'townships', 'counties', 'cities'] as const;
export type Level = (typeof LEVELS)[number];

export type Position = [lon: number, lat: number];
export type Bounds = [west: number, south: number, east: number, north: number];

export interface EditionRef {
  layer: string;
  number: number;
}

export interface IncidentClass {
  code: string;
  name: string;
  name_zh: string;
}

// A raster source of the node's configuration; the page shows those beside its synthetic one.
export interface Raster {
  id: string;
  name: string;
  name_zh?: string;
  tiles: string[];
  tile_size?: number;
  max_zoom?: number;
  attribution?: string;
}

export interface City {
  edition: EditionRef & { label: string };
  bounds: Bounds;
  grids: number;
  areas: number;
  workers: { total: number };
  classes: IncidentClass[];
  rasters: Raster[];
  time_ms: number;
}

export interface AreaRef {
  code: string;
  name: string;
  level: number; // 1 village .. 4 city
}

export interface GridRef {
  code: string;
  name: string;
  kind: string;
  parent: string;
  areas: AreaRef[];
}

export interface Located {
  edition: EditionRef;
  grid: GridRef | null;
  nearest?: { code: string; name: string; distance_m: number };
}

export interface GridFeature {
  type: 'Feature';
  id: string;
  geometry: GeoJSON.Polygon | GeoJSON.MultiPolygon;
  properties: GridRef & { edition: EditionRef };
}

export interface Area extends AreaRef {
  parent: string;
  chain: AreaRef[];
  grids: number;
  bounds: Bounds;
}

export interface Worker {
  id: string;
  name: string;
  kind: string;
  duty: string;
  load: number;
  capacity: number;
  home_grids: string[];
  skills: string[];
  position: { lon: number; lat: number; time_ms: number } | null;
}

export type NearWorker = Worker & { distance_m: number };

export interface SearchResult {
  type: 'grid' | 'area' | 'incident' | 'worker';
  code: string;
  name: string;
  level?: number;
  bounds?: Bounds;
  point?: Position;
}

export interface Incident {
  id: string;
  state: IncidentState;
  class: string;
  severity: number;
  channel: string;
  lon: number | null;
  lat: number | null;
  address: string;
  description: string;
  grid: string;
  areas: string[];
  handler: string;
  attempt: number;
  answer_by_ms: number;
  reported_ms: number;
  updated_ms: number;
  version: number;
  nearest: { grid: string; distance_m: number } | null;
}

export interface IncidentEvent {
  version: number;
  time_ms: number;
  actor: string;
  kind: string;
  [field: string]: unknown;
}

export interface IncidentTrail {
  incident: Incident;
  events: IncidentEvent[];
}

export interface ReportBody {
  request_id: string;
  lon: number;
  lat: number;
  class: string;
  severity: number;
  channel: 'OTHER';
  address: string;
  description: string;
}

// As they come through /v1/live.
export interface LiveIncident {
  id: string;
  state: IncidentState;
  class: string;
  severity: number;
  lon: number | null;
  lat: number | null;
  grid: string;
  handler: string;
  attempt: number;
  reported_ms: number;
  updated_ms: number;
  version: number;
}

export interface LiveWorker {
  id: string;
  lon: number | null;
  lat: number | null;
  onDuty: boolean;
  fullTime: boolean;
  load: number;
  positionMs: number;
}
