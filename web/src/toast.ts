// Messages that come up for a while; the same words are not said twice at once.

import { h } from './dom';
import type { I18n } from './i18n';

const SHOWN_MS = 9_000;
const TOASTS_MAX = 4;

export class Toasts {
  constructor(
    private readonly element: HTMLElement,
    private readonly i18n: I18n,
  ) {}

  say(text: string, kind: 'news' | 'problem' = 'news'): void {
    const shown = [...this.element.children] as HTMLElement[];
    if (shown.some(({ dataset }) => dataset['text'] === text)) return;
    const toast = h('div', { class: `toast ${kind}`, 'data-text': text }, h('p', {}, text));
    const take = () => toast.remove();
    const close = h('button', { type: 'button', class: 'icon-button', onclick: take }, '×');
    close.setAttribute('aria-label', this.i18n.t('toast.close'));
    toast.append(close);
    this.element.append(toast);
    while (this.element.children.length > TOASTS_MAX) this.element.firstElementChild?.remove();
    setTimeout(() => toast.remove(), SHOWN_MS);
  }
}
