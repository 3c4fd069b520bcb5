/** The figures of Node, where OpenSSL (node:crypto) is the one to be compared with. */
import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { loadKernel } from '../../../wasm/kernel.ts';
import type { Figure } from '../figure.ts';
import { type Contender, interleaved, over, repeat } from '../interleaved.ts';
import * as contenders from './contenders.ts';

/** Milliseconds that this process has worked, to the microsecond; others on the machine do not count. */
export function cpuNow(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

export async function* nodeFigures(wasm: Uint8Array<ArrayBuffer>): AsyncIterable<Figure> {
  const module = new WebAssembly.Module(wasm);
  const kernel = loadKernel(module);
  for (const size of contenders.sealedSizes) {
    const times = await interleaved({ ...(await contenders.seals(kernel, size)), node: nodeSeal(size) }, cpuNow);
    for (const other of ['noble', 'libsodium', 'node'] as const)
      yield { name: `aead.seal.${size}.wasm_over_${other}`, value: over(times, 'wasm', other), unit: 'x' };
  }
  const exchanges = {
    'mlkem.encaps': { ...contenders.encapsulations(kernel), node: nodeEncapsulation },
    'mlkem.decaps': { ...contenders.decapsulations(module), node: nodeDecapsulation() },
    x25519: { ...contenders.agreements(kernel), node: nodeAgreement() },
    'mldsa.sign': { ...contenders.signatures(kernel), node: nodeSigning() },
    'mldsa.verify': { ...contenders.verifications(kernel), node: nodeVerifying },
  };
  for (const [work, rivals] of Object.entries(exchanges)) {
    const times = await interleaved(rivals, cpuNow);
    for (const other of ['noble', 'node'] as const)
      yield { name: `${work}.wasm_over_${other}`, value: over(times, 'wasm', other), unit: 'x' };
  }
}

/** Ciphertext and tag stay where OpenSSL put them. */
function nodeSeal(size: number): Contender {
  const text = contenders.pattern(size, 4);
  return repeat(() => {
    const cipher = createCipheriv('chacha20-poly1305', contenders.key, contenders.nonce, { authTagLength: 16 });
    cipher.setAAD(contenders.ad, { plaintextLength: size });
    cipher.update(text);
    cipher.final();
    cipher.getAuthTag();
  });
}

function publicKey(asymmetricKeyType: 'ml-kem-768' | 'ml-dsa-65' | 'x25519', key: Uint8Array): KeyObject {
  return createPublicKey({ key, format: 'raw-public', asymmetricKeyType });
}

/** A share of the peer's is used once, so its import belongs to the work. */
const nodeEncapsulation = repeat(() => encapsulate(publicKey('ml-kem-768', contenders.mlkemPublic)));

function nodeDecapsulation(): Contender {
  const own = createPrivateKey({ key: contenders.mlkemSeed, format: 'raw-seed', asymmetricKeyType: 'ml-kem-768' });
  return repeat(() => decapsulate(own, contenders.mlkemCiphertext));
}

function nodeAgreement(): Contender {
  const own = createPrivateKey({ key: contenders.scalar, format: 'raw-private', asymmetricKeyType: 'x25519' });
  return repeat(() => diffieHellman({ privateKey: own, publicKey: publicKey('x25519', contenders.point) }));
}

/** From the key that OpenSSL holds, hedged. */
function nodeSigning(): Contender {
  const own = createPrivateKey({ key: contenders.mldsaSeed, format: 'raw-seed', asymmetricKeyType: 'ml-dsa-65' });
  return repeat(() => sign(null, contenders.signedText, own));
}

const nodeVerifying = repeat(() =>
  verify(null, contenders.signedText, publicKey('ml-dsa-65', contenders.mldsaPublic), contenders.mldsaSignature),
);
