/**
 * GrapesJS: a page builder. What is built stands in a blank frame, which its script writes, with a stylesheet, a script and an
 * image of the service: none of that passes Chromium's service worker.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testRealApp } from './harness/test-real-app.ts';

const page = `<!doctype html>
<html><head><meta charset="utf-8"><title>Builder</title><link rel="stylesheet" href="/css/grapes.min.css"></head>
<body><div id="gjs"><h1>Notice</h1><p id="said"></p><img src="/picture.svg" alt=""></div>
<script src="/grapes.min.js"></script><script>
grapesjs.init({
  container: '#gjs', fromElement: true, storageManager: false, telemetry: false, cssIcons: '',
  canvas: { styles: ['/notice.css'], scripts: ['/notice.js'] },
});
</script></body></html>`;
const files = {
  '/': ['text/html', page],
  '/notice.css': ['text/css', '@import "colours.css"; h1 { background: url(picture.svg) repeat-x }'],
  '/colours.css': ['text/css', 'h1 { color: rgb(120, 0, 60) }'],
  '/notice.js': ['text/javascript', 'window.notice = "a script said so";'],
  '/picture.svg': [
    'image/svg+xml',
    '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><circle cx="30" cy="20" r="18"/></svg>',
  ],
};
const server = `import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
const [, , port, dist, files] = process.argv;
const own = JSON.parse(files);
createServer(({ url }, response) => {
  const [type, body] = own[url] ?? [url.endsWith('.css') ? 'text/css' : 'text/javascript'];
  if (body === undefined && !existsSync(dist + url)) return response.writeHead(404).end();
  response.setHeader('content-type', type).end(body ?? readFileSync(dist + url));
}).listen(Number(port), '127.0.0.1');
`;

testRealApp({
  name: 'grapesjs',
  start: async (place) => {
    const program = join(place.folder, 'server.mjs');
    writeFileSync(program, server);
    const dist = place.installed('grapesjs/dist');
    place.spawn(process.execPath, [program, String(place.port), dist, JSON.stringify(files)]);
    await place.answers();
  },
  visit: async (page) => {
    const canvas = page.inner('.gjs-frame');
    await canvas.see('h1:has-text("Notice")');
    await page.evaluate(async () => {
      const frame = document.querySelector('.gjs-frame') as HTMLIFrameElement;
      const inside = frame.contentWindow as Window & { notice?: string };
      const { document: built } = inside;
      const isThere = () =>
        inside.notice !== undefined &&
        built.images[0]?.offsetHeight === 40 &&
        inside.getComputedStyle(built.querySelector('h1') as Element).color === 'rgb(120, 0, 60)';
      while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
    }, undefined);
    await page.look('opened');
    await canvas.click('h1');
    await page.see('.gjs-badge:has-text("Heading"), .gjs-badge:has-text("Text")');
    await page.look('chosen');
  },
  mayDiffer: [
    { part: 'dom', pattern: /(?<=class="gjs-clm-sel-id">#)\w+/g, why: 'random ids of what is built' },
    {
      part: 'dom',
      pattern: /(?<=id="gjs-tools" style=")[^"]*/g,
      why: 'hidden when its canvas has been measured again, which is now or then',
    },
    {
      part: 'console',
      pattern: /^.*(?:status of 421|^Refused to execute).*\/(?:notice|picture|colours)\.\w+.*$/,
      why: 'what the frame names is asked for in vain first, past the service worker, and then once more by the page around',
    },
    {
      part: 'header',
      pattern: /^GET \/(?:notice|colours)\.\w+: (?:accept|referer|sec-fetch-(?:dest|mode)): .*$/,
      why: 'as above: by a fetch',
    },
  ],
});
