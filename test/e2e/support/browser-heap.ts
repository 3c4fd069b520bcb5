/**
 * What lies in the memory of a realm, as its debugger sees it: every object of its heap, the bytes they hold, every
 * string. For pages over Playwright's session, for a dedicated Worker over a session inside the page's.
 */
import type { CDPSession, Page } from 'playwright-core';

/** Commands of the Chrome DevTools Protocol to one target. */
export type Send = (method: string, params?: object) => Promise<Record<string, unknown>>;

type Remote = { readonly objectId: string };

/** The session of the page's dedicated Worker. */
export async function workerOf(session: CDPSession): Promise<Send> {
  const attached = Promise.withResolvers<string>();
  session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    // An app's frames may have Workers too, and the shim's helper has one.
    if (targetInfo.type === 'worker' && targetInfo.url.includes('/tunnel.worker')) attached.resolve(sessionId);
  });
  // Not flat: Playwright's session hands on no messages of sessions inside its own.
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const sessionId = await attached.promise;
  const waiting = new Map<number, (result: Record<string, unknown>) => void>();
  session.on('Target.receivedMessageFromTarget', (event) => {
    const { id, result, error } = JSON.parse(event.message) as { id: number; result?: object; error?: object };
    waiting.get(id)?.({ ...result, ...(error && { error }) });
    waiting.delete(id);
  });
  let last = 0;
  return async (method, params = {}) => {
    const id = ++last;
    const answer = new Promise<Record<string, unknown>>((resolve) => waiting.set(id, resolve));
    await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) });
    const result = await answer;
    if (result['error']) throw new Error(`${method}: ${JSON.stringify(result['error'])}`);
    return result;
  };
}

/** The session of a page. */
export async function pageSession(page: Page): Promise<{ session: CDPSession; send: Send }> {
  const session = await page.context().newCDPSession(page);
  const send = (method: string, params?: object) => session.send(method as 'Runtime.enable', params as undefined);
  return { session, send: send as unknown as Send };
}

/** The ids of all realms of a page that its process holds: its own and those of frames beside it. */
export async function realmsOf(session: CDPSession): Promise<number[]> {
  const ids: number[] = [];
  session.on('Runtime.executionContextCreated', ({ context }) => ids.push(context.id));
  await session.send('Runtime.enable');
  return ids;
}

/** Runs `body` over all objects of a realm that have this prototype; `body` sees them as `this`. */
export async function overObjects<Result>(
  send: Send,
  prototype: string,
  body: (this: object[], argument: unknown) => Result,
  argument?: unknown,
  contextId?: number,
): Promise<Result> {
  const { result } = (await send('Runtime.evaluate', {
    expression: prototype,
    ...(contextId !== undefined && { contextId }),
  })) as { result: Remote };
  const { objects } = (await send('Runtime.queryObjects', { prototypeObjectId: result.objectId })) as {
    objects: Remote;
  };
  const called = (await send('Runtime.callFunctionOn', {
    objectId: objects.objectId,
    functionDeclaration: String(body),
    arguments: [{ value: argument }],
    returnByValue: true,
  })) as { result: { value: Result }; exceptionDetails?: object };
  if (called.exceptionDetails) throw new Error(JSON.stringify(called.exceptionDetails));
  return called.result.value;
}

/**
 * Which of these byte strings (latin-1) stand anywhere in the bytes that script of the realm could reach: in whatever
 * buffer any object of its heap has as a property, a Map or Set as an element, or Wasm as its memory. The debugger lists
 * no buffers by themselves, so what only a closure or a private field holds is not seen; script cannot see it either.
 */
export function inBuffers(send: Send, needles: readonly string[], contextId?: number) {
  return overObjects(send, 'Object.prototype', searchBytes, needles, contextId);
}

/** Runs in the realm. */
function searchBytes(this: object[], wanted: unknown): { objects: number; buffers: number; found: string[] } {
  const buffers = new Set<ArrayBufferLike>();
  const look = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) buffers.add(value.buffer);
    else if (value instanceof ArrayBuffer) buffers.add(value);
    else if (value instanceof WebAssembly.Memory) buffers.add(value.buffer);
  };
  for (const object of this) {
    try {
      look(object);
      for (const property of Object.values(Object.getOwnPropertyDescriptors(object))) look(property.value);
      if (object instanceof Map || object instanceof Set) for (const entry of object) [entry].flat().forEach(look);
    } catch {
      // a window of another origin, which script cannot look into
    }
  }
  const found = new Set<string>();
  for (const buffer of buffers) {
    if ('detached' in buffer && buffer.detached) continue; // given away: nothing is in it
    const all = new Uint8Array(buffer);
    let text = '';
    for (let at = 0; at < all.length; at += 8_192) text += String.fromCharCode(...all.subarray(at, at + 8_192));
    for (const one of wanted as string[]) if (text.includes(one)) found.add(one);
  }
  return { objects: this.length, buffers: buffers.size, found: [...found] };
}

/** The whole heap of a target as the profiler writes it, strings included. */
export async function heapOf(session: CDPSession): Promise<string> {
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  return chunks.join('');
}
