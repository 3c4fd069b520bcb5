/**
 * A gateway's data plane in a process of its own, so that it can stand in a namespace. Its parent speaks to it over IPC:
 * one question at a time, one answer each.
 */
import { once } from 'node:events';
import { systemClock } from '../../../server/channel/system-clock.ts';
import { loadConfig } from '../../../server/config.ts';
import { checkDataPlane } from '../../../server/doctor/data-plane.ts';
import { GatewayDataPlane } from '../../../server/gateway/data-plane.ts';
import { logger, setLogLevel } from '../../../server/log.ts';
import type { Answer, Question } from './system-driver.ts';

setLogLevel('silent');
const config = loadConfig();
let plane: GatewayDataPlane | undefined;
let wireguard = config.wireguard;

async function answer(question: Question): Promise<Answer> {
  const limit = AbortSignal.timeout(question.limitMs ?? 20_000);
  switch (question.ask) {
    case 'open':
      wireguard = { ...config.wireguard, ...question.wireguard };
      plane = new GatewayDataPlane({
        config: { ...config, wireguard },
        privateKey: Buffer.from(question.privateKey, 'base64'),
        clock: systemClock,
        log: logger('test'),
      });
      return plane.listen({ host: '0.0.0.0', port: wireguard.port });
    case 'peers':
      if (question.psks !== undefined) plane!.setPresharedKeys(question.psks);
      plane!.setPeers(question.peers);
      return {};
    case 'tcp': {
      const { host, port, wireguardKey, text } = question;
      const socket = await plane!.connect({ host, port, wireguardKey }, limit);
      socket.write(text);
      const [back] = await once(socket, 'data', { signal: limit });
      socket.destroy();
      return { text: String(back) };
    }
    case 'udp': {
      const { host, port, wireguardKey, text } = question;
      const flow = plane!.openUdp({ host, port, wireguardKey });
      const back = new Promise<string>((resolve) => {
        flow.onDatagram = (datagram) => resolve(Buffer.from(datagram).toString());
      });
      flow.send(Buffer.from(text));
      const late = once(limit, 'abort').then(() => Promise.reject(limit.reason));
      const got = await Promise.race([back, flow.closed.then(() => 'closed'), late]);
      flow.close();
      return { text: got };
    }
    case 'status':
      return { peers: plane!.status() };
    case 'doctor':
      return { findings: await checkDataPlane({ ...config, wireguard }) };
  }
}

process.on('message', (question: Question) => {
  answer(question).then(
    (done) => process.send?.(done),
    (error: Error & { code?: string }) => process.send?.({ error: error.code ?? error.name }),
  );
});
process.once('disconnect', () => process.exit());
process.send?.({});
