// The card at the lower left: counters, the switches of level and background, the legend.

import { byId, h } from './dom';
import { count } from './format';
import type { I18n, WordKey } from './i18n';
import { iconUrl } from './icons';
import { LEVEL_CHOICES, type LevelChoice } from './levels';
import type { Background } from './map';
import { INCIDENT_STATES, type Raster } from './model';
import type { Counts } from './store';

export const TIANDITU_TEMPLATE =
  'https://t0.tianditu.gov.cn/img_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=img' +
  '&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=YOUR_KEY';

const GRID_KINDS = ['URBAN', 'RURAL', 'SPECIAL'] as const;

export interface ControlsOptions {
  i18n: I18n;
  onLevel: (choice: LevelChoice) => void;
  onBackground: (background: Background) => void;
}

export class Controls {
  private rasters: Raster[] = [];
  private level: LevelChoice = 'auto';
  private satellite = false;
  private source = ''; // the id of a raster; '': the synthetic one
  private counts: Counts | null = null;

  constructor(private readonly options: ControlsOptions) {
    const narrow = matchMedia('(max-width: 719px)').matches;
    if (narrow) byId<HTMLDetailsElement>('legend').open = false;
  }

  setRasters(rasters: Raster[]): void {
    this.rasters = rasters;
    this.source = rasters[0]?.id ?? '';
    this.draw();
  }

  // `crew`: how many the roster has, those whose place is unknown among them.
  setCounts(counts: Counts, crew: number): void {
    this.counts = { ...counts, workers: Math.max(counts.workers, crew) };
    this.drawCounts();
  }

  draw(): void {
    this.drawCounts();
    this.drawLevels();
    this.drawBases();
    this.drawKeys();
  }

  private drawCounts(): void {
    const { i18n } = this.options;
    const { counts } = this;
    const row = (name: string, icon: string, n: number | undefined, words: string) =>
      h(
        'li',
        { 'data-count': name },
        h('img', { src: iconUrl(icon), alt: '', width: 20, height: 20 }),
        h('strong', {}, n === undefined ? '–' : count(i18n.lang, n)),
        h('span', {}, words),
      );
    const total = counts ? count(i18n.lang, counts.workers) : '–';
    byId('counts').replaceChildren(
      row('open', 'incident-ACCEPTED', counts?.open, i18n.t('count.open')),
      row('offers', 'incident-OFFERED', counts?.offers, i18n.t('count.offers')),
      row('desks', 'incident-AT_DESK', counts?.desks, i18n.t('count.desks')),
      row('onDuty', 'worker-on', counts?.onDuty, i18n.t('count.onDuty', { total })),
    );
  }

  private drawLevels(): void {
    const { i18n, onLevel } = this.options;
    const choices = LEVEL_CHOICES.map((choice) =>
      segment('level', choice, i18n.t(`levels.${choice}` as WordKey), choice === this.level, () => {
        this.level = choice;
        onLevel(choice);
      }),
    );
    replaceKeepingFocus(byId('levels'), choices);
  }

  private drawBases(): void {
    const { i18n } = this.options;
    const choose = (satellite: boolean) => {
      this.satellite = satellite;
      this.options.onBackground(this.background());
      this.drawImagery();
    };
    replaceKeepingFocus(byId('bases'), [
      segment('base', 'map', i18n.t('base.map'), !this.satellite, () => choose(false)),
      segment('base', 'satellite', i18n.t('base.satellite'), this.satellite, () => choose(true)),
    ]);
    this.drawImagery();
  }

  private background(): Background {
    if (!this.satellite) return { kind: 'map' };
    const raster = this.rasters.find((one) => one.id === this.source);
    return raster ? { kind: 'raster', raster } : { kind: 'synthetic' };
  }

  // Which imagery: a choice where any is configured, else how to configure some.
  private drawImagery(): void {
    const { i18n } = this.options;
    const box = byId('imagery');
    box.hidden = !this.satellite;
    if (this.rasters.length === 0) {
      const example = h('code', { tabindex: '0' }, TIANDITU_TEMPLATE);
      box.replaceChildren(h('p', { class: 'small muted' }, i18n.t('base.none')), example);
      return;
    }
    const select = h('select', { id: 'imagery-source' });
    for (const raster of this.rasters) {
      const name = i18n.lang === 'zh' ? raster.name_zh || raster.name : raster.name;
      select.append(h('option', { value: raster.id, selected: raster.id === this.source }, name));
    }
    const synthetic = h('option', { value: '', selected: this.source === '' });
    synthetic.textContent = i18n.t('base.synthetic');
    select.append(synthetic);
    select.addEventListener('change', () => {
      this.source = select.value;
      this.options.onBackground(this.background());
    });
    const label = h('label', { class: 'label', for: 'imagery-source' }, i18n.t('base.source'));
    box.replaceChildren(label, select);
  }

  private drawKeys(): void {
    const { i18n } = this.options;
    const list = (title: WordKey, rows: Array<[HTMLElement, string]>) => [
      h('h3', {}, i18n.t(title)),
      h('ul', { class: 'keys' }, ...rows.map(([mark, words]) => h('li', {}, mark, words))),
    ];
    const icon = (name: string) => h('img', { src: iconUrl(name), alt: '', width: 18, height: 18 });
    const states = INCIDENT_STATES.filter((state) => state !== 'CLOSED');
    byId('keys').replaceChildren(
      ...list(
        'legend.incidents',
        states.map((state) => [icon(`incident-${state}`), i18n.word('state', state)]),
      ),
      ...list('legend.workers', [
        [icon('worker-on'), i18n.t('legend.workerOn')],
        [icon('worker-off'), i18n.t('legend.workerOff')],
      ]),
      ...list('legend.grids', GRID_KINDS.map((kind) => [
        h('span', { class: `swatch kind-${kind}` }),
        i18n.word('kind', kind),
      ])),
    );
  }
}

function segment(
  name: string,
  value: string,
  words: string,
  checked: boolean,
  choose: () => void,
): HTMLElement {
  const input = h('input', { type: 'radio', name, value, checked, onchange: choose });
  return h('label', {}, input, h('span', {}, words));
}

// Drawn anew in another language, the switch that had the focus keeps it.
function replaceKeepingFocus(element: HTMLElement, children: HTMLElement[]): void {
  const focused = element.contains(document.activeElement)
    ? (document.activeElement as HTMLInputElement).value
    : null;
  element.replaceChildren(...children);
  if (focused === null) return;
  element.querySelector<HTMLInputElement>(`input[value="${focused}"]`)?.focus();
}
