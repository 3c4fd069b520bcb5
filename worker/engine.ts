/**
 * Which browser this is, for what differs between them and cannot be asked about by itself: which requests a service worker
 * is shown, and what it is told of them. In everything else what a browser has is looked for, not its name.
 */

/** Chromium alone tells a service worker of a page that is loaded anew. */
export const isChromium = 'isReloadNavigation' in Request.prototype;
