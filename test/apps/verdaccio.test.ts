/** Verdaccio: a package registry whose pages write their own address from the Host header. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { testRealApp } from './harness/test-real-app.ts';

const config = `
storage: ./storage
auth: { htpasswd: { file: ./users } }
uplinks: {}
packages: { '**': { access: $all, publish: $authenticated } }
web: { title: Packages }
log: { type: stdout, format: pretty, level: warn }
`;

/** A tar of one file, as npm packs it. */
function packed(): Buffer {
  const content = Buffer.from(JSON.stringify({ name: 'twice', version: '1.0.0', description: 'Seen twice' }));
  const header = Buffer.alloc(512);
  header.write('package/package.json', 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return gzipSync(Buffer.concat([header, content, Buffer.alloc(512 - (content.length % 512)), Buffer.alloc(1024)]));
}

const tarball = packed();
const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;

testRealApp({
  name: 'verdaccio',
  start: async (place) => {
    mkdirSync(join(place.folder, 'storage'));
    writeFileSync(join(place.folder, 'config.yaml'), config);
    const program = place.installed('verdaccio/bin/verdaccio');
    const listen = `127.0.0.1:${place.port}`;
    place.spawn(process.execPath, [program, '--config', join(place.folder, 'config.yaml'), '--listen', listen]);
    await place.answers('/-/ping');
  },
  visit: async (page) => {
    await page.see('text=No Package Published Yet');
    await page.look('empty');
    const made = { data: tarball.toString('base64'), length: tarball.length, integrity };
    const published = await page.evaluate(publish, made);
    if (published.join() !== '201,201') throw new Error(`publishing answered ${published}`);
    await page.reload();
    await page.see('text=Seen twice');
    await page.goto('/-/web/detail/twice');
    await page.see('text=npm install twice');
    await page.look('package');
    const installed = await page.evaluate(install, undefined);
    if (installed !== integrity) throw new Error(`installed ${installed} instead of ${integrity}`);
  },
  mayDiffer: [
    { part: 'dom', pattern: /title="[^"]*\b20\d\d\b[^"]*"|(?:a few|\d+) seconds? ago/g, why: 'the time of publishing' },
    { part: 'header', pattern: /(?<=authorization: Bearer ).*$/, why: 'the token of a sign-in is random' },
  ],
});

/** As `npm login` and `npm publish` speak. */
async function publish(made: { data: string; length: number; integrity: string }): Promise<number[]> {
  const send = (path: string, body: unknown, token?: string) =>
    fetch(path, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
  const user = await send('/-/user/org.couchdb.user:grace', { name: 'grace', password: 'hopper-1906' });
  const { token } = (await user.json()) as { token: string };
  const version = {
    ...{ name: 'twice', version: '1.0.0', description: 'Seen twice', readme: '# Twice\n\nSeen **twice**.' },
    dist: { integrity: made.integrity, tarball: `${location.origin}/twice/-/twice-1.0.0.tgz` },
  };
  const body = {
    ...{ _id: 'twice', name: 'twice', 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } },
    readme: version.readme,
    _attachments: {
      'twice-1.0.0.tgz': { content_type: 'application/octet-stream', data: made.data, length: made.length },
    },
  };
  const package_ = await send('/twice', body, token);
  return [user.status, package_.status];
}

/** As `npm install` does: the metadata says where the tarball is, and what it must be. */
async function install(): Promise<string> {
  const metadata = (await (await fetch('/twice')).json()) as {
    versions: Record<string, { dist: { tarball: string } }>;
  };
  const tarball = await (await fetch(metadata.versions['1.0.0']?.dist.tarball ?? '')).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-512', tarball));
  return `sha512-${btoa(String.fromCharCode(...digest))}`;
}
