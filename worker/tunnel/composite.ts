/**
 * id-MLDSA65-Ed25519-SHA512 in a browser: Ed25519 and SHA-512 by WebCrypto, ML-DSA-65 by the Wasm module because no browser
 * has it yet, and because JavaScript is slow at it when it runs for the first time, as in a launch (docs/decisions/0014).
 * Ed25519 obeys the one strict rule of protocol/ed25519-strict.ts whatever the browser accepts.
 */
import {
  compositeLabel,
  compositeMessage,
  joinComposite,
  splitPublicKey,
  splitSignature,
} from '../../protocol/composite.ts';
import type { Crypto, Signer } from '../../protocol/crypto.ts';
import { passesStrictRule } from '../../protocol/ed25519-strict.ts';
import type { Mldsa } from '../../wasm/mldsa.ts';
import { secretArray } from '../../wasm/secret-array.ts';

const ed25519 = { name: 'Ed25519' } as const;

/** Both halves must verify. What it makes never throws on hostile input. */
export function compositeVerifier(mldsa: Mldsa): Crypto['verify'] {
  return async (publicKey, message, context, signature) => {
    const key = splitPublicKey(publicKey);
    const parts = splitSignature(signature);
    if (key === undefined || parts === undefined) return false;
    const inner = await innerMessage(message, context);
    // Most forgeries end at the first half.
    if (!(await verifyEd25519(key.ed25519, inner, parts.ed25519))) return false;
    return mldsa.verify(key.mldsa, inner, compositeLabel, parts.mldsa);
  };
}

/** Ed25519 under the strict rule, whatever the browser accepts. False for hostile input, never throws. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (!passesStrictRule(publicKey, signature)) return false;
  try {
    const key = await crypto.subtle.importKey('raw', Uint8Array.from(publicKey), ed25519, false, ['verify']);
    return await crypto.subtle.verify(ed25519, key, Uint8Array.from(signature), Uint8Array.from(message));
  } catch {
    return false;
  }
}

/** A composite key made here, which signs until it is wiped and cannot be exported. */
export interface SessionKey extends Signer {
  wipe(): void;
}

/** Makes a session key. The Ed25519 half is non-extractable; of the ML-DSA half this realm keeps the seed alone. */
export async function makeSessionKey(mldsa: Mldsa): Promise<SessionKey> {
  const classical = await crypto.subtle.generateKey(ed25519, false, ['sign', 'verify']);
  const edPublic = new Uint8Array(await crypto.subtle.exportKey('raw', classical.publicKey));
  const seed = crypto.getRandomValues(secretArray(32));
  let isWiped = false;
  return Object.freeze<SessionKey>({
    publicKey: joinComposite({ mldsa: mldsa.publicKey(seed), ed25519: edPublic }),
    sign: async (message, context) => {
      const inner = await innerMessage(message, context);
      // Looked at after the wait: a key that is wiped meanwhile must not sign with its zeros.
      if (isWiped) throw new TypeError('this session key was wiped');
      // Drawn for one signature (FIPS 204 section 3.4, hedged).
      const random = crypto.getRandomValues(secretArray(32));
      const half = mldsa.sign(seed, inner, compositeLabel, random);
      random.fill(0);
      const ed = await crypto.subtle.sign(ed25519, classical.privateKey, inner);
      return joinComposite({ mldsa: half, ed25519: new Uint8Array(ed) });
    },
    wipe: () => {
      isWiped = true;
      seed.fill(0);
    },
  });
}

async function innerMessage(message: Uint8Array, context: string): Promise<Uint8Array<ArrayBuffer>> {
  return compositeMessage(new Uint8Array(await crypto.subtle.digest('SHA-512', Uint8Array.from(message))), context);
}
