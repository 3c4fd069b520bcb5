/** API answers of a control plane that believes everything, for pages that want to be seen. */
import type { MockInstallation } from './mock-installation.ts';

const bytes = (length: number, value = 7): string => Buffer.alloc(length, value).toString('base64url');

export interface Shown {
  /** Title by name. */
  readonly services?: Readonly<Record<string, string>>;
  readonly schemes?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly contact?: string;
  /** Duties in the administration. */
  readonly roles?: readonly string[];
  /** A recovery took out so many devices. */
  readonly recovered?: number;
}

const denied = {
  status: 403,
  error: 'denied',
  message: 'No policy lets you open this service from this device. Ask your administrator for access.',
};

/** Lets whoever comes enrol, sign in and see these services. */
export function welcome(mock: MockInstallation, shown: Shown = {}): void {
  const user = { id: 'a'.repeat(24), name: shown.name ?? 'Ada Lovelace' };
  const device = { id: 'b'.repeat(24) };
  let signedIn = false;
  const enter = () => {
    signedIn = true;
    return { json: { user, device } };
  };
  const stranger = { status: 401, error: 'unauthenticated', message: 'You are not signed in.' };
  let credential = '';
  const passkey = () => ({ rpId: 'hub.localhost', credentialId: credential, userHandle: bytes(32, 9) });
  mock.api = {
    'POST /api/enrol/begin': () => ({
      json: {
        ceremony: 'c'.repeat(24),
        nonce: bytes(32),
        user: { ...user, handle: bytes(32, 9) },
        rp: { id: 'hub.localhost', name: 'Latchkey' },
        attestation: 'none',
      },
    }),
    'POST /api/enrol/finish': (body) => {
      credential = (body as { credential: { id: string } }).credential.id;
      return enter();
    },
    'POST /api/login/begin': () => ({
      json: {
        ceremony: 'd'.repeat(24),
        nonce: bytes(32, 3),
        rpId: 'hub.localhost',
        user: { handle: bytes(32, 9), name: user.name },
        credentialIds: [credential],
      },
    }),
    'POST /api/login/finish': enter,
    'POST /api/logout': () => {
      signedIn = false;
      return { json: {} };
    },
    'GET /api/providers': () => ({ json: { providers: [] } }),
    'GET /api/session': () =>
      signedIn
        ? {
            json: {
              ...{ user, device, leaseEnds: Date.now() + 3_600_000, roles: shown.roles ?? [], passkey: passkey() },
              ...(shown.recovered !== undefined && { recovered: { at: Date.now(), devices: shown.recovered } }),
            },
          }
        : stranger,
    'GET /api/devices': () => {
      const [createdAt, mine] = [1_790_000_000_000, { user: user.id, userName: user.name, archived: false }];
      return {
        json: {
          devices: [
            { ...mine, ...device, name: 'Laptop', state: 'approved', createdAt, lastSignIn: createdAt },
            { ...mine, id: 'd'.repeat(24), name: '', state: 'approved', createdAt },
            { ...mine, id: 'e'.repeat(24), name: 'Phone', state: 'waiting', createdAt },
          ],
        },
      };
    },
    'GET /api/services': () =>
      signedIn
        ? {
            json: {
              shell: mock.shell,
              services: Object.entries(shown.services ?? {}).map(([name, title]) => ({
                name,
                title,
                scheme: shown.schemes?.[name] ?? 'http',
                app: mock.app(name),
              })),
            },
          }
        : stranger,
    'GET /api/installation': () => ({ json: { hub: mock.hub, contact: shown.contact ?? '' } }),
    'POST /api/launch/begin': () => denied,
    'POST /api/launch/explain': () => denied,
  };
}

/** A well-formed enrolment link. */
export function enrolmentLink(mock: MockInstallation): string {
  return `${mock.hub}/enrol#${'t'.repeat(32)}.${bytes(32, 5)}`;
}
