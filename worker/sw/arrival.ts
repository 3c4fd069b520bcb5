/** Tells a page that waits synchronously where the answer is, by a cookie of our own path (worker/shim/synchronous-answers.ts). */
import { arrivalName, ownPaths } from '../app-messages.ts';
import { mirrorCookies } from './cookies.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** It is taken away as soon as it is read. */
const lifeS = 60;

/** @param address whose query names the question and the blob. @param client whose it is. */
export async function announce(address: string, client: string): Promise<Response> {
  const query = new URL(address).searchParams;
  const [id, at] = [query.get('id') ?? '', query.get('at') ?? ''];
  if (!uuid.test(id) || !uuid.test(at)) return Response.error();
  await mirrorCookies([`${arrivalName(id)}=${at}; Path=${ownPaths}; Max-Age=${lifeS}; SameSite=Strict`], client);
  return new Response(null, { status: 204 });
}
