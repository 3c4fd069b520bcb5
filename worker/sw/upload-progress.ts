/** Says to a page how much of its upload the tunnel has taken (worker/shim/upload-progress.ts). */
import { uploadMark } from '../app-messages.ts';

/** Uploads that never came, and those that were stopped, are the oldest. */
const maxListening = 256;

/** By the mark of the request. */
const listening = new Map<string, MessagePort>();

/** @param port hears of the request that has this mark. */
export function listenToUpload(id: string, port: MessagePort): void {
  listening.set(id, port);
  for (const oldest of listening.keys()) if (listening.size > maxListening) listening.delete(oldest);
}

/** @returns undefined where nobody wants to hear of it; else what is to be told each time that more bytes were taken. */
export function progressOf({ url }: Request): ((more: number) => void) | undefined {
  const { hash } = new URL(url);
  if (!hash.startsWith(`#${uploadMark}`)) return undefined;
  const id = hash.slice(1 + uploadMark.length);
  let taken = 0;
  return (more) => {
    taken += more;
    listening.get(id)?.postMessage(taken);
  };
}
