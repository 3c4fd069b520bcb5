/** What a client asks of the far server, over whichever agent. Node's own http is the client on both sides of a ratio. */
import { once } from 'node:events';
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';

export interface Client {
  readonly agent: Agent;
  readonly host: string;
}

const piece = Buffer.alloc(65_536, 'latchkey');

/** Downloads so many bytes. */
export async function download({ agent, host }: Client, bytes: number): Promise<void> {
  const length = await bodyLength(request({ host, agent, path: `/${bytes}` }).end());
  if (length !== bytes) throw new Error(`${length} of ${bytes} bytes came`);
}

/** Uploads so many bytes, until the server has said that it has them all. */
export async function upload({ agent, host }: Client, bytes: number): Promise<void> {
  const post = request({ host, agent, method: 'POST', path: '/', headers: { 'content-length': bytes } });
  const answered = bodyLength(post);
  for (let left = bytes; left > 0; left -= piece.length) {
    if (!post.write(piece.subarray(0, left))) await once(post, 'drain');
  }
  post.end();
  await answered;
}

/** So many downloads at once, each over a connection of its own. */
export async function parallel(client: Client, count: number, bytes: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => download(client, bytes)));
}

async function bodyLength(sent: ClientRequest): Promise<number> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage]; // what 'response' is emitted with
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  await once(response, 'end');
  return length;
}
