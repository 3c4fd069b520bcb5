/** Says to a page how much of its upload the tunnel has taken (worker/shim/upload-progress.ts). */
import { uploadMark } from '../app-messages.ts';

/** Those of requests that never came are the oldest. */
const maxListening = 256;

/** By the mark of the request. */
const listening = new Map<string, MessagePort>();

/** @param port hears of the request that has this mark. */
export function listenToUpload(id: string, port: MessagePort): void {
  listening.set(id, port);
  for (const oldest of listening.keys()) if (listening.size > maxListening) listening.delete(oldest);
}

/** Of one request. */
export interface UploadProgress {
  /** More bytes were taken. */
  readonly tell: (more: number) => void;
  /** None will be. */
  readonly end: () => void;
}

/** @returns undefined where nobody wants to hear of it. */
export function progressOf({ url }: Request): UploadProgress | undefined {
  const { hash } = new URL(url);
  if (!hash.startsWith(`#${uploadMark}`)) return undefined;
  const id = hash.slice(1 + uploadMark.length);
  let taken = 0;
  const tell = (more: number): void => {
    taken += more;
    listening.get(id)?.postMessage(taken);
  };
  const end = (): void => {
    listening.get(id)?.close();
    listening.delete(id);
  };
  return { tell, end };
}
