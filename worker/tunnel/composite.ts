/**
 * id-MLDSA65-Ed25519-SHA512 in a browser: Ed25519 and SHA-512 by WebCrypto, ML-DSA-65 by @noble/post-quantum because
 * no browser has it yet. Ed25519 obeys the one strict rule of protocol/ed25519-strict.ts whatever the browser accepts.
 */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import {
  compositeLabel,
  compositeMessage,
  joinComposite,
  splitPublicKey,
  splitSignature,
} from '../../protocol/composite.ts';
import type { Signer } from '../../protocol/crypto.ts';
import { passesStrictRule } from '../../protocol/ed25519-strict.ts';

const ed25519 = { name: 'Ed25519' } as const;

/** Both halves must verify. Never throws on hostile input. */
export async function verifyComposite(
  publicKey: Uint8Array,
  message: Uint8Array,
  context: string,
  signature: Uint8Array,
): Promise<boolean> {
  const key = splitPublicKey(publicKey);
  const parts = splitSignature(signature);
  if (key === undefined || parts === undefined) return false;
  const inner = await innerMessage(message, context);
  // The cheap half first: most forgeries end here.
  if (!(await verifyEd25519(key.ed25519, inner, parts.ed25519))) return false;
  return ml_dsa65.verify(parts.mldsa, inner, key.mldsa, { context: compositeLabel });
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

/** Makes a session key. The Ed25519 half is non-extractable; the ML-DSA half lives in this realm's memory alone. */
export async function makeSessionKey(): Promise<SessionKey> {
  const classical = await crypto.subtle.generateKey(ed25519, false, ['sign', 'verify']);
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const { secretKey, publicKey } = ml_dsa65.keygen(seed);
  seed.fill(0);
  const edPublic = new Uint8Array(await crypto.subtle.exportKey('raw', classical.publicKey));
  let isWiped = false;
  return Object.freeze<SessionKey>({
    publicKey: joinComposite({ mldsa: publicKey, ed25519: edPublic }),
    sign: async (message, context) => {
      const inner = await innerMessage(message, context);
      // Looked at after the wait: a key that is wiped meanwhile must not sign with its zeros.
      if (isWiped) throw new TypeError('this session key was wiped');
      const mldsa = ml_dsa65.sign(inner, secretKey, { context: compositeLabel });
      const ed = await crypto.subtle.sign(ed25519, classical.privateKey, inner);
      return joinComposite({ mldsa, ed25519: new Uint8Array(ed) });
    },
    wipe: () => {
      isWiped = true;
      secretKey.fill(0);
    },
  });
}

async function innerMessage(message: Uint8Array, context: string): Promise<Uint8Array<ArrayBuffer>> {
  return compositeMessage(new Uint8Array(await crypto.subtle.digest('SHA-512', Uint8Array.from(message))), context);
}
