/** Builds dist/: hub, shell and the app origin's files, then the hub's precache list. Run by server/build.ts. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { generateSW } from 'workbox-build';
import { pages, scripts } from '../vite.config.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
for (const config of [...pages, ...scripts]) await build(config);
mkdirSync(join(dist, 'app'), { recursive: true });
copyFileSync(join(root, 'web/app/helper.html'), join(dist, 'app/helper.html'));
await precacheHub();

/** The hub as an installable app: its own files and nothing of the API, so that what decides is always asked. */
async function precacheHub(): Promise<void> {
  await generateSW({
    globDirectory: join(dist, 'hub'),
    globPatterns: ['**/*.{html,js,css,svg,png,webmanifest}'],
    swDest: join(dist, 'hub/sw.js'),
    inlineWorkboxRuntime: true,
    sourcemap: false,
    skipWaiting: false,
    clientsClaim: false,
    navigateFallback: '/index.html',
    // The pages that a shell opens have headers of their own.
    navigateFallbackDenylist: [/^\/api\//, /^\/\.well-known\//, /^\/(step-up|again)$/],
  });
}
