// The map: the style with its tiles, live points drawn at a bounded rate, backgrounds, selection.

import {
  addProtocol,
  AttributionControl,
  Map as MapLibreMap,
  NavigationControl,
  ScaleControl,
  setWorkerUrl,
  type GeoJSONSource,
  type MapGeoJSONFeature,
  type StyleSpecification,
  type VectorTileSource,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { layerId, PARTS, plan, TILE_ZOOM_MIN, ZOOM_MAX, type LevelChoice } from './levels';
import { LEVELS, type Bounds, type Position, type Raster } from './model';
import { collection, difference, incidentFeature, workerFeature } from './points';
import type { Changed, Picture } from './store';
import { EDITION_SOURCES, FIRST_LAYER, pageStyle, SELECTION, tileUrl } from './style';
import commonStyle from './style.json';
import { syntheticTile } from './synthetic';

// At most one drawing in so many milliseconds. Far off, a worker's step is less than a pixel, and
// all of them are on the screen: there it is enough to draw them now and then.
const INCIDENTS_MS = 250;
const workersMs = (zoom: number): number => (zoom < 9 ? 5000 : zoom < 12 ? 2500 : 1000);

const LEGEND_PIXELS = 292; // what the card at the left takes of a wide window
const CLICK_PIXELS = 7; // how far from a click a point may lie to be meant
const BASE = 'base';

export type Background =
  | { kind: 'map' }
  | { kind: 'synthetic' }
  | { kind: 'raster'; raster: Raster };

interface Padding {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

export interface Hit {
  type: 'incident' | 'worker' | 'place';
  id: string; // empty for a place
  at: Position;
}

export interface CityMapOptions {
  container: HTMLElement;
  bounds: Bounds;
  edition: number;
  attribution: string;
  label: string; // what the map is, for those who don't see it
  picture: Picture;
  onClick: (hit: Hit) => void;
  onZoom: () => void;
  onError: (message: string) => void;
}

interface Drawing {
  name: string; // of the source
  everyMs: () => number;
  take: () => Changed | null;
  draw: (changed: Changed, source: GeoJSONSource) => Promise<void>;
}

export class CityMap {
  readonly map: MapLibreMap;
  private level: LevelChoice = 'auto';
  private background: Background = { kind: 'map' };
  private selection: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features: [] };
  private ready = false;
  private edition: number;

  constructor(private readonly options: CityMapOptions) {
    setWorkerUrl(workerUrl);
    addProtocol('synthetic', async ({ url }) => ({ data: await syntheticTile(url) }));
    this.edition = options.edition;
    this.map = new MapLibreMap({
      container: options.container,
      style: pageStyle(
        commonStyle as unknown as StyleSpecification,
        location.origin,
        options.edition,
        options.attribution,
      ),
      bounds: options.bounds,
      fitBoundsOptions: { padding: openingPadding(options.container) },
      hash: 'map',
      attributionControl: false,
      localIdeographFontFamily:
        '"Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Micro Hei", sans-serif',
      maxZoom: 20,
      fadeDuration: 150,
      maxPitch: 0,
      pitchWithRotate: false,
      dragRotate: false,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new AttributionControl({ compact: true }), 'bottom-right');
    this.map.addControl(new NavigationControl({ showCompass: false }), 'bottom-right');
    this.map.addControl(new ScaleControl({ maxWidth: 120 }), 'bottom-right');
    this.setLabel(options.label);
    this.map.on('load', () => this.begin());
    this.map.on('zoom', () => options.onZoom());
    this.map.on('error', ({ error }) => options.onError(error.message));
    this.map.on('click', ({ point, lngLat }) => {
      options.onClick(this.hit(point.x, point.y, [lngLat.lng, lngLat.lat]));
    });
    this.listenToKeys();
    this.listenToPointer();
  }

  setLabel(label: string): void {
    this.map.getCanvas().setAttribute('aria-label', label);
  }

  setLevel(choice: LevelChoice): void {
    this.level = choice;
    if (this.ready) this.applyLevel();
  }

  // Whether the chosen level has no tiles at this zoom.
  get levelIsBelowZoom(): boolean {
    return this.level !== 'auto' && this.map.getZoom() < TILE_ZOOM_MIN[this.level];
  }

  setBackground(background: Background): void {
    this.background = background;
    if (this.ready) this.applyBackground();
  }

  // The tiles of another edition; those on the screen stay until the new ones are there.
  setEdition(edition: number): void {
    if (edition === this.edition) return;
    this.edition = edition;
    for (const name of EDITION_SOURCES) {
      const source = this.map.getSource<VectorTileSource>(name);
      source?.setTiles([tileUrl(location.origin, name, edition)]);
    }
  }

  select(features: GeoJSON.Feature[]): void {
    this.selection = { type: 'FeatureCollection', features };
    if (this.ready) void this.map.getSource<GeoJSONSource>(SELECTION)?.setData(this.selection);
  }

  fit(bounds: Bounds): void {
    this.map.fitBounds(bounds, { padding: this.padding(), maxZoom: 17, duration: 900 });
  }

  fly(at: Position): void {
    const zoom = Math.max(this.map.getZoom(), 15);
    this.map.flyTo({ center: at, zoom, padding: this.padding(), duration: 900 });
  }

  // Moves the map only if what lies over it hides the place.
  reveal(at: Position): void {
    const { top, bottom, left, right } = this.padding();
    const { clientWidth, clientHeight } = this.map.getContainer();
    const { x, y } = this.map.project(at);
    const seen = x >= left && x <= clientWidth - right && y >= top && y <= clientHeight - bottom;
    if (!seen) this.map.easeTo({ center: at, padding: this.padding(), duration: 400 });
  }

  setPicking(picking: boolean): void {
    this.map.getContainer().classList.toggle('picking', picking);
  }

  // Room for what lies over the map: the panel at the right, or below on a narrow screen.
  private padding(): Padding {
    const { clientWidth, clientHeight } = this.map.getContainer();
    const open = document.body.classList.contains('panel-open');
    const narrow = clientWidth < 720;
    return {
      top: narrow ? 130 : 90,
      left: narrow ? 30 : LEGEND_PIXELS,
      right: open && !narrow ? 430 : narrow ? 30 : 60,
      bottom: open && narrow ? Math.round(clientHeight * 0.5) : 60,
    };
  }

  private begin(): void {
    this.ready = true;
    this.applyLevel();
    this.applyBackground();
    this.select(this.selection.features);
    const { picture } = this.options;
    this.drawLoop({
      name: 'incidents',
      everyMs: () => INCIDENTS_MS,
      take: () => picture.takeIncidents(),
      draw: (changed, source) =>
        changed.all
          ? source.setData(collection(picture.incidents.values(), incidentFeature))
          : source.updateData(difference(changed, picture.incidents, incidentFeature)),
    });
    this.drawLoop({
      name: 'workers',
      everyMs: () => workersMs(this.map.getZoom()),
      take: () => picture.takeWorkers(),
      draw: (changed, source) =>
        changed.all
          ? source.setData(collection(picture.workers.values(), workerFeature))
          : source.updateData(difference(changed, picture.workers, workerFeature)),
    });
  }

  // Draws what has changed, within an animation frame, at most once in everyMs(), and never while
  // the drawing before is still being prepared: a slow machine draws less often, not ever later.
  private drawLoop({ name, everyMs, take, draw }: Drawing): void {
    let busy = false;
    let drawnMs = -Infinity;
    const frame = (nowMs: number) => {
      requestAnimationFrame(frame);
      if (busy || nowMs - drawnMs < everyMs()) return;
      const source = this.map.getSource<GeoJSONSource>(name);
      const changed = source ? take() : null;
      if (!source || !changed) return;
      drawnMs = nowMs;
      busy = true;
      draw(changed, source)
        .catch((error: Error) => this.options.onError(error.message))
        .finally(() => (busy = false));
    };
    requestAnimationFrame(frame);
  }

  private applyLevel(): void {
    const made = plan(this.level);
    for (const level of LEVELS) {
      for (const part of PARTS) {
        const id = layerId(level, part);
        const zooms = made[level][part];
        this.map.setLayoutProperty(id, 'visibility', zooms ? 'visible' : 'none');
        if (zooms) this.map.setLayerZoomRange(id, zooms[0], Math.min(zooms[1], ZOOM_MAX));
      }
    }
  }

  private applyBackground(): void {
    const { map, background } = this;
    if (map.getLayer(BASE)) map.removeLayer(BASE);
    if (map.getSource(BASE)) map.removeSource(BASE);
    if (background.kind === 'synthetic') {
      map.addSource(BASE, {
        type: 'raster',
        tiles: ['synthetic://{z}/{x}/{y}'],
        tileSize: 256,
        maxzoom: 18,
        attribution: 'SYNTHETIC 合成 · drawn in the browser 由浏览器绘制',
      });
    } else if (background.kind === 'raster') {
      const { raster } = background;
      map.addSource(BASE, {
        type: 'raster',
        tiles: raster.tiles.map(absolute),
        tileSize: raster.tile_size ?? 256,
        maxzoom: raster.max_zoom ?? 18,
        attribution: asText(raster.attribution ?? ''),
      });
    }
    const pictured = background.kind !== 'map';
    if (pictured) map.addLayer({ id: BASE, type: 'raster', source: BASE }, FIRST_LAYER);
    for (const level of LEVELS) this.paintOver(level, pictured);
  }

  // Over a picture of the land the fills fade and the lines turn light.
  private paintOver(level: (typeof LEVELS)[number], pictured: boolean): void {
    const paint = (part: 'fill' | 'line', property: string, value: unknown) => {
      const id = layerId(level, part);
      const layer = commonStyle.layers.find((one) => one.id === id);
      const usual = (layer?.paint as Record<string, unknown> | undefined)?.[property];
      this.map.setPaintProperty(id, property as 'line-color', (pictured ? value : usual) as string);
    };
    paint('fill', 'fill-opacity', 0.08);
    paint('line', 'line-color', '#fef9c3');
  }

  private hit(x: number, y: number, at: Position): Hit {
    const found = this.pointsNear(x, y);
    let best: MapGeoJSONFeature | null = null;
    let bestDistance = Infinity;
    for (const feature of found) {
      if (feature.geometry.type !== 'Point') continue;
      const [lon, lat] = feature.geometry.coordinates;
      const place = this.map.project([lon!, lat!]);
      // An incident goes before a worker at the same place.
      const behind = feature.source === 'workers' ? 3 : 0;
      const distance = Math.hypot(place.x - x, place.y - y) + behind;
      if (distance >= bestDistance) continue;
      best = feature;
      bestDistance = distance;
    }
    if (!best) return { type: 'place', id: '', at };
    const id = String(best.properties['id']);
    return { type: best.source === 'workers' ? 'worker' : 'incident', id, at };
  }

  private pointsNear(x: number, y: number): MapGeoJSONFeature[] {
    if (!this.ready) return [];
    const near = CLICK_PIXELS;
    const layers = ['incidents-icon', 'incidents-dot', 'workers-icon'];
    // At low zooms the workers are a density, not single ones to be hit.
    if (this.map.getZoom() >= 11) layers.push('workers-dot');
    return this.map.queryRenderedFeatures(
      [
        [x - near, y - near],
        [x + near, y + near],
      ],
      { layers },
    );
  }

  // With the keyboard a place is named by moving the map under its centre.
  private listenToKeys(): void {
    const canvas = this.map.getCanvas();
    canvas.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      const { lng, lat } = this.map.getCenter();
      const { x, y } = this.map.project([lng, lat]);
      this.options.onClick(this.hit(x, y, [lng, lat]));
    });
  }

  private listenToPointer(): void {
    let waiting = false;
    this.map.on('mousemove', ({ point }) => {
      if (waiting || this.map.isMoving()) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        const over = this.pointsNear(point.x, point.y).length > 0;
        this.map.getContainer().classList.toggle('over-point', over);
      });
    });
  }
}

// Beside the card and below the bar, where the window has room for both.
function openingPadding({ clientWidth }: HTMLElement): Padding {
  if (clientWidth < 720) return { top: 140, bottom: 70, left: 12, right: 12 };
  return { top: 92, bottom: 24, left: LEGEND_PIXELS, right: 60 };
}

// A path of the configuration is on this node; the braces of a template stay as they are.
const absolute = (url: string): string => (url.startsWith('/') ? location.origin + url : url);

// Attributions are taken as markup by MapLibre; those of the configuration are plain text.
function asText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
