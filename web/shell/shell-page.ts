/**
 * The shell: a toolbar, the app in a frame, and between them the Worker that holds the tunnel. The shell lends the app
 * its tunnel by ports and sees nothing of what flows.
 */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import type { LaunchedService, TunnelCounts, TunnelStatus } from '../../worker/api.ts';
import { siblingOrigin } from '../../worker/origins.ts';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import { wanted } from './addresses.ts';
import { HelperFrame } from './helper-frame.ts';
import { hubOrigin } from './hub-origin.ts';
import { askOpener, goToHub } from './opener.ts';
import { refusalSentence, shortStatus } from './status-text.ts';
import { Tunnel } from './tunnel.ts';

@customElement('lk-shell')
export class ShellPage extends LitElement {
  static override readonly styles = [
    controls,
    css`
      :host {
        display: grid;
        grid-template-rows: auto 1fr;
        height: 100dvh;
      }
      .bar {
        align-items: center;
        background: var(--card);
        border-bottom: 1px solid var(--line);
        display: flex;
        font-size: 0.875rem;
        gap: 0.75rem;
        height: 40px;
        padding: 0 0.75rem;
      }
      .home {
        color: var(--accent);
        display: inline-flex;
        flex: none;
        padding: 0.25rem;
      }
      .home svg {
        height: 1.25rem;
        width: 1.25rem;
      }
      strong {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      [role='status'] {
        align-items: center;
        color: var(--ink-soft);
        display: inline-flex;
        flex: none;
        gap: 0.4rem;
        margin-left: auto;
      }
      .dot {
        background: var(--warn);
        border-radius: 50%;
        height: 0.55rem;
        width: 0.55rem;
      }
      [data-state='open'] .dot,
      [data-state='rekeying'] .dot {
        background: var(--good);
      }
      [data-state='refused'] .dot,
      [data-state='closed'] .dot {
        background: var(--bad);
      }
      iframe.app {
        background: #fff;
        border: 0;
        height: 100%;
        width: 100%;
      }
      .message {
        margin: 12vh auto 0;
        max-width: 34rem;
        padding: 0 1.25rem;
      }
    `,
  ];

  @state() private status: TunnelStatus = { state: 'connecting', epoch: 0 };
  @state() private service: LaunchedService | undefined;
  @state() private failure: Failure | undefined;
  @state() private framed = false;

  readonly #target = wanted();
  readonly #tunnel = new Tunnel();

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#start();
  }

  /** Records sealed in Wasm and records sent: equal, or something went round the Wasm. */
  counts(): Promise<TunnelCounts> {
    return this.#tunnel.counts();
  }

  override render() {
    const title = this.service?.title ?? this.#target?.service ?? 'Latchkey';
    return html`
      <header class="bar">
        <a class="home" href=${hubOrigin()} aria-label="Your services">${keyhole}</a>
        <strong>${title}</strong>
        <span
          role="status"
          data-state=${this.status.state}
          data-transport=${this.status.transport ?? nothing}
          data-epoch=${this.status.epoch}
          ><span class="dot" aria-hidden="true"></span>${shortStatus(this.status)}</span
        >
      </header>
      ${this.#content()}
    `;
  }

  #content() {
    const failure = this.#shownFailure();
    if (failure !== undefined)
      return html`<main class="message">
        <lk-failure .failure=${failure}></lk-failure>
        <a class="button" href=${`${hubOrigin()}/launch?service=${this.#target?.service ?? ''}`}>Go to the hub</a>
      </main>`;
    if (this.service === undefined || !this.framed) return html`<main class="message soft">Opening…</main>`;
    return html`<iframe
      class="app"
      title=${this.service.title}
      referrerpolicy="origin"
      src=${this.service.app + (this.#target?.path ?? '/')}
      allow="clipboard-read; clipboard-write; fullscreen"
    ></iframe>`;
  }

  #shownFailure(): Failure | undefined {
    if (this.failure !== undefined) return this.failure;
    if (this.status.state !== 'refused') return undefined;
    const { reason = 'refused', correlation } = this.status;
    return { code: reason, message: refusalSentence(reason), ...(correlation !== undefined && { correlation }) };
  }

  async #start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  async #open(): Promise<void> {
    if (this.#target === undefined) {
      this.failure = { code: 'address', message: 'This address names no service. Open one from the hub.' };
      return;
    }
    const { service } = this.#target;
    document.title = service;
    const hub = askOpener(hubOrigin(), service);
    if (hub === undefined) return goToHub(hubOrigin(), service);
    await this.#tunnel.watch((status) => {
      this.status = status;
    });
    // The helper registers the app's service worker while the hub and the control plane are still talking.
    const helper = new HelperFrame(siblingOrigin(location, service), (port, kind) => {
      // A port that cannot be served shows where it is waited for.
      this.#tunnel.serve(port, kind).catch(() => undefined);
    });
    this.renderRoot.append(helper.element);
    const launched = await this.#tunnel.launch(service, hub);
    document.title = launched.title;
    this.service = launched;
    await helper.ready;
    this.framed = true;
  }
}

const keyhole = html`<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
  <rect x="2.5" y="2.5" width="19" height="19" rx="6"></rect>
  <circle cx="12" cy="10" r="2.6" fill="currentColor" stroke="none"></circle>
  <path d="M12 11.5v5" stroke-linecap="round" stroke-width="2.6"></path>
</svg>`;
