// The page: joins the live stream, the map, the panel and the controls.

import './page.css';
import { Api, NetworkError } from './api';
import { Controls } from './controls';
import { byId } from './dom';
import { HTML_LANG, I18n, type Keep, type WordKey } from './i18n';
import { LiveFeed, systemClock, type LiveEvent, type LiveStatus } from './live';
import { CityMap, type Hit } from './map';
import type { City, Position, SearchResult } from './model';
import { Panel } from './panel';
import { REPORT_KEY, reportView } from './reportform';
import { Reporter } from './reporting';
import { newRequestId } from './requestid';
import { RESULTS_MAX, Searcher } from './search';
import { SearchBox } from './searchbox';
import { Picture } from './store';
import { Toasts } from './toast';
import {
  areaView,
  gridView,
  incidentView,
  placeView,
  pointFeature,
  workerView,
  type ViewContext,
} from './views';

const COUNTS_MS = 500; // the counters change at most once in so long
const CITY_RETRY_MS = 3000;

class Page {
  private readonly i18n = new I18n(storage(), navigator.languages);
  private readonly api = new Api('', (input, init) => fetch(input, init));
  private readonly picture = new Picture();
  private readonly toasts = new Toasts(byId('toasts'), this.i18n);
  private readonly panel: Panel;
  private readonly controls: Controls;
  private readonly searcher: Searcher;
  private readonly searchBox: SearchBox;
  private readonly feed: LiveFeed;
  private map: CityMap | null = null;
  private city: City | null = null;
  private clockOffsetMs = 0; // the node's clock less this one's
  private status: LiveStatus = { kind: 'connecting' };
  private picking = false; // the next click on the map is the place of a report
  private reporter: Reporter | null = null;
  private shownVersion = 0; // of the incident in the panel
  private byKeyboard = false;
  private countsTimer = false;

  constructor() {
    const { i18n } = this;
    this.panel = new Panel({
      element: byId('panel'),
      i18n,
      words: this.words,
      onClose: () => this.panelClosed(),
    });
    this.controls = new Controls({
      i18n,
      onLevel: (choice) => {
        this.map?.setLevel(choice);
        this.drawNotice();
      },
      onBackground: (background) => this.map?.setBackground(background),
    });
    this.searcher = new Searcher({
      ask: async (query, signal) => (await this.api.search(query, RESULTS_MAX, signal)).results,
      clock: systemClock,
      words: this.words,
      onState: (state) => this.searchBox.draw(state),
    });
    this.searchBox = new SearchBox(i18n, this.searcher, (result) => this.openResult(result));
    this.feed = new LiveFeed({
      url: '/v1/live',
      fetch: (input, init) => fetch(input, init),
      clock: systemClock,
      random: Math.random,
      onEvent: (event) => this.take(event),
      onStatus: (status) => {
        this.status = status;
        this.drawStatus();
      },
    });
    this.listen();
    this.speak();
  }

  async start(): Promise<void> {
    const city = await this.loadCity();
    try {
      this.map = new CityMap({
        container: byId('map'),
        bounds: city.bounds,
        edition: city.edition.number,
        attribution: 'Gridwarden',
        label: this.i18n.t('app.map'),
        picture: this.picture,
        onClick: (hit) => this.clicked(hit),
        onZoom: () => this.drawNotice(),
        onError: (reason) => this.toasts.say(this.i18n.t('error.map', { reason }), 'problem'),
      });
    } catch {
      this.drawNotice('app.noWebgl');
      return;
    }
    // For the browser's console, and for tests of the page.
    Object.assign(window, { gridwarden: { map: this.map.map, picture: this.picture } });
    this.feed.start();
  }

  // Asks until the node answers: without the city there is nothing to show.
  private async loadCity(): Promise<City> {
    for (;;) {
      try {
        const city = await this.api.city();
        this.takeCity(city);
        return city;
      } catch (error) {
        this.toasts.say(this.i18n.t('error.city', { reason: this.words(error) }), 'problem');
        await new Promise((resolve) => setTimeout(resolve, CITY_RETRY_MS));
      }
    }
  }

  private takeCity(city: City): void {
    this.city = city;
    this.clockOffsetMs = city.time_ms - Date.now();
    this.controls.setRasters(city.rasters);
    this.drawCityLabel();
    this.drawNotice();
  }

  private listen(): void {
    const { i18n } = this;
    byId('lang').addEventListener('click', () => i18n.set(i18n.lang === 'zh' ? 'en' : 'zh'));
    byId('report').addEventListener('click', () => {
      if (this.picking) this.stopReport();
      else this.pick();
    });
    byId('live-retry').addEventListener('click', () => this.feed.retryNow());
    window.addEventListener('online', () => this.feed.retryNow());
    window.addEventListener('pagehide', () => this.feed.stop());
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) this.feed.start();
    });
    i18n.onChange(() => this.speak());
    // Seen first, so that whoever acts on a key or a click knows which of them it was.
    document.addEventListener('keydown', () => (this.byKeyboard = true), true);
    document.addEventListener('pointerdown', () => (this.byKeyboard = false), true);
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.picking) this.stopReport();
    });
  }

  // --- live ---

  private take(event: LiveEvent): void {
    this.picture.apply(event);
    switch (event.type) {
      case 'ready':
        this.clockOffsetMs = event.timeMs - Date.now();
        this.takeEdition(event.edition);
        this.follow();
        break;
      case 'edition':
        this.takeEdition(event.number);
        break;
      case 'incident':
        this.follow(event.incident.id, event.incident.version);
        break;
    }
    this.countsSoon();
  }

  private takeEdition(number: number): void {
    if (!this.city || number === this.city.edition.number || number === 0) return;
    this.city = { ...this.city, edition: { ...this.city.edition, number } };
    this.map?.setEdition(number);
    this.toasts.say(this.i18n.t('toast.edition', { number }));
    if (this.panel.key !== REPORT_KEY) this.panel.refresh();
    void this.api.city().then(
      (city) => this.takeCity({ ...city, rasters: this.city?.rasters ?? city.rasters }),
      (error) => {
        this.toasts.say(this.i18n.t('error.city', { reason: this.words(error) }), 'problem');
      },
    );
  }

  // The panel shows the incident as it now is. Without an id: after a snapshot, whichever it shows.
  private follow(id?: string, version = Infinity): void {
    const { key } = this.panel;
    if (!key?.startsWith('incident ')) return;
    if (id !== undefined && key !== `incident ${id}`) return;
    if (version <= this.shownVersion) return;
    this.panel.refresh();
  }

  private countsSoon(): void {
    if (this.countsTimer) return;
    this.countsTimer = true;
    setTimeout(() => {
      this.countsTimer = false;
      if (this.picture.edition !== null) {
        this.controls.setCounts(this.picture.counts, this.city?.workers.total ?? 0);
      }
    }, COUNTS_MS);
  }

  // --- what the user does ---

  private clicked(hit: Hit): void {
    if (this.picking || this.panel.key === REPORT_KEY) this.placeReport(hit.at);
    else if (hit.type === 'incident') this.openIncident(hit.id);
    else if (hit.type === 'worker') this.openWorker(hit.id);
    else this.openPlace(hit.at);
  }

  private context(): ViewContext {
    return {
      i18n: this.i18n,
      api: this.api,
      map: this.map!,
      city: () => this.city!,
      now: () => Date.now() + this.clockOffsetMs,
      openGrid: (code) => this.openGrid(code),
      openArea: (code) => this.openArea(code),
      openWorker: (id) => this.openWorker(id),
      reportAt: (at) => this.placeReport(at),
    };
  }

  private openPlace(at: Position): void {
    const [lon, lat] = at.map((degrees) => Number(degrees.toFixed(7))) as Position;
    this.map?.select([pointFeature([lon, lat])]);
    this.panel.show(placeView(this.context(), [lon, lat]), this.byKeyboard);
    this.map?.reveal([lon, lat]);
  }

  private openGrid(code: string): void {
    this.panel.show(gridView(this.context(), code), this.byKeyboard);
  }

  private openArea(code: string): void {
    this.panel.show(areaView(this.context(), code), this.byKeyboard);
  }

  private openWorker(id: string): void {
    this.panel.show(workerView(this.context(), id), this.byKeyboard);
  }

  private openIncident(id: string): void {
    this.shownVersion = 0;
    const view = incidentView(this.context(), id);
    const { loaded } = view;
    view.loaded = (trail) => {
      this.shownVersion = trail.incident.version;
      loaded?.(trail);
    };
    this.panel.show(view, this.byKeyboard);
  }

  private openResult(result: SearchResult): void {
    if (!this.map) return;
    if (result.type === 'grid') this.openGrid(result.code);
    else if (result.type === 'area') this.openArea(result.code);
    else if (result.type === 'worker') this.openWorker(result.code);
    else this.openIncident(result.code);
    if (result.bounds) this.map.fit(result.bounds);
    else if (result.point) this.map.fly(result.point);
  }

  // --- reporting ---

  private pick(): void {
    this.setPicking(true);
    if (this.panel.key !== REPORT_KEY) this.panel.close();
  }

  private stopReport(): void {
    this.setPicking(false);
    if (this.panel.key === REPORT_KEY) this.panel.close();
  }

  private setPicking(picking: boolean): void {
    this.picking = picking;
    this.map?.setPicking(picking);
    byId('report').setAttribute('aria-pressed', String(picking));
    this.drawReportButton();
    this.drawNotice();
  }

  private placeReport(at: Position): void {
    const [lon, lat] = at.map((degrees) => Number(degrees.toFixed(7))) as Position;
    this.setPicking(false);
    const open = this.panel.key === REPORT_KEY ? this.reporter : null;
    if (open && !open.editable) return; // what was sent is not settled yet
    if (open) Object.assign(open.draft, { lon, lat });
    else this.reporter = this.newReporter(lon, lat);
    this.map?.select([pointFeature([lon, lat])]);
    this.panel.show(
      reportView(
        { i18n: this.i18n, city: () => this.city!, cancel: () => this.stopReport() },
        this.reporter!,
      ),
      this.byKeyboard,
    );
    this.map?.reveal([lon, lat]);
  }

  private newReporter(lon: number, lat: number): Reporter {
    const first = this.city?.classes[0]?.code ?? '';
    const draft = { lon, lat, class: first, severity: 2, address: '', description: '' };
    return new Reporter(draft, {
      send: (body) => this.api.report(body),
      newId: () => newRequestId(crypto),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      onPhase: (phase) => {
        if (phase.kind === 'sent') {
          this.toasts.say(this.i18n.t('report.sent', { id: phase.incident.id }));
          this.reporter = null;
          this.openIncident(phase.incident.id);
        } else if (this.panel.key === REPORT_KEY) {
          this.panel.render();
        } else if (phase.kind === 'unknown') {
          this.toasts.say(this.i18n.t('report.unknown'), 'problem');
        } else if (phase.kind === 'refused') {
          this.toasts.say(this.i18n.t('report.refused', { reason: phase.reason }), 'problem');
        }
      },
    });
  }

  private panelClosed(): void {
    this.reporter = null;
    this.map?.select([]);
    if (this.byKeyboard) this.map?.map.getCanvas().focus();
  }

  // --- words ---

  private speak(): void {
    const { i18n } = this;
    document.documentElement.lang = HTML_LANG[i18n.lang];
    document.title = i18n.t('app.title');
    const texts: Array<[string, (element: HTMLElement, text: string) => void]> = [
      ['data-t', (element, text) => (element.textContent = text)],
      ['data-t-label', (element, text) => element.setAttribute('aria-label', text)],
      ['data-t-placeholder', (element, text) => element.setAttribute('placeholder', text)],
    ];
    for (const [attribute, set] of texts) {
      for (const element of document.querySelectorAll<HTMLElement>(`[${attribute}]`)) {
        set(element, i18n.t(element.getAttribute(attribute) as WordKey));
      }
    }
    const other = byId('lang');
    other.lang = i18n.lang === 'zh' ? 'en' : 'zh-CN';
    other.title = i18n.t('lang.switchTitle');
    this.map?.setLabel(i18n.t('app.map'));
    this.controls.draw();
    this.searchBox.draw(this.searcher.state);
    this.panel.render();
    this.drawStatus();
    this.drawReportButton();
    this.drawCityLabel();
    this.drawNotice();
  }

  private words = (error: unknown): string => {
    if (error instanceof NetworkError) return this.i18n.t('error.network');
    return error instanceof Error ? error.message : String(error);
  };

  private drawStatus(): void {
    const { status, i18n } = this;
    byId('live').dataset['kind'] = status.kind;
    byId('live-text').textContent = statusWords(status, i18n);
    byId('live-retry').hidden = status.kind !== 'waiting';
    const stale = status.kind === 'waiting' || status.kind === 'stale';
    byId('live').title = stale ? i18n.t('live.dataOld') : '';
  }

  private drawCityLabel(): void {
    const label = this.city?.edition.label;
    byId('city-label').textContent = label || this.i18n.t('app.tagline');
  }

  private drawReportButton(): void {
    byId('report').textContent = this.i18n.t(this.picking ? 'report.cancel' : 'report.button');
  }

  // The line over the map: what to do next, or why there is nothing to see.
  private drawNotice(key?: WordKey): void {
    const notice = byId('notice');
    const said =
      key ??
      (this.picking
        ? 'report.pick'
        : this.map?.levelIsBelowZoom
          ? 'levels.zoomIn'
          : this.city
            ? null
            : 'app.loading');
    notice.hidden = said === null;
    if (said !== null) notice.textContent = this.i18n.t(said);
  }
}

function statusWords(status: LiveStatus, i18n: I18n): string {
  switch (status.kind) {
    case 'stale':
      return i18n.t('live.stale', { seconds: 20 });
    case 'waiting': {
      const { seconds, reason } = status;
      return i18n.t(reason ? 'live.waitingWhy' : 'live.waiting', { seconds, reason });
    }
    default:
      return i18n.t(`live.${status.kind}`);
  }
}

// Null where the browser forbids it.
function storage(): Keep | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

void new Page().start();
