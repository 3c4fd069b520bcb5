/**
 * Jupyter Notebook over a real Python: a token to sign in, a cookie that scripts send back in a header against forged requests,
 * and a kernel that is spoken to over a WebSocket.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { testRealApp } from './harness/test-real-app.ts';

/** Of kernels, sessions and messages. */
const ids = /\b[0-9a-f]{8}-[0-9a-f]{4,24}[0-9a-f_-]*|\b[0-9a-f]{32}(?:_\w+)?/g;
const whyIds = 'random for each kernel, session and message';
const token = /2\|[0-9a-f]{8}\|[0-9a-f]{32}\|\d+/g;

const program = "print(6 * 7)\nfrom IPython.display import HTML\nHTML('<b id=crop>Möhren</b>')";

testRealApp({
  name: 'jupyter',
  start: async (place) => {
    const files = join(place.folder, 'files');
    mkdirSync(files);
    const where = ['--ip=127.0.0.1', `--port=${place.port}`, '--port-retries=0', `--notebook-dir=${files}`];
    const settings = { token: 'beans', allow_remote_access: 'True', quit_button: 'False' };
    const more = Object.entries(settings).map(([name, value]) => `--NotebookApp.${name}=${value}`);
    place.spawn('/usr/bin/jupyter-notebook', ['--allow-root', '--no-browser', ...where, ...more]);
    await place.answers();
  },
  visit: async (page) => {
    await page.see('#password_input');
    await page.look('sign-in');
    await page.fill('#password_input', 'beans');
    await page.click('#login_submit');
    await page.see('#new-dropdown-button');
    await page.see('text=The notebook list is empty.');
    await page.look('empty');
    await page.goto(`/notebooks/${await page.evaluate(newNotebook, undefined)}`);
    await page.see('.kernel_idle_icon');
    await page.evaluate(runCell, program);
    await page.see('.output_text:has-text("42")');
    await page.see('#crop');
    await page.evaluate(saveNotebook, undefined);
    await page.unsee('#notification_notebook');
    await page.look('counted');
  },
  restless: ['.CodeMirror-cursors'],
  mayDiffer: [
    { part: 'dom', pattern: token, why: 'random for each browser' },
    { part: 'dom', pattern: /\bv=\d{14}/g, why: 'when the app was started, so that caches know' },
    { part: 'dom', pattern: ids, why: whyIds },
    { part: 'dom', pattern: /\w+, \w+ \d+, \d{4} \d\d?:\d\d [AP]M/g, why: 'times' },
    {
      part: 'dom',
      pattern: /<script [^>]*data-requiremodule=[^>]*><\/script>/g,
      why: 'RequireJS appends what it asks for in the order in which answers come',
    },
    { part: 'dom', pattern: /(?<="CodeMirror-cursors" style=")[^"]*/g, why: 'a cursor blinks' },
    { part: 'console', pattern: /\bv=\d{14}/g, why: 'as above' },
    { part: 'cookie', pattern: /(?<==)[^;]*/g, why: 'signed, and random' },
    { part: 'header', pattern: token, why: 'as above' },
    { part: 'request', pattern: ids, why: whyIds },
    { part: 'request', pattern: /(?<=[?&](?:_|v)=)\d+/g, why: 'times' },
    { part: 'request', pattern: /(?<=^POST \/login\S+ \d+ ).*$/, why: 'the form carries the token' },
    { part: 'socket', pattern: ids, why: whyIds },
    { part: 'socket', pattern: /\d{4}-\d\d-\d\dT[\d:.]+Z/g, why: 'times' },
    {
      part: 'socket',
      pattern: /^< text \{"header": \{"msg_id": "", "msg_type": "(?:status|\w+_reply)".*$/,
      why: 'what comes of the kernel’s several channels comes in any order',
    },
  ],
});

/** @returns its path. */
async function newNotebook(): Promise<string> {
  const token = /_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? '';
  const headers = { 'x-xsrftoken': token, 'content-type': 'application/json' };
  const answer = await fetch('/api/contents', { method: 'POST', headers, body: JSON.stringify({ type: 'notebook' }) });
  return ((await answer.json()) as { path: string }).path;
}

interface Cell {
  set_text(text: string): void;
  execute(): void;
}
interface Notebook {
  get_cell(index: number): Cell;
  save_notebook(): Promise<void>;
}

/** Into its editor, which would complete what a person types. */
function runCell(text: string): void {
  const { Jupyter } = window as unknown as { Jupyter: { notebook: Notebook } };
  const cell = Jupyter.notebook.get_cell(0);
  cell.set_text(text);
  cell.execute();
}

/** Until the menu has the checkpoint that is made of it. */
async function saveNotebook(): Promise<void> {
  const { Jupyter } = window as unknown as { Jupyter: { notebook: Notebook } };
  await Jupyter.notebook.save_notebook();
  const latest = () => document.querySelector('#restore_checkpoint ul a')?.textContent ?? '';
  while (!/\d/.test(latest())) await new Promise(requestAnimationFrame);
}
