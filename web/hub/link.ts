/**
 * A one-click link in a guest's browser (docs/protocol.md, "WebAuthn and the tunnel", step 7). The secret comes in the
 * fragment, stays in this page's memory, and signs what a device key signs elsewhere.
 */
import { unbase64url } from '../../protocol/bytes.ts';
import { ApiError, call, decode, encode, type Person, type ServiceInfo } from './api.ts';
import { loadDevice } from './device.ts';
import { joinBy } from './enrolment.ts';
import { hash } from './hash.ts';
import type { Begun, Endorser } from './launch.ts';
import { postureSignedBy } from './posture.ts';

export interface GuestLink {
  readonly link: string;
  readonly secret: string;
  readonly pins: Uint8Array<ArrayBuffer>;
}

/** @param fragment `#id.secret.fingerprint`. @throws ApiError `link_incomplete` */
export function parseGuestLink(fragment: string): GuestLink {
  const [, link, secret, pins] = /^#([0-9a-f]{24})\.([\w-]{43})\.([\w-]{43})$/.exec(fragment) ?? [];
  if (link === undefined || secret === undefined || pins === undefined)
    throw new ApiError(
      'link_incomplete',
      'This link is incomplete. Open the whole link, or ask whoever gave it to you for a new one.',
      0,
    );
  return { link, secret, pins: decode(pins) };
}

export interface LinkPreview {
  readonly services: readonly { readonly name: string; readonly title: string }[];
  readonly expiresAt: number;
  readonly kiosk: boolean;
  readonly readOnly: boolean;
  readonly approval: boolean;
  readonly recipient: boolean;
}

const keyOf = ({ link, secret }: GuestLink) => ({ link, secret });

/** Uses nothing up. @throws ApiError */
export function preview(link: GuestLink): Promise<LinkPreview> {
  return call('POST', '/api/link/preview', JSON.stringify(keyOf(link)));
}

/** What the guest says of themselves. */
export interface GuestWords {
  readonly name: string;
  readonly recipient: string;
}

export interface Knocked {
  readonly id: string;
  readonly key: string;
  /** Shown to the administrator as well. */
  readonly code: string;
}

/** @throws ApiError */
export function knock(link: GuestLink, { name, recipient }: GuestWords): Promise<Knocked> {
  return call('POST', '/api/link/knock', JSON.stringify({ ...keyOf(link), name, ...told(recipient) }));
}

const told = (recipient: string) => (recipient === '' ? {} : { recipient });

/** Resolves when the guest is let in. @throws ApiError `knock_refused`, `knock_over`, `offline` */
export async function letIn({ id, key }: Knocked): Promise<void> {
  for await (const state of statesOf(JSON.stringify({ id, key }))) {
    if (state === 'approved') return;
    if (state === 'refused')
      throw new ApiError('knock_refused', 'You were not let in. Ask whoever gave you the link.', 403);
    if (state === 'over') throw new ApiError('knock_over', 'Nobody answered in time. Knock again.', 410);
  }
  throw new ApiError('offline', 'The connection was lost while you were waiting. Knock again.', 0);
}

/** The events of a stream that a POST began: its key belongs into a body, where an EventSource has none. */
async function* statesOf(body: string): AsyncGenerator<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch('/api/link/knock/wait', { method: 'POST', headers, body, cache: 'no-store' });
  if (!response.ok || response.body === null)
    throw new ApiError('knock_over', 'Nobody knows of this knock any more. Knock again.', response.status);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (text + part.value).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('event: ')) yield line.slice('event: '.length);
  }
}

/**
 * The first use makes a passkey of it. A browser that is somebody's already keeps their device.
 * @throws ApiError, or the DOMException of the authenticator
 */
export async function bindLink(link: GuestLink, { recipient }: GuestWords, knocked?: Knocked): Promise<Person> {
  await refuseIfTaken();
  return joinBy('/api/link', { ...keyOf(link), ...told(recipient), ...knockOf(knocked) }, link.pins);
}

function knockOf(knocked: Knocked | undefined): object {
  return knocked === undefined ? {} : { knock: { id: knocked.id, key: knocked.key } };
}

async function refuseIfTaken(): Promise<void> {
  const device = await loadDevice();
  if (device === undefined) return;
  const body = JSON.stringify({ devicePublicKey: encode(device.publicKey) });
  const begun = await call('POST', '/api/login/begin', body).catch((error: unknown) => {
    // A device that nobody knows any more may make room.
    if (error instanceof ApiError && error.code === 'device_unknown') return undefined;
    throw error;
  });
  if (begun === undefined) return;
  const sentence = `This browser is set up for ${device.user.name}. Open the link in another browser or a private window.`;
  throw new ApiError('browser_taken', sentence, 0);
}

export interface KioskEntered {
  readonly user: Person;
  readonly until: number;
  /** After so long without a click or a key the visit ends. */
  readonly idleS: number;
  readonly services: readonly ServiceInfo[];
  readonly shell: string;
}

/** Of a LaunchAnswer what the page itself reads. */
interface VisitAnswer {
  readonly service: { readonly name: string };
  readonly wipe?: string;
}

/** A kiosk's visit: nothing is made and nothing kept. */
export class KioskVisit {
  readonly #link: GuestLink;
  readonly #key: CryptoKey;
  /** Service by ticket. */
  readonly #wipes = new Map<string, string>();
  /** For this page's life alone: with it go the cookies that services set. */
  readonly #jarRoot = crypto.getRandomValues(new Uint8Array(32));

  private constructor(link: GuestLink, key: CryptoKey) {
    this.#link = link;
    this.#key = key;
  }

  static async begin(link: GuestLink): Promise<KioskVisit> {
    const secret = Uint8Array.from(unbase64url(link.secret));
    const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    secret.fill(0);
    return new KioskVisit(link, key);
  }

  /** Takes a use of the link. @throws ApiError */
  async enter({ recipient }: GuestWords, knocked?: Knocked): Promise<KioskEntered> {
    const posture = (await this.#posture()).json;
    const arrival = { ...keyOf(this.#link), ...told(recipient), ...knockOf(knocked), posture };
    return call('POST', '/api/guest/enter', JSON.stringify(arrival));
  }

  async end(): Promise<void> {
    this.#jarRoot.fill(0);
    await call('POST', '/api/guest/end', this.#farewell());
  }

  /** The page goes: said without waiting for an answer. */
  endSoon(): void {
    this.#jarRoot.fill(0);
    const headers = { 'content-type': 'application/json' };
    fetch('/api/guest/end', { method: 'POST', headers, body: this.#farewell(), keepalive: true }).catch(
      () => undefined,
    );
  }

  /** Where this tab goes on when it is over: each app that was opened is wiped there, `#service.ticket,…`. */
  endedPage(shell: string): string {
    return `${shell}/ended#${[...this.#wipes].map(([ticket, service]) => `${service}.${ticket}`).join()}`;
  }

  #farewell(): string {
    return JSON.stringify({ secret: this.#link.secret });
  }

  /** Endorses the session keys of the shells that this page opens. */
  endorser(): Endorser {
    const { secret, link, pins } = this.#link;
    return {
      keyHash: hash.sha256(new TextEncoder().encode(link)),
      pins,
      begin: (service) => call<Begun>('POST', '/api/guest/launch/begin', JSON.stringify({ secret, service })),
      posture: () => this.#posture(),
      finish: async (proof, message) => {
        const linkSignature = encode(await this.#sign(message));
        const body = JSON.stringify({ secret, ...proof, linkSignature });
        const answer = await call<VisitAnswer>('POST', '/api/guest/launch/finish', body);
        if (answer.wipe !== undefined) this.#wipes.set(answer.wipe, answer.service.name);
        return answer;
      },
      jarKey: async (service) => hash.sha256(new Uint8Array([...this.#jarRoot, ...new TextEncoder().encode(service)])),
    };
  }

  #posture() {
    return postureSignedBy((message) => this.#sign(message));
  }

  async #sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await crypto.subtle.sign('HMAC', this.#key, message));
  }
}
