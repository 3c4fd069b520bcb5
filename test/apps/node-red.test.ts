/** Node-RED: an editor that hears of everything over a WebSocket, and a flow that speaks through it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { testRealApp } from './harness/test-real-app.ts';

const settings = {
  uiHost: '127.0.0.1',
  flowFile: 'flows.json',
  credentialSecret: 'a secret of this test alone',
  telemetry: { enabled: false, updateNotification: false },
  editorTheme: { tours: false, projects: { enabled: false } },
  logging: { console: { level: 'info', metrics: false, audit: false } },
  externalModules: { palette: { allowInstall: false } },
};
const tab = { id: 'f1', type: 'tab', label: 'Twice' };
const flow = [
  {
    id: 'n1',
    type: 'inject',
    z: 'f1',
    name: 'go',
    props: [{ p: 'payload' }],
    repeat: '',
    crontab: '',
    once: true,
    onceDelay: 0.1,
    topic: '',
    payload: 'through the flow',
    payloadType: 'str',
    x: 140,
    y: 80,
    wires: [['n2']],
  },
  {
    id: 'n2',
    type: 'debug',
    z: 'f1',
    name: 'hear',
    active: true,
    tosidebar: true,
    complete: 'payload',
    targetType: 'msg',
    x: 340,
    y: 80,
    wires: [],
  },
];

testRealApp({
  name: 'node-red',
  start: async (place) => {
    writeFileSync(join(place.folder, 'settings.js'), `module.exports = ${JSON.stringify(settings)};`);
    writeFileSync(join(place.folder, 'flows.json'), JSON.stringify([tab]));
    const program = place.installed('node-red/red.js');
    place.spawn(process.execPath, [program, '--userDir', place.folder, '--port', String(place.port)]);
    await place.answers('/settings');
  },
  visit: async (page) => {
    await page.see('#red-ui-palette .red-ui-palette-node[data-palette-type="inject"]');
    await page.see('text=Twice');
    await page.look('opened');
    await page.click('#red-ui-workspace-chart');
    await page.press('Control+i');
    await page.fill('#red-ui-clipboard-dialog-import-text', JSON.stringify(flow));
    // It is looked at when a key comes up.
    await page.press('End');
    await page.click('#red-ui-clipboard-dialog-ok');
    await page.click('#red-ui-workspace-chart');
    await page.press('Control+g');
    await page.press('d');
    await page.click('#red-ui-header-button-deploy');
    await page.see('.red-ui-debug-msg:has-text("through the flow")');
  },
  restless: ['.red-ui-help-tip'],
  mayDiffer: [
    { part: 'dom', pattern: /<div class="red-ui-help-tip">.*?<\/div>/g, why: 'one of its tips, by chance' },
    { part: 'dom', pattern: /(?<=[?&]v=)[0-9a-f]{12}/g, why: 'a number of each start, against caches' },
    { part: 'request', pattern: /(?<=[?&]v=)[0-9a-f]{12}/, why: 'as above' },
    { part: 'header', pattern: /(?<=referer: .*[?&]v=)[0-9a-f]{12}/, why: 'as above' },
    { part: 'request', pattern: /(?<=[?&]_=)\d+/, why: 'jQuery writes the time against caches' },
    { part: 'request', pattern: /(?<=^POST \/flows \d+ ).*$/, why: 'what is imported gets random ids' },
    { part: 'header', pattern: /(?<=^POST .*: content-length: )\d+$/, why: 'as above' },
    {
      part: 'socket',
      pattern: /"(?:data|timestamp)":\d{13}|"(?:_msgid|id|rev|revision|path|_alias)":"[^"]*"/g,
      why: 'times, and random ids of messages and of what was imported',
    },
    { part: 'socket', pattern: /^< text (?:\[\])?\[?\{"topic":"hb".*$/, why: 'a heartbeat, every so often' },
  ],
});
