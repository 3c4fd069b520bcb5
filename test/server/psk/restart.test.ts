/**
 * Either end of a pre-shared key's exchange killed (-9) at each of its steps, as processes of their own with WireGuard
 * between them: started again with a new first key, as the control plane gives it, the two come together again.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { publicKeyOf } from '../../support/namespace.ts';
import { type Moment, messages, type Says, type Told } from './end.ts';

type Role = 'gateway' | 'connector';
const roles = ['gateway', 'connector'] as const;
const other = (role: Role): Role => (role === 'gateway' ? 'connector' : 'gateway');
const newKey = () => randomBytes(32).toString('base64');

const privateKeys = { gateway: randomBytes(32), connector: randomBytes(32) };
/** Where each listens now; 0 while it does not. */
const ports = { gateway: 0, connector: 0 };
const children = new Map<Role, ChildProcess>();

const tell = (role: Role, told: Told) => children.get(role)?.send(told);

/** @returns what the process says next. */
async function hear(role: Role): Promise<Says> {
  const child = children.get(role)!;
  const [said] = (await once(child, 'message')) as [Says];
  return said;
}

/**
 * The ways between the two, held by this process from the first to the last: each end reaches the other at the same address
 * whatever port a new process of it was given.
 */
const doors = { gateway: createSocket('udp4'), connector: createSocket('udp4') };
async function openDoor(role: Role): Promise<void> {
  doors[role].on('message', (packet) => {
    if (ports[role] !== 0) doors[other(role)].send(packet, ports[role], '127.0.0.1');
  });
  doors[role].bind(0, '127.0.0.1');
  await once(doors[role], 'listening');
}

async function start(role: Role, first: string): Promise<void> {
  const child = fork(join(import.meta.dirname, 'end.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.set(role, child);
  const peer = other(role);
  ports[role] = 0;
  tell(role, {
    begin: {
      ...{ role, first, peerPort: doors[peer].address().port },
      privateKey: privateKeys[role].toString('base64'),
      peerKey: publicKeyOf(privateKeys[peer]),
    },
  });
  const said = await hear(role);
  assert.ok('began' in said, JSON.stringify(said));
  ports[role] = said.began;
}

/** Bytes go through the tunnel and back, under a key that was exchanged. */
async function speaks(): Promise<void> {
  tell('gateway', { speak: true });
  const said = await hear('gateway');
  assert.ok('spoke' in said && said.spoke >= 1, JSON.stringify(said));
}

before(async () => {
  for (const role of roles) await openDoor(role);
  const first = newKey();
  for (const role of roles) await start(role, first);
  await speaks();
});
after(() => {
  for (const child of children.values()) child.kill('SIGKILL');
  for (const role of roles) doors[role].close();
});

/** The gateway offers and confirms, the connector answers and says that it is done. */
const senderOf = { offer: 'gateway', answer: 'connector', confirm: 'gateway', done: 'connector' } as const;
const moments: Moment[] = messages.flatMap((message) => [
  { message, side: 'sender' },
  { message, side: 'receiver' },
]);

for (const moment of moments) {
  const victim = moment.side === 'sender' ? senderOf[moment.message] : other(senderOf[moment.message]);
  const when = moment.side === 'sender' ? `before it says ${moment.message}` : `as it hears ${moment.message}`;
  test(`QHX-11: the ${victim} is killed ${when}, and started again`, { timeout: 90_000 }, async () => {
    const exited = once(children.get(victim)!, 'exit');
    tell(victim, { arm: moment });
    assert.equal((await exited)[1], 'SIGKILL');
    const first = newKey();
    tell(other(victim), { first });
    await start(victim, first);
    await speaks();
  });
}
