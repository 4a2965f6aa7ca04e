// The search box in the page: the state of a Searcher, drawn; the keys and clicks, handed to it.

import { byId, h } from './dom';
import type { I18n } from './i18n';
import type { SearchResult } from './model';
import type { Searcher, SearchState } from './search';

export class SearchBox {
  private readonly input = byId<HTMLInputElement>('search');
  private readonly box = byId('search-box');
  private readonly list = byId('search-list');
  private readonly said = byId('search-said');
  private readonly clearer = byId<HTMLButtonElement>('search-clear');

  constructor(
    private readonly i18n: I18n,
    private readonly searcher: Searcher,
    private readonly choose: (result: SearchResult) => void,
  ) {
    const { input } = this;
    input.addEventListener('input', () => searcher.type(input.value));
    input.addEventListener('focus', () => searcher.reopen());
    input.addEventListener('keydown', (event) => {
      if (event.isComposing) return; // an input method is still at work on a Chinese word
      const { used, chosen } = searcher.press(event.key);
      if (used) event.preventDefault();
      if (chosen) this.take(chosen);
    });
    input.addEventListener('blur', () => searcher.close());
    this.clearer.addEventListener('click', () => {
      searcher.clear();
      input.focus();
    });
    document.addEventListener('keydown', (event) => {
      const { target } = event;
      const typing = target instanceof HTMLElement && target.matches('input, textarea, select');
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.focus();
      input.select();
    });
  }

  draw(state: SearchState): void {
    const { input, list } = this;
    if (input.value !== state.query) input.value = state.query;
    this.clearer.hidden = state.query === '';
    this.box.hidden = !state.open;
    input.setAttribute('aria-expanded', String(state.open && state.results.length > 0));
    const options = state.results.map((result, index) => this.option(result, index, state));
    list.replaceChildren(...options);
    const active = list.children[state.active];
    if (active) input.setAttribute('aria-activedescendant', active.id);
    else input.removeAttribute('aria-activedescendant');
    active?.scrollIntoView({ block: 'nearest' });
    this.said.textContent = this.words(state);
    this.said.hidden = this.said.textContent === '';
    this.said.classList.toggle('problem', state.failed !== null && !state.busy);
  }

  private words(state: SearchState): string {
    const { i18n } = this;
    if (state.busy) return state.results.length > 0 ? '' : i18n.t('search.busy');
    if (state.failed !== null) return i18n.t('error.search', { reason: state.failed });
    if (state.asked !== null && state.results.length === 0) {
      return i18n.t('search.none', { q: state.asked });
    }
    return '';
  }

  private option(result: SearchResult, index: number, state: SearchState): HTMLElement {
    const { i18n } = this;
    const level = result.level === undefined ? '' : i18n.word('level', String(result.level));
    const option = h(
      'li',
      {
        id: `search-option-${index}`,
        role: 'option',
        'aria-selected': String(index === state.active),
        'data-code': result.code,
        // Before the box loses the focus, which would close the list.
        onpointerdown: (event) => {
          event.preventDefault();
          this.searcher.close();
          this.take(result);
        },
      },
      h('span', { class: 'strong' }, result.name || result.code),
      h('span', { class: 'tag' }, level || i18n.word('type', result.type)),
    );
    if (result.name && result.name !== result.code) {
      option.append(h('span', { class: 'code' }, result.code));
    }
    return option;
  }

  private take(result: SearchResult): void {
    this.choose(result);
  }
}
