/**
 * Packets on their way out. They wait until the work that made them is done, so that `output` may call back into the
 * stack at once: no connection is ever entered while another segment is being judged.
 */
export class Outbox {
  /** Packets handed to `output`, and those among them that it threw on. */
  sent = 0;
  failed = 0;
  readonly #output: (packet: Uint8Array) => void;
  #waiting: Uint8Array[] = [];
  #held = false;
  #emptying = false;

  constructor(output: (packet: Uint8Array) => void) {
    this.#output = output;
  }

  push(packet: Uint8Array): void {
    this.#waiting.push(packet);
  }

  /** From now on nothing leaves, until {@link release}. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.flush();
  }

  flush(): void {
    if (this.#held || this.#emptying) return;
    this.#emptying = true;
    // What `output` causes gathers anew, and leaves after what is already on its way.
    while (this.#waiting.length > 0) {
      const packets = this.#waiting;
      this.#waiting = [];
      for (const packet of packets) this.#put(packet);
    }
    this.#emptying = false;
  }

  #put(packet: Uint8Array): void {
    this.sent++;
    try {
      this.#output(packet);
    } catch {
      this.failed++;
    }
  }
}
