/** The shell's handle on the Worker that holds the tunnel. Nothing of keys or plaintext passes this line. */
import { proxy, type Remote, transfer, transferHandlers, wrap } from 'comlink';
import {
  faultHandler,
  type LaunchedService,
  type PasswordStage,
  type StepUpStage,
  type Transfers,
  type TunnelApi,
  type TunnelCounts,
  type TunnelStatus,
} from '../../worker/api.ts';
import type { PortNote } from '../../worker/app-messages.ts';
import tunnelWorker from '../../worker/tunnel.worker.ts?worker&url';
import { trustedScript } from '../design/trusted-script.ts';

transferHandlers.set('throw', faultHandler as never);

export class Tunnel {
  readonly #remote: Remote<TunnelApi>;

  constructor() {
    const worker = new Worker(trustedScript(tunnelWorker), { type: 'module', name: 'latchkey-tunnel' });
    this.#remote = wrap<TunnelApi>(worker);
  }

  watch(callback: (status: TunnelStatus) => void): Promise<void> {
    return this.#remote.watch(proxy(callback));
  }

  /** @throws TunnelFault */
  launch(service: string, hub: MessagePort): Promise<LaunchedService> {
    return this.#remote.launch(service, transfer(hub, [hub]));
  }

  serve(port: MessagePort, note: PortNote): Promise<void> {
    return this.#remote.serve(transfer(port, [port]), note);
  }

  workerGone(lock: string): Promise<void> {
    return this.#remote.workerGone(lock);
  }

  watchStepUp(callback: (stage: StepUpStage | undefined) => void): Promise<void> {
    return this.#remote.watchStepUp(proxy(callback));
  }

  watchPassword(callback: (stage: PasswordStage | undefined) => void): Promise<void> {
    return this.#remote.watchPassword(proxy(callback));
  }

  /** @throws TunnelFault */
  password(user: string, password: string): Promise<void> {
    return this.#remote.password(user, password);
  }

  declinePassword(): Promise<void> {
    return this.#remote.declinePassword();
  }

  watchTransfers(callback: (transfers: Transfers) => void): Promise<void> {
    return this.#remote.watchTransfers(proxy(callback));
  }

  reconnect(): Promise<void> {
    return this.#remote.reconnect();
  }

  stepUp(hub: MessagePort): Promise<void> {
    return this.#remote.stepUp(transfer(hub, [hub]));
  }

  declineStepUp(): Promise<void> {
    return this.#remote.declineStepUp();
  }

  counts(): Promise<TunnelCounts> {
    return this.#remote.counts();
  }

  end(): Promise<void> {
    return this.#remote.end();
  }
}
