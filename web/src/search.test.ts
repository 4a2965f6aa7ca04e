import { describe, expect, it } from 'vitest';
import type { Clock } from './live';
import type { SearchResult } from './model';
import { DEBOUNCE_MS, emptySearch, pressKey, Searcher, type SearchState } from './search';

const result = (code: string): SearchResult => ({ type: 'grid', code, name: `grid ${code}` });
const RESULTS = ['1', '2', '3'].map(result);
const listed: SearchState = {
  ...emptySearch,
  query: 'g',
  asked: 'g',
  results: RESULTS,
  open: true,
};

describe('pressKey', () => {
  it('goes down and up through the list and round its ends', () => {
    let state = listed;
    const active: number[] = [];
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowUp', 'ArrowUp']) {
      state = pressKey(state, key)!.state;
      active.push(state.active);
    }
    expect(active).toEqual([0, 1, 2, 0, 2, 1]);
  });

  it('opens a closed list at its near end', () => {
    const closed = { ...listed, open: false };
    expect(pressKey(closed, 'ArrowDown')!.state).toMatchObject({ open: true, active: 0 });
    expect(pressKey(closed, 'ArrowUp')!.state).toMatchObject({ open: true, active: 2 });
  });

  it('takes the marked result, else the first of an answer to what is typed', () => {
    expect(pressKey({ ...listed, active: 1 }, 'Enter')!.chosen).toBe(RESULTS[1]);
    expect(pressKey(listed, 'Enter')!.chosen).toBe(RESULTS[0]);
    expect(pressKey(listed, 'Enter')!.state.open).toBe(false);
    expect(pressKey({ ...listed, query: 'gr', busy: true }, 'Enter')).toBeNull();
  });

  it('closes the list first, then empties the box', () => {
    const closed = pressKey(listed, 'Escape')!.state;
    expect(closed).toMatchObject({ open: false, query: 'g' });
    expect(pressKey(closed, 'Escape')!.state).toEqual(emptySearch);
    expect(pressKey(emptySearch, 'Escape')).toBeNull();
  });

  it('leaves other keys, and arrows without a list, to the box', () => {
    expect(pressKey(listed, 'a')).toBeNull();
    expect(pressKey(emptySearch, 'ArrowDown')).toBeNull();
  });
});

describe('Searcher', () => {
  function begin() {
    const asked: string[] = [];
    const waiting: Array<{ give: (r: SearchResult[]) => void; fail: (e: Error) => void }> = [];
    let timer: (() => void) | null = null;
    const clock: Clock = {
      now: () => 0,
      after(ms, call) {
        expect(ms).toBe(DEBOUNCE_MS);
        timer = call;
        return () => (timer = null);
      },
    };
    const searcher = new Searcher({
      ask: (query) => {
        asked.push(query);
        return new Promise((give, fail) => waiting.push({ give, fail }));
      },
      clock,
      words: (error) => (error as Error).message,
      onState: () => {},
    });
    const rest = () => {
      timer?.();
      timer = null;
    };
    return { searcher, asked, waiting, rest };
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  it('asks when the typing rests, and once', async () => {
    const { searcher, asked, waiting, rest } = begin();
    for (const text of ['2', '21', '211', ' 2112 ']) searcher.type(text);
    expect(asked).toEqual([]);
    expect(searcher.state).toMatchObject({ busy: true, open: true });
    rest();
    expect(asked).toEqual(['2112']);
    waiting[0]!.give(RESULTS);
    await settle();
    expect(searcher.state).toMatchObject({ busy: false, results: RESULTS, asked: '2112' });
  });

  it('keeps the order of the answer', async () => {
    const { searcher, waiting, rest } = begin();
    searcher.type('g');
    rest();
    const ranked = ['9', '1', '5'].map(result);
    waiting[0]!.give(ranked);
    await settle();
    expect(searcher.state.results.map(({ code }) => code)).toEqual(['9', '1', '5']);
  });

  it('drops an answer that comes after its question was replaced', async () => {
    const { searcher, waiting, rest } = begin();
    searcher.type('old');
    rest();
    searcher.type('new');
    rest();
    waiting[1]!.give([RESULTS[1]!]);
    await settle();
    waiting[0]!.give([RESULTS[0]!]);
    await settle();
    expect(searcher.state).toMatchObject({ asked: 'new', results: [RESULTS[1]] });
  });

  it('says what failed', async () => {
    const { searcher, waiting, rest } = begin();
    searcher.type('x');
    rest();
    waiting[0]!.fail(new Error('the node does not answer'));
    await settle();
    expect(searcher.state).toMatchObject({ failed: 'the node does not answer', results: [] });
  });

  it('asks nothing for an empty box', () => {
    const { searcher, asked, rest } = begin();
    searcher.type('x');
    searcher.type('  ');
    rest();
    expect(asked).toEqual([]);
    expect(searcher.state).toMatchObject({ open: false, busy: false });
  });

  it('chooses by Enter', async () => {
    const { searcher, waiting, rest } = begin();
    searcher.type('g');
    rest();
    waiting[0]!.give(RESULTS);
    await settle();
    searcher.press('ArrowDown');
    searcher.press('ArrowDown');
    expect(searcher.press('Enter')).toEqual({ used: true, chosen: RESULTS[1] });
    expect(searcher.state.open).toBe(false);
    searcher.reopen();
    expect(searcher.state.open).toBe(true);
  });
});
