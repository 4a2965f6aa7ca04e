// The page in a real browser, against a node that is running:
//
//   node web/e2e/page.mjs BASE_URL OUT_DIR [--publish-command CMD] [--changed-grid CODE]
//                         [--locate-command CMD]
//
// BASE_URL is the node's HTTP address; screenshots are written to OUT_DIR. The CMD of publish, run by
// the shell, publishes another edition, in which the grid CODE has another name; without it that
// case is left out. The CMD of locate, followed by --lon X --lat Y, asks the node by gRPC and prints
// JSON with "code" (`gridwarden locate --server ADDR --json`); a click must answer the same.
// CHROMIUM names the browser, /usr/bin/chromium by default. Each case prints a line, in the way of
// the other tests; the exit status is 0 if all passed.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'publish-command': { type: 'string' },
    'changed-grid': { type: 'string' },
    'locate-command': { type: 'string' },
  },
});
const [base, out] = positionals;
if (!base || !out) {
  console.error('usage: page.mjs BASE_URL OUT_DIR [--publish-command CMD] [--changed-grid CODE]');
  process.exit(2);
}
mkdirSync(out, { recursive: true });

const WAIT_MS = 30_000;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--ignore-gpu-blocklist',
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ],
});

const complaints = []; // what the browser's console calls an error
const outside = []; // requests to other hosts
async function open(viewport, locale, path = '/') {
  const context = await browser.newContext({ viewport, locale, deviceScaleFactor: 1 });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    const { href, origin, protocol } = new URL(request.url());
    if (/^https?:$/.test(protocol) && origin !== new URL(base).origin) outside.push(href);
  });
  await page.goto(new URL(path, base).href);
  return page;
}

// --- what the cases are made of ---

function check(holds, words) {
  if (!holds) throw new Error(words);
}

async function json(path) {
  const answer = await fetch(new URL(path, base));
  check(answer.ok, `${path} answers ${answer.status}`);
  return answer.json();
}

// When the map stands still and its boundaries are there. The live points never come to rest.
async function whenIdle(page) {
  await page.waitForFunction(() => window.gridwarden);
  await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );
  await page.waitForFunction(() => {
    const { map } = window.gridwarden;
    const sources = ['grids', 'villages', 'townships', 'counties', 'cities', 'labels', 'base'];
    const there = sources.filter((name) => map.getSource(name));
    return there.length > 5 && there.every((name) => map.isSourceLoaded(name)) && !map.isMoving();
  });
}

// What the page has drawn of these layers.
const drawn = (page, layers) =>
  page.evaluate(
    (names) => window.gridwarden.map.queryRenderedFeatures({ layers: names }).length,
    layers,
  );

async function lookAt(page, lon, lat, zoom) {
  await page.evaluate(
    ([center, level]) => window.gridwarden.map.jumpTo({ center, zoom: level }),
    [[lon, lat], zoom],
  );
  await whenIdle(page);
}

// Clicks the map where the place lies and gives the exact place that was clicked.
async function clickAt(page, lon, lat) {
  const at = await page.evaluate(
    (place) => window.gridwarden.map.project(place),
    [lon, lat],
  );
  const x = Math.round(at.x);
  const y = Math.round(at.y);
  await page.mouse.click(x, y);
  return page.evaluate((pixel) => window.gridwarden.map.unproject(pixel).toArray(), [x, y]);
}

// How many different colours there are in the picture of the map's canvas, and how light it is.
async function lookOf(page) {
  const picture = await page.locator('.maplibregl-canvas').screenshot();
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const colours = new Set();
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) {
      colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
      sum += data[i] + data[i + 1] + data[i + 2];
    }
    return { colours: colours.size, light: (sum * 4) / (3 * data.length) };
  }, picture.toString('base64'));
}

const shot = (page, name) => page.screenshot({ path: `${out}/${name}.png` });
const text = (page, selector) => page.locator(selector).innerText();

function run(command) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 2, 2] });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`the publish command ended with ${code}`)),
    );
  });
}

// The grid's code that the locate command prints, '' for none; null without such a command.
function locateByCommand(lon, lat) {
  const command = options['locate-command'];
  if (!command) return null;
  const printed = execFileSync('/bin/sh', ['-c', `${command} --lon ${lon} --lat ${lat}`]);
  const answer = JSON.parse(printed.toString());
  return (Array.isArray(answer) ? answer[0] : answer)?.code ?? '';
}

// --- the cases ---

const city = await json('/v1/city');
const [west, south, east, north] = city.bounds;
let page;
let place; // inside a grid, amid others

// Places that have a grid, from a fixed pattern over the city.
async function placesInside(count) {
  const found = [];
  for (let i = 1; found.length < count && i < 400; i++) {
    const lon = west + (east - west) * ((i * 0.6180339887) % 1);
    const lat = south + (north - south) * ((i * 0.4142135623) % 1);
    const { grid } = await json(`/v1/locate?lon=${lon}&lat=${lat}`);
    if (grid) found.push({ lon, lat, grid: grid.code });
  }
  check(found.length === count, 'the city has too few places inside a grid');
  return found;
}

const cases = [
  [
    'the map is drawn: boundaries, workers, incidents, no error',
    async () => {
      page = await open({ width: 1280, height: 800 }, 'en-GB');
      await page.waitForSelector('#live[data-kind="live"]');
      await page.waitForFunction(() => window.gridwarden.picture.workers.size > 0);
      await whenIdle(page);
      await page.waitForFunction(
        () =>
          window.gridwarden.map.queryRenderedFeatures({ layers: ['workers-dot'] }).length > 0 &&
          window.gridwarden.map.queryRenderedFeatures({ layers: ['counties-line'] }).length > 0,
      );
      check((await lookOf(page)).colours > 50, 'the canvas is blank');
      await shot(page, '1-city');
      check(complaints.length === 0, complaints.join('\n'));
    },
  ],
  [
    'grids are drawn and named when the map comes near',
    async () => {
      [place] = await placesInside(1);
      await lookAt(page, place.lon, place.lat, 14);
      await page.waitForFunction(
        () => window.gridwarden.map.queryRenderedFeatures({ layers: ['grids-label'] }).length > 0,
      );
      check((await drawn(page, ['grids-line'])) > 0, 'no grid is drawn');
      const names = await page.evaluate(() =>
        window.gridwarden.map
          .queryRenderedFeatures({ layers: ['grids-label'] })
          .map(({ properties }) => properties.code),
      );
      check(new Set(names).size === names.length, `a name is written twice: ${names}`);
      await shot(page, '2-grids');
    },
  ],
  [
    'the counters are those of the live picture',
    async () => {
      const shown = await page.waitForFunction(() => {
        const digits = (name) =>
          document.querySelector(`[data-count="${name}"] strong`).textContent.replace(/\D/g, '');
        const { counts } = window.gridwarden.picture;
        return Number(digits('onDuty')) === counts.onDuty && Number(digits('open')) === counts.open;
      });
      check(await shown.jsonValue(), 'the counters differ from the picture');
    },
  ],
  [
    'a click answers as the node locates',
    async () => {
      for (const { lon, lat } of await placesInside(6)) {
        await lookAt(page, lon, lat, 16);
        // Amid a dense crew a click may be on a person: the nearest free pixel is taken.
        await page.evaluate(() => {
          for (const layer of ['workers-icon', 'incidents-icon']) {
            window.gridwarden.map.setLayoutProperty(layer, 'visibility', 'none');
          }
        });
        await whenIdle(page);
        const [clickedLon, clickedLat] = await clickAt(page, lon, lat);
        const wanted = await json(`/v1/locate?lon=${clickedLon}&lat=${clickedLat}`);
        const code = wanted.grid?.code ?? '';
        const byGrpc = locateByCommand(clickedLon, clickedLat);
        check(byGrpc === null || byGrpc === code, `gRPC says ${byGrpc}, HTTP ${code}`);
        await page.waitForSelector(`#panel [data-grid="${code}"]`);
        const said = (await text(page, '#panel .facts dd')).split(', ').map(Number);
        const off = Math.max(Math.abs(said[0] - clickedLon), Math.abs(said[1] - clickedLat));
        check(off < 1.1e-6, `the panel says ${said} for ${clickedLon}, ${clickedLat}`);
        if (code) {
          const { workers } = await json(`/v1/grids/${code}/people`);
          const ids = workers.map(({ id }) => id);
          const shown = await page.$$eval('#panel .people li', (rows) =>
            rows.map((row) => row.dataset.worker),
          );
          check(
            ids.every((id) => shown.includes(id)),
            `the panel lacks people of ${code}`,
          );
        }
      }
      await page.evaluate(() => {
        for (const layer of ['workers-icon', 'incidents-icon']) {
          window.gridwarden.map.setLayoutProperty(layer, 'visibility', 'visible');
        }
      });
      await whenIdle(page);
      await shot(page, '3-place');
    },
  ],
  [
    'the search finds a grid by code and flies there, by keyboard alone',
    async () => {
      await page.keyboard.press('Escape');
      await page.locator('.maplibregl-canvas').focus();
      await page.keyboard.press('/');
      await page.keyboard.type(place.grid);
      await page.waitForSelector(`#search-list [data-code="${place.grid}"]`);
      await shot(page, '4-search');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForSelector(`#panel [data-grid="${place.grid}"]`);
      await whenIdle(page);
      const { lng, lat } = await page.evaluate(() => window.gridwarden.map.getCenter());
      const off = Math.hypot(lng - place.lon, lat - place.lat);
      check(off < 0.2, `the map stands ${off} degrees off`);
      check((await page.inputValue('#search')) === place.grid, 'the box lost its text');
      await page.click('#search-clear');
    },
  ],
  [
    'a report is followed live until it is assigned and accepted, or at a desk',
    async () => {
      await lookAt(page, place.lon, place.lat, 16);
      await page.click('#report');
      await clickAt(page, place.lon, place.lat);
      await page.waitForSelector('#report-form');
      await page.selectOption('#report-class', city.classes[0].code);
      await page.fill('#report-description', '测试：路面有积水 / test: water on the road');
      await shot(page, '5-report');
      await page.click('#report-send');
      await page.waitForSelector('#incident-state');
      const id = await text(page, '#incident-id');
      // An offer to a worker or a desk's turn is in the trail; the panel shows it by itself.
      await page.waitForSelector(
        '#incident-trail [data-kind="OFFERED"], #incident-trail [data-kind="SENT_TO_DESK"]',
      );
      // Whoever has it takes it on, unless the city's own crew was quicker; the panel shows it
      // without a click.
      const { incident } = await json(`/v1/incidents/${id}`);
      await fetch(new URL(`/v1/incidents/${id}/accept`, base), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ request_id: `accept-${id}`, actor: incident.handler }),
      });
      await page.waitForFunction(() =>
        ['ACCEPTED', 'STARTED', 'RESOLVED', 'CLOSED'].includes(
          document.getElementById('incident-state').dataset.state,
        ),
      );
      await page.waitForSelector('#incident-trail [data-kind="ACCEPTED"]');
      await shot(page, '6-followed');
    },
  ],
  [
    'the language is switched, and kept',
    async () => {
      await page.click('#lang');
      check((await page.getAttribute('html', 'lang')) === 'zh-CN', 'lang is not zh-CN');
      check((await text(page, '#report')) === '上报事件', 'the button does not speak Chinese');
      await shot(page, '7-chinese');
      await page.reload();
      await page.waitForSelector('#live[data-kind="live"]');
      check((await text(page, '#report')) === '上报事件', 'the choice was not kept');
    },
  ],
  [
    'the satellite view is switched on and off',
    async () => {
      await lookAt(page, place.lon, place.lat, 13);
      const plain = await lookOf(page);
      await page.check('input[name="base"][value="satellite"]', { force: true });
      await page.waitForFunction(() => window.gridwarden.map.getLayer('base'));
      if (city.rasters.length > 0) await page.selectOption('#imagery-source', '');
      await whenIdle(page);
      const pictured = await lookOf(page);
      check(pictured.colours > 1000, `the picture has ${pictured.colours} colours`);
      check(pictured.light < plain.light - 50, `as light as the map: ${pictured.light}`);
      await shot(page, '8-satellite');
      await page.check('input[name="base"][value="map"]', { force: true });
      await page.waitForFunction(() => !window.gridwarden.map.getLayer('base'));
    },
  ],
  [
    'a chosen level is drawn in the place of the one by zoom',
    async () => {
      await lookAt(page, (west + east) / 2, (south + north) / 2, 9.5);
      check((await drawn(page, ['villages-fill'])) === 0, 'villages are drawn by zoom already');
      await page.check('input[name="level"][value="villages"]', { force: true });
      await whenIdle(page);
      await page.waitForFunction(
        () => window.gridwarden.map.queryRenderedFeatures({ layers: ['villages-fill'] }).length > 0,
      );
      await shot(page, '9-villages');
      await page.check('input[name="level"][value="auto"]', { force: true });
    },
  ],
  [
    'the map is asked by keyboard',
    async () => {
      await lookAt(page, place.lon, place.lat, 17);
      await page.locator('.maplibregl-canvas').focus();
      await page.keyboard.press('Enter');
      await page.waitForSelector('#panel:not([hidden]) h2');
      const focused = await page.evaluate(() => document.activeElement.id);
      check(focused === 'panel-title', `the focus is at ${focused}`);
      await page.keyboard.press('Escape');
      check(await page.locator('#panel').isHidden(), 'Escape does not close the panel');
    },
  ],
  [
    'the page fits a telephone',
    async () => {
      const phone = await open({ width: 390, height: 844 }, 'zh-CN');
      await phone.waitForSelector('#live[data-kind="live"]');
      await whenIdle(phone);
      check((await text(phone, '#report')) === '上报事件', 'a Chinese browser is not spoken to so');
      const wide = await phone.evaluate(() => document.documentElement.scrollWidth);
      check(wide <= 390, `the page is ${wide} pixels wide`);
      await lookAt(phone, place.lon, place.lat, 15);
      await phone.evaluate(() => {
        for (const layer of ['workers-icon', 'incidents-icon']) {
          window.gridwarden.map.setLayoutProperty(layer, 'visibility', 'none');
        }
      });
      await whenIdle(phone);
      await clickAt(phone, place.lon, place.lat);
      await phone.waitForSelector('#panel [data-grid]');
      await shot(phone, '10-telephone');
      await phone.context().close();
    },
  ],
  [
    'another edition is seen without a reload',
    async () => {
      if (!options['publish-command']) return 'skipped';
      const changed = options['changed-grid'] ?? place.grid;
      await page.fill('#search', changed);
      await page.waitForSelector(`#search-list [data-code="${changed}"]`);
      await page.keyboard.press('Enter');
      await page.waitForSelector(`#panel [data-grid="${changed}"]`);
      await whenIdle(page);
      const editionOf = () => page.evaluate(() => window.gridwarden.picture.edition);
      const before = await editionOf();
      const nameBefore = await text(page, '#panel-title');
      await page.evaluate(() => (window.sameDocument = true));
      await run(options['publish-command']);
      await page.waitForFunction((number) => window.gridwarden.picture.edition > number, before);
      await page.waitForSelector('#toasts .toast');
      await page.waitForFunction(
        (number) =>
          window.gridwarden.map
            .getSource('grids')
            .tiles.every((url) => url.endsWith(`edition=${number}`)),
        await editionOf(),
      );
      await whenIdle(page);
      if (options['changed-grid']) {
        await page.waitForFunction(
          (name) => document.getElementById('panel-title').textContent !== name,
          nameBefore,
        );
        // The tiles say the new name too.
        const { properties } = await json(`/v1/grids/${changed}`);
        await page.waitForFunction(
          ([code, name]) =>
            window.gridwarden.map
              .querySourceFeatures('grids', { sourceLayer: 'grids' })
              .some((one) => one.properties.code === code && one.properties.name === name),
          [changed, properties.name],
        );
      }
      check(await page.evaluate(() => window.sameDocument === true), 'the page was loaded again');
      await shot(page, '11-edition');
      return undefined;
    },
  ],
  [
    'nothing was asked of another host, and the console holds no error',
    async () => {
      check(outside.length === 0, `asked elsewhere: ${outside.join(' ')}`);
      check(complaints.length === 0, complaints.join('\n'));
    },
  ],
];

let failed = 0;
let skipped = 0;
console.log(`[==========] Running ${cases.length} test(s).`);
for (const [name, body] of cases) {
  console.log(`[ RUN      ] ${name}`);
  try {
    if ((await body()) === 'skipped') {
      skipped++;
      console.log(`[  SKIPPED ] ${name}`);
    } else {
      console.log(`[       OK ] ${name}`);
    }
  } catch (error) {
    failed++;
    console.log(`${error.message}\n[  FAILED  ] ${name}`);
    await page?.screenshot({ path: `${out}/failed-${failed}.png` }).catch(() => {});
  }
}
if (skipped) console.log(`[  SKIPPED ] ${skipped} test(s), see above.`);
await browser.close();
process.exit(failed ? 1 : 0);
