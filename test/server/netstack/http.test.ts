/** What the sockets are for: Node's HTTP server and clients, and undici, run over them unchanged. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as http from 'node:http';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { Client, Pool } from 'undici';
import { pattern } from './support/random.ts';
import { Pair, SERVER4, SERVER6 } from './support/wire.ts';

const MIB = 1024 * 1024;

/** An HTTP server behind the wire that echoes bodies and counts connections. */
function serve(pair: Pair): { server: http.Server; connections: () => number } {
  const server = http.createServer((request, response) => {
    if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': 1_000_000 });
      response.write(Buffer.alloc(1_000));
      setImmediate(() => request.socket.destroy(new Error('cut')));
      return;
    }
    if (request.url === '/big') {
      response.end(pattern(8 * MIB));
      return;
    }
    response.setHeader('x-from', `${request.socket.remoteAddress}`);
    request.pipe(response);
  });
  let count = 0;
  pair.server.listen({ port: 80 }, (socket) => {
    count++;
    server.emit('connection', socket);
  });
  return { server, connections: () => count };
}

/** An agent whose connections are made by the stack. */
function agentOver(pair: Pair, host = SERVER4): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  agent.createConnection = () => pair.client.open({ host, port: 80 });
  return agent;
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

async function get(agent: http.Agent, options: http.RequestOptions, body?: Uint8Array): Promise<Answer> {
  const request = http.request({ host: 'service', agent, ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

for (const host of [SERVER4, SERVER6]) {
  test(`http.Agent and http.Server speak over ${host} and keep the connection alive`, async () => {
    const pair = new Pair({ delayMs: 5 });
    const { connections } = serve(pair);
    const agent = agentOver(pair, host);
    for (let i = 0; i < 5; i++) {
      const { body, headers } = await pair.clock.resolve(get(agent, { method: 'POST' }, Buffer.from(`request ${i}`)));
      assert.equal(String(body), `request ${i}`);
      assert.match(String(headers['x-from']), /^(100\.100\.0\.1|fd6c:6b::1)$/);
    }
    assert.equal(connections(), 1);
    agent.destroy();
    await pair.clock.advance(1_000);
    assert.equal(pair.server.stats().connections, 0);
  });
}

test('many requests at once go over as many connections as the agent allows', async () => {
  const pair = new Pair({ delayMs: 5, loss: 0.02, seed: 3 });
  const { connections } = serve(pair);
  const agent = agentOver(pair);
  const bodies = Array.from({ length: 20 }, (_, i) => pattern(50_000, i + 1));
  const answers = await pair.clock.resolve(Promise.all(bodies.map((body) => get(agent, { method: 'POST' }, body))));
  for (const [i, { body }] of answers.entries()) assert.equal(hash(body), hash(bodies[i]!));
  assert.equal(connections(), 4);
  agent.destroy();
});

test('8 MiB down with a slow reader arrive whole', async () => {
  const pair = new Pair({ delayMs: 5 });
  serve(pair);
  const agent = agentOver(pair);
  const { body } = await pair.clock.resolve(get(agent, { path: '/big' }));
  assert.equal(hash(body), hash(pattern(8 * MIB)));
  agent.destroy();
});

test('a download that is cut fails visibly', async () => {
  const pair = new Pair({ delayMs: 5 });
  const { server } = serve(pair);
  server.on('clientError', () => {});
  const agent = agentOver(pair);
  await pair.clock.resolve(assert.rejects(get(agent, { path: '/cut' }), { code: 'ECONNRESET' }));
  agent.destroy();
});

test('an agent takes a socket that comes later, too', async () => {
  const pair = new Pair({ delayMs: 5 });
  serve(pair);
  const agent = new http.Agent();
  agent.createConnection = (_options, callback) => {
    const made = pair.client.connect({ host: SERVER4, port: 80 });
    made.then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  };
  const { body } = await pair.clock.resolve(get(agent, { method: 'POST' }, Buffer.from('late')));
  assert.equal(String(body), 'late');
});

test('an agent passes on that the port is closed', async () => {
  const pair = new Pair();
  await pair.clock.resolve(assert.rejects(get(agentOver(pair), {}), { code: 'ECONNREFUSED' }));
});

test('http.Server can answer a bad request over it and close', async () => {
  const pair = new Pair();
  const { server } = serve(pair);
  server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const socket = await pair.clock.resolve(pair.client.connect({ host: SERVER4, port: 80 }));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(socket, 'close');
  socket.write('no HTTP at all\r\n\r\n');
  await pair.clock.resolve(closed);
  assert.match(String(Buffer.concat(chunks)), /^HTTP\/1\.1 400 /);
});

test('an upgrade hands over the socket with the bytes that came along', async () => {
  const pair = new Pair({ delayMs: 5 });
  const { server } = serve(pair);
  server.on('upgrade', (_request, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nfirst ');
    socket.pipe(socket);
  });
  const request = http.request({
    host: 'service',
    agent: agentOver(pair),
    headers: { connection: 'upgrade', upgrade: 'echo' },
  });
  request.end();
  const [, socket, head] = (await pair.clock.resolve(once(request, 'upgrade'))) as [unknown, Duplex, Buffer];
  const chunks = [head];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(socket, 'end');
  socket.end('second');
  await pair.clock.resolve(ended);
  assert.equal(String(Buffer.concat(chunks)), 'first second');
});

function undiciConnect(pair: Pair) {
  return (_options: object, callback: (...result: [null, Duplex] | [Error, null]) => void) => {
    pair.client.connect({ host: SERVER4, port: 80 }).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

// undici asks for a net.Socket or TLSSocket by type; by behaviour it takes this one, which is what is tested.
type UndiciConnect = NonNullable<Client.Options['connect']>;

test('undici speaks over it, bodies both ways, one connection', async () => {
  const pair = new Pair({ delayMs: 5 });
  const { connections } = serve(pair);
  const client = new Client('http://service', { connect: undiciConnect(pair) as unknown as UndiciConnect });
  for (let i = 1; i <= 4; i++) {
    const sent = pattern(300_000, i);
    const echo = async () => {
      const { statusCode, body } = await client.request({ path: '/', method: 'POST', body: sent });
      return { statusCode, bytes: Buffer.from(await body.arrayBuffer()) };
    };
    const { statusCode, bytes } = await pair.clock.resolve(echo());
    assert.equal(statusCode, 200);
    assert.equal(hash(bytes), hash(sent));
  }
  assert.equal(connections(), 1);
  await pair.clock.resolve(client.close());
  await pair.clock.advance(1_000);
  assert.equal(pair.server.stats().connections, 0);
});

test('undici sees a cut body and a closed port as errors', async () => {
  const pair = new Pair({ delayMs: 5 });
  const { server } = serve(pair);
  server.on('clientError', () => {});
  const pool = new Pool('http://service', { connect: undiciConnect(pair) as unknown as UndiciConnect, connections: 2 });
  const cut = async () => {
    const { body } = await pool.request({ path: '/cut', method: 'GET' });
    await body.arrayBuffer();
  };
  await pair.clock.resolve(assert.rejects(cut(), (error: NodeJS.ErrnoException) => error.code !== undefined));
  await pair.clock.resolve(pool.destroy());

  const closed = new Pair();
  const other = new Client('http://service', { connect: undiciConnect(closed) as unknown as UndiciConnect });
  const refused = other.request({ path: '/', method: 'GET' });
  await closed.clock.resolve(assert.rejects(refused, { code: 'ECONNREFUSED' }));
  await closed.clock.resolve(other.destroy());
});
