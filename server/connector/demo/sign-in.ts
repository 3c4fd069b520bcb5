/** The demo service's sign-in: a name becomes an HttpOnly cookie. It proves nothing and protects nothing; it shows that cookies work. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const sessions = new Map<string, string>();
const maxSessions = 1_000;
const maxFormBytes = 4_096;
const maxNameLength = 64;

/** @returns the Set-Cookie line of a new session. */
export function signIn(name: string): string {
  const id = randomBytes(16).toString('base64url');
  const oldest = sessions.keys().next().value;
  if (sessions.size >= maxSessions && oldest !== undefined) sessions.delete(oldest);
  sessions.set(id, name.slice(0, maxNameLength));
  return `demo_session=${id}; Path=/; HttpOnly; SameSite=Lax`;
}

/** @returns the Set-Cookie line that ends the visitor's session. */
export function signOut(request: IncomingMessage): string {
  const id = cookieOf(request);
  if (id !== undefined) sessions.delete(id);
  return 'demo_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0';
}

/** @returns the name the visitor signed in with. */
export function sessionOf(request: IncomingMessage): string | undefined {
  const id = cookieOf(request);
  return id === undefined ? undefined : sessions.get(id);
}

function cookieOf(request: IncomingMessage): string | undefined {
  return /(?:^|; )demo_session=([A-Za-z0-9_-]{22})(?:;|$)/.exec(request.headers.cookie ?? '')?.[1];
}

/** Reads a small urlencoded form. @throws RangeError when it is larger than a form has a reason to be. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxFormBytes) throw new RangeError('form too large');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
