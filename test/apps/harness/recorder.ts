/**
 * Stands before an app and writes down what reaches it: the app's access log, the same for every app. HTTP passes as it
 * is; of a WebSocket's handshake the extensions are taken out, so that its messages can be read on the way.
 */
import { createHash } from 'node:crypto';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Message, MessageReader } from './websocket-frames.ts';

export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names in lower case; of a repeated one the values joined. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the response; 0 while there is none, 101 of an upgrade. */
  status: number;
  /** Of the request's body. */
  bodyBytes: number;
  bodySha256: string;
  /** What a document was answered with; undefined of anything else. */
  document?: Buffer;
}

export interface RecordedSocket {
  readonly target: string;
  readonly sent: Message[];
  readonly received: Message[];
}

export interface Recording {
  readonly requests: readonly RecordedRequest[];
  readonly sockets: readonly RecordedSocket[];
}

export class Recorder {
  readonly #appPort: number;
  readonly #requests: RecordedRequest[] = [];
  readonly #sockets: RecordedSocket[] = [];
  readonly #server = createServer((request, response) => this.#pass(request, response));
  readonly #connections = new Set<Duplex>();

  private constructor(appPort: number) {
    this.#appPort = appPort;
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('connection', (socket) => this.#keep(socket));
  }

  static async before(appPort: number): Promise<Recorder> {
    const recorder = new Recorder(appPort);
    await new Promise<void>((resolve) => recorder.#server.listen(0, '127.0.0.1', resolve));
    return recorder;
  }

  /** TCP port on 127.0.0.1. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  /** As it is now: what the browser says when it is closed is no part of it. */
  get recording(): Recording {
    const sockets = this.#sockets.map(({ target, sent, received }) => ({
      target,
      sent: [...sent],
      received: [...received],
    }));
    return { requests: [...this.#requests], sockets };
  }

  /** What was until now is no part of the visit. */
  forget(): void {
    this.#requests.length = 0;
    this.#sockets.length = 0;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #keep(connection: Duplex): void {
    this.#connections.add(connection);
    connection.once('close', () => this.#connections.delete(connection));
  }

  #begin(request: IncomingMessage): RecordedRequest {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
    );
    const entry = { method: request.method ?? '', target: request.url ?? '', headers };
    const recorded: RecordedRequest = { ...entry, status: 0, bodyBytes: 0, bodySha256: '' };
    this.#requests.push(recorded);
    return recorded;
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const recorded = this.#begin(request);
    const hash = createHash('sha256');
    const { method, url: path, rawHeaders: headers } = request;
    const onward = httpRequest({ host: '127.0.0.1', port: this.#appPort, method, path, headers });
    request.on('data', (chunk: Buffer) => {
      recorded.bodyBytes += chunk.length;
      hash.update(chunk);
    });
    request.on('end', () => {
      recorded.bodySha256 = recorded.bodyBytes === 0 ? '' : hash.digest('hex');
    });
    request.pipe(onward);
    onward.on('response', (answer) => {
      recorded.status = answer.statusCode ?? 0;
      response.writeHead(recorded.status, answer.statusMessage, answer.rawHeaders);
      answer.pipe(response);
      if (/^text\/html/.test(answer.headers['content-type'] ?? '')) keepDocument(answer, recorded);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const recorded = this.#begin(request);
    const entry: RecordedSocket = { target: request.url ?? '', sent: [], received: [] };
    this.#sockets.push(entry);
    const onward = connect(this.#appPort, '127.0.0.1');
    this.#keep(onward);
    onward.write(requestHead(request));
    onward.write(head);
    const sent = new MessageReader((message) => entry.sent.push(message));
    const received = new MessageReader((message) => entry.received.push(message));
    sent.push(head);
    socket.on('data', (chunk: Buffer) => sent.push(chunk));
    readAfterHead(
      onward,
      (status) => {
        recorded.status = status;
      },
      (chunk) => received.push(chunk),
    );
    socket.pipe(onward).pipe(socket);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
  }
}

function keepDocument(answer: IncomingMessage, recorded: RecordedRequest): void {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  answer.on('end', () => {
    recorded.document = Buffer.concat(chunks);
  });
}

function requestHead({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.toLowerCase() !== 'sec-websocket-extensions')
      lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Tells the status of the response head, then what follows it. */
function readAfterHead(socket: Socket, onStatus: (status: number) => void, onBytes: (chunk: Buffer) => void): void {
  let head: Buffer | undefined = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    if (head === undefined) return onBytes(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    onStatus(Number(head.toString('latin1', 9, 12)));
    const rest = head.subarray(end + 4);
    head = undefined;
    onBytes(rest);
  });
}
