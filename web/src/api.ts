// The node's HTTP answers as typed promises, and its refusals as errors with words.

import type {
  Area,
  City,
  GridFeature,
  Incident,
  IncidentTrail,
  Located,
  NearWorker,
  ReportBody,
  SearchResult,
  Worker,
} from './model';

export const TIMEOUT_MS = 15_000;

// The node answered, and refused.
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

// No answer came: the network, or the node, is not there. Whether it acted is unknown.
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}

export async function errorOf(answer: Response): Promise<ApiError> {
  try {
    const body = (await answer.json()) as { error?: { code?: unknown; message?: unknown } };
    const { code, message } = body.error ?? {};
    if (typeof message === 'string') {
      return new ApiError(answer.status, typeof code === 'string' ? code : '', message);
    }
  } catch {
    // Not JSON: the status says what there is to say.
  }
  return new ApiError(answer.status, '', `HTTP ${answer.status}`);
}

type Query = Record<string, string | number | boolean | undefined>;

export function queryOf(query: Query): string {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) words.set(name, String(value));
  }
  const text = words.toString();
  return text ? `?${text}` : '';
}

export class Api {
  constructor(
    private readonly base: string,
    private readonly fetch: typeof globalThis.fetch,
  ) {}

  city(): Promise<City> {
    return this.get('/v1/city');
  }

  locate(lon: number, lat: number, signal?: AbortSignal): Promise<Located> {
    return this.get(`/v1/locate${queryOf({ lon, lat })}`, signal);
  }

  grid(code: string, signal?: AbortSignal): Promise<GridFeature> {
    return this.get(`/v1/grids/${encodeURIComponent(code)}`, signal);
  }

  people(code: string, signal?: AbortSignal): Promise<{ workers: Worker[] }> {
    return this.get(`/v1/grids/${encodeURIComponent(code)}/people`, signal);
  }

  area(code: string, signal?: AbortSignal): Promise<Area> {
    return this.get(`/v1/areas/${encodeURIComponent(code)}`, signal);
  }

  search(q: string, limit: number, signal?: AbortSignal): Promise<{ results: SearchResult[] }> {
    return this.get(`/v1/search${queryOf({ q, limit })}`, signal);
  }

  nearest(
    lon: number,
    lat: number,
    k: number,
    onDuty: boolean,
    signal?: AbortSignal,
  ): Promise<{ workers: NearWorker[] }> {
    const query = queryOf({ lon, lat, k, on_duty: onDuty ? 1 : undefined });
    return this.get(`/v1/nearest${query}`, signal);
  }

  worker(id: string, signal?: AbortSignal): Promise<Worker> {
    return this.get(`/v1/workers/${encodeURIComponent(id)}`, signal);
  }

  incident(id: string, signal?: AbortSignal): Promise<IncidentTrail> {
    return this.get(`/v1/incidents/${encodeURIComponent(id)}`, signal);
  }

  report(body: ReportBody, signal?: AbortSignal): Promise<{ incident: Incident }> {
    return this.call('/v1/incidents', signal, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  private get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.call(path, signal, {});
  }

  // T is what the contract says: the page and the node are of one version, served by one another.
  private async call<T>(
    path: string,
    signal: AbortSignal | undefined,
    init: RequestInit,
  ): Promise<T> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    let answer: Response;
    try {
      answer = await this.fetch(this.base + path, { ...init, signal: either(signal, timeout) });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new NetworkError(error instanceof Error ? error.message : String(error));
    }
    if (!answer.ok) throw await errorOf(answer);
    try {
      return (await answer.json()) as T;
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new NetworkError('the answer broke off');
    }
  }
}

function either(given: AbortSignal | undefined, timeout: AbortSignal): AbortSignal {
  if (!given) return timeout;
  const both = new AbortController();
  for (const signal of [given, timeout]) {
    if (signal.aborted) both.abort(signal.reason);
    signal.addEventListener('abort', () => both.abort(signal.reason), { once: true });
  }
  return both.signal;
}
