/** User and password in an address: `XMLHttpRequest.open` puts them there, and a service worker sees them. */

/** @returns undefined for an address without. */
export function loginOf(address: string): { user: string; password: string } | undefined {
  const { username, password } = new URL(address);
  if (username === '' && password === '') return undefined;
  return { user: decoded(username), password: decoded(password) };
}

/** The same address for anybody to see. */
export function withoutLogin(address: string): string {
  return address.replace(/^([a-z]+:\/\/)[^/?#]*@/, '$1');
}

/** As the bytes of it are sent; what is no UTF-8 stays as it is written. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
