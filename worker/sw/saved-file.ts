/**
 * A download that a link asked for (worker/shim/download-links.ts): the service's answer, to be saved under the name of
 * the link unless the service gives one itself (HTML, "downloading resources"). What fails is a failed download.
 */

/** What the hidden frame asked for; undefined for an address no link of a page can have made. */
export function savedFileRequest(address: string): { request: Request; name: string } | undefined {
  const query = new URL(address).searchParams;
  const target = query.get('target') ?? '';
  if (!/^\/(?![/\\])/.test(target)) return undefined;
  return { request: new Request(new URL(target, address)), name: query.get('name') ?? '' };
}

/** @param name what the link says, maybe empty. */
export function asSavedFile(response: Response, name: string): Response {
  if (!response.ok) return brokenFile();
  const headers = new Headers(response.headers);
  const said = headers.get('content-disposition') ?? '';
  if (!/filename\*?=/i.test(said)) headers.set('content-disposition', disposition(name));
  else headers.set('content-disposition', said.replace(/^\s*inline/i, 'attachment'));
  return new Response(response.body, { status: response.status, headers });
}

/** The browser shows it as failed; there is no window in which a sentence could stand. */
export function brokenFile(): Response {
  const body = new ReadableStream({ start: (controller) => controller.error(new TypeError('network error')) });
  return new Response(body, { headers: { 'content-disposition': 'attachment', 'content-length': '1' } });
}

/** RFC 6266 section 4.3. */
function disposition(name: string): string {
  if (name === '') return 'attachment';
  const encoded = encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return `attachment; filename*=UTF-8''${encoded}`;
}
