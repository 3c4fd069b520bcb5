/**
 * A real SAML identity provider (samlify) on loopback, whose one page takes any name: who types it is who they say they
 * are. What it signs can be made wrong, for a provider that was taken over or set up badly signs that too.
 */
import { X509Certificate as Certificate, createHash, generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { IdentityProvider, SamlLib, ServiceProvider, setSchemaValidator } from 'samlify';

/** XML Schema says nothing of who signed what, which is what the other end is tested for. */
setSchemaValidator({ validate: async () => 'not asked' });

const redirectBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const postBinding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST';
export const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
export const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';

/** The values of the template below. */
export type Tags = Readonly<Record<string, string>>;

const attributeOf = (value: string) => `<saml:AttributeValue>${value}</saml:AttributeValue>`;
const template = (groups: readonly string[]) => `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{ID}" Version="2.0" IssueInstant="{IssueInstant}"
 Destination="{Destination}" InResponseTo="{InResponseTo}"><saml:Issuer>{Issuer}</saml:Issuer><samlp:Status><samlp:StatusCode
 Value="{StatusCode}"/></samlp:Status><saml:Assertion ID="{AssertionID}" Version="2.0" IssueInstant="{IssueInstant}"><saml:Issuer>{AssertionIssuer}</saml:Issuer><saml:Subject><saml:NameID
 Format="{NameIDFormat}">{NameID}</saml:NameID><saml:SubjectConfirmation Method="{Method}"><saml:SubjectConfirmationData
 NotOnOrAfter="{ConfirmationEnd}" Recipient="{Recipient}" InResponseTo="{SubjectInResponseTo}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions
 NotBefore="{NotBefore}" NotOnOrAfter="{NotOnOrAfter}"><saml:AudienceRestriction><saml:Audience>{Audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement
 AuthnInstant="{AuthnInstant}" SessionIndex="{SessionIndex}" SessionNotOnOrAfter="{SessionNotOnOrAfter}"><saml:AuthnContext><saml:AuthnContextClassRef>{AuthnContext}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute
 Name="groups">${groups.map(attributeOf).join('')}</saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>`;

export interface SamlProviderOptions {
  readonly acs: string;
  readonly entityId: string;
  readonly keys?: SigningKeys;
  /** Its clock, ms. */
  readonly now?: () => number;
}

export interface SigningKeys {
  readonly privateKey: string;
  readonly certificate: string;
}

/** @param end when the certificate expires */
export async function signingKeys(bits = 2_048, end = new Date(Date.now() + 86_400_000)): Promise<SigningKeys> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const keys = {
    publicKey: await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify']),
    privateKey: await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
  };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ name: 'CN=provider', keys, signingAlgorithm: algorithm },
    ...{ notBefore: new Date(end.getTime() - 10 * 86_400_000), notAfter: end },
  });
  const pem = new Certificate(Buffer.from(certificate.rawData)).toString();
  return { privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pem };
}

/** What a request of ours asked for, read by the provider. */
export interface Request {
  readonly id: string;
  readonly relayState: string;
}

export class SamlIdentityProvider {
  groups: readonly string[] = [];
  readonly keys: SigningKeys;
  readonly #options: SamlProviderOptions;
  #server!: Server;
  origin = '';

  private constructor(options: SamlProviderOptions, keys: SigningKeys) {
    this.#options = options;
    this.keys = keys;
  }

  static async start(options: SamlProviderOptions): Promise<SamlIdentityProvider> {
    const made = new SamlIdentityProvider(options, options.keys ?? (await signingKeys()));
    made.#server = createServer((request, response) => void made.#answer(request, response));
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve));
    made.origin = `http://127.0.0.1:${(made.#server.address() as AddressInfo).port}`;
    return made;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  get issuer(): string {
    return `${this.origin}/metadata`;
  }
  get entryPoint(): string {
    return `${this.origin}/sign-in`;
  }

  /** Reads our request as a provider does. */
  async read(url: string): Promise<Request> {
    const query = Object.fromEntries(new URL(url).searchParams);
    const { extract } = await this.#provider(rsaSha256).parseLoginRequest(this.#client(false), 'redirect', { query });
    return { id: String(extract.request?.id), relayState: query['RelayState'] ?? '' };
  }

  /** A signed response, in XML. @param change of the template's values. @param how it signs; the audience may be XML */
  async respond(
    { id }: Pick<Request, 'id'>,
    name: string,
    change: Tags = {},
    how: { algorithm?: string; wholeToo?: boolean; audience?: string } = {},
  ): Promise<string> {
    const { acs, entityId, now = Date.now } = this.#options;
    const at = (ms: number) => new Date(now() + ms).toISOString();
    const tags: Tags = {
      ID: `_response${newId()}`,
      AssertionID: `_assertion${newId()}`,
      ...{ IssueInstant: at(0), Destination: acs, InResponseTo: id, Issuer: this.issuer, AssertionIssuer: this.issuer },
      StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
      ...{ NameIDFormat: persistent, NameID: name, Method: 'urn:oasis:names:tc:SAML:2.0:cm:bearer' },
      ...{ ConfirmationEnd: at(300_000), Recipient: acs, SubjectInResponseTo: id },
      ...{ NotBefore: at(-1_000), NotOnOrAfter: at(300_000), Audience: entityId },
      ...{ AuthnInstant: at(-60_000), SessionIndex: '_session', SessionNotOnOrAfter: at(3_600_000) },
      AuthnContext: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
      ...change,
    };
    const within = (text: string) => text.replace('{Audience}', how.audience ?? '{Audience}');
    const context = (text: string) => ({
      id: tags['ID'] ?? '',
      context: SamlLib.replaceTagsByValue(within(text), tags),
    });
    const provider = this.#provider(how.algorithm ?? rsaSha256);
    const request = { extract: { request: { id } } };
    const made = await provider.createLoginResponse(this.#client(how.wholeToo ?? false), request, 'post', {}, context);
    return Buffer.from(made.context, 'base64').toString();
  }

  #provider(requestSignatureAlgorithm: string) {
    return IdentityProvider({
      entityID: this.issuer,
      privateKey: this.keys.privateKey,
      signingCert: this.keys.certificate,
      ...{ isAssertionEncrypted: false, requestSignatureAlgorithm },
      singleSignOnService: [{ Binding: redirectBinding, Location: this.entryPoint }],
      singleLogoutService: [{ Binding: redirectBinding, Location: this.entryPoint }],
      loginResponseTemplate: { context: template(this.groups), attributes: [] },
    });
  }

  #client(wantMessageSigned: boolean) {
    return ServiceProvider({
      entityID: this.#options.entityId,
      ...{ wantAssertionsSigned: true, wantMessageSigned },
      assertionConsumerService: [{ Binding: postBinding, Location: this.#options.acs }],
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Browsers ask for an icon, too.
    if (request.url?.startsWith('/sign-in?') !== true) {
      response.writeHead(404).end();
      return;
    }
    const asked = await this.read(new URL(request.url ?? '', this.origin).href);
    response.setHeader('content-type', 'text/html');
    if (request.method === 'GET') {
      response.end(
        '<!doctype html><form method="post"><label>Name <input name="login"></label><button>Go on</button></form>',
      );
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const name = new URLSearchParams(Buffer.concat(chunks).toString()).get('login') ?? '';
    const encoded = Buffer.from(await this.respond(asked, name)).toString('base64');
    response.end(`<!doctype html><form method="post" action="${this.#options.acs}"><input type="hidden" name="SAMLResponse"
      value="${encoded}"><input type="hidden" name="RelayState" value="${asked.relayState}"></form>
      <script>document.forms[0].submit()</script>`);
  }
}

let ids = 0;
function newId(): string {
  ids += 1;
  return createHash('sha256').update(`id ${ids}`).digest('hex');
}
