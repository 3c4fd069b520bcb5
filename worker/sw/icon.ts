/** The app's icon for the shell's tab: a small picture or nothing, never an error that a console would show. */
import { maxIconBytes } from '../app-messages.ts';

const limitMs = 20_000;

/** @param address ours, with the icon's path as its `target`. @returns undefined for one that is not of this origin. */
export function iconRequest(address: string): Request | undefined {
  const { origin, searchParams } = new URL(address);
  const target = searchParams.get('target') ?? '';
  if (!/^\/(?![/\\])/.test(target)) return undefined;
  return new Request(new URL(target, origin), { signal: AbortSignal.timeout(limitMs) });
}

/** @param answer the service's. */
export async function iconResponse(answer: Response): Promise<Response> {
  const type = answer.headers.get('content-type') ?? '';
  const length = Number(answer.headers.get('content-length') ?? 0);
  if (!answer.ok || !type.startsWith('image/') || length > maxIconBytes) {
    await answer.body?.cancel();
    return noIcon();
  }
  return new Response(answer.body, { headers: { 'content-type': type, 'cache-control': 'no-store' } });
}

export function noIcon(): Response {
  return new Response(null, { status: 204 });
}
