// Numbers, times and codes as people read them.

import type { I18n, Lang } from './i18n';
import type { IncidentClass, IncidentEvent } from './model';

const LOCALE: Record<Lang, string> = { zh: 'zh-CN', en: 'en-GB' };

export function distance(i18n: I18n, metres: number): string {
  if (metres < 995) return i18n.t('unit.m', { n: Math.round(metres) });
  return i18n.t('unit.km', { n: (metres / 1000).toFixed(metres < 9950 ? 1 : 0) });
}

// How long before `nowMs`; what lies ahead (clocks differ) counts as now.
export function age(i18n: I18n, timeMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - timeMs) / 1000));
  if (seconds < 60) return i18n.t('time.secondsAgo', { n: seconds });
  if (seconds < 3600) return i18n.t('time.minutesAgo', { n: Math.floor(seconds / 60) });
  if (seconds < 48 * 3600) return i18n.t('time.hoursAgo', { n: Math.floor(seconds / 3600) });
  return i18n.t('time.daysAgo', { n: Math.floor(seconds / 86400) });
}

export function time(lang: Lang, timeMs: number, timeZone?: string): string {
  return new Intl.DateTimeFormat(LOCALE[lang], {
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...(timeZone ? { timeZone } : {}),
  }).format(timeMs);
}

export function clockTime(lang: Lang, timeMs: number, timeZone?: string): string {
  return new Intl.DateTimeFormat(LOCALE[lang], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...(timeZone ? { timeZone } : {}),
  }).format(timeMs);
}

export function count(lang: Lang, n: number): string {
  return new Intl.NumberFormat(LOCALE[lang]).format(n);
}

// Six decimals: a tenth of a metre.
export function coordinates(lon: number, lat: number): string {
  return `${lon.toFixed(6)}, ${lat.toFixed(6)}`;
}

export function className(lang: Lang, classes: readonly IncidentClass[], code: string): string {
  const found = classes.find((one) => one.code === code);
  if (!found) return code;
  return (lang === 'zh' ? found.name_zh || found.name : found.name || found.name_zh) || code;
}

// A worker's id, or a desk in words.
export function handler(i18n: I18n, code: string): string {
  if (code === 'desk:place-unknown') return i18n.t('incident.deskUnknown');
  if (code.startsWith('desk:')) return i18n.t('incident.desk', { code: code.slice(5) });
  return code;
}

export function actor(i18n: I18n, name: string): string {
  if (name === '') return i18n.t('actor.none');
  return name === 'system' ? i18n.t('actor.system') : handler(i18n, name);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

// One step of an incident's trail in a sentence.
export function eventWords(i18n: I18n, event: IncidentEvent): string {
  const by = actor(i18n, event.actor);
  const worker = textOf(event['worker_id'] ?? event['worker']);
  switch (event.kind) {
    case 'PLACED': {
      const grid = textOf(event['grid_code'] ?? event['grid']);
      return grid ? i18n.t('event.PLACED', { grid }) : i18n.t('event.PLACED_OUTSIDE');
    }
    case 'OFFERED': {
      const eligible = numberOf(event['eligible_count'] ?? event['eligible']);
      return i18n.t('event.OFFERED', { worker, eligible });
    }
    case 'ACCEPTED':
      return i18n.t('event.ACCEPTED', {
        handler: actor(i18n, textOf(event['handler']) || event.actor),
      });
    case 'DECLINED':
      return i18n.t('event.DECLINED', { worker });
    case 'OFFER_EXPIRED':
      return i18n.t('event.OFFER_EXPIRED', { worker });
    case 'SENT_TO_DESK':
      return i18n.t('event.SENT_TO_DESK', { desk: handler(i18n, textOf(event['desk'])) });
    case 'REPORTED':
      return i18n.t('event.REPORTED', { actor: by });
    case 'STARTED':
      return i18n.t('event.STARTED', { actor: by });
    case 'RESOLVED':
      return i18n.t('event.RESOLVED', { actor: by });
    case 'CLOSED':
      return i18n.t('event.CLOSED', { actor: by });
    default:
      return i18n.t('event.OTHER', { kind: event.kind, actor: by });
  }
}

// What a step adds in its own words: a note, a reason.
export function eventNote(event: IncidentEvent): string {
  return textOf(event['note']) || textOf(event['reason']);
}
