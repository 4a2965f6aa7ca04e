import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fill, I18n, initialLang, type Keep } from './i18n';
import { INCIDENT_STATES } from './model';
import { en, zh, type WordKey } from './words';

const keys = Object.keys(en) as WordKey[];
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe('the texts', () => {
  it('are there in both languages, with the same holes', () => {
    expect(Object.keys(zh).sort()).toEqual([...keys].sort());
    for (const key of keys) {
      expect(zh[key], key).not.toBe('');
      expect(holes(zh[key]), key).toEqual(holes(en[key]));
    }
  });

  it('are Chinese in Chinese, and in neither language the wrong punctuation', () => {
    const same: WordKey[] = ['app.name', 'lang.switch', 'lang.switchTitle', 'worker.loadOf'];
    const numbers: WordKey[] = ['report.characters', 'event.OTHER'];
    for (const key of keys) {
      if (!same.includes(key) && !numbers.includes(key)) expect(zh[key], key).toMatch(/[一-鿿]/);
      expect(zh[key], key).not.toMatch(/[一-鿿][,;:!?]/);
      if (!key.startsWith('lang.')) {
        expect(en[key], key).not.toMatch(/[一-鿿]/);
      }
    }
  });

  it('are all used, and index.html asks for none that is not there', () => {
    const folder = new URL('.', import.meta.url);
    const sources = readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name));
    const page = readFileSync(new URL('../index.html', import.meta.url), 'utf8');
    const code = sources
      .filter((name) => name !== 'words.ts')
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    for (const [, key] of page.matchAll(/data-t(?:-\w+)?="([^"]+)"/g)) {
      expect(keys).toContain(key);
    }
    // These are put together from a prefix and the node's word.
    const composed = /^(kind|level|levels|worker|duty|state|channel|severity|type|live)\./;
    for (const key of keys) {
      const used = code.includes(`'${key}'`) || page.includes(`"${key}"`) || composed.test(key);
      expect(used, `${key} is used nowhere`).toBe(true);
    }
  });

  it('name every state of an incident', () => {
    for (const state of INCIDENT_STATES) expect(keys).toContain(`state.${state}`);
  });
});

describe('initialLang', () => {
  it('is what was chosen, else what the browser prefers, else English', () => {
    expect(initialLang('zh', ['en-GB'])).toBe('zh');
    expect(initialLang(null, ['zh-Hans-CN', 'en'])).toBe('zh');
    expect(initialLang(null, ['fr', 'zh-TW'])).toBe('zh');
    expect(initialLang(null, ['en-US', 'zh'])).toBe('en');
    expect(initialLang('klingon', ['fr'])).toBe('en');
    expect(initialLang(null, [])).toBe('en');
  });
});

describe('I18n', () => {
  it('switches, tells and keeps the choice', () => {
    const kept = new Map<string, string>();
    const keep: Keep = {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
    };
    const i18n = new I18n(keep, ['en']);
    let told = 0;
    i18n.onChange(() => told++);
    expect(i18n.t('duty.ON')).toBe('On duty');
    i18n.set('zh');
    i18n.set('zh');
    expect(told).toBe(1);
    expect(i18n.t('duty.ON')).toBe('在岗');
    expect(new I18n(keep, ['en']).lang).toBe('zh');
  });

  it('works where nothing may be kept', () => {
    const refuse = (): never => {
      throw new Error('forbidden');
    };
    const i18n = new I18n({ getItem: refuse, setItem: refuse }, ['en']);
    i18n.set('zh');
    expect(i18n.lang).toBe('zh');
  });

  it('shows a word that it does not know as it is', () => {
    expect(new I18n(null, ['en']).word('state', 'TELEPORTED')).toBe('TELEPORTED');
  });
});

describe('fill', () => {
  it('fills what it is given and leaves the rest', () => {
    expect(fill('{a} of {b}', { a: 0 })).toBe('0 of {b}');
    expect(fill('{a}', { a: '$&{a}' })).toBe('$&{a}');
  });
});
