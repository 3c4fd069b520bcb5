/** A real OpenID provider on loopback, whose one page takes any name: who types it is who they say they are. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration } from 'oidc-provider';

export const clientId = 'latchkey';

/** What the provider says of whoever signs in next. */
export interface Account {
  readonly groups: readonly string[];
  readonly acr?: string | undefined;
  readonly amr: readonly string[];
  /** When they say they signed in, seconds; now when it is not said. */
  readonly authTime?: number;
}

export interface OpenIdProviderOptions {
  readonly redirectUri: string;
  /** Where a logout token is sent, and by what. */
  readonly logoutUri: string;
  readonly send?: (body: string) => Promise<number>;
  readonly change?: Configuration;
}

export class OpenIdProvider {
  readonly secret = randomBytes(24).toString('base64url');
  account: Account = { groups: [], acr: 'urn:test:password', amr: ['pwd'] };
  issuer = '';
  /** Puts another ID token in the place of the one it made. */
  forge: ((token: string) => Promise<string>) | undefined;
  #server!: Server;
  #provider!: Provider;

  static async start(options: OpenIdProviderOptions): Promise<OpenIdProvider> {
    const made = new OpenIdProvider();
    made.#server = createServer((request, response) => void made.#answer(request, response));
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    made.issuer = `http://127.0.0.1:${(made.#server.address() as AddressInfo).port}`;
    made.#provider = new Provider(made.issuer, { ...made.#configuration(options), ...options.change });
    made.#provider.use(async (ctx, next) => {
      await next();
      const answer = ctx.body as { id_token?: string } | undefined;
      if (ctx.path === '/token' && answer?.id_token !== undefined && made.forge !== undefined)
        ctx.body = { ...answer, id_token: await made.forge(answer.id_token) };
    });
    return made;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Tells the client that somebody signed out here. */
  async signOut(subject: string, sid: string): Promise<void> {
    const client = await this.#provider.Client.find(clientId);
    // Of the library, and not in its types.
    await (client as unknown as { backchannelLogout(sub: string, sid: string): Promise<void> }).backchannelLogout(
      subject,
      sid,
    );
  }

  #configuration({ redirectUri, logoutUri, send }: OpenIdProviderOptions): Configuration {
    return {
      clients: [
        {
          client_id: clientId,
          client_secret: this.secret,
          redirect_uris: [redirectUri],
          response_types: ['code'],
          grant_types: ['authorization_code'],
          backchannel_logout_uri: logoutUri,
          backchannel_logout_session_required: true,
        },
      ],
      cookies: { keys: [randomBytes(16).toString('hex')] },
      claims: { openid: ['sub', 'groups', 'acr', 'amr', 'auth_time', 'sid'] },
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
      interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
      findAccount: (_ctx, id) => ({
        accountId: id,
        claims: async () => ({ sub: id, groups: [...this.account.groups] }),
      }),
      loadExistingGrant: async (ctx) => {
        const { client, session } = ctx.oidc;
        if (client === undefined || session?.accountId === undefined) return undefined;
        const grant = new this.#provider.Grant({ clientId: client.clientId, accountId: session.accountId });
        grant.addOIDCScope('openid');
        await grant.save();
        return grant;
      },
      ...(send !== undefined && {
        fetch: async (url, options) => {
          if (String(url) !== logoutUri) return fetch(url, options);
          return new Response(null, { status: await send(String(options?.body)) });
        },
      }),
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.startsWith('/interaction/') !== true) {
      this.#provider.callback()(request, response);
      return;
    }
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/html');
      response.end(
        '<!doctype html><form method="post"><label>Name <input name="login"></label><button>Go on</button></form>',
      );
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const accountId = new URLSearchParams(Buffer.concat(chunks).toString()).get('login') ?? '';
    const { acr, amr, authTime: ts } = this.account;
    const login = {
      accountId,
      ...(acr !== undefined && { acr }),
      amr: [...amr],
      remember: false,
      ...(ts !== undefined && { ts }),
    };
    await this.#provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  }
}

/** Goes through the provider's page as a browser would. @returns the address it sends the browser back to */
export async function signInAt(start: string, name: string, redirectUri: string): Promise<URL> {
  const jar = new Map<string, string>();
  let at = new URL(start);
  let post: string | undefined;
  for (let step = 0; step < 10; step += 1) {
    if (at.href.startsWith(redirectUri)) return at;
    const cookie = [...jar].map(([key, value]) => `${key}=${value}`).join('; ');
    const response = await fetch(at, {
      redirect: 'manual',
      headers: { cookie, ...(post !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }) },
      ...(post !== undefined && { method: 'POST', body: post }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const location = response.headers.get('location');
    post = location === null ? `login=${encodeURIComponent(name)}` : undefined;
    if (location !== null) at = new URL(location, at);
    else if (response.status !== 200)
      throw new Error(`the provider answered ${response.status}: ${await response.text()}`);
  }
  throw new Error('the provider goes round in circles');
}
