/** The hub's entry: which page the address means, and the service worker that makes it installable. */
import './again-page.ts';
import './changes-page.ts';
import './enrol-page.ts';
import './home-page.ts';
import './link-page.ts';
import './step-up-page.ts';
import { trustedScript } from '../design/trusted-script.ts';

const pages: Readonly<Record<string, string>> = {
  '/enrol': 'lk-enrol',
  '/regain': 'lk-enrol',
  '/link': 'lk-link',
  '/step-up': 'lk-step-up',
  '/again': 'lk-again',
  '/changes': 'lk-changes',
};
const isAdmin = /^\/admin(\/|$)/.test(location.pathname);
if (isAdmin) await import('../admin/admin-page.ts');
document.body.append(document.createElement(isAdmin ? 'lk-admin' : (pages[location.pathname] ?? 'lk-home')));

// Installing is a convenience: where it is refused, the hub works all the same.
navigator.serviceWorker?.register(trustedScript('/sw.js'), { scope: '/' }).catch(() => undefined);
