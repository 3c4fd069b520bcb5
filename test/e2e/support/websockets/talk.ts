/** A large message and many small ones over one WebSocket, in pages and in workers; and one that is silent for long. */
import type { Realm } from '../visitor.ts';

export interface Talk {
  /** Of a service that says everything back. */
  readonly address: string;
  /** Of the large message. */
  readonly bytes: number;
  /** How many small ones, a thousand a second. */
  readonly messages: number;
}
export interface Heard {
  readonly length: number;
  readonly wrongBytes: number;
  readonly wrongMessages: number;
  readonly ms: number;
}

/** In a page or a worker: one large message, then many small ones at their pace, each of which comes back. */
async function talk({ address, bytes, messages }: Talk): Promise<Heard> {
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  const ended = new Promise<never>((_, reject) => {
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
  });
  const until = <T>(event: Promise<T>) => Promise.race([event, ended]);
  await until(new Promise((resolve) => socket.addEventListener('open', resolve)));

  const large = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1_021) large[i] = i >> 10;
  const back = new Promise<ArrayBuffer>((resolve) => {
    socket.onmessage = ({ data }) => resolve(data);
  });
  socket.send(large);
  const returned = new Uint8Array(await until(back));
  let wrongBytes = 0;
  for (let i = 0; i < bytes; i += 1) if (returned[i] !== large[i]) wrongBytes += 1;

  let heard = 0;
  let wrongMessages = 0;
  const began = performance.now();
  const all = new Promise<void>((resolve) => {
    socket.onmessage = ({ data }) => {
      if (data !== `message ${heard}`) wrongMessages += 1;
      heard += 1;
      if (heard === messages) resolve();
    };
  });
  let sent = 0;
  const timer = setInterval(() => {
    // One for each millisecond.
    for (const due = Math.min(messages, performance.now() - began); sent < due; sent += 1)
      socket.send(`message ${sent}`);
    if (sent === messages) clearInterval(timer);
  }, 4);
  await until(all);
  const ms = performance.now() - began;
  socket.onclose = null;
  socket.close();
  return { length: returned.byteLength, wrongBytes, wrongMessages, ms };
}

export const talkInPage = (realm: Realm, said: Talk): Promise<Heard> => realm.evaluate(talk, said);

export function talkInWorker(realm: Realm, said: Talk): Promise<Heard> {
  return realm.evaluate(
    ({ source, asked }) =>
      new Promise<Heard>((resolve, reject) => {
        const text = `onmessage = async ({ data }) => postMessage(await (${source})(data));`;
        const worker = new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(asked);
      }),
    { source: String(talk), asked: said },
  );
}

// Lives in the app's window.
declare global {
  interface Window {
    lasting?: Promise<unknown>;
  }
}

/** Begins to read a body that takes long, beside a socket that says nothing until it is over. */
export function beginLasting(realm: Realm, drops: { everyMs: number; count: number }): Promise<void> {
  return realm.evaluate(({ everyMs, count }) => {
    const last = async () => {
      const socket = new WebSocket(new URL('/echo', location.origin));
      await new Promise((resolve) => socket.addEventListener('open', resolve));
      const body = await (await fetch(`/drip?every=${everyMs}&count=${count}`)).text();
      const answer = new Promise((resolve) => {
        socket.onmessage = ({ data }) => resolve(data);
        socket.onclose = ({ code }) => resolve(`closed with ${code}`);
      });
      if (socket.readyState === WebSocket.OPEN) socket.send('still here');
      else return [body, `state ${socket.readyState}`];
      return [body, await answer];
    };
    window.lasting = last().catch(String);
  }, drops);
}

/** @returns the body, and what the socket said after it. Asked again and again: one question may not take minutes. */
export async function endOfLasting(realm: Realm): Promise<unknown> {
  for (;;) {
    const outcome = await realm.evaluate(() => {
      const soon = new Promise((resolve) => setTimeout(resolve, 20_000, null));
      return Promise.race([window.lasting, soon]);
    });
    if (outcome !== null) return outcome;
  }
}
