import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TunnelPort } from '../../../worker/sw/tunnel-port.ts';

test('BR-6: an exchange that begins on the port of a tab that has gone hears that it is lost', async (t) => {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port2.close());
  const port = new TunnelPort(port1);
  const heard: string[] = [];
  const listener = (name: string) => ({ receive: () => undefined, lost: () => heard.push(name) });
  port.begin(listener('under way'));
  port.lose();
  port.begin(listener('too late'));
  await Promise.resolve();
  assert.deepEqual(heard, ['under way', 'too late']);
});
