/** The BrowserView of the page this runs in. */
import type { BrowserView } from './signal.ts';

/** @param realm the window, given so that nothing here reads a global by itself. */
export function thisBrowser(realm: Window & typeof globalThis): BrowserView {
  const navigator = realm.navigator as Navigator & { userAgentData?: NonNullable<BrowserView['hints']> };
  return {
    userAgent: navigator.userAgent,
    webdriver: navigator.webdriver,
    isSecureContext: realm.isSecureContext,
    crossOriginIsolated: realm.crossOriginIsolated,
    ...(navigator.userAgentData !== undefined && { hints: navigator.userAgentData }),
  };
}
