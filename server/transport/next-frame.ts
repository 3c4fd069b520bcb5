/** How both engines make a QUIC stream's bytes into frames (protocol/frames.ts). */
import { CarrierError } from '../../protocol/carrier.ts';
import type { FrameReader } from '../../protocol/frames.ts';

/**
 * The next whole frame, or null at the end of the stream.
 * @param frames what was read and not handed out. @param read more of the stream, null at its end.
 * @param malformed told when what came is no frame: that ends this stream, and this stream only.
 * @throws CarrierError 'malformed', 'cut'
 */
export async function nextFrame(
  frames: FrameReader,
  read: () => Promise<Uint8Array | null>,
  malformed: () => void,
): Promise<Uint8Array | null> {
  while (true) {
    const frame = whole(frames, malformed);
    if (frame !== null) return frame;
    const bytes = await read();
    if (bytes === null) {
      frames.end();
      return null;
    }
    frames.push(bytes);
  }
}

function whole(frames: FrameReader, malformed: () => void): Uint8Array | null {
  try {
    return frames.next();
  } catch (cause) {
    malformed();
    throw new CarrierError('malformed', { cause });
  }
}
