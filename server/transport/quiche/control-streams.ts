/**
 * The peer's unidirectional streams of HTTP/3 (RFC 9114, section 6.2; RFC 9204, section 4.2). We need little of what they
 * say, but they must keep to the rules, and none may end while the connection lives.
 */
import { transportLimits } from '../limits.ts';
import type { ByteSource } from './byte-source.ts';
import { Http3Error } from './error.ts';
import { frameType, reservedFrameTypes, reservedSettings } from './http3.ts';
import { readVarint, varintLength } from './varint.ts';

/** Reads the control stream to its end, which is an error like every other way to leave. */
export async function drainControlStream(source: ByteSource): Promise<never> {
  if ((await source.varint()) !== frameType.settings) throw new Http3Error('missing_settings');
  checkSettings(await shortPayload(source));
  while (!(await source.atEnd())) {
    const type = await source.varint();
    if (reservedFrameTypes.has(type) || notOnControl.has(type)) throw new Http3Error('frame_unexpected');
    await source.skip(await source.varint());
  }
  throw new Http3Error('closed_critical_stream');
}

const notOnControl: ReadonlySet<number> = new Set([
  frameType.data,
  frameType.headers,
  frameType.settings,
  frameType.pushPromise,
]);

async function shortPayload(source: ByteSource): Promise<Uint8Array> {
  const length = await source.varint();
  if (length > transportLimits.settingsBytes) throw new Http3Error('excessive_load');
  return source.take(length);
}

/** Nothing in the peer's SETTINGS changes what we do; that they are well-formed is checked all the same. */
function checkSettings(payload: Uint8Array): void {
  const seen = new Set<number>();
  for (let at = 0; at < payload.length; ) {
    const id = settingsInteger(payload, at);
    const value = settingsInteger(payload, id.end);
    at = value.end;
    if (seen.has(id.value) || reservedSettings.has(id.value)) throw new Http3Error('settings_error');
    seen.add(id.value);
  }
}

function settingsInteger(payload: Uint8Array, at: number): { value: number; end: number } {
  if (at >= payload.length) throw new Http3Error('frame_error');
  const end = at + varintLength(payload[at]!);
  if (end > payload.length) throw new Http3Error('frame_error');
  return { value: readVarint(payload, at), end };
}

/** The peer's QPACK encoder may only say that its dynamic table stays empty: `0 0 1 capacity(5+)` with capacity 0. */
export async function drainEncoderStream(source: ByteSource): Promise<never> {
  while (!(await source.atEnd())) {
    if ((await source.take(1))[0] !== 0x20) throw new Http3Error('qpack_encoder_stream');
  }
  throw new Http3Error('closed_critical_stream');
}

/** The peer's QPACK decoder has no section to acknowledge; it may cancel a stream: `0 1 stream id(6+)`. */
export async function drainDecoderStream(source: ByteSource): Promise<never> {
  while (!(await source.atEnd())) {
    const first = (await source.take(1))[0]!;
    if ((first & 0xc0) !== 0x40) throw new Http3Error('qpack_decoder_stream');
    if ((first & 0x3f) === 0x3f) while ((await source.take(1))[0]! & 0x80);
  }
  throw new Http3Error('closed_critical_stream');
}
