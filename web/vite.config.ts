import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const out = fileURLToPath(new URL('../build/web', import.meta.url));

// What this build makes is removed before it; the glyphs in the same folder are another tool's.
function cleanOwn(): Plugin {
  return {
    name: 'clean-own',
    apply: 'build',
    buildStart() {
      for (const name of ['assets', 'sprites', 'index.html', 'style.json', 'licenses.txt']) {
        rmSync(`${out}/${name}`, { recursive: true, force: true });
      }
    },
  };
}

// The style, which the node serves to any map client with its own address in the place of {base};
// and the licence of the one library that the page carries.
function plainFiles(): Plugin {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
  return {
    name: 'plain-files',
    apply: 'build',
    generateBundle() {
      const license = read('node_modules/maplibre-gl/LICENSE.txt');
      const files = {
        'style.json': read('src/style.json'),
        'licenses.txt': `MapLibre GL JS\n\n${license}`,
      };
      for (const [fileName, source] of Object.entries(files)) {
        this.emitFile({ type: 'asset', fileName, source });
      }
    },
  };
}

export default defineConfig({
  base: '/',
  plugins: [cleanOwn(), plainFiles()],
  publicDir: false,
  worker: { format: 'es' },
  build: {
    outDir: out,
    emptyOutDir: false,
    target: 'es2022',
    assetsInlineLimit: 0, // no data: addresses of our own
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500, // MapLibre is the page's bulk
  },
  server: {
    // `npm run dev` beside a node on its usual port.
    proxy: Object.fromEntries(
      ['/v1', '/tiles', '/glyphs', '/sprites'].map((path) => [path, 'http://127.0.0.1:7680']),
    ),
  },
});
