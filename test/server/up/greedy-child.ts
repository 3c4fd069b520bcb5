/** A process that goes wrong when it serves, in the way its token says. */
import { runChild } from '../../../server/up/child.ts';

const held: Buffer[] = [];

runChild('greedy', async ({ token, after }) => {
  // As a restarted process may: it never comes to serve.
  if (token === 'hang') await new Promise(() => undefined);
  if (token === 'refuse') process.exit(4);
  if (token === 'exit') setTimeout(() => process.exit(3), 50);
  if (token === 'grow') setInterval(() => held.push(Buffer.alloc(16 << 20, 1)), 10);
  // Once it has served: the event loop comes round no more.
  if (token === 'stall') setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 50);
  return { info: { pid: process.pid, after, held: held.length }, stop: async () => undefined };
});
