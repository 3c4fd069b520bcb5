/**
 * A certificate request (PKCS #10, RFC 2986) as proof that somebody holds a private key. The key is all that is taken from
 * it: names, extensions and whatever else it asks for are not looked at.
 */
import 'reflect-metadata';
import { Pkcs10CertificateRequest } from '@peculiar/x509';

/** The public half, in the two forms that SVIDs need. */
export interface RequestedKey {
  readonly key: CryptoKey;
  /** RFC 7517, with the coordinates of RFC 7518 section 6.2. */
  readonly jwk: { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string };
}

/** One block of PEM and nothing beside it; a request of a P-256 key is some 400 bytes. */
const pemPattern =
  /^-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]{1,4000})-----END CERTIFICATE REQUEST-----\r?\n?$/;

/**
 * P-256 with SHA-256 alone: what X.509-SVID and WIT-SVID both take (WIT-SVID section 3.2 has no Ed25519).
 * @returns undefined for anything else, and for a request that its own key did not sign.
 */
export async function readCertificateRequest(text: string): Promise<RequestedKey | undefined> {
  const [, base64 = ''] = pemPattern.exec(text) ?? [];
  if (base64 === '') return undefined;
  try {
    const request = new Pkcs10CertificateRequest(Buffer.from(base64, 'base64'));
    const { name, hash } = request.signatureAlgorithm;
    const isTaken = name === 'ECDSA' && 'name' in hash && hash.name === 'SHA-256';
    const asked = await crypto.subtle.importKey('spki', request.publicKey.rawData, algorithm, true, ['verify']);
    if (!isTaken || !(await request.verify())) return undefined;
    const { x, y } = await crypto.subtle.exportKey('jwk', asked);
    if (x === undefined || y === undefined) return undefined;
    // From the coordinates, so that what is certified has one spelling, whatever the request's was.
    const jwk = { kty: 'EC', crv: 'P-256', x, y } as const;
    return { jwk, key: await crypto.subtle.importKey('jwk', jwk, algorithm, true, ['verify']) };
  } catch {
    // Bytes of a stranger: what exactly is wrong with them is theirs to find out.
    return undefined;
  }
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
