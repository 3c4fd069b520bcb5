/**
 * The keys this gateway tells services by who is calling: ES256 (RFC 7518 section 3.4), made here, kept in one file of
 * mode 0600, never sent anywhere. The control plane publishes the public halves as a JWKS (RFC 7517); it never sees
 * these. They sign identity assertions and nothing else: no key of the tunnel, of a document or of a person is among
 * them. A new one is made every day, published an hour before it signs, and the one before it stays published until
 * whatever it signed has expired.
 */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, importJWK, type JWTPayload, SignJWT } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../../protocol/clock.ts';
import type { AssertionKey } from '../../channel/messages.ts';
import { writeWhole } from './whole-file.ts';

const hourMs = 3_600_000;
const lifeMs = 24 * hourMs;
const lookEveryMs = hourMs / 4;
/** Longer than services may keep the JWKS (server/control/http/hub-api.ts says five minutes). */
const publishedAheadMs = hourMs;
const publishedBehindMs = 2 * hourMs;

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const storedSchema = z
  .array(
    z.strictObject({
      kid: coordinate,
      madeAt: z.number().int(),
      jwk: z.strictObject({
        kty: z.literal('EC'),
        crv: z.literal('P-256'),
        x: coordinate,
        y: coordinate,
        d: coordinate,
      }),
    }),
  )
  .max(2);
/** Newest first. */
type Stored = z.infer<typeof storedSchema>;

export class AssertionKeys {
  readonly #path: string;
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #onChanged: () => void;
  #stored: Stored;
  #cancelLook = () => {};

  private constructor(path: string, clock: Pick<Clock, 'now' | 'after'>, onChanged: () => void, stored: Stored) {
    this.#path = path;
    this.#clock = clock;
    this.#onChanged = onChanged;
    this.#stored = stored;
  }

  /**
   * Reads the keys, or makes the first. A file that cannot be used is replaced: services fetch what is published.
   * @param onChanged told when {@link published} is another list.
   */
  static async open(
    folder: string,
    clock: Pick<Clock, 'now' | 'after'>,
    onChanged: () => void,
  ): Promise<AssertionKeys> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'assertion-keys.json');
    const keys = new AssertionKeys(path, clock, () => undefined, read(path));
    await keys.#rotate();
    const opened = new AssertionKeys(path, clock, onChanged, keys.#stored);
    opened.#look();
    return opened;
  }

  close(): void {
    this.#cancelLook();
  }

  /** Nobody may ask for a signature for days, and then expects that services know the key. */
  #look(): void {
    this.#cancelLook = this.#clock.after(lookEveryMs, () => {
      this.#look();
      // A full disk is met again, and told, at the next signature.
      this.#rotate().catch(() => undefined);
    });
  }

  /** What services must know, for the control plane to publish. */
  get published(): AssertionKey[] {
    return this.#stored.map(({ kid, madeAt, jwk: { x, y } }) => ({ kid, x, y, madeAt }));
  }

  /** The claims as a JWS of compact form (RFC 7519). */
  async sign(claims: JWTPayload): Promise<string> {
    await this.#rotate();
    const { kid, jwk } = this.#signing();
    const header = { alg: 'ES256', typ: 'JWT', kid };
    return new SignJWT(claims).setProtectedHeader(header).sign(await importJWK(jwk, 'ES256'));
  }

  /**
   * One that services know already. A machine that slept for days has none, and then the newest will do: who meets an
   * unknown key fetches the list anew.
   */
  #signing(): Stored[number] {
    const now = this.#clock.now();
    const isKnown = ({ madeAt }: Stored[number]) =>
      now - madeAt >= publishedAheadMs && now - madeAt < lifeMs + hourMs * 2;
    const [newest] = this.#stored;
    return this.#stored.find(isKnown) ?? newest!;
  }

  async #rotate(): Promise<void> {
    const [newest, older] = this.#stored;
    const age = newest === undefined ? Number.POSITIVE_INFINITY : Math.abs(this.#clock.now() - newest.madeAt);
    if (newest !== undefined && age < lifeMs) {
      if (older !== undefined && age >= publishedAheadMs + publishedBehindMs) this.#keep([newest]);
      return;
    }
    const fresh = await make(this.#clock.now());
    // Two requests may have come here at once: one new key is enough.
    if (this.#stored[0] === newest) this.#keep(newest === undefined ? [fresh] : [fresh, newest]);
  }

  #keep(stored: Stored): void {
    writeWhole(this.#path, JSON.stringify(stored));
    this.#stored = stored;
    this.#onChanged();
  }
}

async function make(nowMs: number): Promise<Stored[number]> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // A JWK of this curve has these members (RFC 7518 section 6.2).
  const { x, y, d } = privateKey.export({ format: 'jwk' }) as Record<'x' | 'y' | 'd', string>;
  const jwk = { kty: 'EC', crv: 'P-256', x, y, d } as const;
  return { kid: await calculateJwkThumbprint({ kty: jwk.kty, crv: jwk.crv, x, y }), madeAt: nowMs, jwk };
}

function read(path: string): Stored {
  try {
    const stored = storedSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    for (const { jwk } of stored) createPublicKey({ key: jwk, format: 'jwk' });
    return stored;
  } catch {
    return [];
  }
}
