import { describe, expect, it } from 'vitest';
import * as format from './format';
import { I18n } from './i18n';
import type { IncidentEvent } from './model';

const en = new I18n(null, ['en']);
const zh = new I18n(null, ['zh']);

describe('format', () => {
  it('says distances in metres, then kilometres', () => {
    const cases: Array<[number, string]> = [
      [0.4, '0 m'],
      [994, '994 m'],
      [996, '1.0 km'],
      [1549, '1.5 km'],
      [9949, '9.9 km'],
      [12_600, '13 km'],
    ];
    for (const [metres, said] of cases) expect(format.distance(en, metres)).toBe(said);
    expect(format.distance(zh, 335)).toBe('335 米');
  });

  it('says ages, and takes the future for now', () => {
    const now = 1_000_000_000;
    const cases: Array<[number, string]> = [
      [-5_000, '0 s ago'],
      [59_999, '59 s ago'],
      [60_000, '1 min ago'],
      [3_600_000, '1 h ago'],
      [48 * 3_600_000, '2 d ago'],
    ];
    for (const [before, said] of cases) expect(format.age(en, now - before, now)).toBe(said);
    expect(format.age(zh, now - 90_000, now)).toBe('1 分钟前');
  });

  it('says times by a clock of 24 hours', () => {
    const at = Date.UTC(2026, 4, 6, 16, 5, 9);
    expect(format.clockTime('en', at, 'Asia/Shanghai')).toBe('00:05:09');
    expect(format.clockTime('zh', at, 'UTC')).toBe('16:05:09');
    expect(format.time('en', at, 'UTC')).toBe('06/05, 16:05:09');
  });

  it('says a place to a tenth of a metre', () => {
    expect(format.coordinates(123.84449999, 42.29)).toBe('123.844500, 42.290000');
  });

  it('names classes in the language, else as far as they have a name', () => {
    const classes = [
      { code: '01', name: 'City appearance', name_zh: '市容环境' },
      { code: '09', name: '', name_zh: '自定义' },
    ];
    expect(format.className('zh', classes, '01')).toBe('市容环境');
    expect(format.className('en', classes, '01')).toBe('City appearance');
    expect(format.className('en', classes, '09')).toBe('自定义');
    expect(format.className('en', classes, '77')).toBe('77');
  });

  it('names desks and workers', () => {
    expect(format.handler(en, 'desk:211202001')).toBe('Duty desk 211202001');
    expect(format.handler(zh, 'desk:place-unknown')).toBe('地点不明值班台');
    expect(format.handler(en, 'w-7')).toBe('w-7');
    expect(format.actor(en, 'system')).toBe('the system');
    expect(format.actor(en, '')).toBe('somebody not named');
  });
});

describe('eventWords', () => {
  const event = (kind: string, fields: Record<string, unknown> = {}): IncidentEvent => ({
    version: 1,
    time_ms: 0,
    actor: 'w1',
    kind,
    ...fields,
  });
  const cases: Array<[IncidentEvent, string]> = [
    [event('REPORTED', { actor: 'hotline' }), 'Reported by hotline'],
    [event('PLACED', { grid_code: '12' }), 'Placed in grid 12'],
    [event('PLACED', { grid_code: '' }), 'Placed outside every grid'],
    [event('OFFERED', { worker_id: 'w3', eligible_count: 4 }), 'Offered to w3, the best of 4'],
    [event('ACCEPTED', { handler: 'desk:12' }), 'Accepted by Duty desk 12'],
    [event('DECLINED', { worker_id: 'w3' }), 'Declined by w3'],
    [event('OFFER_EXPIRED', { worker_id: 'w3' }), 'No answer from w3 in time'],
    [event('SENT_TO_DESK', { desk: 'desk:12' }), 'Sent to Duty desk 12'],
    [event('STARTED'), 'Handling begun by w1'],
    [event('RESOLVED'), 'Resolved by w1'],
    [event('CLOSED'), 'Closed by w1'],
    [event('AUDITED'), 'AUDITED by w1'],
  ];
  it.each(cases)('%o', (one, said) => expect(format.eventWords(en, one)).toBe(said));

  it('leaves no hole in either language', () => {
    for (const [one] of cases) expect(format.eventWords(zh, one)).not.toMatch(/[{}]/);
  });

  it('gives a note or a reason', () => {
    expect(format.eventNote(event('DECLINED', { reason: 'far' }))).toBe('far');
    expect(format.eventNote(event('RESOLVED', { note: 'done' }))).toBe('done');
    expect(format.eventNote(event('STARTED'))).toBe('');
  });
});
