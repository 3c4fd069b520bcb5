/** A Crypto that remembers every secret it hands out and every key handle, to look at them afterwards. */
import { isZero } from '../../protocol/bytes.ts';
import type { Crypto, KeyAnswer, KeyOffer } from '../../protocol/crypto.ts';

export type Watched = {
  readonly crypto: Crypto;
  readonly secrets: Uint8Array[];
  readonly openHandles: Set<object>;
};

export function watched(inner: Crypto): Watched {
  const secrets: Uint8Array[] = [];
  const openHandles = new Set<object>();
  const keep = (secret: Uint8Array): Uint8Array => {
    secrets.push(secret);
    return secret;
  };
  const tracked = <T extends { wipe(): void }>(handle: T): T => {
    openHandles.add(handle);
    const wipe = handle.wipe.bind(handle);
    handle.wipe = () => {
      openHandles.delete(handle);
      wipe();
    };
    return handle;
  };
  const watchOffer = (offer: KeyOffer): KeyOffer =>
    tracked({ share: offer.share, finish: (answer) => keep(offer.finish(answer)), wipe: () => offer.wipe() });
  const watchAnswer = (answer: KeyAnswer): KeyAnswer => ({ share: answer.share, secret: keep(answer.secret) });
  const crypto: Crypto = {
    ...inner,
    extract: (salt, ikm) => keep(inner.extract(salt, ikm)),
    expand: (key, info, length) => keep(inner.expand(key, info, length)),
    offer: () => watchOffer(inner.offer()),
    answer: (share) => watchAnswer(inner.answer(share)),
    sealer: (key) => tracked(inner.sealer(key)),
    opener: (key) => tracked(inner.opener(key)),
  };
  return { crypto, secrets, openHandles };
}

/** Secrets that were not wiped and handles that were not closed. */
export function leftBehind({ secrets, openHandles }: Watched): number {
  return secrets.filter((secret) => !isZero(secret)).length + openHandles.size;
}
