/** Vite's dev server: a page of many small modules, a module worker, and news of every change over a WebSocket. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testRealApp } from './harness/test-real-app.ts';

const modules = 120;
const numbers = Array.from({ length: modules }, (_, i) => i);

const page = `<!doctype html>
<html><head><title>Sum</title><link rel="stylesheet" href="/src/look.css"></head>
<body><output id="sum"></output><p id="word"></p><p id="worker"></p><script type="module" src="/src/main.js"></script></body></html>`;
const main = `${numbers.map((n) => `import { n${n} } from './n${n}.js';`).join('\n')}
import { word } from './word.js';
import Doubler from './doubler.js?worker';
const show = (id, text) => { document.getElementById(id).textContent = text; };
show('sum', ${numbers.map((n) => `n${n}`).join(' + ')});
show('word', word);
const doubler = new Doubler();
doubler.onmessage = ({ data }) => show('worker', data);
doubler.postMessage(21);
import.meta.hot.accept('./word.js', (next) => show('word', next.word));
`;

testRealApp({
  name: 'vite',
  start: async (place) => {
    const write = (name: string, text: string) => writeFileSync(join(place.folder, name), text);
    mkdirSync(join(place.folder, 'src'));
    write('index.html', page);
    write('src/main.js', main);
    write('src/look.css', 'body { background: #eef }');
    write('src/word.js', "export const word = 'first';");
    write('src/doubler.js', "import { n2 } from './n2.js'; onmessage = ({ data }) => postMessage(data * n2);");
    for (const n of numbers) write(`src/n${n}.js`, `export const n${n} = ${n};`);
    // Two changes in a row: the system's own word of the second may come before the watcher listens to the new file.
    write('vite.config.js', 'export default { server: { watch: { usePolling: true, interval: 50 } } };');
    const program = join(import.meta.dirname, '../../node_modules/vite/bin/vite.js');
    place.spawn(process.execPath, [program, '--host', '127.0.0.1', '--port', String(place.port), '--strictPort']);
    await place.answers();
  },
  visit: async (page, place) => {
    // At once: an empty file on the way would be a change of its own, or not.
    const say = (text: string) => {
      const next = join(place.folder, 'next');
      writeFileSync(next, text);
      renameSync(next, join(place.folder, 'src/word.js'));
    };
    await page.see(`#sum:has-text("${(modules * (modules - 1)) / 2}")`);
    await page.see('#worker:has-text("42")');
    await page.look('opened');
    say("export const word = 'second';");
    await page.see('#word:has-text("second")');
    await page.look('changed');
    // What cannot be read is shown over the page, until it can.
    say("export const word = 'third");
    await page.see('vite-error-overlay');
    say("export const word = 'fourth';");
    await page.see('#word:has-text("fourth")');
  },
  mayDiffer: [
    { part: 'console', pattern: /(?<=\?t=)\d+/g, why: 'when a module changed' },
    {
      part: 'request',
      pattern: /(?<=[?&](?:t|token)=)[\w-]+/,
      why: 'when a module changed, and what a page was told to say',
    },
    { part: 'header', pattern: /(?<=[?&](?:t|token)=)[\w-]+/g, why: 'as above' },
    {
      part: 'socket',
      pattern: /(?<=[?&]token=)[\w-]+|"timestamp":\d+|\?t=\d+|\/tmp\/[\w-]+/g,
      why: 'as above, and its folder',
    },
  ],
});
