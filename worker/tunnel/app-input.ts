/**
 * What an app's origin writes to us, read once. Hostile: a page of the app can reach its service worker's helper and
 * send anything. What is not of a known form is dropped; what is may still ask for nonsense, and gets an error.
 */
import type { CookieAnswer, ExchangeMessage, RequestMessage, ToTunnel, WebSocketToTunnel } from '../app-messages.ts';

const maxHeaders = 256;
const maxProtocols = 64;

type Fields = Readonly<Record<string, unknown>>;

/** @returns undefined for anything that is no message of a service worker. */
export function readToTunnel(data: unknown): ToTunnel | undefined {
  if (!isFields(data) || !Number.isSafeInteger(data['id'])) return undefined;
  if (data['t'] === 'cookies') return readCookies(data);
  return data['t'] === 'request' ? readRequest(data) : readExchange(data);
}

function readRequest(data: Fields): RequestMessage | undefined {
  const { id, method, target, headers, hasBody, dest, mode, site, cookies } = data;
  const texts = [method, target, dest, mode, site, cookies];
  if (!texts.every((text) => typeof text === 'string') || typeof hasBody !== 'boolean') return undefined;
  if (!Array.isArray(headers) || headers.length > maxHeaders || !headers.every(isPair)) return undefined;
  const [call, login] = [readCall(data['call']), readLogin(data['login'])];
  if (data['call'] !== undefined && call === undefined) return undefined;
  return {
    ...(call === undefined ? {} : { call }),
    ...(login === undefined ? {} : { login }),
    ...(data['anonymous'] === true ? { anonymous: true } : {}),
    // Each was looked at above; the compiler does not follow `every` into the variables.
    ...({ t: 'request', id, method, target, hasBody, dest, mode, site, cookies } as RequestMessage),
    // Names with a colon are between Worker and gateway; an app that could say them could claim another tab's jar.
    headers: headers.filter(([name]) => !name.startsWith(':')),
  };
}

function readCookies({ id, text }: Fields): CookieAnswer | undefined {
  return typeof text === 'string' ? { t: 'cookies', id: id as number, text } : undefined;
}

function readCall(call: unknown): RequestMessage['call'] {
  if (!isFields(call)) return undefined;
  const { service, credentials } = call;
  const isName = typeof service === 'string' && /^[a-z0-9-]{1,63}$/.test(service);
  return isName && typeof credentials === 'boolean' ? { service, credentials } : undefined;
}

/** One that no Authorization can say is none. */
function readLogin(login: unknown): RequestMessage['login'] {
  if (!isFields(login)) return undefined;
  const { user, password } = login;
  return typeof user === 'string' && !user.includes(':') && typeof password === 'string'
    ? { user, password }
    : undefined;
}

function readExchange(data: Fields): ExchangeMessage | undefined {
  const { t, chunk, bytes, length } = data;
  const id = data['id'] as number;
  if (t === 'body' && chunk instanceof Uint8Array) return { t, id, chunk };
  if (t === 'credit' && isCount(bytes)) return { t, id, bytes };
  if (t === 'body-end' && isCount(length)) return { t, id, length };
  return t === 'cancel' ? { t, id } : undefined;
}

/** @returns undefined for anything that is no message of a page's WebSocket. */
export function readWebSocketMessage(data: unknown): WebSocketToTunnel | undefined {
  if (!isFields(data)) return undefined;
  const { t, target, protocols, data: payload, bytes, code, reason } = data;
  if (t === 'connect' && typeof target === 'string' && isTexts(protocols)) return { t, target, protocols };
  if (t === 'send' && (typeof payload === 'string' || payload instanceof ArrayBuffer)) return { t, data: payload };
  if (t === 'taken' && isCount(bytes)) return { t, bytes };
  const isCode = code === undefined || isCount(code);
  return t === 'close' && isCode && typeof reason === 'string' ? { t, code, reason } : undefined;
}

function isFields(data: unknown): data is Fields {
  return typeof data === 'object' && data !== null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === 'string');
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length <= maxProtocols && value.every((text) => typeof text === 'string');
}
