// The search box as a combobox (ARIA 1.2): what the keys do, and asking the node not too often.

import type { Clock } from './live';
import type { SearchResult } from './model';

export const DEBOUNCE_MS = 180;
export const QUERY_CHARACTERS_MAX = 64;
export const RESULTS_MAX = 12;

export interface SearchState {
  query: string;
  results: SearchResult[];
  active: number; // of results; -1: none
  open: boolean;
  busy: boolean;
  failed: string | null; // why the last question had no answer
  asked: string | null; // the query that `results` answer
}

export const emptySearch: SearchState = {
  query: '',
  results: [],
  active: -1,
  open: false,
  busy: false,
  failed: null,
  asked: null,
};

// What a key makes of the list; `chosen` when it picks a result. null: the key is not ours.
export function pressKey(
  state: SearchState,
  key: string,
): { state: SearchState; chosen?: SearchResult } | null {
  const count = state.results.length;
  const last = count - 1;
  switch (key) {
    case 'ArrowDown':
      if (count === 0) return null;
      if (!state.open) return { state: { ...state, open: true, active: 0 } };
      return { state: { ...state, active: state.active >= last ? 0 : state.active + 1 } };
    case 'ArrowUp':
      if (count === 0) return null;
      if (!state.open) return { state: { ...state, open: true, active: last } };
      return { state: { ...state, active: state.active <= 0 ? last : state.active - 1 } };
    case 'Enter': {
      // Without a choice the first, if it answers what now stands in the box.
      const current = state.asked === state.query.trim() && !state.busy;
      const chosen = state.results[state.active] ?? (current ? state.results[0] : undefined);
      if (!chosen) return null;
      return { state: { ...state, open: false, active: -1 }, chosen };
    }
    case 'Escape':
      if (state.open) return { state: { ...state, open: false, active: -1 } };
      if (state.query === '') return null;
      return { state: { ...emptySearch } };
    default:
      return null;
  }
}

export interface SearcherOptions {
  ask: (query: string, signal: AbortSignal) => Promise<SearchResult[]>;
  clock: Clock;
  words: (error: unknown) => string;
  onState: (state: SearchState) => void;
}

export class Searcher {
  private current: SearchState = emptySearch;
  private cancelTimer: () => void = () => {};
  private abort: AbortController | null = null;

  constructor(private readonly options: SearcherOptions) {}

  get state(): SearchState {
    return this.current;
  }

  // The text in the box has changed; asked when it has rested for a moment.
  type(query: string): void {
    this.cancelTimer();
    this.abort?.abort();
    const trimmed = query.trim();
    if (trimmed === '') {
      this.set({ ...emptySearch, query });
      return;
    }
    this.set({ ...this.current, query, busy: true, open: true, active: -1 });
    this.cancelTimer = this.options.clock.after(DEBOUNCE_MS, () => void this.ask(trimmed));
  }

  // Returns whether the key was used, and the result that it chose.
  press(key: string): { used: boolean; chosen?: SearchResult } {
    const outcome = pressKey(this.current, key);
    if (!outcome) return { used: false };
    this.set(outcome.state);
    return outcome.chosen ? { used: true, chosen: outcome.chosen } : { used: true };
  }

  close(): void {
    if (this.current.open) this.set({ ...this.current, open: false, active: -1 });
  }

  clear(): void {
    this.cancelTimer();
    this.abort?.abort();
    this.set({ ...emptySearch });
  }

  // Opens the list again when the box is entered and there is something to show.
  reopen(): void {
    if (this.current.asked !== null && this.current.query.trim() !== '') {
      this.set({ ...this.current, open: true });
    }
  }

  private async ask(query: string): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    try {
      const results = await this.options.ask(query, abort.signal);
      if (abort.signal.aborted) return;
      this.set({ ...this.current, results, busy: false, failed: null, asked: query, active: -1 });
    } catch (error) {
      if (abort.signal.aborted) return;
      const failed = this.options.words(error);
      this.set({ ...this.current, results: [], busy: false, failed, asked: query, active: -1 });
    }
  }

  private set(state: SearchState): void {
    this.current = state;
    this.options.onState(state);
  }
}
