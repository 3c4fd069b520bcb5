/** The hub's entry: which page the address means, and the service worker that makes it installable. */
import './enrol-page.ts';
import './home-page.ts';
import { trustedScript } from '../design/trusted-script.ts';

document.body.append(document.createElement(location.pathname === '/enrol' ? 'lk-enrol' : 'lk-home'));

// Installing is a convenience: where it is refused, the hub works all the same.
navigator.serviceWorker?.register(trustedScript('/sw.js'), { scope: '/' }).catch(() => undefined);
