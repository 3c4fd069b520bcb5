/** Which listener a SYN is for: one address goes before all addresses of the stack. */
import { sameAddress } from './address.ts';
import type { Flow } from './flow.ts';
import type { Listener } from './listener.ts';

export class ListenerTable {
  readonly #byPort = new Map<number, Listener[]>();

  /** @returns false when the address and port are taken. */
  add(listener: Listener): boolean {
    const { host, port } = listener;
    const others = this.#byPort.get(port) ?? [];
    if (others.some((other) => sameHost(other.host, host))) return false;
    this.#byPort.set(port, host === null ? [...others, listener] : [listener, ...others]);
    return true;
  }

  remove(listener: Listener): void {
    const others = (this.#byPort.get(listener.port) ?? []).filter((other) => other !== listener);
    if (others.length > 0) this.#byPort.set(listener.port, others);
    else this.#byPort.delete(listener.port);
  }

  find(flow: Flow): Listener | null {
    const candidates = this.#byPort.get(flow.localPort) ?? [];
    return candidates.find(({ host }) => host === null || sameAddress(host, flow.local)) ?? null;
  }

  hasPort(port: number): boolean {
    return this.#byPort.has(port);
  }

  all(): Listener[] {
    return [...this.#byPort.values()].flat();
  }
}

function sameHost(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : sameAddress(a, b);
}
