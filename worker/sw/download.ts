/**
 * The body of a response, arriving under credit: never more than twice the first credit waits for the page, and a body
 * that was cut ends in an error, never like a whole one, unless it {@link Download.mayBreakOff}.
 */
import { firstCreditBytes } from '../app-messages.ts';

export class Download {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #credit: (bytes: number) => void;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  /** What breaks off ends, and is no error (event-stream.ts). */
  mayBreakOff = false;
  /** How long it will be, as its head has it: nobody waits for the credit of the last byte. */
  expected: number | undefined;
  #uncredited = 0;
  #isOver = false;
  #length = 0;

  /** @param credit tells the sender how much the page has taken. @param cancel the page wants no more. */
  constructor(credit: (bytes: number) => void, cancel: () => void) {
    this.#credit = credit;
    this.stream = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        // Called when the page has taken enough: what was delivered may be sent again.
        pull: () => this.#grant(),
        cancel: () => {
          this.#isOver = true;
          cancel();
        },
      },
      { highWaterMark: firstCreditBytes, size: (chunk) => chunk?.byteLength ?? 0 },
    );
  }

  push(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#length += chunk.byteLength;
    this.#uncredited += chunk.byteLength;
    this.#controller.enqueue(chunk);
  }

  /** @param length of the whole, as its sender counted. */
  end(length: number): void {
    if (length !== this.#length) this.fail();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller.close();
  }

  fail(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.mayBreakOff) this.#controller.close();
    else this.#controller.error(new TypeError('network error'));
  }

  #grant(): void {
    if (this.#uncredited === 0 || this.#isOver || this.#length === this.expected) return;
    this.#credit(this.#uncredited);
    this.#uncredited = 0;
  }
}
