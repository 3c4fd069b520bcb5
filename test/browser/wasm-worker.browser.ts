/** The Wasm as it is shipped, in a real Worker: known answers, and a tunnel between two ends of it. */
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { type Remote, wrap } from 'comlink';
import { concat, unhex, utf8 } from '../../protocol/bytes.ts';
import { next, same } from './support/expect.ts';
import type { KernelApi } from './support/kernel.worker.ts';

const worker = new Worker(new URL('./support/kernel.worker.ts', import.meta.url), { type: 'module' });
const started = next<MessageEvent>(worker, 'message');

async function kernel(): Promise<Remote<KernelApi>> {
  await started;
  return wrap<KernelApi>(worker);
}

const filled = (length: number, first: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (first + i) & 0xff);

describe('the Wasm in a dedicated Worker', () => {
  it('QZ-11: runs in a Worker and not in the page', async () => {
    same(await (await kernel()).isWorker(), true);
  });

  it('QZ-16: seals and opens the text of RFC 8439 section 2.8.2', async () => {
    const remote = await kernel();
    const [key, nonce] = [filled(32, 0x80), unhex('070000004041424344454647')];
    const ad = unhex('50515253c0c1c2c3c4c5c6c7');
    const text = utf8(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const sealed = await remote.seal(key, nonce, ad, text);
    same(
      sealed,
      unhex(
        'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b' +
          '1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
          '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
      ),
      'sealed',
    );
    same(await remote.open(key, nonce, ad, sealed), text, 'opened');
    for (let at = 0; at < sealed.length; at += 1) {
      const tampered = sealed.slice();
      tampered[at] = tampered[at]! ^ 1;
      same(await remote.open(key, nonce, ad, tampered), null, `byte ${at} changed`);
    }
  });

  it('QZ-12: multiplies as RFC 7748 sections 5.2 and 6.1 do', async () => {
    const remote = await kernel();
    same(
      await remote.x25519(
        unhex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'),
        unhex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c'),
      ),
      unhex('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'),
    );
    same(
      await remote.x25519(
        unhex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'),
        unhex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'),
      ),
      unhex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'),
    );
  });

  it('QHX-3: agrees on an ML-KEM-768 exchange with @noble in both roles', async () => {
    const remote = await kernel();
    const [seed, message] = [filled(64, 3), filled(32, 200)];
    const own = await remote.mlkemPublicKey(seed);
    const oracle = ml_kem768.keygen(seed);
    same(own, oracle.publicKey, 'encapsulation key');
    const made = await remote.mlkemEncapsulate(own, message);
    const expected = ml_kem768.encapsulate(oracle.publicKey, message);
    same(made.ciphertext, expected.cipherText, 'ciphertext');
    same(made.secret, expected.sharedSecret, 'secret');
    same(await remote.mlkemDecapsulate(seed, expected.cipherText), expected.sharedSecret, 'decapsulated');
    const spoiled = concat(expected.cipherText.slice(0, -1), Uint8Array.of(expected.cipherText.at(-1)! ^ 1));
    same(
      await remote.mlkemDecapsulate(seed, spoiled),
      ml_kem768.decapsulate(spoiled, oracle.secretKey),
      'implicit rejection',
    );
  });

  it('QZ-11, QZ-16: both ends of a tunnel shake hands, carry records of every size and rekey', async () => {
    const { echoed, epochs, end, sealed, records } = await (await kernel()).session([1, 16_383, 16_384, 300_000]);
    same(echoed.every(Boolean), true, 'everything came back as it was sent');
    same(epochs, { client: 1, gateway: 1 }, 'epochs');
    same(end, { code: 'done', byPeer: true }, 'end');
    same(sealed, records, 'records sealed in the Wasm equal records sent');
  });
});
