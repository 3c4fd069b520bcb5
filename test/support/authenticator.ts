/**
 * An authenticator of the test's own: makes and uses passkeys exactly as WebAuthn level 3 lays out their bytes, and can
 * be told to do any one thing wrong. It shares no code with what verifies it.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { type Cbor, cbor } from './cbor.ts';

export type PasskeyAlgorithm = 'ES256' | 'EdDSA';

/** The browser's part and the authenticator's flags; every field can be made wrong. */
export interface Ceremony {
  readonly challenge: Uint8Array;
  readonly origin: string;
  readonly rpId: string;
  readonly type?: string;
  readonly crossOrigin?: boolean;
  readonly topOrigin?: string;
  readonly userPresent?: boolean;
  readonly userVerified?: boolean;
  readonly backupEligible?: boolean;
  readonly backedUp?: boolean;
}

/** Who made it, and what it shows of that (WebAuthn level 3, section 8.2): a maker's certificate, or its own key alone. */
export interface Maker {
  /** UUID */
  readonly aaguid: string;
  /** DER, the authenticator's own first; none for self attestation. */
  readonly chain?: readonly Buffer[];
  /** Of the first; the passkey's own for self attestation. */
  readonly key?: KeyObject;
}

const flag = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10, attested: 0x40 } as const;

export class Authenticator {
  readonly credentialId = randomBytes(32).toString('base64url');
  readonly #algorithm: PasskeyAlgorithm;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  /** 0 for an authenticator that does not count. */
  counter: number;
  userHandle: Uint8Array | undefined;
  /** What it shows when it is asked for attestation; nothing without one. */
  maker: Maker | undefined;

  constructor(algorithm: PasskeyAlgorithm = 'ES256', counter = 0) {
    const pair =
      algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
    this.#algorithm = algorithm;
    this.#privateKey = pair.privateKey;
    this.#publicKey = pair.publicKey;
    this.counter = counter;
  }

  /** RegistrationResponseJSON of `navigator.credentials.create`. */
  create(ceremony: Ceremony) {
    const id = Buffer.from(this.credentialId, 'base64url');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    const aaguid = Buffer.from((this.maker?.aaguid ?? '0'.repeat(32)).replaceAll('-', ''), 'hex');
    const attested = Buffer.concat([aaguid, length, id, cbor(this.#coseKey())]);
    const authData = Buffer.concat([this.#authenticatorData(ceremony, flag.attested), attested]);
    const data = clientData(ceremony, 'webauthn.create');
    const attestation = new Map<string, Cbor>([
      ['fmt', this.maker === undefined ? 'none' : 'packed'],
      ['attStmt', this.maker === undefined ? new Map() : this.#statement(this.maker, authData, data)],
      ['authData', authData],
    ]);
    return {
      id: this.credentialId,
      rawId: this.credentialId,
      type: 'public-key' as const,
      clientExtensionResults: {},
      response: {
        clientDataJSON: data.toString('base64url'),
        attestationObject: cbor(attestation).toString('base64url'),
        transports: ['internal' as const],
      },
    };
  }

  /** AuthenticationResponseJSON of `navigator.credentials.get`. */
  get(ceremony: Ceremony) {
    if (this.counter > 0) this.counter += 1;
    const authenticatorData = this.#authenticatorData(ceremony, 0);
    const data = clientData(ceremony, 'webauthn.get');
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(data).digest()]);
    const signature = sign(this.#algorithm === 'ES256' ? 'sha256' : null, signed, this.#privateKey);
    return {
      id: this.credentialId,
      rawId: this.credentialId,
      type: 'public-key' as const,
      clientExtensionResults: {},
      response: {
        clientDataJSON: data.toString('base64url'),
        authenticatorData: authenticatorData.toString('base64url'),
        signature: signature.toString('base64url'),
        ...(this.userHandle && { userHandle: Buffer.from(this.userHandle).toString('base64url') }),
      },
    };
  }

  /** Packed: a signature over what was made and for whom. */
  #statement({ chain, key }: Maker, authData: Buffer, data: Buffer): Map<string, Cbor> {
    const signed = Buffer.concat([authData, createHash('sha256').update(data).digest()]);
    const sig = sign('sha256', signed, key ?? this.#privateKey);
    return new Map<string, Cbor>([
      ['alg', -7],
      ['sig', sig],
      ...(chain === undefined ? [] : [['x5c', [...chain]] as const]),
    ]);
  }

  #authenticatorData(ceremony: Ceremony, more: number): Buffer {
    const flags =
      (ceremony.userPresent === false ? 0 : flag.userPresent) |
      (ceremony.userVerified === false ? 0 : flag.userVerified) |
      (ceremony.backupEligible === true ? flag.backupEligible : 0) |
      (ceremony.backedUp === true ? flag.backedUp : 0) |
      more;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(this.counter);
    return Buffer.concat([createHash('sha256').update(ceremony.rpId).digest(), Buffer.of(flags), counter]);
  }

  /** RFC 9053: key type, algorithm, curve, coordinates. */
  #coseKey(): Map<number, Cbor> {
    const jwk = this.#publicKey.export({ format: 'jwk' });
    const x = Buffer.from(jwk.x ?? '', 'base64url');
    if (this.#algorithm === 'EdDSA') {
      return new Map<number, Cbor>([
        [1, 1],
        [3, -8],
        [-1, 6],
        [-2, x],
      ]);
    }
    return new Map<number, Cbor>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, x],
      [-3, Buffer.from(jwk.y ?? '', 'base64url')],
    ]);
  }
}

function clientData(ceremony: Ceremony, type: string): Buffer {
  const data = {
    type: ceremony.type ?? type,
    challenge: Buffer.from(ceremony.challenge).toString('base64url'),
    origin: ceremony.origin,
    crossOrigin: ceremony.crossOrigin ?? false,
    ...(ceremony.topOrigin !== undefined && { topOrigin: ceremony.topOrigin }),
  };
  return Buffer.from(JSON.stringify(data));
}
