/** How the command line and the supervisor speak to a running control plane: HTTP over the admin socket of its data folder. */
import { type IncomingMessage, request } from 'node:http';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** An answer that is not a success. `code` is the control plane's own; the message is one sentence for people. */
export class AdminError extends Error {
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AdminError';
    this.code = code;
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A probe of a service takes up to 40 s; everything else a moment. */
const answerLimitMs = 45_000;

/**
 * @param socketPath DATA/admin.sock.
 * @throws AdminError `not_running` when nothing listens there, else the code the control plane gave.
 */
export function adminRequest(
  socketPath: string,
  method: Method,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = payload && { 'content-type': 'application/json', 'content-length': payload.length };
    const outgoing = request(
      { socketPath, method, path, timeout: answerLimitMs, ...(headers && { headers }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (cause) =>
          reject(new AdminError('cut', 'The control plane hung up in mid-answer.', { cause })),
        );
        response.on('end', () => settle(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
      },
    );
    const settle = (status: number, text: string) => {
      const answer = parseAnswer(text);
      if (status >= 200 && status < 300) resolve(answer);
      else
        reject(
          new AdminError(
            String(answer['error'] ?? 'internal'),
            String(answer['message'] ?? `The control plane answered ${status}.`),
          ),
        );
    };
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', (cause) => reject(notRunning(cause)));
    outgoing.end(payload);
  });
}

/**
 * An answer that may be long, as it comes. @throws AdminError also when it breaks off
 * @example await adminDownload(socket, '/admin/audit/export', createWriteStream(file))
 */
export async function adminDownload(socketPath: string, path: string, to: Writable): Promise<void> {
  const outgoing = request({ socketPath, path, timeout: answerLimitMs });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', (cause) => reject(notRunning(cause)));
    outgoing.end();
  });
  if (response.statusCode !== 200) {
    response.resume();
    throw new AdminError('internal', `The control plane answered ${response.statusCode}.`);
  }
  await pipeline(response, to).catch((cause: unknown) => {
    throw new AdminError('cut', 'The answer broke off, or could not be written.', { cause });
  });
}

function notRunning(cause: unknown): AdminError {
  const message = 'Latchkey is not running in this data folder; start it with `latchkey up`.';
  return new AdminError('not_running', message, { cause });
}

function parseAnswer(text: string): Record<string, unknown> {
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : { value };
  } catch {
    return {};
  }
}
