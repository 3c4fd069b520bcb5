/**
 * What the audit key signs: LKS1 objects of a fixed layout, each with the time it was signed at. A reader needs the
 * certificate of the key of that time. The trust folder has those of this control plane's own keys; an object in a store
 * that several share brings its signer's along, which counts for nothing unless our root signed it.
 */
import { type Reader, Writer } from '../../protocol/bytes.ts';
import type { Signer } from '../../protocol/crypto.ts';
import { type ObjectType, openObject, parseObject, readBody, signObject } from '../../protocol/lks1.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { AuditTrust } from './trust.ts';

/** The audit key in use, and the root's word for it (LKS1 type 8). */
export interface CertifiedSigner {
  readonly signer: Signer;
  readonly certificate: Uint8Array;
}

/** An object as it stands in the store. An old one has no certificate. */
export interface StoredObject {
  readonly object: Uint8Array;
  readonly certificate: Uint8Array | null;
}

export interface Layout<T> {
  readonly type: ObjectType;
  readonly write: (writer: Writer, content: T) => Writer;
  readonly read: (reader: Reader) => T;
}

/** One kind of such objects. */
export class AuditObject<T extends { readonly time: number }> {
  readonly #layout: Layout<T>;

  constructor(layout: Layout<T>) {
    this.#layout = layout;
  }

  sign(signer: Signer, content: T): Promise<Uint8Array> {
    const { type, write } = this.#layout;
    return signObject(nodeCrypto, signer, type, write(new Writer(), content).done());
  }

  async signForStore(
    { signer, certificate }: CertifiedSigner,
    content: T,
  ): Promise<{ object: Uint8Array; certificate: Uint8Array }> {
    return { object: await this.sign(signer, content), certificate };
  }

  /** The fields nobody verified. @throws ObjectError `malformed` */
  peek(object: Uint8Array): T {
    return readBody(parseObject(object).body, this.#layout.read);
  }

  /** @returns undefined unless an audit key signed it that our root had certified for that time. */
  async open(trust: AuditTrust, { object, certificate }: StoredObject): Promise<T | undefined> {
    try {
      const { time } = this.peek(object);
      const offered = certificate === null ? [] : [certificate];
      const signerPublicKey = await trust.roleKey('audit', parseObject(object).keyId, time, offered);
      if (signerPublicKey === undefined) return undefined;
      const body = await openObject(nodeCrypto, object, { type: this.#layout.type, signerPublicKey });
      return readBody(body, this.#layout.read);
    } catch {
      return undefined; // What exactly is wrong with a forged object is of no use to anyone.
    }
  }
}
