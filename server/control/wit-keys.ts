/**
 * The keys that sign WIT-SVIDs (SPIFFE WIT-SVID, "Incubating"): ES256, since that specification has no Ed25519. They are in
 * the store, sealed, so that every control plane on it signs with the same ones and publishes the same bundle. A key signs for a month;
 * its successor is published an hour before it signs, and it stays published until whatever it signed has ended.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, importJWK, SignJWT } from 'jose';
import { refreshHintS, type WitJwk } from '../spiffe/bundle.ts';
import type { RequestedKey } from '../spiffe/certificate-request.ts';
import type { WitKeyTable } from '../store/tables/policy.ts';
import type { Context } from './context.ts';

const hourMs = 3_600_000;
const signsForMs = 30 * 24 * hourMs;
/** How long a token is good: bounded by how long a stolen key should be (WIT-SVID section 3.3: minutes to hours). */
export const witLifeMs = hourMs;
/** For verifiers whose clock runs behind (section 3.5). */
const backdateMs = 60_000;
/** Long enough that everybody who follows the refresh hint has seen the key before it signs. */
const publishedAheadMs = 12 * refreshHintS * 1_000;
const publishedBehindMs = publishedAheadMs + witLifeMs + hourMs;

/** Makes the key that is due, and forgets the private half of those that sign no more. */
export async function renewWitKeys(context: Context): Promise<void> {
  const { store, vault, clock } = context;
  const now = clock.now();
  const rows = await allKeys(context);
  const newest = rows.at(-1);
  if (newest === undefined || now - newest.created_at >= signsForMs)
    await store
      .insertInto('wit_keys')
      .values(await newKey(vault, now))
      .execute();
  const retired = rows.filter((_, place) => isRetired(rows, place, now)).map(({ kid }) => kid);
  if (retired.length > 0)
    await store.updateTable('wit_keys').set({ sealed: null }).where('kid', 'in', retired).execute();
}

/**
 * What others check tokens by, and how often that has changed: each key counts when it appears and when it goes, so the
 * number only grows and is the same at every control plane.
 */
export async function publishedWitKeys(context: Context): Promise<{ keys: WitJwk[]; sequence: number }> {
  const rows = await allKeys(context);
  const published = rows.filter((_, place) => !isRetired(rows, place, context.clock.now()));
  return {
    keys: published.map(({ kid, x, y }) => ({ kid, x, y })),
    sequence: rows.length + (rows.length - published.length),
  };
}

/**
 * A token that says: this key is that SPIFFE id's. Worth nothing without a proof of that key, and no bearer token.
 * @param notAfter ms since 1970; counted in whole seconds
 */
export async function signWit(
  context: Context,
  {
    spiffeId,
    jwk,
    notAfter,
  }: { readonly spiffeId: string; readonly jwk: RequestedKey['jwk']; readonly notAfter: number },
): Promise<string> {
  const { kid, d, x, y } = await signingKey(context);
  const now = context.clock.now();
  return new SignJWT({ cnf: { jwk: { ...jwk, alg: 'ES256' } } })
    .setProtectedHeader({ alg: 'ES256', typ: 'wit+jwt', kid })
    .setSubject(spiffeId)
    .setJti(randomUUID())
    .setIssuedAt(seconds(now))
    .setNotBefore(seconds(now - backdateMs))
    .setExpirationTime(seconds(notAfter))
    .sign(await importJWK({ kty: 'EC', crv: 'P-256', x, y, d }, 'ES256'));
}

/** The newest that everybody knows by now; a first one has nobody who could know an older. */
async function signingKey(context: Context): Promise<WitKeyTable & { readonly d: string }> {
  const rows = (await allKeys(context)).filter(({ sealed }) => sealed !== null);
  const known = rows.filter(({ created_at }) => context.clock.now() - created_at >= publishedAheadMs);
  const row = known.at(-1) ?? rows[0];
  if (row === undefined) throw new TypeError('no key for WIT-SVIDs was made');
  return { ...row, d: context.vault.open(row.sealed ?? '', row.kid) };
}

function allKeys({ store }: Context): Promise<WitKeyTable[]> {
  return store.selectFrom('wit_keys').selectAll().orderBy('created_at').orderBy('kid').execute();
}

/** Its successor signs for long enough that nothing of this one's is good any more. */
function isRetired(rows: readonly WitKeyTable[], place: number, now: number): boolean {
  const successor = rows[place + 1];
  return successor !== undefined && now - successor.created_at >= publishedBehindMs;
}

async function newKey(vault: Context['vault'], now: number): Promise<WitKeyTable> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // A JWK of this curve has these members (RFC 7518 section 6.2).
  const { x, y, d } = privateKey.export({ format: 'jwk' }) as Record<'x' | 'y' | 'd', string>;
  const kid = await calculateJwkThumbprint({ kty: 'EC', crv: 'P-256', x, y });
  return { kid, x, y, sealed: vault.seal(d, kid), created_at: now };
}

const seconds = (ms: number): number => Math.floor(ms / 1_000);
