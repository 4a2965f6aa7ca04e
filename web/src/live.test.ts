import { describe, expect, it } from 'vitest';
import {
  DEAD_MS,
  decode,
  LiveFeed,
  retryDelay,
  STALE_MS,
  type Clock,
  type LiveEvent,
  type LiveStatus,
} from './live';

const INCIDENT = {
  id: 'i1',
  state: 'OFFERED',
  class: '01',
  severity: 2,
  lon: 123.8,
  lat: 42.3,
  grid: '211202001001001',
  handler: 'w1',
  attempt: 1,
  reported_ms: 5,
  updated_ms: 6,
  version: 3,
};

// A clock that stands until it is moved, and the timers that wait on it.
class StillClock implements Clock {
  private nowMs = 1_000_000;
  private timers = new Set<{ atMs: number; call: () => void }>();

  now = (): number => this.nowMs;

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, call };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  async move(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    for (;;) {
      const due = [...this.timers].filter(({ atMs }) => atMs <= end);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.timers.delete(next);
      this.nowMs = next.atMs;
      next.call();
      await settle();
    }
    this.nowMs = end;
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
}

// A node whose connections the test answers one after another.
class FakeNode {
  readonly asked: Array<{ lastId: string | null; signal: AbortSignal }> = [];
  private streams: Array<ReadableStreamDefaultController<Uint8Array>> = [];
  refuseWith: Response | null = null;

  fetch = (async (_url: string, init: RequestInit) => {
    const headers = init.headers as Record<string, string>;
    const signal = init.signal!;
    this.asked.push({ lastId: headers['Last-Event-ID'] ?? null, signal });
    if (this.refuseWith) return this.refuseWith;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.streams.push(controller);
        signal.addEventListener('abort', () => controller.error(signal.reason));
      },
    });
    return new Response(body, { status: 200 });
  }) as typeof fetch;

  send(text: string): void {
    this.streams.at(-1)!.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.streams.at(-1)!.close();
  }
}

function begin() {
  const node = new FakeNode();
  const clock = new StillClock();
  const events: LiveEvent[] = [];
  const statuses: LiveStatus[] = [];
  const feed = new LiveFeed({
    url: '/v1/live',
    fetch: node.fetch,
    clock,
    random: () => 1,
    onEvent: (event) => events.push(event),
    onStatus: (status) => statuses.push(status),
  });
  feed.start();
  return { node, clock, events, statuses, feed, kinds: () => statuses.map(({ kind }) => kind) };
}

const READY = 'event: ready\nid: b-4\ndata: {"edition":7,"time_ms":99}\n\n';

describe('LiveFeed', () => {
  it('hands on the snapshot, the end of it and the changes', async () => {
    const { node, events, kinds } = begin();
    await settle();
    node.send(`event: snapshot\ndata: {"incidents":[${JSON.stringify(INCIDENT)}]}\n\n`);
    node.send('event: snapshot\ndata: {"workers":[["w1",123.8,42.3,1,0,2,88]]}\n\n');
    await settle();
    expect(kinds()).toEqual(['connecting', 'loading']);
    node.send(READY);
    node.send('event: workers\nid: b-5\ndata: [["w1",123.9,42.3,0,0,2,90]]\n\n');
    node.send('event: edition\nid: b-6\ndata: {"layer":"grid","number":8}\n\n');
    await settle();
    expect(kinds()).toEqual(['connecting', 'loading', 'live']);
    expect(events.map(({ type }) => type)).toEqual([
      'open',
      'snapshot',
      'snapshot',
      'ready',
      'workers',
      'edition',
    ]);
    expect(events[2]).toMatchObject({
      workers: [{ id: 'w1', lon: 123.8, lat: 42.3, onDuty: true, fullTime: false, load: 2 }],
    });
    expect(events[3]).toEqual({ type: 'ready', edition: 7, timeMs: 99 });
  });

  it('comes back by itself and resumes after the last event', async () => {
    const { node, clock, kinds } = begin();
    await settle();
    node.send(READY);
    await settle();
    node.end();
    await settle();
    expect(kinds().at(-1)).toBe('waiting');
    await clock.move(500);
    expect(node.asked.map(({ lastId }) => lastId)).toEqual([null, 'b-4']);
    node.send('event: edition\nid: b-5\ndata: {"layer":"grid","number":8}\n\n');
    await settle();
    expect(kinds().at(-1)).toBe('live');
  });

  it('does not resume from a snapshot that was never whole', async () => {
    const { node, clock } = begin();
    await settle();
    node.send('event: snapshot\ndata: {"incidents":[]}\n\n');
    await settle();
    node.end();
    await settle();
    await clock.move(500);
    expect(node.asked.map(({ lastId }) => lastId)).toEqual([null, null]);
  });

  it('says why it was refused, waits longer each time, tries at once when told', async () => {
    const { node, clock, statuses, feed } = begin();
    node.refuseWith = new Response(
      JSON.stringify({ error: { code: 'RESOURCE_EXHAUSTED', message: 'too many readers' } }),
      { status: 503 },
    );
    feed.stop();
    feed.start();
    await settle();
    expect(statuses.at(-1)).toEqual({ kind: 'waiting', seconds: 1, reason: 'too many readers' });
    const asked = node.asked.length;
    await clock.move(499);
    expect(node.asked.length).toBe(asked);
    await clock.move(1);
    expect(node.asked.length).toBe(asked + 1);
    await clock.move(999);
    expect(node.asked.length).toBe(asked + 1);
    feed.retryNow();
    await settle();
    expect(node.asked.length).toBe(asked + 2);
  });

  it('calls silence stale, a heartbeat life, and gives up a dead line', async () => {
    const { node, clock, kinds } = begin();
    await settle();
    node.send(READY);
    await settle();
    await clock.move(STALE_MS);
    expect(kinds().at(-1)).toBe('stale');
    node.send(': heartbeat\n\n');
    await settle();
    expect(kinds().at(-1)).toBe('live');
    await clock.move(DEAD_MS + 5_000);
    expect(node.asked[0]!.signal.aborted).toBe(true);
    expect(node.asked.length).toBeGreaterThan(1);
  });

  it('treats what it cannot read as a broken line', async () => {
    const { node, statuses } = begin();
    await settle();
    node.send('event: incident\nid: b-1\ndata: {"id":5}\n\n');
    await settle();
    expect(statuses.at(-1)).toMatchObject({ kind: 'waiting' });
  });

  it('stops for good', async () => {
    const { node, clock, feed, kinds } = begin();
    await settle();
    node.send(READY);
    await settle();
    feed.stop();
    await clock.move(60_000);
    expect(node.asked.length).toBe(1);
    expect(kinds().at(-1)).toBe('live');
  });
});

describe('decode', () => {
  const raw = (event: string, data: unknown) => ({ event, data: JSON.stringify(data), id: null });

  it('passes over events of a later version', () => {
    expect(decode(raw('weather', {}))).toBeNull();
  });

  it('takes an incident without a place', () => {
    expect(decode(raw('incident', { ...INCIDENT, lon: null, lat: null }))).toEqual({
      type: 'incident',
      incident: { ...INCIDENT, lon: null, lat: null },
    });
  });

  it('refuses what the contract does not know', () => {
    expect(() => decode(raw('incident', { ...INCIDENT, state: 'LOST' }))).toThrow('LOST');
    expect(() => decode(raw('incident', []))).toThrow();
    expect(() => decode(raw('workers', [['w1', 'x', 1, 1, 1, 1, 1]]))).toThrow();
    expect(() => decode({ event: 'ready', data: '{', id: null })).toThrow();
  });
});

describe('retryDelay', () => {
  it('doubles to a bound and is spread over half its length', () => {
    expect(retryDelay(0, 0)).toBe(250);
    expect(retryDelay(0, 1)).toBe(500);
    expect(retryDelay(1, 1)).toBe(1000);
    expect(retryDelay(100, 1)).toBe(15_000);
    expect(retryDelay(100, 0)).toBe(7_500);
  });
});
