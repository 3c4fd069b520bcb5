/** Our key changes while wireguard-go carries a connection: it goes on, before and after the far operator has said so. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { NetStack } from '../../../server/netstack/stack.ts';
import { DataPlane } from '../../../server/wireguard/plane.ts';
import { RotatingDevice } from '../../../server/wireguard/rotating-device.ts';
import { needsNamespaces, newNamespace, publicKeyOf } from '../../support/namespace.ts';
import { inner } from './far-peer.ts';

const options = { ...needsNamespaces, timeout: 60_000 };

/** Sends everything back. */
const echoScript = `require('node:net').createServer((socket) => socket.pipe(socket))
  .listen({ host: '0.0.0.0', port: 7 }, () => console.log('listens'))`;

for (const presharedKey of [undefined, randomBytes(32)]) {
  const how = presharedKey === undefined ? 'without' : 'with';
  test(`QPT-7: a connection through wireguard-go ${how} a preshared key outlives a rotation`, options, async (t) => {
    const far = newNamespace();
    t.after(() => far.destroy());
    const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
    const device = new RotatingDevice({ privateKey: oldKey });
    t.after(() => device.close());
    const { port } = await device.listen({ port: 0 });
    const psk = presharedKey && { presharedKey };
    const ours = { allowedIps: [`${inner[4].near}/32`], endpoint: `${far.near4}:${port}`, ...psk };
    const addresses = [`${inner[4].far}/24`];
    const go = await far.startWireGuard({ addresses, peers: [{ publicKey: publicKeyOf(oldKey), ...ours }] });
    const endpoint = `${far.far4}:${go.port}`;
    const peer = { publicKey: go.publicKey, allowedIps: [`${inner[4].far}/32`], endpoint, ...psk };
    device.setPeer(peer);
    const stack = new NetStack({ addresses: [inner[4].near], output: (packet) => device.send(packet) });
    t.after(() => stack.close());
    const plane = new DataPlane({ device, stack });
    const service = far.spawn(process.execPath, ['-e', echoScript], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(service.stdout!, 'data');
    const socket = await plane.connect({ host: inner[4].far, port: 7, wireguardKey: go.publicKey });
    const talk = async () => {
      const said = randomBytes(100_000);
      socket.write(said);
      const heard: Buffer[] = [];
      while (Buffer.concat(heard).length < said.length) heard.push((await once(socket, 'data'))[0] as Buffer);
      assert.deepEqual(Buffer.concat(heard), said);
    };
    await talk();

    await device.rotate(newKey);
    device.setPeer(peer);
    await talk();
    assert.deepEqual(device.retiring?.peers, [go.publicKey]);

    go.addPeer({ publicKey: publicKeyOf(newKey), ...ours });
    await talk();
    assert.equal(device.retiring, undefined);
    assert.ok(go.latestHandshake(publicKeyOf(newKey)) > 0);
    go.removePeer(publicKeyOf(oldKey));
    await talk();
    assert.equal(socket.destroyed, false);
    socket.destroy();
  });
}
