/** The documents, scripts and the sound of the service that fidelity is measured with. */

interface Page {
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const html = (title: string, body: string, headers: Record<string, string> = {}): Page => ({
  type: 'text/html; charset=utf-8',
  body: `<!doctype html><html><head><title>${title}</title></head><body><h1>${title}</h1>${body}</body></html>`,
  headers: { 'cache-control': 'no-store', ...headers },
});
/** In an encoding other than UTF-8; `name` as its bytes. */
const encoded = (charset: string, name: Buffer, unit: BufferEncoding = 'latin1'): Page => {
  const [before, after] = ['<!doctype html><html><head><title>', '</title></head><body></body></html>'];
  const body = Buffer.concat([Buffer.from(before, unit), name, Buffer.from(after, unit)]);
  return { type: `text/html; charset=${charset}`, body };
};
/** Says which of its two inline scripts ran, the first of which has a nonce. */
const guarded = (policy: string): Page =>
  html('Guarded', '<script nonce="abc">window.ran = ["nonce"]</script><script>window.ran.push("bare")</script>', {
    'content-security-policy': policy,
  });
const script = (body: string): Page => ({ type: 'text/javascript', body });

const fetchesForItself = `const ask = async () => (await (await fetch('/echo?from=worker', { headers: { 'x-asked': 'worker' } })).json()).target;`;

export const documents: Readonly<Record<string, Page>> = {
  '/': html('Start', '<a id=next href="/second?x=1#part">Second</a> <input id=field>'),
  '/second': html('Second', '<a href="/">Start</a>'),
  '/frame': html('Inner', '<script>parent.postMessage({ inner: location.pathname }, "*")</script>'),
  '/unnamed': html('Unnamed', '', { 'referrer-policy': 'no-referrer' }),
  '/unnamed-inside': html('Unnamed', '<meta name="Referrer" content=" No-Referrer ">'),
  '/unnamed-then-origin': html(
    'Unnamed',
    '<meta name="referrer" content="no-referrer"><meta name="referrer" content="origin">',
  ),
  '/unnamed-around': html('Unnamed', '<iframe src="/echo?framed"></iframe>', { 'referrer-policy': 'no-referrer' }),
  '/folder/page': html('Folder', '<script>document.cookie = "folder=1"</script>'),
  '/popup': html(
    'Pop-up',
    '<script>opener && opener.postMessage({ popup: location.search }, location.origin)</script>',
  ),
  '/busts': html('Busts', '<script>if (top !== self) { try { top.location = self.location } catch {} }</script>'),
  '/isolated': html('Isolated', '', {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  }),
  '/denies-frames': html('Denies', '<p>only on its own</p>', { 'x-frame-options': 'DENY' }),
  '/charset/utf-16': encoded('utf-16le', Buffer.from('日本 ü', 'utf16le'), 'utf16le'),
  '/charset/shift-jis': encoded('shift_jis', Buffer.of(0x93, 0xfa, 0x96, 0x7b, 0x5c)),
  '/charset/latin-1': encoded('iso-8859-1', Buffer.of(0xfc, 0xe9, 0x80)),
  '/csp/unsafe-inline': guarded("default-src 'self'; script-src 'unsafe-inline'"),
  '/csp/nonce-beside-it': guarded("default-src 'self'; script-src 'unsafe-inline' 'nonce-abc'"),
  '/csp/strict-dynamic': guarded("default-src 'self'; script-src 'nonce-abc' 'strict-dynamic'; base-uri 'none'"),
  '/script.js': script('window.scripted = (window.scripted ?? 0) + 1;'),
  '/module.js': script("import { value } from './imported.js'; window.moduleValue = value;"),
  '/imported.js': script('export const value = 42;'),
  '/style.css': { type: 'text/css', body: '@import "/imported.css"; h1 { color: rgb(1, 2, 3); }' },
  '/imported.css': { type: 'text/css', body: 'h1 { outline-color: rgb(4, 5, 6); }' },
  '/worker.js': script(`${fetchesForItself} ask().then(postMessage);`),
  '/module-worker.js': script(
    `import { value } from '/imported.js'; ${fetchesForItself} ask().then((target) => postMessage(value + target));`,
  ),
  '/json-worker.js': script(
    `import own from '/own.json' with { type: 'json' }; ${fetchesForItself} ask().then((target) => postMessage(own.name + target));`,
  ),
  '/own.json': { type: 'application/json', body: '{ "name": "json" }' },
  '/shared-worker.js': script(
    `${fetchesForItself} onconnect = ({ ports: [port] }) => ask().then((target) => port.postMessage(target));`,
  ),
  '/imports.js': script(
    `importScripts('/lib.js'); ${fetchesForItself} ask().then((target) => postMessage(lib + target));`,
  ),
  '/lib.js': script("self.lib = 'lib';"),
  '/picture.svg': {
    type: 'image/svg+xml',
    body: '<svg xmlns="http://www.w3.org/2000/svg" width="12" height="34"><rect width="12" height="34"/></svg>',
  },
};

const rate = 8_000;
const seconds = 30;

/** RIFF WAVE, PCM, 8 bit, mono: half a minute of a tone. */
export const sound: Buffer = wave();

function wave(): Buffer {
  const samples = rate * seconds;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + samples, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // one channel
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate, 28); // bytes a second
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples, 40);
  return Buffer.concat([
    header,
    Buffer.from(Uint8Array.from({ length: samples }, (_, i) => 128 + 60 * Math.sin(i / 3))),
  ]);
}
