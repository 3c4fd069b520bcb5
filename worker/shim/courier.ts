/**
 * The Worker of the helper frame: asks what a page that waits asks synchronously (synchronous-answers.ts), as any script of
 * the app does, through the service worker.
 */
import { arrivalPath, type Errand, type Parcel } from '../app-messages.ts';

addEventListener('message', ({ data }: MessageEvent<Errand>) => void run(data));
postMessage(null);

/** Whoever waits has read it by then, or waits no more. */
const keptMs = 60_000;

async function run(errand: Errand): Promise<void> {
  const parcel = await fetched(errand).catch(() => null);
  const address = kept(new Blob([JSON.stringify(parcel)]));
  const said = new URLSearchParams({ id: errand.id, at: address.slice(address.lastIndexOf('/') + 1) });
  await fetch(`${arrivalPath}?${said}`);
}

async function fetched({ method, url, headers, body, from }: Errand): Promise<Parcel> {
  // Whatever the page's own policy is, of which nobody tells: to the app's own origin alone.
  const says = { referrer: from, referrerPolicy: 'same-origin' } as const;
  const init = { method, headers: [...headers], ...says };
  const answer = await fetch(
    url,
    body === undefined ? init : { ...init, body: Array.isArray(body) ? form(body) : body },
  );
  return {
    ...{ status: answer.status, statusText: answer.statusText, url: answer.url, headers: [...answer.headers] },
    body: kept(await answer.blob()),
  };
}

/** @returns the address of a blob for a while. */
function kept(blob: Blob): string {
  const address = URL.createObjectURL(blob);
  setTimeout(() => URL.revokeObjectURL(address), keptMs);
  return address;
}

function form(entries: readonly (readonly [string, FormDataEntryValue])[]): FormData {
  const made = new FormData();
  for (const [name, value] of entries) made.append(name, value as string);
  return made;
}
