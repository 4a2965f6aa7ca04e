// The side panel: shows one view at a time, loads it, says in words what failed, and loads it again
// in place when the city has changed.

import { h } from './dom';
import type { I18n } from './i18n';

export interface View<T> {
  key: string; // views of the same key are of the same thing
  title: (data: T | null) => string;
  load: (signal: AbortSignal) => Promise<T>;
  body: (data: T) => Node[];
  loaded?: (data: T) => void; // what the map does with it
}

export interface PanelOptions {
  element: HTMLElement;
  i18n: I18n;
  words: (error: unknown) => string;
  onClose: () => void;
}

export class Panel {
  private readonly heading = h('h2', { id: 'panel-title', tabindex: '-1' });
  private readonly content = h('div', { class: 'panel-body' });
  private readonly closer: HTMLButtonElement;
  private view: View<unknown> | null = null;
  private data: unknown = null;
  private failure: unknown = null;
  private abort: AbortController | null = null;

  constructor(private readonly options: PanelOptions) {
    const close = () => this.close();
    this.closer = h('button', { type: 'button', class: 'icon-button', onclick: close }, '×');
    const { element } = options;
    element.append(h('header', { class: 'panel-head' }, this.heading, this.closer), this.content);
    element.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
    this.label();
  }

  get key(): string | null {
    return this.view?.key ?? null;
  }

  // `focus`: the keyboard opened it, so its reader follows.
  show<T>(view: View<T>, focus = false): void {
    const same = this.view?.key === view.key;
    this.view = view as View<unknown>;
    if (!same) {
      this.data = null;
      this.content.scrollTop = 0;
    }
    this.failure = null;
    this.options.element.hidden = false;
    document.body.classList.add('panel-open');
    this.render();
    if (focus) this.heading.focus();
    void this.load();
  }

  // Loads the view anew; what it shows stays until then.
  refresh(): void {
    if (this.view) void this.load();
  }

  close(): void {
    if (!this.view) return;
    this.abort?.abort();
    this.view = null;
    this.data = null;
    this.options.element.hidden = true;
    document.body.classList.remove('panel-open');
    this.options.onClose();
  }

  // Draws what it has anew, as when the language has changed.
  render(): void {
    this.label();
    const { view, data } = this;
    if (!view) return;
    this.heading.textContent = view.title(data);
    const { i18n } = this.options;
    if (this.failure !== null) {
      const reason = this.options.words(this.failure);
      const again = h('button', { type: 'button', class: 'button', onclick: () => this.retry() });
      again.textContent = i18n.t('panel.retry');
      const words = i18n.t('panel.failed', { reason });
      const message = h('p', { class: 'problem', role: 'alert' }, words);
      this.content.replaceChildren(message, again);
    } else if (data === null) {
      const waiting = h('p', { class: 'muted', role: 'status' }, i18n.t('panel.loading'));
      this.content.replaceChildren(waiting);
    } else {
      this.content.replaceChildren(...view.body(data));
    }
  }

  private label(): void {
    const { element, i18n } = this.options;
    element.setAttribute('aria-label', i18n.t('panel.label'));
    this.closer.setAttribute('aria-label', i18n.t('panel.close'));
    this.closer.title = i18n.t('panel.close');
  }

  private retry(): void {
    this.failure = null;
    this.render();
    void this.load();
  }

  private async load(): Promise<void> {
    const { view } = this;
    if (!view) return;
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    try {
      const data = await view.load(abort.signal);
      if (abort.signal.aborted) return;
      this.data = data;
      this.failure = null;
      view.loaded?.(data);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.failure = error;
    }
    this.render();
  }
}
