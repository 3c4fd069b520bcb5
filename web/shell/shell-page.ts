/**
 * The shell: a toolbar, the app in a frame, and between them the Worker that holds the tunnel. The shell lends the app
 * its tunnel by ports and sees nothing of what flows.
 */
import { html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import {
  type LaunchedService,
  type StepUpStage,
  type TunnelCounts,
  TunnelFault,
  type TunnelStatus,
} from '../../worker/api.ts';
import { siblingOrigin } from '../../worker/origins.ts';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import { lock, mark, renew, stop } from '../design/icons.ts';
import { type Target, wanted } from './addresses.ts';
import { HelperFrame } from './helper-frame.ts';
import { hubOrigin } from './hub-origin.ts';
import { openHubWindow } from './hub-window.ts';
import { askOpener, launchPage } from './opener.ts';
import { shellStyles } from './shell-styles.ts';
import { refusal, statusWords } from './status-text.ts';
import './step-up-bar.ts';
import { Tunnel } from './tunnel.ts';

const icons = { connecting: renew, open: lock, rekeying: lock, closed: stop, refused: stop } as const;

@customElement('lk-shell')
export class ShellPage extends LitElement {
  static override readonly styles = [controls, shellStyles];

  @state() private status: TunnelStatus = { state: 'connecting', epoch: 0 };
  @state() private service: LaunchedService | undefined;
  @state() private failure: Failure | undefined;
  @state() private framed = false;
  @state() private stepUp: StepUpStage | undefined;
  @state() private stepUpFailure: Failure | undefined;
  private wasOpen = false;

  readonly #target = wanted(location);
  readonly #tunnel = new Tunnel();
  #hubWindow = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#start();
  }

  /** Records sealed in Wasm and records sent: equal, or something went round the Wasm. */
  counts(): Promise<TunnelCounts> {
    return this.#tunnel.counts();
  }

  override render() {
    return html`${this.#bar()}
      <lk-step-up-bar
        .stage=${this.#isOver ? undefined : this.stepUp}
        .failure=${this.stepUpFailure}
        .service=${this.service?.title ?? ''}
        @confirm=${this.confirmStepUp}
        @dismiss=${this.dismissStepUp}
      ></lk-step-up-bar>
      <div class="stage">${this.#frame()}${this.#over()}</div>`;
  }

  #bar() {
    const title = this.service?.title ?? this.#target?.service ?? 'Latchkey';
    // A launch that failed has no tunnel whose state could be told; to the person it is a refusal all the same.
    const status: TunnelStatus = this.failure === undefined ? this.status : { state: 'refused', epoch: 0 };
    const { words, transport, more } = statusWords(status, this.wasOpen);
    return html`<header class="bar">
      <a class="home" href=${hubOrigin()} target="_blank" aria-label="Your services" title="Your services">${mark}</a>
      <span class="title">${title}</span>
      <span
        role="status"
        title=${more}
        data-state=${status.state}
        data-transport=${status.transport ?? nothing}
        data-epoch=${status.epoch}
        >${icons[status.state]}<span>${words}</span
        >${transport === '' ? nothing : html`<span class="transport"> · ${transport}</span>`}</span
      >
      ${status.state === 'connecting' ? html`<span class="progress" aria-hidden="true"></span>` : nothing}
    </header>`;
  }

  #frame() {
    if (this.service === undefined || !this.framed) return nothing;
    return html`<iframe
      class="app"
      title=${this.service.title}
      referrerpolicy="origin"
      src=${this.service.app + (this.#target?.path ?? '/')}
      allow="clipboard-read; clipboard-write; fullscreen"
      ?inert=${this.#isOver}
    ></iframe>`;
  }

  get #isOver(): boolean {
    return this.failure !== undefined || this.status.state === 'refused' || this.status.state === 'closed';
  }

  /** What lies over the app, or stands where it will be. */
  #over() {
    if (this.failure !== undefined) return this.#panel('This service was not opened', this.failure);
    if (this.#isOver) {
      const { reason = 'refused', correlation } = this.status;
      const { heading, sentence } = refusal(reason);
      return this.#panel(heading, { code: reason, message: sentence, correlation });
    }
    if (this.framed) return nothing;
    return html`<main class="over"><p class="waiting">Opening ${this.#target?.service ?? 'the service'}…</p></main>`;
  }

  #panel(heading: string, failure: Failure) {
    const hub = this.#target === undefined ? hubOrigin() : launchPage(hubOrigin(), this.#target.service, '/');
    return html`<main class="over">
      <div class="card panel">
        <h1>${heading}</h1>
        <lk-failure .failure=${failure}></lk-failure>
        <div class="actions"><a class="button" href=${hub}>Go to the hub</a></div>
      </div>
    </main>`;
  }

  async #start(): Promise<void> {
    try {
      if (this.#target === undefined)
        throw new TunnelFault('address', 'This address names no service. Open one from the hub.');
      await this.#open(this.#target);
    } catch (error) {
      // A hub that was closed or signed out: its launch page signs in and opens the service again.
      if (error instanceof TunnelFault && error.code === 'hub_silent') this.#leaveForHub();
      else this.failure = failureOf(error);
    }
  }

  async #open({ service }: Target): Promise<void> {
    document.title = service;
    const hub = askOpener(hubOrigin(), service);
    if (hub === undefined) return this.#leaveForHub();
    await this.#tunnel.watch((status) => {
      this.wasOpen ||= status.state === 'open';
      this.status = status;
    });
    await this.#tunnel.watchStepUp((stage) => this.#stepUpChanged(stage));
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

  #stepUpChanged(stage: StepUpStage | undefined): void {
    const hadFocus = this.shadowRoot?.activeElement?.localName === 'lk-step-up-bar';
    this.#hubWindow.abort();
    [this.stepUp, this.stepUpFailure] = [stage, undefined];
    // The button that had the focus is gone; the person goes on in the app.
    if (stage === undefined && hadFocus) this.renderRoot.querySelector<HTMLElement>('iframe.app')?.focus();
  }

  private readonly confirmStepUp = async (): Promise<void> => {
    this.#hubWindow.abort();
    this.#hubWindow = new AbortController();
    this.stepUpFailure = undefined;
    if (this.service === undefined) return;
    const page = `${hubOrigin()}/${this.stepUp === 'lapsed' ? 'again' : 'step-up'}`;
    try {
      const port = await openHubWindow(page, this.service, this.#hubWindow.signal);
      await this.#tunnel.stepUp(port);
    } catch (error) {
      this.stepUpFailure = failureOf(error);
    }
  };

  private readonly dismissStepUp = (): void => {
    this.#stepUpChanged(undefined);
    this.#tunnel.declineStepUp().catch(() => undefined);
  };

  /** In place of this page, so that "back" leads out and not in again. */
  #leaveForHub(): void {
    if (this.#target !== undefined) location.replace(launchPage(hubOrigin(), this.#target.service, this.#target.path));
  }
}
