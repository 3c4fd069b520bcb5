/** A service, its context and a shim, as the tests of this folder need them. */
import { type ExchangeContext, hostOf } from '../../../../server/gateway/exchange/context.ts';
import type { Header } from '../../../../server/gateway/exchange/headers.ts';
import type { AnsweredRequest, ShimSource } from '../../../../server/gateway/exchange/response-rules.ts';

export const context: ExchangeContext = {
  service: {
    name: 'wiki',
    title: 'Wiki',
    spiffeId: 'spiffe://latchkey.local/ns/default/svc/wiki',
    scheme: 'http',
    address: '100.100.0.7',
    port: 8080,
    path: '/',
    upstreamHost: 'wiki.internal:8080',
    wireguardKey: `${'A'.repeat(43)}=`,
  },
  publicOrigin: 'http://wiki.apps.localhost:8700',
  shellOrigin: 'http://shell.apps.localhost:8700',
  caller: { user: 'ada', device: 'laptop', name: 'Ada', groups: ['staff', 'board'], assertion: 'signed' },
  clientAddress: '192.0.2.7',
  hostRule: 'public',
  publishedAt: (scheme, host) =>
    new Map([
      ['http wiki.internal:8080', 'http://wiki.apps.localhost:8700'],
      ['https tickets.internal', 'http://tickets.apps.localhost:8700'],
    ]).get(`${scheme} ${host}`),
};

export const publicHost = hostOf(context.publicOrigin);

export const shim: ShimSource = { path: '/.latchkey/shim.js', inline: 'shim()', nonce: () => 'bm9uY2U=' };

/** A request the service worker made for the page in the frame. */
export function asked(over: Partial<AnsweredRequest> & { dest?: string } = {}): AnsweredRequest {
  const { dest = 'iframe', ...rest } = over;
  return {
    method: 'GET',
    target: '/',
    site: 'same-origin',
    mode: 'navigate',
    scriptCookies: undefined,
    acceptsEncoding: false,
    facts: { jarKey: undefined, scriptCookies: undefined, dest, mode: 'navigate', site: 'same-origin' },
    ...rest,
  };
}

export const values = (headers: readonly Header[], name: string): string[] =>
  headers.filter(([other]) => other === name).map(([, text]) => text);
