/** The one Ed25519 rule where browsers verify: Chromium's own Ed25519 behind it, against CCTV, Wycheproof and RFC 8032. */
import { unhex, utf8 } from '../../protocol/bytes.ts';
import { verifyEd25519 } from '../../worker/tunnel/composite.ts';
import { isLoose } from '../support/loose-ed25519.ts';
import { same } from './support/expect.ts';

async function vectors<T>(path: string): Promise<T | undefined> {
  const response = await fetch(`/vectors/${path}`);
  return response.ok ? ((await response.json()) as T) : undefined;
}

describe('the strict rule in a browser', () => {
  it('QHX-11: accepts exactly the 43 of CCTV’s 914 edge cases that verify_strict does', async function (this: {
    skip(): void;
  }) {
    type Case = { number: number; key: string; sig: string; msg: string; flags: string[] | null };
    const cases = await vectors<Case[]>('cctv/ed25519/ed25519vectors.json');
    if (cases === undefined) return this.skip();
    let accepted = 0;
    for (const { number, key, sig, msg, flags } of cases) {
      const verdict = await verifyEd25519(unhex(key), utf8(msg), unhex(sig));
      same(verdict, !isLoose(flags), `case ${number}`);
      accepted += Number(verdict);
    }
    same([cases.length, accepted], [914, 43], 'cases and accepted ones');
  });

  it('QHX-11: verifies Wycheproof, 151 cases, and RFC 8032', async function (this: { skip(): void }) {
    type Test = { tcId: number; msg: string; sig: string; result: string };
    type File = { testGroups: { publicKey: { pk: string }; tests: Test[] }[] };
    const file = await vectors<File>('wycheproof/ed25519_test.json');
    const rfc = await vectors<{ publicKey: string; message: string; signature: string }[]>('rfc/rfc8032-ed25519.json');
    if (file === undefined || rfc === undefined) return this.skip();
    let checked = 0;
    for (const { publicKey, tests } of file.testGroups)
      for (const { tcId, msg, sig, result } of tests) {
        const verdict = await verifyEd25519(unhex(publicKey.pk), unhex(msg), unhex(sig));
        same(verdict, result === 'valid', `case ${tcId}`);
        checked++;
      }
    for (const { publicKey, message, signature } of rfc) {
      same(await verifyEd25519(unhex(publicKey), unhex(message), unhex(signature)), true, publicKey);
      checked++;
    }
    same(checked, 151 + 5, 'cases');
  });
});
