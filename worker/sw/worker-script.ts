/**
 * Scripts of an app's workers: the shim goes before their first line, inside it, so that lines keep their numbers. It is
 * the shim's text and no import, because a request does not tell a classic worker from a module.
 */
import { ownPaths } from '../app-messages.ts';

const strict = /^(?:\s|\/\*[\s\S]*?\*\/|\/\/.*\n)*(["'])use strict\1/;
const kinds: ReadonlySet<string> = new Set(['worker', 'sharedworker']);

let shim: Promise<string> | undefined;

export function isWorkerScript({ destination }: Request): boolean {
  return kinds.has(destination);
}

/** @returns the response with the shim before its body. @throws Error when the shim cannot be had: no worker without it */
export async function withShim(response: Response): Promise<Response> {
  // To Firefox the JSON that a module worker imports is a worker's script too.
  if (!response.ok || response.body === null || !isScript(response)) return response;
  shim ??= loadShim();
  shim.catch(() => {
    shim = undefined;
  });
  const headers = new Headers(response.headers);
  headers.delete('content-length');
  const { status, statusText } = response;
  return new Response(response.body.pipeThrough(behind(await shim)), { status, statusText, headers });
}

const isScript = ({ headers }: Response): boolean => /script/i.test(headers.get('content-type') ?? '');

async function loadShim(): Promise<string> {
  const answer = await fetch(`${ownPaths}shim.js`);
  if (!answer.ok) throw new Error('the shim is not there');
  return (await answer.text()).trimEnd().replaceAll('\n', ' ');
}

/** A script that begins by asking for strict mode still does. */
function behind(text: string): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let isFirst = true;
  return new TransformStream({
    transform(chunk, controller) {
      if (isFirst) {
        const mode = strict.test(new TextDecoder().decode(chunk)) ? '"use strict";' : '';
        controller.enqueue(new TextEncoder().encode(`${mode}${text};`));
      }
      isFirst = false;
      controller.enqueue(chunk);
    },
  });
}
