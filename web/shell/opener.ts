/**
 * The shell's way to the hub: the window that opened it. A shell without one (a bookmark, a closed hub) sends the
 * person to the hub's launch page, which opens the service again.
 */
import type { ActiveNotice, LaunchRequest, SignOutAnswer, SignOutRequest } from '../../worker/api.ts';

/** @returns the Worker's end of a port whose other end the hub has; undefined without an opener. */
export function askOpener(hub: string, service: string): MessagePort | undefined {
  const opener = window.opener as Window | null;
  if (opener === null || opener.closed) return undefined;
  const { port1, port2 } = new MessageChannel();
  // The exact origin: should the opener have gone elsewhere, nothing is delivered.
  opener.postMessage({ latchkey: 'launch', service } satisfies LaunchRequest, hub, [port2]);
  return port1;
}

/** A hub that does not answer was closed or went elsewhere. */
const signOutLimitMs = 5_000;

/** @returns false when the hub that opened this window is not there, or could not do it. */
export async function signOutByOpener(hub: string): Promise<boolean> {
  const opener = window.opener as Window | null;
  if (opener === null || opener.closed) return false;
  const { port1, port2 } = new MessageChannel();
  const answered = new Promise<boolean>((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<SignOutAnswer>) => resolve(data.t === 'signed-out');
    setTimeout(resolve, signOutLimitMs, false);
  });
  opener.postMessage({ latchkey: 'sign-out' } satisfies SignOutRequest, hub, [port2]);
  return answered.finally(() => port1.close());
}

const activeEveryMs = 2_000;

/** Tells the hub of a kiosk, for as long as this page lives, that somebody clicks or types here or in the app. */
export function tellOfActivity(hub: string): void {
  setInterval(() => {
    const opener = window.opener as Window | null;
    if (navigator.userActivation?.isActive) opener?.postMessage({ latchkey: 'active' } satisfies ActiveNotice, hub);
  }, activeEveryMs);
}

/** Where a person signs out whose hub is closed. */
export function signOutPage(hub: string): string {
  return `${hub}/sign-out`;
}

/** @param path inside the app, to come back to. */
export function launchPage(hub: string, service: string, path: string): string {
  const deep = path === '/' ? '' : `#${encodeURIComponent(path)}`;
  return `${hub}/launch?service=${encodeURIComponent(service)}${deep}`;
}
