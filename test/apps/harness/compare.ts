/** What two visits have in common, line by line. Each function gives two lists that have to be equal. */
import type { Difference, Part, RealApp } from './app.ts';
import { common } from './common-differences.ts';
import type { RecordedRequest } from './recorder.ts';
import type { Both, Visit } from './visit.ts';

export interface Pair {
  readonly direct: readonly string[];
  readonly tunnel: readonly string[];
}

const both = ({ direct, tunnel }: Both, read: (visit: Visit) => string[]): Pair => ({
  direct: read(direct),
  tunnel: read(tunnel),
});

/** Of each look, the document. */
export function doms(visits: Both, app: RealApp): Pair {
  const clean = cleaner(app, 'dom');
  return both(visits, ({ looks }) =>
    looks.flatMap(({ name, dom }) => [
      `# ${name}`,
      ...clean(dom)
        .split(/(?<=>)(?=<)/)
        .filter((line) => line !== ''),
    ]),
  );
}

/** Each document that the browser got and what the app answered, the last of each target; one character a byte. */
export function documents({ documents: got, recording }: Visit): { target: string; got: string; given: string }[] {
  // Of HEAD, OPTIONS and a script's fetch the same target may have another answer, and a form that leads on has none to show.
  const navigations = recording.requests.filter(
    ({ headers: heard, status }) => heard['sec-fetch-mode'] === 'navigate' && (status < 300 || status > 399),
  );
  const last = new Map(navigations.map((one) => [one.target, one.document]));
  return [...got].flatMap(([target, bytes]) => {
    const given = last.get(target);
    return given === undefined ? [] : [{ target, got: bytes.toString('latin1'), given: given.toString('latin1') }];
  });
}

/** The one piece that was put in; undefined when anything else is different. */
export function insertion(got: string, given: string): string | undefined {
  let at = 0;
  while (at < given.length && got[at] === given[at]) at += 1;
  // What follows may begin like the piece itself.
  const begin = got.lastIndexOf('<script', at);
  const length = got.length - given.length;
  const isWhole = begin >= 0 && got.slice(0, begin) + got.slice(begin + length) === given;
  return isWhole ? got.slice(begin, begin + length) : undefined;
}

/** `document.cookie` at each look, and the cookies of each request that reached the app. */
export function cookies(visits: Both, app: RealApp): Pair {
  const clean = cleaner(app, 'cookie');
  const asked = cleaner(app, 'request');
  return both(visits, ({ looks, recording }) => [
    ...looks.map(({ name, cookies: text }) => clean(`# ${name}: ${sortedPairs(text)}`)),
    ...unique(
      recording.requests
        .filter((one) => !isIcon(one) && asked(lineOf(one)) !== '')
        .map((one) => `${asked(`${one.method} ${pathOf(one)}`)}: ${clean(sortedPairs(one.headers['cookie'] ?? ''))}`),
    ),
  ]);
}

/** Errors that only the visit through Latchkey has. */
export function newErrors(visits: Both, app: RealApp): string[] {
  const clean = cleaner(app, 'console');
  const known = new Set(visits.direct.errors.map(clean));
  return visits.tunnel.errors.map(clean).filter((line) => line !== '' && !known.has(line));
}

/** The access log: what changes something in its order, what only reads as a set. */
export function requests(visits: Both, app: RealApp): Pair {
  const clean = cleaner(app, 'request');
  const line = (one: RecordedRequest) => clean(lineOf(one));
  return both(visits, ({ recording }) => {
    const counted = recording.requests.filter((one) => !isIcon(one));
    const reads = counted.filter(isRead).map(line);
    return [...unique(reads), ...counted.filter((one) => !isRead(one)).map(line)].filter((text) => text !== '');
  });
}

/** As an access log has it. */
function lineOf(one: RecordedRequest): string {
  const status = one.status === 304 ? 200 : one.status;
  return `${one.method} ${one.target} ${status} ${one.bodyBytes} ${one.bodySha256.slice(0, 12)}`.trim();
}

const isRead = ({ method }: RecordedRequest) => method === 'GET' || method === 'HEAD' || method === 'OPTIONS';

/** A browser asks for a tab's icon; a frame has none, so through Latchkey nobody asks. */
const isIcon = ({ target }: RecordedRequest) => /favicon|apple-touch-icon|\bicon\.(?:png|svg)|\.ico($|\?)/.test(target);

/** The headers of each request that both visits made, but for those that say who carries it. */
export function headers(visits: Both, app: RealApp): Pair {
  const clean = cleaner(app, 'header');
  const named = cleaner(app, 'request');
  const inTunnel = firstOfEach(visits.tunnel, named);
  const inDirect = firstOfEach(visits.direct, named);
  const shared = [...inDirect.keys()].filter((key) => inTunnel.has(key)).sort();
  const lines = (of: Map<string, RecordedRequest>) =>
    shared.flatMap((key) =>
      Object.entries(of.get(key)!.headers)
        .filter(([name]) => name !== 'cookie' && !isOfOthers(name, of.get(key)!))
        .map(([name, value]) => clean(`${key}: ${name}: ${value}`))
        .filter((line) => line !== '')
        .sort(),
    );
  return { direct: lines(inDirect), tunnel: lines(inTunnel) };
}

/** Firefox sends these with a WebSocket's handshake, as the standard has it and the gateway too; Chromium does not. */
const isOfOthers = (name: string, { status }: RecordedRequest) => status === 101 && name.startsWith('sec-fetch-');

function firstOfEach({ recording }: Visit, named: (text: string) => string): Map<string, RecordedRequest> {
  const found = new Map<string, RecordedRequest>();
  for (const one of recording.requests.filter((request) => !isIcon(request))) {
    const key = named(`${one.method} ${one.target}`);
    if (key !== '' && !found.has(key)) found.set(key, one);
  }
  return found;
}

/** WebSocket messages: of each connection's target what was sent and what came. */
export function messages(visits: Both, app: RealApp): Pair {
  const clean = cleaner(app, 'socket');
  return both(visits, ({ recording }) =>
    recording.sockets.flatMap(({ target, sent, received }) => [
      clean(`# ${target}`),
      ...sent.map(({ kind, payload }) => clean(`> ${kind} ${payload}`)).filter((line) => line !== ''),
      ...received.map(({ kind, payload }) => clean(`< ${kind} ${payload}`)).filter((line) => line !== ''),
    ]),
  );
}

function cleaner(app: RealApp, part: Part): (text: string) => string {
  const patterns = [...common, ...app.mayDiffer].filter((one: Difference) => one.part === part);
  return (text) => patterns.reduce((left, { pattern }) => left.replace(pattern, ''), text);
}

const unique = (lines: readonly string[]): string[] => [...new Set(lines)].sort();
const pathOf = ({ target }: RecordedRequest): string => target.replace(/\?.*/, '');
const sortedPairs = (text: string): string => text.split(/;\s*/).sort().join('; ');
