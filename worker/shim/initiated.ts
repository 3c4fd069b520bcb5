/**
 * Says which navigation of its window this page knows of, since a service worker is not told who began one. The Navigation
 * API tells a page of those that its own origin began, whatever referrer they send, and of no other's (HTML, "navigate",
 * where the navigate event is fired). An older Firefox has none.
 */
import type { Initiated } from '../app-messages.ts';
import { container } from './way.ts';

export function tellInitiated(): void {
  let last: Initiated | undefined;
  (window as Partial<Window>).navigation?.addEventListener('navigate', ({ destination: { url }, formData }) => {
    last = { url, isForm: formData !== null };
  });
  // The app has no container to hear the question by.
  if (container !== undefined)
    container.onmessage = ({ ports: [port] }) => {
      port?.postMessage(last);
      // Once: the next to go to the same address may be somebody else.
      last = undefined;
    };
}
