/**
 * The body of an answer on its way to the service worker, bounded by the credit that it gives. A message between two
 * threads costs more than the bytes in it: so the first leaves at once, and what comes until the service worker has
 * taken it leaves together.
 */
import { firstCreditBytes } from '../app-messages.ts';

/** A message of this much does not wait to become larger. Beyond 64 KiB Chromium sends memory that it has to map first. */
const gatheredBytes = 60 * 1024;

export class BodyRelay {
  readonly #post: (chunk: Uint8Array<ArrayBuffer>) => void;
  #credit = firstCreditBytes;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Posted, and no credit came for it yet. */
  #underWay = 0;
  #isStopped = false;
  #wake: (() => void) | undefined;

  /** @param post transfers the chunk: it is a buffer of its own. */
  constructor(post: (chunk: Uint8Array<ArrayBuffer>) => void) {
    this.#post = post;
  }

  /** The service worker has room for so much more. */
  credit(bytes: number): void {
    this.#credit += bytes;
    this.#underWay -= bytes;
    if (this.#underWay <= 0) this.flush();
    this.#wake?.();
  }

  /** Resolves when more may come. @param bytes the relay's from now on. @returns false when nobody wants them any more */
  async deliver(bytes: Uint8Array): Promise<boolean> {
    while (this.#credit <= 0 && !this.#isStopped) {
      this.flush();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isStopped) return false;
    this.#credit -= bytes.byteLength;
    for (let at = 0; at < bytes.byteLength; at += gatheredBytes) this.#add(bytes.subarray(at, at + gatheredBytes));
    return true;
  }

  /** Posts what waits to be more. */
  flush(): void {
    if (this.#waitingBytes === 0 || this.#isStopped) return;
    const chunk = joined(this.#waiting, this.#waitingBytes);
    this.#underWay += chunk.byteLength;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#post(chunk);
  }

  stop(): void {
    this.#isStopped = true;
    this.#waiting = [];
    this.#wake?.();
  }

  #add(part: Uint8Array): void {
    if (this.#waitingBytes + part.byteLength > gatheredBytes) this.flush();
    this.#waiting.push(part);
    this.#waitingBytes += part.byteLength;
    if (this.#underWay <= 0) this.flush();
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const [first] = parts;
  if (parts.length === 1 && first!.byteLength === first!.buffer.byteLength) return first as Uint8Array<ArrayBuffer>;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
