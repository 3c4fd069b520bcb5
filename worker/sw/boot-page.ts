/** A page of Latchkey's own in the place of one that no tunnel of the tab can bring; it finds the way (worker/shim/boot.ts). */
import { ownPaths } from '../app-messages.ts';

/** Made here, so that the address, which may hold a secret, goes to no server. */
export function bootPage(): Response {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Latchkey</title><body><script type="module" src="${ownPaths}boot.js"></script></html>`;
  const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': policy,
  };
  return new Response(body, { headers });
}
