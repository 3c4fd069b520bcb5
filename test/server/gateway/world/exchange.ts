/** One request through a session, as the browser's worker makes it. */
import { encodeRequestHead, type Header, ResponseHeadReader } from '../../../../protocol/exchange/http.ts';
import type { Session } from '../../../../protocol/session.ts';

export interface Answer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

export async function fetchThrough(
  session: Session,
  target: string,
  over: { service?: string; method?: string; headers?: Header[]; body?: Uint8Array } = {},
): Promise<Answer> {
  const { service = 'wiki', method = 'GET', headers = [], body } = over;
  const head = encodeRequestHead({ method, target, headers });
  const whole = body === undefined ? head : undefined;
  const stream = await session.open({ kind: 'http', service, whole });
  const reader = new ResponseHeadReader();
  const sent = (async () => {
    if (body === undefined) return;
    await stream.write(head);
    await stream.write(body);
    await stream.finish();
  })();
  sent.catch(() => undefined);
  const parts: Uint8Array[] = [];
  let isHead = true;
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    const rest = isHead ? reader.push(chunk) : chunk;
    if (rest === undefined) continue;
    isHead = false;
    parts.push(rest);
  }
  await sent;
  return { ...reader.head, body: Buffer.concat(parts) };
}
