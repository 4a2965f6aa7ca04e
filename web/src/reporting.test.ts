import { webcrypto as crypto } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Api, ApiError, NetworkError } from './api';
import type { Incident, ReportBody } from './model';
import { bytesOf, Reporter, RETRY_MS, worthRetrying, type Draft, type Phase } from './reporting';
import { newRequestId } from './requestid';

const incident = { id: 'i9', state: 'OFFERED', version: 3 } as Incident;

const draft = (): Draft => ({
  lon: 123.8,
  lat: 42.3,
  class: '04',
  severity: 3,
  address: '',
  description: '积水',
});

// A node that gives these answers in turn; the last one goes on.
function begin(...answers: Array<Error | Incident>) {
  const bodies: ReportBody[] = [];
  const phases: Phase[] = [];
  const waits: number[] = [];
  let ids = 0;
  const reporter = new Reporter(draft(), {
    send: async (body) => {
      const answer = answers[Math.min(bodies.length, answers.length - 1)]!;
      bodies.push(structuredClone(body));
      if (answer instanceof Error) throw answer;
      return { incident: answer };
    },
    newId: () => `id-${++ids}`,
    wait: async (ms) => void waits.push(ms),
    onPhase: (phase) => phases.push(phase),
  });
  return { reporter, bodies, phases, waits, kinds: () => phases.map(({ kind }) => kind) };
}

describe('Reporter', () => {
  it('sends once when the node answers', async () => {
    const { reporter, bodies, phases } = begin(incident);
    await reporter.submit();
    expect(phases).toEqual([
      { kind: 'sending', attempt: 1 },
      { kind: 'sent', incident },
    ]);
    expect(bodies).toEqual([{ request_id: 'id-1', channel: 'OTHER', ...draft() }]);
    await reporter.submit();
    expect(bodies.length).toBe(1);
  });

  it('tries again with the same id and the same text', async () => {
    const lost = new NetworkError('gone');
    const { reporter, bodies, waits, kinds } = begin(lost, new ApiError(503, '', 'busy'), incident);
    await reporter.submit();
    expect(kinds()).toEqual(['sending', 'sending', 'sending', 'sent']);
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(waits).toEqual(RETRY_MS.slice(0, 2));
  });

  it('says that it does not know, locks the text, and asks with the same id later', async () => {
    const { reporter, bodies, kinds } = begin(...Array(4).fill(new NetworkError('gone')), incident);
    await reporter.submit();
    expect(kinds().at(-1)).toBe('unknown');
    expect(bodies.length).toBe(RETRY_MS.length + 1);
    expect(reporter.editable).toBe(false);
    reporter.draft.description = 'another text that must not be sent under the old id';
    await reporter.submit();
    expect(kinds().at(-1)).toBe('sent');
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
  });

  it('takes a refusal as an answer: the next text has an id of its own', async () => {
    const refusal = new ApiError(400, 'INVALID_ARGUMENT', 'description: too long');
    const { reporter, bodies, phases } = begin(refusal, incident);
    await reporter.submit();
    expect(phases.at(-1)).toEqual({ kind: 'refused', reason: 'description: too long' });
    expect(reporter.editable).toBe(true);
    reporter.draft.description = 'shorter';
    await reporter.submit();
    expect(bodies.map(({ request_id, description }) => [request_id, description])).toEqual([
      ['id-1', '积水'],
      ['id-2', 'shorter'],
    ]);
  });

  it('does not send twice at once', async () => {
    const { reporter, bodies } = begin(incident);
    await Promise.all([reporter.submit(), reporter.submit()]);
    expect(bodies.length).toBe(1);
  });
});

describe('worthRetrying', () => {
  it('is what leaves the outcome open or says to come back', () => {
    for (const status of [408, 429, 500, 502, 503, 504]) {
      expect(worthRetrying(new ApiError(status, '', ''))).toBe(true);
    }
    for (const status of [400, 403, 404, 409, 413, 415]) {
      expect(worthRetrying(new ApiError(status, '', ''))).toBe(false);
    }
    expect(worthRetrying(new NetworkError(''))).toBe(true);
    expect(worthRetrying(new TypeError('a fault of ours'))).toBe(false);
  });
});

describe('newRequestId', () => {
  const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

  it('is a random UUID, also where the page is not secure', () => {
    const insecure = { getRandomValues: (bytes: Uint8Array) => crypto.getRandomValues(bytes) };
    const ids = new Set<string>();
    for (let i = 0; i < 200; i++) {
      for (const source of [crypto, insecure]) {
        const id = newRequestId(source);
        expect(id).toMatch(UUID4);
        ids.add(id);
      }
    }
    expect(ids.size).toBe(400);
  });
});

describe('bytesOf', () => {
  it('counts UTF-8', () => {
    expect(bytesOf('a积😀')).toBe(8);
  });
});

describe('Api', () => {
  const answering = (answer: () => Promise<Response>) => {
    const asked: string[] = [];
    const api = new Api('', (async (url: string) => {
      asked.push(url);
      return answer();
    }) as typeof fetch);
    return { api, asked };
  };

  it('writes its questions as addresses', async () => {
    const { api, asked } = answering(async () => new Response('{}'));
    await api.locate(123.5, 42.25);
    await api.search('铁岭 & co', 12);
    await api.grid('a/b?');
    await api.nearest(1, 2, 5, true);
    await api.nearest(1, 2, 5, false);
    expect(asked).toEqual([
      '/v1/locate?lon=123.5&lat=42.25',
      '/v1/search?q=%E9%93%81%E5%B2%AD+%26+co&limit=12',
      '/v1/grids/a%2Fb%3F',
      '/v1/nearest?lon=1&lat=2&k=5&on_duty=1',
      '/v1/nearest?lon=1&lat=2&k=5',
    ]);
  });

  it('gives a refusal in the words of the node', async () => {
    const body = JSON.stringify({ error: { code: 'NOT_FOUND', message: 'no such grid' } });
    const { api } = answering(async () => new Response(body, { status: 404 }));
    await expect(api.grid('x')).rejects.toMatchObject({
      name: 'ApiError',
      status: 404,
      code: 'NOT_FOUND',
      message: 'no such grid',
    });
  });

  it('makes do with a refusal without words', async () => {
    const { api } = answering(async () => new Response('<html>', { status: 502 }));
    await expect(api.city()).rejects.toMatchObject({ status: 502, message: 'HTTP 502' });
  });

  it('calls silence and a broken answer what they are', async () => {
    const gone = answering(() => Promise.reject(new TypeError('failed to fetch')));
    await expect(gone.api.city()).rejects.toBeInstanceOf(NetworkError);
    const broken = answering(async () => new Response('{"half":'));
    await expect(broken.api.city()).rejects.toBeInstanceOf(NetworkError);
  });

  it('lets an abort be an abort', async () => {
    const abort = new AbortController();
    const { api } = answering(() => Promise.reject(new Error('aborted by the browser')));
    abort.abort();
    await expect(api.locate(1, 2, abort.signal)).rejects.not.toBeInstanceOf(NetworkError);
  });
});
