/**
 * docs/api-inventory.md is what the HTTP apps answer, found by asking them for their routes and reading what each handler calls
 * before it answers. A route that is not in it, or that asks less of its caller than it says, fails here.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { rolesFor } from '../../../server/control/admin-roles.ts';
import { adminApp } from '../../../server/control/http/admin-api.ts';
import { adminRate } from '../../../server/control/http/admin-door.ts';
import { oidcPaths } from '../../../server/control/http/oidc-api.ts';
import { originApps, personRate, strangerRate } from '../../../server/control/http/origin-apps.ts';
import type { Rate } from '../../../server/control/http/rate-limit.ts';
import { type ApiApp, maxBodyBytes } from '../../../server/control/http/respond.ts';
import { samlPaths } from '../../../server/control/http/saml-api.ts';
import { Installation } from './installation.ts';

const file = join(import.meta.dirname, '../../../docs/api-inventory.md');

interface Route {
  readonly method: string;
  readonly path: string;
  /** Source of what a request goes through: the guard where there is one, the check of the body's shape, the answer. */
  readonly source: string;
}

let installation: Installation;
let apps: Record<'hub' | 'shell' | 'app' | 'admin', ApiApp>;
before(async () => {
  installation = await new Installation().start();
  const { context, desk } = installation.control;
  apps = { ...originApps(context, desk), admin: adminApp(context, desk) };
});
after(async () => {
  await installation.stop();
  installation.remove();
});

function routesOf(app: ApiApp): Route[] {
  const found = new Map<string, Route>();
  for (const { method, path, handler } of app.routes) {
    if (method === 'ALL') continue;
    const name = `${method} ${path}`;
    found.set(name, { method, path, source: `${found.get(name)?.source ?? ''}\n${handler}` });
  }
  return [...found.values()].sort((a, b) => (`${a.path} ${a.method}` < `${b.path} ${b.method}` ? -1 : 1));
}

/** What the caller of a route that is not the administration's has to show. */
function callerOf({ source }: Route): string {
  const asked = [
    [/\bsignedBy\(/, 'device key signs the request'],
    [/\bguestSignedIn\(/, 'cookie of a link’s guest, and the proof of the link'],
    [/\bsignedIn\([^)]*\)\.catch\(/, 'no sign-in, or the cookie where there is one'],
    [/\bsignedIn\(/, 'cookie of whoever is signed in'],
  ] as const;
  const who = asked.find(([pattern]) => pattern.test(source))?.[1] ?? 'no sign-in';
  return /\brequireApprover\(/.test(source) ? `${who}, role policy` : who;
}

function limitsOf({ source }: Route): string {
  const limits = (['strangers', 'people'] as const).filter((name) => new RegExp(`\\b${name}\\.`).test(source));
  return limits.length === 0 ? '' : `; limit: ${limits.join(', ')}`;
}

/** Who may, by a page, on the hub. */
function rolesOf({ method, path }: Route): string {
  const isRead = method === 'GET';
  const roles = rolesFor(path.replace(/^\/admin\//, ''), isRead);
  return roles.length === 0
    ? 'the command line alone'
    : `${isRead ? 'cookie' : 'device key'}, role ${roles.join(' or ')}`;
}

const isOfPages = ({ path }: Route): boolean => path.startsWith('/api/admin/');
const line = ({ method, path }: Route, who: string): string => `- \`${method} ${path}\`: ${who}`;
const rateText = ({ burst, perSecond }: Rate): string => `${burst} at once, ${perSecond} a second`;

function inventory(): string {
  const own = (app: ApiApp) =>
    routesOf(app)
      .filter((route) => !isOfPages(route))
      .map((route) => line(route, callerOf(route) + limitsOf(route)));
  return `# Every address of the HTTP API

Made by \`LATCHKEY_WRITE_INVENTORY=1 npm test -- test/server/control/api-inventory.test.ts\` from the routes that the apps have and
from what each handler calls. No sign-in means that nothing is known of the caller before the request is read: what it carries (an
enrolment or link secret, a passkey's answer, a session key's signature) is the proof, or there is none to give. A cookie is that of a device that
signed in; a request that changes something carries the device key's signature besides.

There is no address, and no key, by which anybody opens what was recorded, reads the sessions of others, or gets a private key or a secret
again: no master key, no escrow, no way for an administrator to decrypt (QZ-25). Session keys are made in the browser's Worker and in the
gateway, and die there.

Bodies are JSON of at most ${maxBodyBytes} bytes. Limits: \`strangers\`, by address, ${rateText(strangerRate)}; \`people\`, by person,
${rateText(personRate)}; pages of administrators, by person, ${rateText(adminRate)}.

## Hub

${own(apps.hub).join('\n')}
- \`POST ${oidcPaths.logout}\`: no sign-in; a logout token that the OpenID provider signed; limit: strangers
- \`POST ${samlPaths.acs}\`: no sign-in; a response that the SAML provider signed; limit: strangers

## Shell

${own(apps.shell).join('\n')}

## Origins of services

${own(apps.app).join('\n')}
- everything else: the page that brings an app up, for a visit, and nothing for any other request

## Administration

Below \`/admin\` on the socket in the data folder, for whoever may open that folder, and below \`/api/admin\` on the hub, for:

${routesOf(apps.admin)
  .map((route) => line(route, rolesOf(route)))
  .join('\n')}

\`GET /metrics\` on a loopback port, when one is set: whoever is on the machine.
`;
}

test('QZ-25: docs/api-inventory.md is every address there is, and who may', () => {
  const text = inventory();
  if (process.env['LATCHKEY_WRITE_INVENTORY'] === '1') writeFileSync(file, text);
  assert.equal(readFileSync(file, 'utf8'), text, 'it is another one now; write it anew as its first line says');
});

test('QZ-25: the pages’ administration has the addresses of the socket’s and no others', () => {
  const ofSocket = routesOf(apps.admin).filter(({ path }) => path.startsWith('/admin/'));
  const ofHub = routesOf(apps.hub).filter(isOfPages);
  const names = (routes: Route[]) => routes.map(({ method, path }) => `${method} ${path.replace(/^\/api/, '')}`);
  assert.deepEqual(names(ofHub), names(ofSocket));
  assert.ok(ofHub.length > 40);
});

test('QZ-25: nothing among them opens what was sealed', () => {
  const words = /master|escrow|decrypt|unseal|recover|private-?key|session-?key|seeds?\b|vault|impersonat/i;
  const all = Object.values(apps).flatMap(routesOf);
  assert.deepEqual(
    all.filter(({ path }) => words.test(path)),
    [],
  );
  // The vault is opened where peers are told their pre-shared keys, by the channel; no handler of HTTP touches it.
  assert.deepEqual(
    all.filter(({ source }) => /vault|\.signer\(|privateKey|loadKey/.test(source)),
    [],
  );
});

test('QZ-25: what is said of each address holds for a stranger who calls it', async () => {
  const { hub, shell } = installation;
  const needsNobody = /^no sign-in/;
  for (const [origin, app] of [
    [hub, apps.hub],
    [shell, apps.shell],
  ] as const)
    for (const route of routesOf(app)) {
      const { method } = route;
      if (route.path.includes('*') || (method === 'GET' && !route.path.startsWith('/api/'))) continue;
      const path = route.path.replaceAll(/:\w+(\{[^}]*\})?/g, 'x');
      const body = method === 'GET' || method === 'DELETE' ? undefined : { of: 'no route' };
      const answer = await installation.browse(origin, { method, path, ...(body && { body }) });
      const who = isOfPages(route) ? 'administrator' : callerOf(route);
      const what = `${method} ${path}: ${answer.status} ${answer.text.slice(0, 80)}`;
      // Before what they sent is looked at: this body fits none of the routes.
      if (!needsNobody.test(who)) assert.equal(answer.body.error, 'unauthenticated', what);
      else if (method === 'GET') assert.equal(answer.status, 200, what);
      else assert.ok(answer.status >= 400 && answer.status < 500, what);
      installation.clock.advance(1_000);
    }
});
