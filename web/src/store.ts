// The picture of this moment: the live events folded, and what has changed since it was last drawn.

import type { LiveEvent } from './live';
import type { IncidentState, LiveIncident, LiveWorker } from './model';

export interface Counts {
  open: number; // incidents that are not closed
  offers: number; // of them, offered to a worker who has not answered
  desks: number; // of them, on a desk
  workers: number;
  onDuty: number;
}

// What to draw anew: everything, or these ids (those that are gone among them).
export type Changed = { all: true } | { all: false; ids: ReadonlySet<string> };

interface Parts {
  incidents: Map<string, LiveIncident>;
  workers: Map<string, LiveWorker>;
}

const emptyParts = (): Parts => ({ incidents: new Map(), workers: new Map() });

export class Picture {
  private parts = emptyParts();
  private staged: Parts | null = null; // of a snapshot that is still coming in
  private incidentIds = new Set<string>();
  private workerIds = new Set<string>();
  private allIncidents = true;
  private allWorkers = true;
  private countOf: Counts = { open: 0, offers: 0, desks: 0, workers: 0, onDuty: 0 };
  private editionNumber: number | null = null;

  get incidents(): ReadonlyMap<string, LiveIncident> {
    return this.parts.incidents;
  }

  get workers(): ReadonlyMap<string, LiveWorker> {
    return this.parts.workers;
  }

  get counts(): Readonly<Counts> {
    return this.countOf;
  }

  // The edition that the tiles show, null before the first snapshot is whole.
  get edition(): number | null {
    return this.editionNumber;
  }

  apply(event: LiveEvent): void {
    switch (event.type) {
      case 'open':
        this.staged = null;
        break;
      case 'snapshot': {
        const parts = (this.staged ??= emptyParts());
        for (const incident of event.incidents) parts.incidents.set(incident.id, incident);
        for (const worker of event.workers) parts.workers.set(worker.id, worker);
        break;
      }
      case 'ready':
        if (this.staged) this.replace(this.staged);
        this.staged = null;
        this.editionNumber = event.edition;
        break;
      case 'incident':
        this.putIncident(event.incident);
        break;
      case 'workers':
        for (const worker of event.workers) this.putWorker(worker);
        break;
      case 'edition':
        this.editionNumber = event.number;
        break;
    }
  }

  // What changed since the last call.
  takeIncidents(): Changed | null {
    const changed = taken(this.allIncidents, this.incidentIds);
    this.allIncidents = false;
    this.incidentIds = new Set();
    return changed;
  }

  takeWorkers(): Changed | null {
    const changed = taken(this.allWorkers, this.workerIds);
    this.allWorkers = false;
    this.workerIds = new Set();
    return changed;
  }

  private replace(parts: Parts): void {
    this.parts = parts;
    this.allIncidents = this.allWorkers = true;
    const counts: Counts = { open: 0, offers: 0, desks: 0, workers: 0, onDuty: 0 };
    for (const incident of parts.incidents.values()) countIncident(counts, incident.state, 1);
    for (const worker of parts.workers.values()) countWorker(counts, worker, 1);
    this.countOf = counts;
  }

  // Events come at least once: an older version than the one known changes nothing.
  private putIncident(incident: LiveIncident): void {
    const { incidents } = this.parts;
    const before = incidents.get(incident.id);
    if (before && before.version > incident.version) return;
    if (before) countIncident(this.countOf, before.state, -1);
    if (incident.state === 'CLOSED') {
      incidents.delete(incident.id);
    } else {
      incidents.set(incident.id, incident);
      countIncident(this.countOf, incident.state, 1);
    }
    this.incidentIds.add(incident.id);
  }

  private putWorker(worker: LiveWorker): void {
    const { workers } = this.parts;
    const before = workers.get(worker.id);
    if (before) countWorker(this.countOf, before, -1);
    workers.set(worker.id, worker);
    countWorker(this.countOf, worker, 1);
    this.workerIds.add(worker.id);
  }
}

function taken(all: boolean, ids: Set<string>): Changed | null {
  if (all) return { all: true };
  return ids.size > 0 ? { all: false, ids } : null;
}

function countIncident(counts: Counts, state: IncidentState, by: 1 | -1): void {
  if (state === 'CLOSED') return;
  counts.open += by;
  if (state === 'OFFERED') counts.offers += by;
  if (state === 'AT_DESK' || state === 'PLACE_UNKNOWN') counts.desks += by;
}

function countWorker(counts: Counts, worker: LiveWorker, by: 1 | -1): void {
  counts.workers += by;
  if (worker.onDuty) counts.onDuty += by;
}
