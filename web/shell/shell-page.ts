/**
 * The shell: a toolbar, the app in a frame, and between them the Worker that holds the tunnel. The shell lends the app
 * its tunnel by ports and sees nothing of what flows.
 */
import { html, LitElement, nothing, render } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import {
  type LaunchedService,
  type PasswordStage,
  type StepUpStage,
  type Transfers,
  type TunnelCounts,
  TunnelFault,
  type TunnelStatus,
} from '../../worker/api.ts';
import type { LedMessage, PortNote } from '../../worker/app-messages.ts';
import { siblingOrigin } from '../../worker/origins.ts';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import { type Target, wanted } from './addresses.ts';
import { followAppPages } from './app-page.ts';
import type { sentences } from './ended-page.ts';
import { HelperFrame } from './helper-frame.ts';
import { hubOrigin } from './hub-origin.ts';
import { openHubWindow } from './hub-window.ts';
import { askOpener, launchPage, signOutByOpener, signOutPage, tellOfActivity } from './opener.ts';
import { followToOtherApps } from './other-apps.ts';
import './over-panel.ts';
import { LedAways } from './own-window.ts';
import './own-window-panel.ts';
import type { GivenPassword } from './password-bar.ts';
import './password-bar.ts';
import { refusal } from './refusal-text.ts';
import './shell-bar.ts';
import { shellStyles } from './shell-styles.ts';
import './step-up-bar.ts';
import { Tunnel } from './tunnel.ts';
import { keepApp, wipeApp } from './wipe.ts';

/**
 * What the app may do in the frame as in a tab. Nothing that a browser asks the person about is among it, but the clipboard:
 * it would ask for the shell's origin, and what one app was given all would have.
 */
const allowed = `accelerometer; autoplay; clipboard-read; clipboard-write; fullscreen; gamepad; gyroscope; keyboard-map;
  magnetometer; picture-in-picture; screen-wake-lock`;

@customElement('lk-shell')
export class ShellPage extends LitElement {
  static override readonly styles = [controls, shellStyles];

  @state() private status: TunnelStatus = { state: 'connecting', epoch: 0 };
  @state() private service: LaunchedService | undefined;
  @state() private failure: Failure | undefined;
  @state() private framed = false;
  /** Where the frame begins when it is another than the first, and the how manieth it is. */
  @state() private frameAt: { readonly frame: number; readonly path?: string } = { frame: 1 };
  /** Where its pages want a window of their own, they do not stay in a frame. */
  @state() private unframedAt: string | undefined;
  @state() private transfers: Transfers | undefined;
  @state() private stepUp: StepUpStage | undefined;
  @state() private stepUpFailure: Failure | undefined;
  @state() private password: PasswordStage | undefined;
  @state() private signedOut = false;
  /** At a kiosk, when it is over. */
  @state() private wiped: keyof typeof sentences | undefined;
  private wasOpen = false;

  readonly #target = wanted(location);
  readonly #tunnel = new Tunnel();
  readonly #ledAways = new LedAways();
  #hubWindow = new AbortController();
  #helper: HelperFrame | undefined;
  /** At a kiosk. */
  #letWipe: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#start();
  }

  /** Records sealed in Wasm and records sent: equal, or something went round the Wasm. */
  counts(): Promise<TunnelCounts> {
    return this.#tunnel.counts();
  }

  override render() {
    return html`<lk-shell-bar
        .status=${this.#shownStatus}
        .wasOpen=${this.wasOpen}
        .transfers=${this.#isOver ? undefined : this.transfers}
        .service=${this.service?.title ?? this.#target?.service ?? 'Latchkey'}
        .hub=${hubOrigin()}
        .app=${this.#isOver || !this.framed ? '' : (this.service?.app ?? '')}
        @reconnect=${this.#reconnect}
        @sign-out=${this.#signOut}
      ></lk-shell-bar>
      <lk-step-up-bar
        .stage=${this.#isOver ? undefined : this.stepUp}
        .failure=${this.stepUpFailure}
        .service=${this.service?.title ?? ''}
        @confirm=${this.confirmStepUp}
        @dismiss=${this.dismissStepUp}
      ></lk-step-up-bar>
      <lk-password-bar
        .stage=${this.#isOver ? undefined : this.password}
        .service=${this.service?.title ?? ''}
        @given=${this.#givePassword}
        @dismiss=${this.#declinePassword}
      ></lk-password-bar>
      <main class="stage"><slot></slot>${this.#over()}</main>`;
  }

  /** Of the document, not of the shadow tree: whose frames a window does not count, and the helper finds the app by counting. */
  override updated(): void {
    render(this.#frame(), this);
    void this.#wipeWhenOver();
  }

  /** At a kiosk nothing of the app outlives its tunnel: first its pages go, then what they kept. */
  async #wipeWhenOver(): Promise<void> {
    const { wipe, app } = this.service ?? {};
    if (!this.#isOver || wipe === undefined || app === undefined || this.wiped !== undefined) return;
    this.wiped = 'wiping';
    this.#helper?.element.remove();
    this.#letWipe?.();
    this.wiped = (await wipeApp(app, wipe, document.body)) ? 'done' : 'failed';
  }

  /** A launch that failed has no tunnel whose state could be told; to the person it is a refusal all the same. */
  get #shownStatus(): TunnelStatus {
    if (this.signedOut) return { state: 'closed', epoch: 0 };
    return this.failure === undefined ? this.status : { state: 'refused', epoch: 0 };
  }

  #frame() {
    if (this.service === undefined || !this.framed || this.unframedAt !== undefined) return nothing;
    if (this.#isOver && this.service.wipe !== undefined) return nothing;
    const frame = html`<iframe
      class="app"
      title=${this.service.title}
      referrerpolicy="origin"
      src=${this.service.app + (this.frameAt.path ?? this.#target?.path ?? '/')}
      allow=${allowed}
      ?inert=${this.#isOver}
    ></iframe>`;
    return keyed(this.frameAt.frame, frame);
  }

  get #isOver(): boolean {
    const { state: now } = this.status;
    return this.failure !== undefined || this.signedOut || now === 'refused' || now === 'closed';
  }

  /** What lies over the app, or stands where it will be. */
  #over() {
    if (this.failure !== undefined) return this.#panel('This service was not opened', this.failure, true);
    if (this.#isOver) {
      const code = this.signedOut ? 'signed_out' : (this.status.reason ?? 'refused');
      const { heading, sentence, again } = refusal(code);
      return this.#panel(heading, { code, message: sentence, correlation: this.status.correlation }, again);
    }
    if (this.unframedAt !== undefined) return this.#ownWindow(this.unframedAt);
    if (this.framed) return nothing;
    return html`<div class="over"><p class="waiting">Opening ${this.#target?.service ?? 'the service'}…</p></div>`;
  }

  #ownWindow(path: string) {
    const { title = '', app = '' } = this.service ?? {};
    return html`<lk-own-window .service=${title} .address=${app + path} @stay=${this.#stay}></lk-own-window>`;
  }

  #panel(heading: string, failure: Failure, again: boolean) {
    const hub =
      this.#target === undefined || this.signedOut
        ? `${hubOrigin()}/`
        : launchPage(hubOrigin(), this.#target.service, '/');
    return html`<lk-over
      .heading=${heading}
      .failure=${failure}
      .hub=${hub}
      .wiped=${this.wiped}
      ?again=${again && this.#target !== undefined}
      @again=${() => location.reload()}
    ></lk-over>`;
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
    // The helper registers the app's service worker while the hub and the control plane are still talking.
    const origin = siblingOrigin(location, service);
    // A port that cannot be served shows where it is waited for.
    const takePort = (port: MessagePort, note: PortNote) => void this.#tunnel.serve(port, note).catch(() => undefined);
    const workerGone = (lock: string) => void this.#tunnel.workerGone(lock).catch(() => undefined);
    const helper = new HelperFrame(origin, takePort, workerGone, this.#ledAway);
    this.#helper = helper;
    // Not of the shadow tree: pages of the app find it among the frames of this window, which counts no others.
    document.body.append(helper.element);
    await this.#watch();
    const launched = await this.#tunnel.launch(service, hub);
    document.title = launched.title;
    followAppPages({
      origin,
      fallback: launched.title,
      frame: () => this.#frameElement?.contentWindow,
      helper: () => helper.element.contentWindow,
    });
    // A kiosk's visit is wiped where it was: its tabs stay with their app.
    if (launched.wipe === undefined) followToOtherApps(origin, () => this.#frameElement?.contentWindow);
    this.service = launched;
    if (launched.wipe !== undefined) {
      this.#letWipe = keepApp(origin);
      tellOfActivity(hubOrigin());
    }
    await helper.ready;
    this.framed = true;
  }

  async #watch(): Promise<void> {
    const watched = [
      this.#tunnel.watch((status) => {
        this.wasOpen ||= status.state === 'open';
        this.status = status;
      }),
      this.#tunnel.watchStepUp((stage) => this.#stepUpChanged(stage)),
      this.#tunnel.watchPassword((stage) => this.#passwordChanged(stage)),
      this.#tunnel.watchTransfers((transfers) => {
        this.transfers = transfers;
      }),
    ];
    await Promise.all(watched);
    // A network that is back is no reason to wait for the end of a pause.
    window.addEventListener('online', () => {
      if (this.status.state === 'connecting') this.#tunnel.reconnect().catch(() => undefined);
    });
  }

  /** The frame goes where the tab was led to; a page that leads it away there again wants no frame. */
  readonly #ledAway = ({ path, toItself }: LedMessage): void => {
    const isThere = toItself === true || path === wanted(location)?.path;
    const clicked = navigator.userActivation.isActive;
    const next = this.#ledAways.next({ path, isThere, clicked, now: performance.now() });
    if (next === 'own-window') this.unframedAt = path;
    else if (next === 'anew') this.frameAt = { frame: this.frameAt.frame + 1, path };
    else this.#frameElement?.setAttribute('src', this.service?.app + path);
  };

  readonly #stay = (): void => {
    this.#ledAways.forget();
    this.unframedAt = undefined;
    this.frameAt = { frame: this.frameAt.frame + 1 };
  };

  get #frameElement(): HTMLIFrameElement | null {
    return this.querySelector<HTMLIFrameElement>('iframe.app');
  }

  readonly #reconnect = (): void => {
    if (this.#isOver) location.reload();
    else this.#tunnel.reconnect().catch(() => undefined);
  };

  /** The hub has the key that signs it. Where it is closed, its own page is where to go. */
  readonly #signOut = async (): Promise<void> => {
    const isDone = await signOutByOpener(hubOrigin());
    await this.#tunnel.end().catch(() => undefined);
    if (isDone) this.signedOut = true;
    else location.assign(signOutPage(hubOrigin()));
  };

  #stepUpChanged(stage: StepUpStage | undefined): void {
    const hadFocus = this.shadowRoot?.activeElement?.localName === 'lk-step-up-bar';
    this.#hubWindow.abort();
    [this.stepUp, this.stepUpFailure] = [stage, undefined];
    // The button that had the focus is gone; the person goes on in the app.
    if (stage === undefined && hadFocus) this.#backToApp();
  }

  #backToApp(): void {
    this.#frameElement?.focus();
  }

  #passwordChanged(stage: PasswordStage | undefined): void {
    const hadFocus = this.shadowRoot?.activeElement?.localName === 'lk-password-bar';
    this.password = stage;
    if (stage === undefined && hadFocus) this.#backToApp();
  }

  readonly #givePassword = ({ detail }: CustomEvent<GivenPassword>): void => {
    // A tunnel that has ended meanwhile says so itself.
    this.#tunnel.password(detail.user, detail.password).catch(() => undefined);
  };

  readonly #declinePassword = (): void => {
    this.#tunnel.declinePassword().catch(() => undefined);
  };

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
