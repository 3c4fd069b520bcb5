/** What browsers will find at the public names: an address, our certificate, our pages, a WebSocket, QUIC. */
import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import { connect } from 'node:tls';
import { WebSocket } from 'ws';
import { type Config, origins } from '../config.ts';
import { appNames, judge } from './certificates.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { quicAnswers } from './quic-probe.ts';
import { judgeClock } from './time-probe.ts';

const limitMs = 5_000;

/** @param fingerprint of this installation's root, when it runs here. */
export async function checkNetwork(config: Config, fingerprint: string | undefined): Promise<Finding[]> {
  const { hubHost, appsDomain } = config;
  const names = [hubHost, ...appNames(appsDomain), new URL(origins.tunnel(config)).hostname];
  const resolved = await Promise.all([...new Set(names)].map(checkName));
  // Without addresses everything below fails for one reason.
  if (resolved.some(({ verdict }) => verdict === 'fail')) return resolved;
  const served = config.scheme === 'https' ? await checkServed(config) : [];
  return [
    ...resolved,
    ...served,
    ...(await checkHub(config, fingerprint)),
    await checkApps(config),
    ...(await checkTunnel(config)),
  ];
}

async function checkName(name: string): Promise<Finding> {
  const found = await lookup(name, { all: true }).catch(() => []);
  if (found.length > 0) return ok('name', `${name} is ${found.map(({ address }) => address).join(', ')}.`);
  const record = name.startsWith('any-service.') ? `*.${name.split('.').slice(1).join('.')}` : name;
  return fail(
    'name',
    `${name} does not resolve.`,
    `Add an A or AAAA record for ${record} with the address of this server.`,
  );
}

/** The certificates as they are served, which may be others than the files: a proxy's, or those of before a renewal. */
async function checkServed(config: Config): Promise<Finding[]> {
  const places = [
    { check: 'served.hub', origin: origins.hub(config) },
    ...['shell', 'any-service'].map((label) => ({ check: 'served.apps', origin: origins.app(config, label) })),
  ];
  const findings = await Promise.all(
    places.map(async ({ check, origin }): Promise<Finding[]> => {
      const { hostname, host } = new URL(origin);
      const peer = await handshake(origin);
      if ('error' in peer)
        return [fail(check, `${host} ${peer.error}.`, 'Let TLS end here: see the README, "A real deployment".')];
      const where = `The certificate served at ${host}`;
      const judged = judge(peer.leaf, { check, where, names: [hostname] }, Date.now());
      if (judged.some(({ verdict }) => verdict === 'fail') || peer.trusted) return judged;
      return [
        warn(
          check,
          `${where} is not trusted by this machine (${peer.reason}).`,
          'Serve it with its intermediates; for a private authority, every browser needs its root, and NODE_EXTRA_CA_CERTS here.',
        ),
      ];
    }),
  );
  return findings.flat();
}

type Handshake = { leaf: X509Certificate; trusted: boolean; reason: string } | { error: string };

function handshake(origin: string): Promise<Handshake> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    const options = { host: hostname, port: Number(port || 443), servername: hostname, timeout: limitMs };
    // What is wrong with it is what we are here for.
    const socket = connect({ ...options, rejectUnauthorized: false }, () => {
      const raw = socket.getPeerX509Certificate();
      const reason = String(socket.authorizationError ?? '');
      if (raw === undefined) resolve({ error: 'shows no certificate' });
      else resolve({ leaf: new X509Certificate(raw.raw), trusted: socket.authorized, reason });
      socket.destroy();
    });
    socket.on('timeout', () => socket.destroy(new Error('timeout')));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve({ error: wordsFor(error) }));
  });
}

function wordsFor({ code = '' }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return 'refuses connections: nothing listens there';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) return 'answers something else than https';
  return 'cannot be reached';
}

interface Answer {
  readonly status: number;
  readonly date: string | undefined;
  readonly body: Record<string, unknown>;
}

/** Certificates were judged already. */
function ask(address: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: limitMs, rejectUnauthorized: false };
    const get = address.startsWith('https:') ? getSecure : getPlain;
    const request = get(address, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > 65_536) request.destroy();
      });
      response.on('error', () => resolve(undefined));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, date: response.headers.date, body: readJson(text) }),
      );
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

function readJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const proxied =
  'See that the name leads to this server, and that a proxy in front passes Host and X-Forwarded-Proto on.';

async function checkHub(config: Config, fingerprint: string | undefined): Promise<Finding[]> {
  const hub = origins.hub(config);
  const sent = Date.now();
  const answer = await ask(`${hub}/.well-known/latchkey/pins`);
  const found = answer?.body['fingerprint'];
  if (answer === undefined || typeof found !== 'string')
    return [fail('hub', `At ${hub} there is no hub (${answer === undefined ? 'no answer' : answer.status}).`, proxied)];
  if (fingerprint !== undefined && found !== fingerprint)
    return [fail('hub', `At ${hub} another installation answers than this one.`, proxied)];
  const dated = Date.parse(answer.date ?? '');
  const ahead = (sent + Date.now()) / 2 - dated;
  return [
    ok('hub', `At ${hub} ${fingerprint === undefined ? 'a hub answers' : 'this installation answers'}.`),
    ...(Number.isNaN(dated) ? [] : [judgeClock(ahead, 'the server at the hub')]),
  ];
}

async function checkApps(config: Config): Promise<Finding> {
  const app = origins.app(config, 'any-service');
  const answer = await ask(`${app}/.latchkey/installation.json`);
  if (answer?.body['hub'] === origins.hub(config)) return ok('apps', `Names below ${config.appsDomain} lead here.`);
  return fail('apps', `At ${app} this installation does not answer.`, proxied);
}

async function checkTunnel(config: Config): Promise<Finding[]> {
  return [await checkWebSocket(config), await checkQuic(config)];
}

function checkWebSocket(config: Config): Promise<Finding> {
  const url = `${origins.tunnel(config).replace(/^http/, 'ws')}/tunnel`;
  const options = { origin: origins.shell(config), handshakeTimeout: limitMs, rejectUnauthorized: false };
  return new Promise((resolve) => {
    const socket = new WebSocket(url, options);
    const say = (finding: Finding): void => {
      resolve(finding);
      socket.terminate();
    };
    const no = (how: string): void =>
      say(
        fail(
          'websocket',
          `No WebSocket opens at ${url} (${how}).`,
          'Behind a proxy: pass Upgrade and Connection on, see the README.',
        ),
      );
    socket.once('open', () => say(ok('websocket', `A WebSocket opens at ${url}.`)));
    socket.once('unexpected-response', (_request, response) => no(String(response.statusCode)));
    socket.on('error', () => no('no answer'));
  });
}

async function checkQuic(config: Config): Promise<Finding> {
  const host = new URL(origins.shell(config)).hostname;
  const port = config.udp.publicPort ?? config.udp.port ?? config.port;
  const { address } = await lookup(host);
  if (await quicAnswers(address, port)) return ok('udp', `QUIC answers at ${address}, UDP port ${port}.`);
  return fail(
    'udp',
    `Nothing answers QUIC at ${address}, UDP port ${port}; tunnels go over WebSocket, which is slower.`,
    `Let UDP port ${port} through every firewall and forward it to this server; a proxy for TCP does not carry it.`,
  );
}
