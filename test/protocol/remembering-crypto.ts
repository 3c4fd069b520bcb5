/**
 * A Crypto that does each slow thing once for each input and gives the same result again, since every one of them is a
 * function of its input or may be: key exchanges with what they were first answered, verifications. Nothing is made up,
 * so a test of hundreds of thousands of handshakes that differ in little sees what the real one would do.
 */
import { copy, hex } from '../../protocol/bytes.ts';
import type { Crypto, KeyAnswer, KeyOffer } from '../../protocol/crypto.ts';

function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

export function remembering(inner: Crypto): Crypto {
  const verdicts = new Map<string, Promise<boolean>>();
  const answers = new Map<string, KeyAnswer>();
  const secrets = new Map<string, Uint8Array>();
  const name = (...parts: Uint8Array[]): string => hex(inner.sha256(...parts));
  /** The inner offer answers as often as it is asked, so it must be one that is not used up. */
  const rememberingOffer = (offer: KeyOffer): KeyOffer => ({
    share: offer.share,
    finish: (answer) => copy(remember(secrets, name(offer.share, answer), () => offer.finish(answer))),
    wipe: () => {},
  });
  return {
    ...inner,
    offer: () => rememberingOffer(inner.offer()),
    answer(share) {
      const { share: answer, secret } = remember(answers, name(share), () => inner.answer(share));
      return { share: copy(answer), secret: copy(secret) };
    },
    verify: (publicKey, message, context, signature) =>
      remember(verdicts, `${context} ${name(publicKey)} ${name(message)} ${name(signature)}`, () =>
        inner.verify(publicKey, message, context, signature),
      ),
  };
}
