/**
 * The one Trusted Types policy of hub and shell: scripts are loaded from these addresses and no others. Everything
 * else that would turn a string into code is refused by the browser.
 */

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;

const allowed = (url: string): string => {
  const { origin, pathname } = new URL(url, location.href);
  if (origin !== location.origin || !(pathname === '/sw.js' || pathname.startsWith('/assets/')))
    throw new TypeError('this page does not load scripts from there');
  return url;
};

const policy = factory?.createPolicy('latchkey', { createScriptURL: allowed });

/** @throws TypeError for any other place than our own files. */
export function trustedScript(url: string): string {
  return policy?.createScriptURL(url) ?? allowed(url);
}
