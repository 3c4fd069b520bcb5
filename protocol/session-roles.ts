/**
 * What the two roles of a session do differently: who starts a rekey, who proves itself to whom, and which control
 * records each may hear (docs/protocol.md, "States": whatever a role's table does not list is fatal).
 */

import type { Clock } from './clock.ts';
import type { Crypto, Signer } from './crypto.ts';
import type { Deadline } from './deadline.ts';
import type { Established } from './established.ts';
import type { Liveness } from './liveness.ts';
import { ClientReauth, GatewayReauth } from './reauth.ts';
import { recordKind } from './record.ts';
import type { RecordLayer } from './record-layer.ts';
import type { LinkRecord } from './record-link.ts';
import { ClientRekey, GatewayRekey } from './rekey.ts';
import type { ControlHandlers, ControlStream } from './session-control.ts';
import { SessionError } from './session-error.ts';
import { ClientStepup, GatewayStepup, type StepupAssertion, type StepupQuestion } from './stepup.ts';
import type { VerifiedSvid } from './svid.ts';

/** The parts of a session that both roles build on. */
export type RoleParts = {
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly established: Established;
  readonly layer: RecordLayer;
  readonly control: ControlStream;
  readonly liveness: Liveness;
  readonly fatal: (error: unknown) => void;
  /** A rekey began, or the session seals under a new epoch. */
  readonly onRekey: () => void;
};

/** What a session needs of its role. */
export type SessionRole = {
  readonly rekey: ClientRekey | GatewayRekey;
  readonly reauth: ClientReauth | undefined;
  readonly stepup: ClientStepup | GatewayStepup;
  readonly handlers: ControlHandlers;
  /** Sees every control record first. */
  readonly before: (record: LinkRecord) => void;
  /** Stops what is under way and forgets its secrets. */
  readonly wipe: () => void;
};

type Handler = (content: Uint8Array, epoch: number) => void;

/** A new epoch is as good a moment as any to measure the path. */
function rekeyHost({ crypto, clock, layer, control, liveness, onRekey }: RoleParts) {
  const send = (kind: number, content: Uint8Array): void => void control.send(kind, content);
  let epoch = layer.epochs.sendingNumber;
  const onChange = (): void => {
    if (layer.epochs.sendingNumber !== epoch) liveness.ping();
    epoch = layer.epochs.sendingNumber;
    onRekey();
  };
  return { crypto, clock, layer, send, onChange };
}

function sealingHost({ crypto, layer, control, fatal }: RoleParts) {
  const send = (kind: number, content: Uint8Array): void => void control.send(kind, content);
  return { crypto, layer, send, fatal };
}

function sharedHandlers({ liveness }: RoleParts): [number, Handler][] {
  return [
    [recordKind.ping, (content) => liveness.takePing(content)],
    [recordKind.pong, (content) => liveness.takePong(content)],
  ];
}

function empty(content: Uint8Array): void {
  if (content.length !== 0) throw new SessionError('decode', 'content where none belongs');
}

export type ClientRoleOptions = {
  readonly signer: Signer | undefined;
  readonly onRekeySoon: () => void;
  readonly onRekeyOverdue: () => void;
  readonly onNotice: (content: Uint8Array) => void;
  readonly onStepup: ((question: StepupQuestion) => void) | undefined;
};

export function clientRole(parts: RoleParts, options: ClientRoleOptions): SessionRole {
  const { peer, params } = parts.established;
  if (!('gatewayPublicKey' in peer)) throw new TypeError('established: not of a client');
  const { gatewayPublicKey } = peer;
  const { signer, onRekeySoon: onSoon, onRekeyOverdue: onOverdue, onNotice, onStepup } = options;
  const rekeyAfterMs = params.rekeyAfterS * 1000;
  const rekey = new ClientRekey({ ...rekeyHost(parts), rekeyAfterMs, onSoon, onOverdue });
  const reauth = signer && new ClientReauth({ ...sealingHost(parts), signer, gatewayPublicKey });
  const stepup = new ClientStepup(sealingHost(parts), onStepup);
  const handlers: [number, Handler][] = [
    ...sharedHandlers(parts),
    [recordKind.stepup, (content, epoch) => stepup.takeQuestion(content, epoch)],
    [recordKind.rkResp, (content) => rekey.takeResponse(content)],
    [recordKind.notice, onNotice],
  ];
  handlers.push([
    recordKind.rkReq,
    (content) => {
      empty(content);
      rekey.start();
    },
  ]);
  if (reauth) handlers.push([recordKind.reauthAck, (content) => reauth.takeAnswer(content)]);
  const wipe = (): void => {
    rekey.wipe();
    stepup.wipe();
  };
  return { rekey, reauth, stepup, handlers: new Map(handlers), before: () => {}, wipe };
}

export type GatewayRoleOptions = {
  readonly signer: Signer | undefined;
  readonly verifySvid: ((svid: Uint8Array) => Promise<VerifiedSvid>) | undefined;
  readonly deadline: Deadline;
  readonly graceMs: number;
  readonly peer: () => Established['peer'];
  readonly onRenewed: (svid: VerifiedSvid) => void;
  readonly onStepupAnswer: (question: StepupQuestion, assertion: StepupAssertion | undefined) => void;
};

export function gatewayRole(parts: RoleParts, options: GatewayRoleOptions): SessionRole {
  const { established } = parts;
  const first = personOf(established.peer);
  options.deadline.set(Math.min(Number(established.params.reauthBy), first.notAfter) + options.graceMs);
  const rekey = new GatewayRekey(rekeyHost(parts));
  const stepup = new GatewayStepup(sealingHost(parts), options.onStepupAnswer);
  const handlers: [number, Handler][] = [
    ...sharedHandlers(parts),
    [recordKind.stepupAssert, (content) => stepup.take(content)],
    [recordKind.rkInit, (content) => rekey.takeInit(content)],
    [recordKind.rkDone, (content, epoch) => rekey.takeDone(content, epoch)],
  ];
  const reauth = gatewayReauth(parts, options);
  if (reauth) handlers.push([recordKind.reauth, (content, epoch) => reauth.take(content, epoch)]);
  const before = ({ kind, epoch }: LinkRecord): void => rekey.assertOrder(kind, epoch);
  return { rekey, reauth: undefined, stepup, handlers: new Map(handlers), before, wipe: () => stepup.wipe() };
}

function gatewayReauth(parts: RoleParts, options: GatewayRoleOptions): GatewayReauth | undefined {
  const { signer, verifySvid, deadline, graceMs, onRenewed } = options;
  if (!signer || !verifySvid) return undefined;
  return new GatewayReauth({
    ...sealingHost(parts),
    sessionPublicKey: parts.established.sessionPublicKey,
    signer,
    verifySvid,
    peer: () => personOf(options.peer()),
    onRenewed: (svid) => {
      deadline.set(svid.notAfter + graceMs);
      onRenewed(svid);
    },
  });
}

function personOf(peer: Established['peer']): VerifiedSvid {
  if ('gatewayPublicKey' in peer) throw new TypeError('established: not of a gateway');
  return peer;
}
