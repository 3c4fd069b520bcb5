/**
 * The public HTTP API as a browser calls it, without a browser: connections go to the loopback port, Host and Origin
 * name the origin. Refusals are errors with the API's own code.
 */
import { type IncomingMessage, request } from 'node:http';

export interface ApiRequest {
  readonly method?: string;
  /** `hub.localhost`, `shell.apps.localhost`, …, without the port. */
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Replaces the origin that belongs to `host`; null sends none. */
  readonly origin?: string | null;
  readonly body?: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** A refusal of the API. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly code: string;
  /** The sentence a person is shown. */
  readonly sentence: string;
  readonly correlation: string;
  constructor(status: number, body: Record<string, unknown>) {
    super(`${status} ${String(body['error'])}`);
    this.name = 'ApiRefusal';
    this.status = status;
    this.code = String(body['error']);
    this.sentence = String(body['message'] ?? '');
    this.correlation = String(body['correlation'] ?? '');
  }
}

/** One request on a connection of its own. */
export function send(port: number, call: ApiRequest): Promise<ApiAnswer> {
  const host = `${call.host}:${port}`;
  const origin = call.origin === undefined ? `http://${host}` : call.origin;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        agent: false,
        method: call.method ?? 'GET',
        path: call.path,
        headers: {
          host,
          ...(origin !== null && { origin }),
          ...(call.body !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(call.body),
          }),
          ...call.headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(call.body);
  });
}

/** @throws ApiRefusal for any answer but a 2xx. */
export async function call<T = Record<string, unknown>>(
  port: number,
  of: ApiRequest,
): Promise<{ body: T; answer: ApiAnswer }> {
  const answer = await send(port, of);
  const body = parsed(answer.text);
  if (answer.status < 200 || answer.status > 299) throw new ApiRefusal(answer.status, body);
  return { body: body as T, answer };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { error: 'not_json', message: text.slice(0, 200) };
  }
}
