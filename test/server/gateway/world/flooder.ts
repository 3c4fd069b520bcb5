/**
 * Somebody who floods a gateway over loopback WebSockets, in a process of its own: so many INITs a second, with a mac1
 * that is wrong or right, from addresses of its own. Answers nothing that it is asked. Started with its plan as one
 * JSON argument; says as its only line, in JSON, how many it began and how many the gateway let in: it opened the
 * WebSocket, and the INIT was behind it.
 */
import { connect, type Socket } from 'node:net';
import { unhex } from '../../../../protocol/bytes.ts';
import { nodeCrypto } from '../../../../server/crypto/node-crypto.ts';
import { initMessage, upgradeRequest } from '../../../support/raw-tunnel.ts';

export interface FloodPlan {
  readonly port: number;
  readonly host: string;
  readonly origin: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** Hexadecimal; absent for a sender who does not know it. */
  readonly stealthKey?: string;
  readonly gatewayKeyHash: string;
  /** Addresses it sends from. */
  readonly sources: readonly string[];
  /** Connections it keeps at one time; it lets go of the oldest. */
  readonly atOnce: number;
}

/** What came of it: connections begun, and WebSockets that the gateway opened. */
export interface Flooded {
  readonly sent: number;
  readonly letIn: number;
}

const plan = JSON.parse(process.argv[2] ?? '') as FloodPlan;
const { share } = nodeCrypto.offer();
const target = { stealthKey: unhex(plan.stealthKey ?? '00'.repeat(32)), gatewayKeyHash: unhex(plan.gatewayKeyHash) };
const upgrade = upgradeRequest(plan.host, plan.origin);

let sent = 0;
let letIn = 0;
const open = new Set<Socket>();

function send(): void {
  const localAddress = plan.sources[sent % plan.sources.length]!;
  const socket = connect({ port: plan.port, host: '127.0.0.1', localAddress }, () =>
    socket.write(Buffer.concat([upgrade, initMessage(target, share)])),
  );
  socket.on('error', () => undefined);
  socket.on('end', () => socket.destroy());
  socket.on('close', () => open.delete(socket));
  socket.once('data', (answer) => {
    if (answer.toString('latin1').startsWith('HTTP/1.1 101 ')) letIn++;
  });
  socket.resume();
  open.add(socket);
  sent++;
  if (open.size > plan.atOnce) for (const oldest of open) return void oldest.destroy();
}

const began = performance.now();
const timer = setInterval(() => {
  const seconds = (performance.now() - began) / 1_000;
  // What the machine did not manage is not made up for: a backlog in here would be no flood there.
  const due = Math.min(Math.floor(seconds * plan.perSecond) - sent, plan.perSecond / 10);
  for (let i = 0; i < due; i++) send();
  if (seconds < plan.seconds) return;
  clearInterval(timer);
  process.stdout.write(`${JSON.stringify({ sent, letIn } satisfies Flooded)}\n`, () => process.exit(0));
}, 4);
