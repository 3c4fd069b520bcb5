/**
 * The script that is the first element of each page of an app, and comes before the first line of each worker's script:
 * it gives the realm what a service worker cannot route.
 */

import { equipWindow } from './blank-frames.ts';
import { routeFetches } from './fetches.ts';
import { tellInitiated } from './initiated.ts';
import { reportPage } from './page-report.ts';
import { defineProperty, isWindow } from './realm.ts';
import { routeSynchronousRequests } from './synchronous-requests.ts';
import { expectWay } from './way.ts';
import { routeWebSockets } from './websocket.ts';
import { routeWorkers } from './workers.ts';

/** A module that a module worker imports is a worker's script too, and brings the shim once more. */
const mark = Symbol.for('latchkey');

function equip(): void {
  routeWebSockets();
  routeFetches();
  routeWorkers(self);
  if (isWindow) {
    routeSynchronousRequests();
    equipWindow(window);
    reportPage();
    tellInitiated();
  } else expectWay();
}

if (!(mark in self)) {
  defineProperty(self, mark, { value: true });
  equip();
}
