/**
 * What a page gives to be sent, and its length. Many services understand no body whose length is not said first (WSGI and CGI
 * among them), and a browser does not show a service worker what it would have said.
 */

export interface Body {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Undefined where it is not known before the end. */
  readonly length: number | undefined;
}

/** A body that may be a stream which the page still writes is waited for up to this size, or this long after its beginning. */
const gatherBytes = 8 * 1024 * 1024;
const gatherMs = 250;

/**
 * As a Blob, where it can be no stream: it has a type, or there are none (Firefox, without `Request.body`). Chromium makes one
 * of a form with its files and of text without reading them; what is large both browsers keep in a file.
 * @returns undefined where there is none. Rejects when the page's body breaks off.
 */
export async function bodyOf(request: Request): Promise<Body | undefined> {
  if (!hasBody(request)) return undefined;
  if (request.body && !request.headers.has('content-type')) return gather(request.body);
  const blob = await request.blob();
  return blob.size === 0 ? undefined : { stream: blob.stream(), length: blob.size };
}

/** Whether there is a body at all; where that is hidden it is known only by reading, so it may be empty. */
function hasBody(request: Request): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD' && request.body !== null;
}

async function gather(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Body | undefined> {
  const reader = stream.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  let patience: Promise<'late'> | undefined;
  while (length < gatherBytes) {
    const next = reader.read();
    const read = await (patience === undefined ? next : Promise.race([next, patience]));
    if (read === 'late') return { stream: continued(parts, reader, next), length: undefined };
    if (read.done) return length === 0 ? undefined : { stream: new Blob(parts).stream(), length };
    parts.push(read.value);
    length += read.value.byteLength;
    patience ??= new Promise((resolve) => {
      setTimeout(resolve, gatherMs, 'late');
    });
  }
  return { stream: continued(parts, reader), length: undefined };
}

type Reader = ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;

/** @param pending what is being read already. */
function continued(
  parts: readonly Uint8Array<ArrayBuffer>[],
  reader: Reader,
  pending?: ReturnType<Reader['read']>,
): Body['stream'] {
  let next = pending;
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
    },
    async pull(controller) {
      const { done, value } = await (next ?? reader.read());
      next = undefined;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
