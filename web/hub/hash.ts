/** SHA-256 for the protocol's challenges, which want it at once and not as a promise. */
import { sha256 as digest } from '@noble/hashes/sha2.js';
import { concat } from '../../protocol/bytes.ts';
import type { Crypto } from '../../protocol/crypto.ts';

export const hash: Pick<Crypto, 'sha256'> = { sha256: (...parts) => digest(concat(...parts)) };
