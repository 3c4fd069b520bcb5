/** Verifies a receipt of what a revocation cut, with the public keys of an installation alone. */
import { ObjectError, objectType, openObject, parseObject } from '../../protocol/lks1.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { controlPaths } from '../store/paths.ts';
import { AuditError } from './error.ts';
import { readTrust } from './trust.ts';

/**
 * The receipt as it was signed. Its newest event says when; the notary key has to be certified for that moment, so a
 * receipt is good long after every credential in it has ended.
 * @param data the folder of the installation. @throws AuditError `receipt_refused`, `files_malformed`
 */
export async function verifyReceipt(data: string, document: Uint8Array): Promise<Record<string, unknown>> {
  const trust = await readTrust(controlPaths(data));
  try {
    const { keyId, body } = parseObject(document);
    const content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as {
      streams: { time: number }[];
    };
    const time = Math.max(...content.streams.map((stream) => stream.time));
    const signerPublicKey = await trust.roleKey('notary', keyId, time);
    if (signerPublicKey === undefined) throw new ObjectError('wrong_signer');
    await openObject(nodeCrypto, document, { type: objectType.receipt, signerPublicKey });
    return { ...content };
  } catch (cause) {
    throw new AuditError('receipt_refused', 'The receipt was altered, or is not of this installation.', { cause });
  }
}
