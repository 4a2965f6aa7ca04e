// The language of the page: which one, and its texts.

import { en, zh, type WordKey } from './words';

export type Lang = 'zh' | 'en';
export type { WordKey } from './words';

const TABLES: Record<Lang, Record<WordKey, string>> = { en, zh };
const STORAGE_KEY = 'gridwarden.lang';
export const HTML_LANG: Record<Lang, string> = { zh: 'zh-CN', en: 'en' };

// What was chosen before, else what the browser prefers, else English.
export function initialLang(stored: string | null, preferred: readonly string[]): Lang {
  if (stored === 'zh' || stored === 'en') return stored;
  for (const language of preferred) {
    const base = language.toLowerCase().split('-')[0];
    if (base === 'zh' || base === 'en') return base;
  }
  return 'en';
}

export function fill(pattern: string, values: Record<string, string | number> = {}): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : String(value);
  });
}

// Storage that may be switched off: then the choice lasts as long as the page.
export interface Keep {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export class I18n {
  private current: Lang;
  private listeners: Array<() => void> = [];

  constructor(
    private readonly keep: Keep | null,
    preferred: readonly string[],
  ) {
    this.current = initialLang(this.stored(), preferred);
  }

  get lang(): Lang {
    return this.current;
  }

  t = (key: WordKey, values?: Record<string, string | number>): string =>
    fill(TABLES[this.current][key], values);

  // The text of `prefix`.`name`, or `name` as it is where the table has none (a later node's word).
  word(prefix: string, name: string): string {
    const key = `${prefix}.${name}`;
    return key in TABLES[this.current] ? this.t(key as WordKey) : name;
  }

  set(lang: Lang): void {
    if (lang === this.current) return;
    this.current = lang;
    try {
      this.keep?.setItem(STORAGE_KEY, lang);
    } catch {
      // The browser keeps nothing; the page still speaks the chosen language.
    }
    for (const listener of this.listeners) listener();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  private stored(): string | null {
    try {
      return this.keep?.getItem(STORAGE_KEY) ?? null;
    } catch {
      return null;
    }
  }
}
