/** A request that changes something: besides the lease's cookie it carries the device key's signature over itself. */
import { utf8 } from '../../protocol/bytes.ts';
import { requestMessage } from '../../protocol/challenges.ts';
import { call, encode } from './api.ts';
import { type Device, signAsDevice } from './device.ts';
import { hash } from './hash.ts';

export function signedCall<T>(device: Device, path: string, body: object): Promise<T> {
  return signedRequest(device, 'POST', path, body);
}

/** @param path with its query. @throws ApiError */
export async function signedRequest<T>(device: Device, method: string, path: string, body?: object): Promise<T> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const nonce = crypto.getRandomValues(new Uint8Array(16));
  const time = Date.now();
  const message = requestMessage(method, path, hash.sha256(utf8(text ?? '')), nonce, time);
  const signature = await signAsDevice(device, Uint8Array.from(message));
  return call<T>(method, path, text, {
    'latchkey-signature': encode(signature),
    'latchkey-nonce': encode(nonce),
    'latchkey-time': String(time),
  });
}
