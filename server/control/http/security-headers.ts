/**
 * What each of our origins lets its pages do. Everything is forbidden first. The app's own pages never come from here
 * (they come through the tunnel with the service's own policy), only the few files that put the tunnel in place.
 */
import { type Config, origins, portSuffix } from '../../config.ts';

type Headers = Readonly<Record<string, string>>;

const everywhere: Headers = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** Trusted Types: our own policy for script addresses, and Lit's for its templates. */
const trustedTypes = ["require-trusted-types-for 'script'", 'trusted-types latchkey lit-html'];
const nothingElse = ["default-src 'none'", "base-uri 'none'", "form-action 'none'"];

/** The hub: framed by nobody, and a window it opens may talk back to it. */
export function hubHeaders(): Headers {
  return {
    ...everywhere,
    'content-security-policy': policy(
      ...nothingElse,
      "script-src 'self' 'wasm-unsafe-eval'",
      "style-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      "manifest-src 'self'",
      "worker-src 'self'",
      "frame-ancestors 'none'",
      ...trustedTypes,
    ),
    'cross-origin-opener-policy': 'same-origin-allow-popups',
    'permissions-policy': `${everywhere['permissions-policy']}, publickey-credentials-get=(self), publickey-credentials-create=(self)`,
  };
}

/** The pages of the hub that another origin of ours opens and speaks to (web/hub/step-up-page.ts, again-page.ts). */
export const pagesForShell: readonly string[] = ['/step-up', '/again'];

/**
 * As the hub, but its opener stays its opener, whoever that is: it hears the shell's exact origin alone, and asks
 * before it uses the passkey. An opener of another origin can close it or send it elsewhere, nothing more.
 */
export function headersForShell(): Headers {
  return { ...hubHeaders(), 'cross-origin-opener-policy': 'unsafe-none' };
}

/** The shell: frames apps, speaks to the gateways, and to nothing else. @param tunnels where the gateways are */
export function shellHeaders(config: Config, tunnels: readonly string[]): Headers {
  const sources = [...new Set(tunnels.map(sourceOf))].sort().join(' ');
  return {
    ...everywhere,
    'content-security-policy': policy(
      ...nothingElse,
      "script-src 'self' 'wasm-unsafe-eval'",
      "style-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      `connect-src 'self' ${sources}`.trimEnd(),
      "worker-src 'self'",
      `frame-src ${config.scheme}://*.${config.appsDomain}${portSuffix(config)}`,
      "frame-ancestors 'none'",
      ...trustedTypes,
    ),
  };
}

/** Files and the boot page of an app's origin: framed by the shell, or by a page of the app inside it. */
export function appHeaders(config: Config): Headers {
  return {
    ...everywhere,
    'content-security-policy': policy(
      ...nothingElse,
      "script-src 'self'",
      // A blob has an address for its own origin alone; the helper frame reads what its Worker brought by it.
      "connect-src 'self' blob:",
      // What an `object` names, as the boot page shows it.
      'img-src blob:',
      "worker-src 'self'",
      "frame-src 'self'",
      `frame-ancestors 'self' ${origins.shell(config)}`,
    ),
  };
}

/** Answers of the API: data, never a page. */
export const apiHeaders: Headers = {
  ...everywhere,
  'content-security-policy': policy("default-src 'none'", "frame-ancestors 'none'"),
  'cache-control': 'no-store',
};

function policy(...directives: string[]): string {
  return directives.join('; ');
}

function sourceOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}
