/**
 * Which Authorization a request of a page goes out with, and with which it goes once more when the service refuses it
 * (Fetch, "HTTP-network-or-cache fetch", step 14). A page that says itself who it is hears the answer itself.
 */
import type { ResponseHead } from '../../protocol/exchange/http.ts';
import type { RequestMessage } from '../app-messages.ts';
import { basicAuthorization, basicRealm } from './basic-challenge.ts';
import type { TunnelUse } from './tunnel-use.ts';

/** @returns undefined where there is nothing to say, or the page says it. */
export function authorizationOf(request: RequestMessage, { passwords }: TunnelUse): string | undefined {
  // What the address says is not said before it is asked for, as browsers do it.
  return isOurs(request) && request.login === undefined ? passwords?.known(request.target) : undefined;
}

/**
 * @param tried the Authorization that the answer refuses.
 * @returns how to come by another, which may take a person's time and resolves to undefined when they would rather not;
 * undefined when the answer is the page's to see.
 */
export function nextAuthorization(
  request: RequestMessage,
  { status, headers }: ResponseHead,
  tried: string | undefined,
  { passwords }: TunnelUse,
): (() => Promise<string | undefined>) | undefined {
  const realm = status === 401 ? basicRealm(headers) : undefined;
  if (passwords === undefined || realm === undefined || !isOurs(request)) return undefined;
  const { login, target, mode } = request;
  if (login === undefined)
    return () => passwords.afterRefusal({ realm, target, tried, isNavigation: mode === 'navigate' });
  if (tried !== undefined) return undefined;
  return async () => {
    const given = basicAuthorization(login.user, login.password);
    passwords.keep(realm, target, given);
    return given;
  };
}

function isOurs({ call, anonymous, headers }: RequestMessage): boolean {
  return call === undefined && !anonymous && !headers.some(([name]) => name.toLowerCase() === 'authorization');
}
