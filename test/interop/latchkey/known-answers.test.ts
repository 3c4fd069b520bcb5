/** The second implementation against the published known answers, byte for byte, and what it is made of. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsVectors, vectorJson, vectorsPresent } from '../../support/vectors.ts';
import { clientHandshake, gatewayHandshake, type Opened } from './handshake.ts';
import { exporter, nextEpoch, reauthHash, rekeyProof } from './keys.ts';
import { Records } from './records.ts';
import { answer, type Draw, offer, signingKey } from './suite.ts';

type Tree = { readonly [name: string]: Tree | string | number };
const known = vectorsPresent ? vectorJson<Tree>('latchkey/handshake.json') : {};
const field = (...path: string[]): string | number =>
  path.reduce<Tree | string | number>((at, name) => (at as Tree)[name]!, known) as string | number;
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const bytes = (...path: string[]): Uint8Array => new Uint8Array(Buffer.from(String(field(...path)), 'hex'));
const input = (name: string): Uint8Array => bytes('inputs', name);

const names = { x25519: 'x25519_sk', mlkem: 'mlkem_seed_d_z', m: 'mlkem_m' } as const;

/** The randomness of the run: that of the handshake, then that of each rekey. */
function drawsOf(role: 'client' | 'gateway'): Draw {
  const used = { x25519: 0, mlkem: 0, m: 0 };
  return (purpose) => {
    if (purpose === 'random') return input(`${role}.random`);
    if (purpose === 'cookie') return input('cookie.key');
    if (purpose === 'session') return input('ready.session_id');
    const round = used[purpose]++;
    return input(`${round === 0 ? '' : `rekey${round}.`}${role}.${names[purpose]}`);
  };
}

const keyOf = (name: string) => signingKey(input(`${name}.mldsa_seed`), input(`${name}.ed25519_seed`));

const files = ['bytes.ts', 'suite.ts', 'keys.ts', 'handshake.ts', 'records.ts', 'peer.ts'];

test('QZ-11: the second implementation imports @noble and its own files, and nothing of the product', () => {
  const imported = files.flatMap((file) => {
    const source = readFileSync(join(import.meta.dirname, file), 'utf8');
    assert.doesNotMatch(source, /\bimport\(|\brequire\(/, file);
    return Array.from(source.matchAll(/\bfrom '([^']+)'/g), ([, from]) => from!);
  });
  assert.ok(imported.length >= 12, `${imported.length} imports`);
  const strange = imported.filter((from) => !from.startsWith('@noble/') && !files.includes(from.replace('./', '')));
  assert.deepEqual(strange, []);
  const others = readdirSync(import.meta.dirname).filter((file) => !files.includes(file));
  assert.deepEqual(others.sort(), ['known-answers.test.ts', 'meeting.ts', 'product.test.ts', 'up.test.ts']);
});

test('QZ-11, QZ-15: a handshake of its two roles, RETRY included, is the known one byte for byte', needsVectors, () => {
  const gatewayKey = bytes('public_keys', 'gateway');
  const client = clientHandshake({
    draw: drawsOf('client'),
    transport: 1,
    gatewayKey,
    stealth: input('stealth_key'),
    key: keyOf('session'),
    svid: bytes('svid'),
    posture: bytes('posture'),
  });
  const retry = {
    difficulty: Number(field('fields', 'retry.difficulty')),
    address: String(field('fields', 'retry.client_address')),
  };
  const gateway = gatewayHandshake({
    draw: drawsOf('gateway'),
    transport: 1,
    key: keyOf('gateway'),
    stealth: input('stealth_key'),
    params: bytes('params'),
    now: () => Number(field('fields', 'time_ms')),
    sessionKeyOf: (svid) => svid.slice(41, 41 + 1984),
    retry,
  });
  gateway.next(new Uint8Array(0));

  let compared = 0;
  const same = (sent: unknown, name: string): Uint8Array => {
    const frame = sent as Uint8Array;
    assert.equal(hex(frame.subarray(4)), field(name), name);
    compared++;
    return frame;
  };
  const init = same(client.next(new Uint8Array(0)).value, 'init_without_cookie');
  const demand = same(gateway.next(init).value, 'retry');
  const again = same(client.next(demand).value, 'init');
  const resp = same(gateway.next(again).value, 'resp');
  const auth = same(client.next(resp).value, 'auth');
  const opened = gateway.next(auth).value as Opened;
  const ready = same(opened.last, 'ready');
  for (const { epoch } of [opened, client.next(ready).value as Opened]) {
    for (const [own, name] of [
      ['S_c', 'c'],
      ['S_g', 'g'],
      ['CK', 'ck'],
      ['EX', 'exp'],
    ] as const) {
      assert.equal(hex(epoch[own]), field('epoch0', name));
      compared++;
    }
    assert.equal(hex(epoch.T), field('th6_is_T0'));
    compared++;
  }
  assert.equal(compared, 6 + 2 * 5);
});

const epochOf = (n: number) => ({
  n,
  T: n === 0 ? bytes('th6_is_T0') : bytes(`rekey${n}`, `T${n}`),
  S_c: bytes(`epoch${n}`, 'c'),
  S_g: bytes(`epoch${n}`, 'g'),
  CK: bytes(`epoch${n}`, 'ck'),
  EX: bytes(`epoch${n}`, 'exp'),
});

test('QZ-15: its two rekeys, its exporter and its REAUTH hash are the known ones', needsVectors, () => {
  const [client, gateway] = [drawsOf('client'), drawsOf('gateway')];
  answer(offer(client).share, gateway); // the handshake's
  let epoch = epochOf(0);
  for (const n of [1, 2]) {
    const own = offer(client);
    const other = answer(own.share, gateway);
    const number = Uint8Array.of(0, 0, 0, n);
    const [init, resp] = [Buffer.concat([number, own.share]), Buffer.concat([number, other.share])];
    assert.equal(hex(init), field(`rekey${n}`, 'rk_init'));
    assert.equal(hex(resp), field(`rekey${n}`, 'rk_resp'));
    assert.deepEqual(own.finish(other.share), other.secret);
    epoch = nextEpoch(epoch, init, resp, other.secret);
    assert.deepEqual(epoch, epochOf(n));
    assert.equal(hex(Buffer.concat([number, rekeyProof(epoch)])), field(`rekey${n}`, 'rk_done'));
  }
  assert.equal(hex(exporter(epochOf(1), 'webauthn', input('stepup.nonce'))), field('exporter_webauthn_epoch1'));
  assert.equal(hex(reauthHash(epochOf(1).T, bytes('svid'))), field('reauth_hash_epoch1'));
});

test('QZ-16: its records are the known ones, sealing and opening', needsVectors, () => {
  type Known = {
    key_of: string;
    direction: 0 | 1;
    stream: number;
    epoch: number;
    type: number;
    content: string;
    bytes: string;
  };
  const records = field('records') as unknown as Known[];
  const ends = new Map<string, { sealer: Records; opener: Records }>();
  let checked = 0;
  for (const { key_of, direction, stream, type, content, bytes: sealed, epoch: n } of records) {
    const epoch = epochOf(Number(key_of[5]));
    assert.equal(epoch.n, n);
    const [role, other] = direction === 0 ? (['client', 'gateway'] as const) : (['gateway', 'client'] as const);
    const name = `${key_of} ${stream}`;
    const end = ends.get(name) ?? { sealer: new Records(role, epoch), opener: new Records(other, epoch) };
    ends.set(name, end);
    assert.equal(hex(end.sealer.seal(BigInt(stream), type, Buffer.from(content, 'hex'))), sealed);
    const opened = end.opener.open(BigInt(stream), Buffer.from(sealed, 'hex'));
    assert.deepEqual([opened.type, hex(opened.content), opened.n], [type, content, n]);
    checked++;
  }
  assert.equal(checked, 5);
});
