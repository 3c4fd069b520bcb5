/**
 * Proof of the session key over the present epoch, both halves (docs/protocol.md, "Rekey": REAUTH). Rekeys are chained
 * to the last epoch only, so whoever held one epoch and acts during the next rekey would own that too; this throws him
 * out, because his transcript differs from ours. It also carries the next credential.
 *
 *     C  REAUTH      u16 len, svid | signature 3373 over H("lk1 reauth" | T_n | svid), ctx "Latchkey/1 reauth c"
 *     G  REAUTH_ACK  signature 3373 over the same, ctx "Latchkey/1 reauth g"
 *
 * T_n is that of the epoch whose key sealed REAUTH. One REAUTH at a time.
 */
import { copy, equal, Reader, Writer } from './bytes.ts';
import type { CloseCode } from './codes.ts';
import type { Crypto, Signer } from './crypto.ts';
import { asHandshakeError } from './established.ts';
import { signatureContext } from './labels.ts';
import * as limits from './limits.ts';
import { recordKind } from './record.ts';
import type { RecordLayer } from './record-layer.ts';
import { reauthHash } from './schedule.ts';
import { SessionError } from './session-error.ts';
import { maxContentBytes } from './session-limits.ts';
import type { VerifiedSvid } from './svid.ts';

export type ReauthHost = {
  readonly crypto: Crypto;
  readonly layer: RecordLayer;
  /** Seals on the control stream. */
  readonly send: (kind: number, content: Uint8Array) => void;
  readonly fatal: (error: unknown) => void;
};

// ── client ──

export class ClientReauth {
  readonly #host: ReauthHost & { readonly signer: Signer; readonly gatewayPublicKey: Uint8Array };
  #isBusy = false;
  #pending: { readonly hash: Uint8Array; readonly answer: PromiseWithResolvers<void> } | undefined;

  constructor(host: ReauthHost & { readonly signer: Signer; readonly gatewayPublicKey: Uint8Array }) {
    this.#host = host;
  }

  /** Resolves when the gateway has proved that it took the new credential in the same epoch. */
  async present(svid: Uint8Array): Promise<void> {
    if (this.#isBusy) throw new TypeError('one REAUTH at a time');
    if (svid.length + 2 + limits.compositeSignatureBytes > maxContentBytes) throw new TypeError('svid is too long');
    this.#isBusy = true;
    try {
      await this.#sendSigned(svid);
    } finally {
      this.#isBusy = false;
    }
  }

  /** A rekey may end while the signature is made; the record that carries it decides which epoch it must be about. */
  async #sendSigned(svid: Uint8Array): Promise<void> {
    const { crypto, layer, signer, send } = this.#host;
    for (;;) {
      const epoch = layer.epochs.sending;
      const hash = reauthHash(crypto, epoch.transcript, svid);
      const signature = await signer.sign(hash, signatureContext.reauthClient);
      if (layer.isWiped) throw new SessionError('going_away', 'closed during REAUTH');
      if (layer.epochs.sendingNumber !== epoch.number) continue;
      const answer = Promise.withResolvers<void>();
      this.#pending = { hash, answer };
      send(recordKind.reauth, new Writer().vec16(svid).bytes(signature).done());
      return answer.promise;
    }
  }

  /** REAUTH_ACK */
  takeAnswer(content: Uint8Array): void {
    const pending = this.#pending;
    if (!pending) throw new SessionError('decode', 'REAUTH_ACK nobody asked for');
    this.#pending = undefined;
    const reader = new Reader(content);
    const signature = copy(reader.bytes(limits.compositeSignatureBytes));
    reader.end();
    this.#verify(pending.hash, signature).then(pending.answer.resolve, (error) => {
      pending.answer.reject(error);
      this.#host.fatal(error);
    });
  }

  async #verify(hash: Uint8Array, signature: Uint8Array): Promise<void> {
    const { crypto, gatewayPublicKey } = this.#host;
    if (!(await crypto.verify(gatewayPublicKey, hash, signatureContext.reauthGateway, signature)))
      throw new SessionError('bad_svid', 'REAUTH_ACK signature');
  }

  /** The session is over. */
  abandon(error: SessionError): void {
    this.#pending?.answer.reject(error);
    this.#pending = undefined;
  }
}

// ── gateway ──

export type GatewayReauthHost = ReauthHost & {
  readonly sessionPublicKey: Uint8Array;
  readonly signer: Signer;
  /** Who the session belongs to now. */
  readonly peer: () => VerifiedSvid;
  /** Rejects with a SessionError, HandshakeError or ObjectError for a credential that is not good. */
  readonly verifySvid: (svid: Uint8Array) => Promise<VerifiedSvid>;
  readonly onRenewed: (svid: VerifiedSvid) => void;
};

export class GatewayReauth {
  readonly #host: GatewayReauthHost;
  #isBusy = false;

  constructor(host: GatewayReauthHost) {
    this.#host = host;
  }

  /** REAUTH. @param epoch the one its record was sealed in */
  take(content: Uint8Array, epoch: number): void {
    if (this.#isBusy) throw new SessionError('decode', 'REAUTH before REAUTH_ACK');
    const reader = new Reader(content);
    const svid = copy(reader.vec16());
    const signature = copy(reader.bytes(limits.compositeSignatureBytes));
    reader.end();
    const { crypto, layer } = this.#host;
    const hash = reauthHash(crypto, layer.epochs.opening(epoch).transcript, svid);
    this.#isBusy = true;
    this.#judge(svid, hash, signature).catch((error) => this.#host.fatal(error));
  }

  async #judge(bytes: Uint8Array, hash: Uint8Array, signature: Uint8Array): Promise<void> {
    const { crypto, layer, signer, send, sessionPublicKey } = this.#host;
    if (!(await crypto.verify(sessionPublicKey, hash, signatureContext.reauthClient, signature)))
      throw new SessionError('bad_svid', 'REAUTH signature');
    const svid = await this.#verified(bytes);
    const answer = await signer.sign(hash, signatureContext.reauthGateway);
    if (layer.isWiped) return;
    this.#isBusy = false;
    this.#host.onRenewed(svid);
    send(recordKind.reauthAck, answer);
  }

  async #verified(bytes: Uint8Array): Promise<VerifiedSvid> {
    let svid: VerifiedSvid;
    try {
      svid = await this.#host.verifySvid(bytes);
    } catch (cause) {
      throw new SessionError(refusalCode(cause), 'REAUTH credential', { cause });
    }
    const now = this.#host.peer();
    // A session is one key of one person for one service; a credential for anything else needs a handshake.
    if (!equal(svid.sessionPublicKey, this.#host.sessionPublicKey) || svid.spiffeId !== now.spiffeId)
      throw new SessionError('bad_svid', 'REAUTH for another identity');
    if (svid.service !== now.service) throw new SessionError('bad_svid', 'REAUTH for another service');
    return svid;
  }
}

/** What a verifier's refusal is called on the wire. */
function refusalCode(cause: unknown): CloseCode {
  const { code } = cause instanceof SessionError ? cause : asHandshakeError(cause);
  return code === 'silent' ? 'bad_svid' : code;
}
