/** The script that is the first element of each page of an app: it gives the page what a service worker cannot route. */
import { routeDownloadLinks } from './download-links.ts';
import { reportPage } from './page-report.ts';
import { WebSocketForApps } from './websocket.ts';

Object.defineProperty(window, 'WebSocket', {
  value: WebSocketForApps,
  writable: true,
  configurable: true,
  enumerable: false,
});

routeDownloadLinks(document);
reportPage();
