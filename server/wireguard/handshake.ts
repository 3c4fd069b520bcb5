/**
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s, the one handshake of WireGuard (paper section 5.4, Noise section 7.5):
 *
 *     IKpsk2:   <- s
 *               -> e, es, s, ss          Initiation, payload TAI64N
 *               <- e, ee, se, psk        Response, no payload
 *
 * Bytes of the tokens only: indices, macs and padding are the messages' matter (messages.ts), retries the peer's.
 * A function returns null where the other end is not who it says; the state is wiped by then.
 */
import type {
  EphemeralPrivate,
  EphemeralPublic,
  PresharedKey,
  SharedSecret,
  StaticPrivate,
  StaticPublic,
} from './keys.ts';
import { KEY_BYTES } from './limits.ts';
import { SymmetricState } from './noise.ts';

const utf8 = new TextEncoder();
const protocolName = utf8.encode('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
/** WireGuard's "identifier" is Noise's prologue. */
export const wireguardPrologue = utf8.encode('WireGuard v1 zx2c4 Jason@zx2c4.com');

/** What the first message carries. */
export interface InitiationTokens {
  readonly ephemeral: EphemeralPublic;
  readonly sealedStatic: Uint8Array;
  readonly sealedPayload: Uint8Array;
}

/** What the second message carries. */
export interface ResponseTokens {
  readonly ephemeral: EphemeralPublic;
  readonly sealedPayload: Uint8Array;
}

/** An initiator between its message and the answer. */
export interface InitiatorState {
  readonly symmetric: SymmetricState;
  readonly local: StaticPrivate;
  readonly ephemeral: EphemeralPrivate;
}

/** A responder that knows who speaks and has not answered yet. */
export interface ResponderState {
  readonly symmetric: SymmetricState;
  readonly remote: StaticPublic;
  readonly remoteEphemeral: EphemeralPublic;
}

function begin(responder: StaticPublic, prologue: Uint8Array): SymmetricState {
  const symmetric = new SymmetricState(protocolName, prologue);
  symmetric.mixHash(responder); // <- s
  return symmetric;
}

/**
 * @param staticSecret DH(s, rs), which a device computes once per peer and keeps; it is not wiped here.
 */
export function writeInitiation(options: {
  local: StaticPrivate;
  remote: StaticPublic;
  staticSecret: SharedSecret;
  ephemeral: EphemeralPrivate;
  payload: Uint8Array;
  prologue?: Uint8Array;
}): { state: InitiatorState; tokens: InitiationTokens } | null {
  const { local, ephemeral } = options;
  const symmetric = begin(options.remote, options.prologue ?? wireguardPrologue);
  // -> e; psk patterns also mix it into the key (Noise section 9.2)
  symmetric.mixHash(ephemeral.publicKey);
  symmetric.mixKey(ephemeral.publicKey);
  // -> es
  const es = ephemeral.exchange(options.remote);
  if (es === null) return fail(symmetric);
  symmetric.mixSecret(es);
  // -> s
  const sealedStatic = symmetric.encryptAndHash(local.publicKey);
  // -> ss
  symmetric.mixKey(options.staticSecret);
  const sealedPayload = symmetric.encryptAndHash(options.payload);
  return {
    state: { symmetric, local, ephemeral },
    tokens: { ephemeral: ephemeral.publicKey, sealedStatic, sealedPayload },
  };
}

/**
 * The responder's side of {@link writeInitiation}.
 * @param staticSecretOf DH(s, rs) by the name the initiator gives; null when it is nobody's we know.
 */
export function readInitiation(options: {
  local: StaticPrivate;
  tokens: InitiationTokens;
  staticSecretOf: (remote: StaticPublic) => SharedSecret | null;
  prologue?: Uint8Array;
}): { state: ResponderState; payload: Uint8Array } | null {
  const { local, tokens } = options;
  const symmetric = begin(local.publicKey, options.prologue ?? wireguardPrologue);
  // -> e
  const remoteEphemeral = Uint8Array.from(tokens.ephemeral) as Uint8Array as EphemeralPublic;
  symmetric.mixHash(remoteEphemeral);
  symmetric.mixKey(remoteEphemeral);
  // -> es
  const es = local.exchange(remoteEphemeral);
  if (es === null) return fail(symmetric);
  symmetric.mixSecret(es);
  // -> s
  const opened = symmetric.decryptAndHash(tokens.sealedStatic);
  if (opened === null || opened.length !== KEY_BYTES) return fail(symmetric);
  const remote = Uint8Array.from(opened) as Uint8Array as StaticPublic;
  // -> ss
  const staticSecret = options.staticSecretOf(remote);
  if (staticSecret === null) return fail(symmetric);
  symmetric.mixKey(staticSecret);
  const payload = symmetric.decryptAndHash(tokens.sealedPayload);
  if (payload === null) return fail(symmetric);
  return { state: { symmetric, remote, remoteEphemeral }, payload };
}

/** Answers; `state.symmetric` is then ready to be split. */
export function writeResponse(
  state: ResponderState,
  options: { ephemeral: EphemeralPrivate; psk: PresharedKey; payload?: Uint8Array },
): ResponseTokens | null {
  const { symmetric } = state;
  const { ephemeral } = options;
  // <- e
  symmetric.mixHash(ephemeral.publicKey);
  symmetric.mixKey(ephemeral.publicKey);
  // <- ee
  const ee = ephemeral.exchange(state.remoteEphemeral);
  if (ee === null) return fail(symmetric);
  symmetric.mixSecret(ee);
  // <- se
  const se = ephemeral.exchange(state.remote);
  if (se === null) return fail(symmetric);
  symmetric.mixSecret(se);
  // <- psk
  symmetric.mixKeyAndHash(options.psk);
  return {
    ephemeral: ephemeral.publicKey,
    sealedPayload: symmetric.encryptAndHash(options.payload ?? new Uint8Array(0)),
  };
}

/**
 * The initiator's side of {@link writeResponse}. Works on a copy of the state, so that a forged answer does not spoil
 * the wait for the real one; the copy, returned, is ready to be split.
 */
export function readResponse(
  state: InitiatorState,
  options: { tokens: ResponseTokens; psk: PresharedKey },
): { symmetric: SymmetricState; payload: Uint8Array } | null {
  const symmetric = state.symmetric.fork();
  const { tokens } = options;
  // <- e
  symmetric.mixHash(tokens.ephemeral);
  symmetric.mixKey(tokens.ephemeral);
  // <- ee
  const ee = state.ephemeral.exchange(tokens.ephemeral);
  if (ee === null) return fail(symmetric);
  symmetric.mixSecret(ee);
  // <- se
  const se = state.local.exchange(tokens.ephemeral);
  if (se === null) return fail(symmetric);
  symmetric.mixSecret(se);
  // <- psk
  symmetric.mixKeyAndHash(options.psk);
  const payload = symmetric.decryptAndHash(tokens.sealedPayload);
  return payload === null ? fail(symmetric) : { symmetric, payload };
}

function fail(symmetric: SymmetricState): null {
  symmetric.wipe();
  return null;
}
