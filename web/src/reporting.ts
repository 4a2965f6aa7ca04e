// Sending a report so that it counts once: one request id for one text, kept through every retry
// until the node has answered.

import { ApiError, NetworkError } from './api';
import type { Incident, ReportBody } from './model';

export const DESCRIPTION_BYTES_MAX = 4096;
export const ADDRESS_BYTES_MAX = 512;
export const RETRY_MS = [500, 1500, 4000] as const; // waits between the tries of one sending

export interface Draft {
  lon: number;
  lat: number;
  class: string;
  severity: number;
  address: string;
  description: string;
}

export type Phase =
  | { kind: 'editing' }
  | { kind: 'sending'; attempt: number }
  | { kind: 'unknown' } // it may have arrived: only the same text may be sent again
  | { kind: 'refused'; reason: string }
  | { kind: 'sent'; incident: Incident };

export interface ReporterOptions {
  send: (body: ReportBody) => Promise<{ incident: Incident }>;
  newId: () => string;
  wait: (ms: number) => Promise<void>;
  onPhase: (phase: Phase) => void;
}

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

// Whether an answer leaves it open what happened, or says to come back.
export function worthRetrying(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  if (!(error instanceof ApiError)) return false;
  return error.status >= 500 || error.status === 408 || error.status === 429;
}

export class Reporter {
  private body: ReportBody | null = null; // what was sent and is not settled
  private current: Phase = { kind: 'editing' };

  constructor(
    readonly draft: Draft,
    private readonly options: ReporterOptions,
  ) {}

  get phase(): Phase {
    return this.current;
  }

  // Whether the text may be changed: not while the fate of what was sent is open.
  get editable(): boolean {
    return this.current.kind === 'editing' || this.current.kind === 'refused';
  }

  async submit(): Promise<void> {
    if (this.current.kind === 'sending' || this.current.kind === 'sent') return;
    this.body ??= { request_id: this.options.newId(), channel: 'OTHER', ...this.draft };
    for (let attempt = 1; ; attempt++) {
      this.turn({ kind: 'sending', attempt });
      try {
        const { incident } = await this.options.send(this.body);
        this.turn({ kind: 'sent', incident });
        return;
      } catch (error) {
        if (!worthRetrying(error)) {
          this.body = null; // a refusal is an answer: what comes next is another request
          const reason = error instanceof Error ? error.message : String(error);
          this.turn({ kind: 'refused', reason });
          return;
        }
        const wait = RETRY_MS[attempt - 1];
        if (wait === undefined) {
          this.turn({ kind: 'unknown' });
          return;
        }
        await this.options.wait(wait);
      }
    }
  }

  private turn(phase: Phase): void {
    this.current = phase;
    this.options.onPhase(phase);
  }
}
