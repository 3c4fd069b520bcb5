/**
 * Cookies as windows of the origin have them, in the helper frame: for a service worker whose own store does not know them.
 * A window is told the cookies of its own path alone, so one of every noted path stands here, hidden and empty.
 */
import { notedPathOf, noteOf, withoutOwn } from './cookie-paths.ts';

const frames = new Map<string, Promise<HTMLIFrameElement>>();

/** @param lines as `document.cookie` takes them, each with its path. */
export function writeCookies(lines: readonly string[]): void {
  for (const line of lines.flatMap((one) => [one, noteOf(one, '/') ?? []].flat())) {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API knows no path without a slash at its end.
    document.cookie = line;
  }
}

/** What scripts see that goes with a request for this path. */
export async function readCookies(path: string): Promise<string> {
  const noted = notedPathOf(document.cookie, path);
  const page = noted === undefined ? document : ((await frameAt(noted)).contentDocument ?? document);
  return withoutOwn(page.cookie);
}

function frameAt(path: string): Promise<HTMLIFrameElement> {
  const frame = frames.get(path) ?? newFrame(path);
  frames.set(path, frame);
  return frame;
}

function newFrame(path: string): Promise<HTMLIFrameElement> {
  const frame = document.createElement('iframe');
  // By who leads there the service worker knows that no service is meant.
  frame.referrerPolicy = 'same-origin';
  frame.src = location.origin + path;
  const loaded = new Promise<HTMLIFrameElement>((resolve) => {
    frame.onload = () => resolve(frame);
  });
  document.body.append(frame);
  return loaded;
}
