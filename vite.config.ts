/**
 * What the browser gets, in three folders because it is three origins: `hub`, `shell` and `app`.
 * `npm run build` runs it once for each mode; the app origin's scripts are single files without imports.
 */
import { resolve } from 'node:path';
import { minify } from 'terser';
import { defineConfig, type InlineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;

const common: InlineConfig = {
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
  build: {
    target: 'es2024',
    sourcemap: false,
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  worker: { format: 'es' },
};

/** An origin with an index.html of its own. */
function page(name: 'hub' | 'shell'): InlineConfig {
  return {
    ...common,
    root: resolve(root, 'web', name),
    publicDir: resolve(root, 'web', name, 'public'),
    build: { ...common.build, outDir: resolve(root, 'dist', name) },
  };
}

/** One file of the app origin. */
export function script(name: string, entry: string, format: 'iife' | 'es'): InlineConfig {
  return {
    ...common,
    root: resolve(root, 'worker'),
    build: {
      ...common.build,
      outDir: resolve(root, 'dist/app'),
      emptyOutDir: false,
      lib: { entry: resolve(root, 'worker', entry), formats: [format], name: 'latchkey', fileName: () => `${name}.js` },
    },
  };
}

/**
 * The shim goes into workers by its own text: the function that is all of it gets a name. It comes with every page, so a second
 * minifier takes what the first left. Functions that it makes arrows of nobody constructs or asks for a prototype, and they
 * have no `this`.
 */
const asShim: Plugin = {
  name: 'as-shim',
  async generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      if (!chunk.code.startsWith('(function()')) throw new Error('the shim is no function');
      const named = chunk.code.replace('(function()', '(function shim()');
      const { code = '' } = await minify(named, { ecma: 2020, compress: { passes: 3, unsafe_arrows: true } });
      chunk.code = code;
    }
  },
};

export const pages: readonly InlineConfig[] = [page('hub'), page('shell')];
export const scripts: readonly InlineConfig[] = [
  script('sw', 'sw/sw.ts', 'iife'),
  { ...script('shim', 'shim/shim.ts', 'iife'), plugins: [asShim] },
  script('boot', 'shim/boot.ts', 'es'),
  script('helper', 'shim/helper.ts', 'es'),
  script('courier', 'shim/courier.ts', 'es'),
  script('wipe', 'shim/wipe.ts', 'es'),
];

export default defineConfig(({ mode }) => (mode === 'shell' ? page('shell') : page('hub')));
