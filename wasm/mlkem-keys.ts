/**
 * The ML-KEM-768 decapsulation keys inside the module (FIPS 203), each from its seed to the one ciphertext it is made
 * for. The computed form of a key, its matrix included, stays in the module's memory meanwhile, so that nothing is made
 * twice; it never crosses to JavaScript. A key that finds all places taken is made anew from its seed when it is used.
 *
 * Knows places by their number and no pointer. Not for keys that are used again: there are none.
 */
import { assertLength } from '../protocol/bytes.ts';
import { mlkemCiphertextBytes } from '../protocol/limits.ts';
import { secretArray } from './secret-array.ts';

/** d 32 | z 32 */
export const mlkemSeedBytes = 64;

/** What the module does with the key in a place, from 0 to `count` - 1. */
interface Places {
  readonly count: number;
  /** @returns the encapsulation key */
  readonly generate: (place: number, seed: Uint8Array) => Uint8Array;
  /** @returns the shared secret; the key stays. */
  readonly decapsulate: (place: number, ciphertext: Uint8Array) => Uint8Array;
  readonly forget: (place: number) => void;
}

/** A decapsulation key inside the module. Its holder can use it once, and do nothing else with it. */
export interface MlkemKey {
  /** ek of FIPS 203, 1184 bytes. */
  readonly publicKey: Uint8Array;
  /** The shared secret, 32 bytes. @throws RangeError for a ciphertext of the wrong length; the key is gone all the same. */
  decapsulate(ciphertext: Uint8Array): Uint8Array;
  /** Forgets the key; a second time does nothing. */
  wipe(): void;
}

/** For the length of a call: keys that have no place of their own. */
const lentPlace = 0;

export class MlkemKeys {
  readonly #places: Places;
  readonly #free: number[] = [];
  readonly #held = new Set<HeldKey>();

  constructor(places: Places) {
    this.#places = places;
    for (let place = places.count - 1; place > lentPlace; place--) this.#free.push(place);
  }

  /** Takes a copy of the seed d | z, never an expanded key: one of another's making is what breaks ML-KEM's binding. */
  make(seed: Uint8Array): MlkemKey {
    assertLength('ML-KEM seed', seed, mlkemSeedBytes);
    const place = this.#free.pop() ?? lentPlace;
    const publicKey = this.#places.generate(place, seed);
    if (place === lentPlace) this.#places.forget(place);
    const key = new HeldKey(publicKey, this.#places, place === lentPlace ? parked(seed) : place, () => {
      this.#held.delete(key);
      if (place !== lentPlace) this.#free.push(place);
    });
    this.#held.add(key);
    return key;
  }

  /** Forgets all of them. */
  forgetAll(): void {
    for (const key of this.#held) key.wipe();
  }
}

function parked(seed: Uint8Array): Uint8Array {
  const copy = secretArray(mlkemSeedBytes);
  copy.set(seed);
  return copy;
}

class HeldKey implements MlkemKey {
  readonly publicKey: Uint8Array;
  readonly #places: Places;
  readonly #onGone: () => void;
  /** The place it stands in, or its seed when it has none; undefined once it is gone. */
  #where: number | Uint8Array | undefined;

  constructor(publicKey: Uint8Array, places: Places, where: number | Uint8Array, onGone: () => void) {
    this.publicKey = publicKey;
    this.#places = places;
    this.#where = where;
    this.#onGone = onGone;
  }

  decapsulate(ciphertext: Uint8Array): Uint8Array {
    if (this.#where === undefined) throw new TypeError('this key was used or wiped');
    try {
      if (ciphertext.length !== mlkemCiphertextBytes) throw new RangeError('the ciphertext has the wrong length');
      return this.#places.decapsulate(this.#arrive(this.#where), ciphertext);
    } finally {
      this.wipe();
    }
  }

  wipe(): void {
    if (this.#where === undefined) return;
    if (typeof this.#where === 'number') this.#places.forget(this.#where);
    else this.#where.fill(0);
    this.#where = undefined;
    this.#places.forget(lentPlace);
    this.#onGone();
  }

  #arrive(where: number | Uint8Array): number {
    if (typeof where === 'number') return where;
    this.#places.generate(lentPlace, where);
    return lentPlace;
  }
}
