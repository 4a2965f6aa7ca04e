import { describe, expect, it } from 'vitest';
import { SseParser, type SseEvent } from './sse';

const STREAM =
  'event: snapshot\ndata: {"a":1}\n\n' +
  ': heartbeat\n\n' +
  'event: incident\r\nid: b-7\r\ndata: first\r\ndata: second\r\n\r\n' +
  'data:no space\rid: b-8\r\r' +
  'event: nothing\n\n' +
  'data: 网格\n\n';

const EXPECTED: SseEvent[] = [
  { event: 'snapshot', data: '{"a":1}', id: null },
  { event: 'incident', data: 'first\nsecond', id: 'b-7' },
  { event: 'message', data: 'no space', id: 'b-8' },
  { event: 'message', data: '网格', id: null },
];

describe('SseParser', () => {
  it('reads events, ids, comments and every end of line', () => {
    expect(new SseParser().push(STREAM)).toEqual(EXPECTED);
  });

  it('reads the same however the stream is cut', () => {
    for (let size = 1; size <= 17; size++) {
      const parser = new SseParser();
      const events: SseEvent[] = [];
      for (let at = 0; at < STREAM.length; at += size) {
        events.push(...parser.push(STREAM.slice(at, at + size)));
      }
      expect(events, `pieces of ${size}`).toEqual(EXPECTED);
    }
  });

  it('keeps an unfinished event to itself', () => {
    const parser = new SseParser();
    expect(parser.push('data: x\n')).toEqual([]);
    expect(parser.push('\n')).toEqual([{ event: 'message', data: 'x', id: null }]);
  });

  it('refuses a line without end', () => {
    const parser = new SseParser();
    const piece = 'x'.repeat(1 << 24);
    parser.push(piece);
    parser.push(piece);
    expect(() => parser.push(piece)).toThrow('too long');
  });
});
