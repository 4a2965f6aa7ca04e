// The stream of /v1/live: connects, decodes, comes back by itself and says how it stands.
//
// It reads the stream through fetch rather than EventSource: so the heartbeat (a comment, which
// EventSource hides) tells a quiet city from a dead line, and a refusal can be told in words.

import { errorOf } from './api';
import { INCIDENT_STATES, type IncidentState, type LiveIncident, type LiveWorker } from './model';
import { SseParser, type SseEvent } from './sse';

export type LiveEvent =
  | { type: 'open' } // a connection begins; a half-received snapshot is void
  | { type: 'snapshot'; incidents: LiveIncident[]; workers: LiveWorker[] }
  | { type: 'ready'; edition: number; timeMs: number }
  | { type: 'incident'; incident: LiveIncident }
  | { type: 'workers'; workers: LiveWorker[] }
  | { type: 'edition'; number: number };

export type LiveStatus =
  | { kind: 'connecting' }
  | { kind: 'loading' } // the snapshot is coming in
  | { kind: 'live' }
  | { kind: 'stale' } // connected, but nothing has come for longer than a heartbeat
  | { kind: 'waiting'; seconds: number; reason: string }; // lost; the next try in so many seconds

export const STALE_MS = 20_000; // the node's heartbeat is 15 s
export const DEAD_MS = 40_000; // then the connection is given up
const RETRY_MS_FIRST = 500;
const RETRY_MS_MAX = 15_000;

export interface Clock {
  now(): number;
  after(ms: number, call: () => void): () => void; // returns what cancels it
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export interface LiveOptions {
  url: string;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number; // 0 .. 1, spreads the returns of many pages
  onEvent: (event: LiveEvent) => void;
  onStatus: (status: LiveStatus) => void;
}

// Milliseconds to wait before try `failures` + 1; doubles, and is spread over half its length.
export function retryDelay(failures: number, random: number): number {
  const whole = Math.min(RETRY_MS_MAX, RETRY_MS_FIRST * 2 ** Math.min(failures, 10));
  return Math.round(whole / 2 + (whole / 2) * random);
}

export class LiveFeed {
  private lastId = '';
  private failures = 0;
  private abort: AbortController | null = null;
  private cancelTimer: () => void = () => {};
  private cancelWatch: () => void = () => {};
  private lastByteMs = 0;
  private status: LiveStatus['kind'] | null = null;
  private stopped = true;

  constructor(private readonly options: LiveOptions) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer();
    this.cancelWatch();
    this.abort?.abort();
    this.abort = null;
  }

  // Tries at once, as when the network is back.
  retryNow(): void {
    if (this.status !== 'waiting' || this.stopped) return;
    this.cancelTimer();
    void this.connect();
  }

  private say(status: LiveStatus): void {
    if (status.kind === this.status && status.kind !== 'waiting') return;
    this.status = status.kind;
    this.options.onStatus(status);
  }

  private async connect(): Promise<void> {
    this.say({ kind: 'connecting' });
    const abort = new AbortController();
    this.abort = abort;
    let reason = '';
    try {
      this.lastByteMs = this.options.clock.now();
      this.watch(abort);
      const headers: Record<string, string> = { Accept: 'text/event-stream' };
      if (this.lastId) headers['Last-Event-ID'] = this.lastId;
      const { url } = this.options;
      const answer = await this.options.fetch(url, {
        headers,
        cache: 'no-store',
        signal: abort.signal,
      });
      if (!answer.ok) throw await errorOf(answer);
      if (!answer.body) throw new Error('the answer is empty');
      this.options.onEvent({ type: 'open' });
      this.say({ kind: 'loading' });
      await this.read(answer.body);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    abort.abort();
    if (this.abort !== abort || this.stopped) return; // another connection has taken over
    this.cancelWatch();
    this.wait(reason);
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new SseParser();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.stopped) return;
      this.lastByteMs = this.options.clock.now();
      if (this.status === 'stale') this.say({ kind: 'live' });
      for (const event of parser.push(decoder.decode(value, { stream: true }))) this.take(event);
    }
  }

  private take(raw: SseEvent): void {
    const event = decode(raw);
    if (event) {
      this.options.onEvent(event);
      if (event.type !== 'snapshot') {
        this.failures = 0;
        this.say({ kind: 'live' });
      }
    }
    if (raw.id !== null) this.lastId = raw.id;
  }

  // Looks at the silence of the line until the connection ends.
  private watch(abort: AbortController): void {
    this.cancelWatch = this.options.clock.after(5_000, () => {
      const silence = this.options.clock.now() - this.lastByteMs;
      if (silence >= DEAD_MS) {
        abort.abort(new Error('nothing has come for too long'));
        return;
      }
      if (silence >= STALE_MS && this.status === 'live') this.say({ kind: 'stale' });
      this.watch(abort);
    });
  }

  private wait(reason: string): void {
    const ms = retryDelay(this.failures++, this.options.random());
    this.say({ kind: 'waiting', seconds: Math.max(1, Math.round(ms / 1000)), reason });
    this.cancelTimer = this.options.clock.after(ms, () => void this.connect());
  }
}

// Throws on what is not an event of the contract; null for events of a later version.
export function decode(raw: SseEvent): LiveEvent | null {
  switch (raw.event) {
    case 'snapshot': {
      const part = record(JSON.parse(raw.data));
      return {
        type: 'snapshot',
        incidents: list(part['incidents'] ?? []).map(decodeIncident),
        workers: list(part['workers'] ?? []).map(decodeWorker),
      };
    }
    case 'ready': {
      const part = record(JSON.parse(raw.data));
      return { type: 'ready', edition: number(part['edition']), timeMs: number(part['time_ms']) };
    }
    case 'incident':
      return { type: 'incident', incident: decodeIncident(JSON.parse(raw.data)) };
    case 'workers':
      return { type: 'workers', workers: list(rows(JSON.parse(raw.data))).map(decodeWorker) };
    case 'edition':
      return { type: 'edition', number: number(record(JSON.parse(raw.data))['number']) };
    default:
      return null;
  }
}

function rows(value: unknown): unknown {
  return Array.isArray(value) ? value : record(value)['workers'];
}

function decodeIncident(value: unknown): LiveIncident {
  const part = record(value);
  return {
    id: text(part['id']),
    state: state(part['state']),
    class: text(part['class']),
    severity: number(part['severity']),
    lon: coordinate(part['lon']),
    lat: coordinate(part['lat']),
    grid: text(part['grid'] ?? ''),
    handler: text(part['handler'] ?? ''),
    attempt: number(part['attempt'] ?? 0),
    reported_ms: number(part['reported_ms']),
    updated_ms: number(part['updated_ms'] ?? part['reported_ms']),
    version: number(part['version']),
  };
}

function decodeWorker(value: unknown): LiveWorker {
  const [id, lon, lat, onDuty, fullTime, load, positionMs] = list(value);
  return {
    id: text(id),
    lon: coordinate(lon),
    lat: coordinate(lat),
    onDuty: Boolean(onDuty),
    fullTime: Boolean(fullTime),
    load: number(load),
    positionMs: number(positionMs ?? 0),
  };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('the live stream holds something other than an object');
  }
  return value as Record<string, unknown>;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error('the live stream holds something other than a list');
  return value;
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error('the live stream lacks a number');
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error('the live stream lacks a text');
  return value;
}

function coordinate(value: unknown): number | null {
  return value === null || value === undefined ? null : number(value);
}

function state(value: unknown): IncidentState {
  const known = INCIDENT_STATES.find((name) => name === value);
  if (!known) throw new Error(`the live stream has the unknown state ${String(value)}`);
  return known;
}
