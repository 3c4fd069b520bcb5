/**
 * Says which navigation of its window this page knows of, since a service worker is not told who began one. The Navigation
 * API tells a page of those to other documents that its own origin began, whatever referrer they send, and of no other's
 * (HTML, "navigate", where the navigate event is fired). An older Firefox has none.
 */
import type { Initiated } from '../app-messages.ts';
import { container } from './way.ts';

export function tellInitiated(): void {
  let last: NavigateEvent | false | '' | undefined;
  const { navigation } = window as Partial<Window>;
  // What the app made its own, and what came to nothing, asks for no document any more.
  for (const type of ['', 'success', 'error'])
    navigation?.addEventListener(`navigate${type}`, (event) => {
      const { destination } = event as Partial<NavigateEvent>;
      // Whoever has the window's name may go to a fragment or a step in its history, which has a key; the page hears of that too.
      last = destination && !destination.sameDocument && !destination.key && (event as NavigateEvent);
    });
  // The app has no container to hear the question by.
  if (container)
    container.onmessage = ({ ports: [port] }) => {
      const isUnderWay = last && !last.defaultPrevented && !navigation?.transition;
      port?.postMessage(
        isUnderWay && last && ({ url: last.destination.url, isForm: !!last.formData } satisfies Initiated),
      );
      // Once: the next to go to the same address may be somebody else.
      last = undefined;
    };
}
