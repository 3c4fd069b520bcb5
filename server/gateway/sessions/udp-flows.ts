/** The UDP flows of all sessions, shared out: each takes a port of the stack's, and those are everybody's. */
import type { UdpFlow } from '../../wireguard/peer-binding.ts';
import { BridgeError } from '../bridge/tunnel-stream.ts';
import type { OpenUdp, UpstreamTarget } from '../bridge/upstream-pool.ts';
import { maxUdpFlowsPerDevice } from '../limits.ts';

export class UdpFlows {
  readonly #openUdp: OpenUdp;
  readonly #open = new Map<string, number>();

  constructor(openUdp: OpenUdp) {
    this.#openUdp = openUdp;
  }

  /**
   * A flow of this device, which may have so many in all its sessions together.
   * @throws BridgeError `too_many`; otherwise what the data plane throws.
   */
  open(device: string, target: UpstreamTarget): UdpFlow {
    const open = this.#open.get(device) ?? 0;
    if (open >= maxUdpFlowsPerDevice) throw new BridgeError('too_many');
    const flow = this.#openUdp(target);
    this.#open.set(device, open + 1);
    void flow.closed.then(() => this.#closed(device));
    return flow;
  }

  #closed(device: string): void {
    const left = this.#open.get(device)! - 1;
    if (left === 0) this.#open.delete(device);
    else this.#open.set(device, left);
  }
}
