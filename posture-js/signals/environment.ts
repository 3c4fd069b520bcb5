/** What the page's surroundings say: driven by automation, a secure context, isolated from other origins. */
import type { BrowserView, Signal } from '../signal.ts';

export function environmentSignals(view: BrowserView): Signal[] {
  return [
    // True is telling; false is only the absence of an honest automation tool.
    { name: 'automation', value: view.webdriver, source: 'browser' },
    { name: 'secure_context', value: view.isSecureContext, source: 'browser' },
    { name: 'cross_origin_isolated', value: view.crossOriginIsolated, source: 'browser' },
  ];
}
