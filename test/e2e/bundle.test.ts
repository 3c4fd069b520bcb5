/** What the browser is sent: read as bytes, because what matters is what was shipped. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';

const dist = join(import.meta.dirname, '../../dist');
const scripts = globSync('**/*.js', { cwd: dist }).map((name) => ({
  name,
  text: readFileSync(join(dist, name), 'utf8'),
}));

/** Constants no implementation can do without, in the ways a minifier writes them. */
const marks: Readonly<Record<string, RegExp>> = {
  'ChaCha20 (RFC 8439 section 2.3)': /expand 32-byte k|1634760805|0x61707865|1\.634760805e9/i,
  'ML-KEM (FIPS 203: q = 3329)': /\b3329\b|\b0xd01\b/i,
  'AES-GCM by WebCrypto': /AES-GCM/,
  'X25519 by WebCrypto or noble': /["'`]X25519["'`]|121665|121666/,
};

test('QHX-4: the production bundle holds no second AEAD, KEM or key exchange', () => {
  assert.ok(scripts.length >= 6, `only ${scripts.length} scripts were found`);
  for (const { name, text } of scripts) {
    for (const [what, mark] of Object.entries(marks)) assert.doesNotMatch(text, mark, `${name} holds ${what}`);
  }
});

test('the marks are found where they are known to be', () => {
  const noble = (path: string) => readFileSync(join(dist, '../node_modules/@noble', path), 'utf8');
  assert.match(noble('ciphers/_arx.js'), marks['ChaCha20 (RFC 8439 section 2.3)'] as RegExp);
  assert.match(noble('post-quantum/ml-kem.js'), marks['ML-KEM (FIPS 203: q = 3329)'] as RegExp);
});

test('no page loads a script, style or picture from another origin', () => {
  for (const name of ['hub/index.html', 'shell/index.html', 'app/helper.html']) {
    const page = readFileSync(join(dist, name), 'utf8');
    assert.doesNotMatch(page, /(?:src|href)="(?:https?:)?\/\//, name);
    assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)/, `${name} has an inline script`);
  }
});

test('the hub precaches its own files and nothing of a service or of the API', () => {
  const worker = scripts.find(({ name }) => name === 'hub/sw.js');
  assert.ok(worker);
  const cached = [...worker.text.matchAll(/url:"([^"]+)"/g)].map((match) => match[1] ?? '');
  assert.ok(cached.includes('index.html'), 'the precache list was not found');
  for (const url of cached) assert.doesNotMatch(url, /api|launch|^https?:|\.latchkey/);
});

test('the shim is at most 10 KB and the client at most 120 KB compressed', () => {
  const size = (name: string) => brotliCompressSync(readFileSync(join(dist, name))).length;
  assert.ok(readFileSync(join(dist, 'app/shim.js')).length <= 10_240);
  const client = [...globSync('shell/**/*.{js,wasm,html,css}', { cwd: dist }), 'app/sw.js', 'app/shim.js'];
  const total = client.map(size).reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(total <= 120 * 1024, `${total} bytes`);
});
