/**
 * The device key's signature on a request that changes something: method, path, body, a nonce that works once, and a
 * time within a minute. A lease's cookie without the device key changes nothing.
 */
import { requestMessage } from '../../protocol/challenges.ts';
import { verifyEd25519 } from '../crypto/ed25519.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { ApiError } from './api-error.ts';
import type { Context } from './context.ts';
import { clockToleranceMs } from './posture.ts';

export interface SignedRequest {
  readonly method: string;
  /** Path and query as in the request line. */
  readonly target: string;
  readonly body: Uint8Array;
  /** 16 bytes. */
  readonly nonce: Uint8Array;
  /** ms */
  readonly time: number;
  readonly signature: Uint8Array;
}

/** @throws ApiError `request_stale`, `signature_invalid`, `request_replayed` */
export async function checkSignedRequest(
  context: Context,
  signer: { readonly device: string; readonly devicePublicKey: Uint8Array | null },
  request: SignedRequest,
): Promise<void> {
  checkTime(context, request.time);
  const digest = nodeCrypto.sha256(request.body);
  const message = requestMessage(request.method, request.target, digest, request.nonce, request.time);
  const { devicePublicKey } = signer;
  if (devicePublicKey === null || !verifyEd25519(devicePublicKey, message, request.signature))
    throw new ApiError('signature_invalid');
  await spendNonce(context, signer.device, request.nonce, request.time);
}

/** @throws ApiError `request_stale` */
export function checkTime(context: Context, time: number): void {
  if (Math.abs(context.clock.now() - time) > clockToleranceMs) throw new ApiError('request_stale');
}

/**
 * Remembers a nonce until its time is out of the window for good; of any number of callers exactly one succeeds.
 * @throws ApiError `request_replayed`
 */
export async function spendNonce(context: Context, owner: string, nonce: Uint8Array, time: number): Promise<void> {
  const { numInsertedOrUpdatedRows } = await context.store
    .insertInto('spent_nonces')
    .values({ owner, nonce, expires_at: time + 2 * clockToleranceMs })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows !== 1n) throw new ApiError('request_replayed');
}
