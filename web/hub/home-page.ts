/** The hub: sign in, then one link for each service the person may open. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import '../design/frame.ts';
import { key } from '../design/icons.ts';
import './about.ts';
import './device-list.ts';
import { wishOf } from './addresses.ts';
import { ApiError, call, type ServiceInfo, type SessionInfo } from './api.ts';
import { type Device, loadDevice } from './device.ts';
import { answerShells } from './launch.ts';
import './launch-panel.ts';
import { finishAtHub, leaveForProvider, loadProviders, type Provider, takeAnswer } from './provider.ts';
import './service-list.ts';
import { signIn } from './sign-in.ts';
import { signedCall } from './signed-call.ts';

type View =
  | { readonly at: 'loading' }
  | { readonly at: 'stranger' }
  | { readonly at: 'signed-out'; readonly device: Device }
  | {
      readonly at: 'signed-in';
      readonly device: Device;
      readonly session: SessionInfo;
      readonly services: readonly ServiceInfo[];
    };
type SignedIn = Extract<View, { at: 'signed-in' }>;

@customElement('lk-home')
export class HomePage extends LitElement {
  static override readonly styles = [
    controls,
    css`
      .account {
        align-items: center;
        display: flex;
        gap: 0.9rem;
        min-width: 0;
      }
      .account span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem;
      }
      .notice {
        border-color: var(--accent);
        margin: 0 0 1.25rem;
        padding: 0.8rem 1rem;
      }
      .head {
        margin: 0 0 1.25rem;
      }
      .head h1 {
        margin: 0;
      }
      .head p {
        margin: 0.15rem 0 0;
      }
    `,
  ];

  @state() private view: View = { at: 'loading' };
  @state() private failure: Failure | undefined;
  @state() private busy = false;
  readonly #wish = wishOf(location);
  /** A shell whose hub was closed sent the person here to sign out; a link can do that too, so it is asked. */
  readonly #isLeaving = location.pathname === '/sign-out';
  #isExplained = false;
  /** What a provider sent this tab back with. */
  #answer = takeAnswer();
  @state() private providers: readonly Provider[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.#refresh);
    void this.attempt(this.#load);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.#refresh);
  }

  override render() {
    switch (this.view.at) {
      case 'loading':
        return this.#loading();
      case 'stranger':
        return this.#card(
          'This browser is not set up yet',
          html`<p class="soft">Open the enrolment link your administrator gave you. It works once, in one browser.</p>`,
        );
      case 'signed-out':
        return this.#signedOut(this.view.device);
      case 'signed-in':
        return this.#signedIn(this.view);
      default:
        return this.view satisfies never;
    }
  }

  #loading() {
    if (this.failure === undefined) return html`<lk-frame narrow></lk-frame>`;
    return html`<lk-frame narrow>
      <h1>Your services are not there yet</h1>
      <lk-failure .failure=${this.failure}></lk-failure>
      <button ?disabled=${this.busy} @click=${() => this.attempt(this.#load)}>Try again</button>
    </lk-frame>`;
  }

  #signedOut(device: Device) {
    const why = this.#wish === undefined ? nothing : html` You can then open <strong>${this.#wish.service}</strong>.`;
    return this.#card(
      `Welcome back, ${device.user.name}`,
      html`<p class="soft">Confirm that it is you with the passkey of this device.${why}</p>
        <button class="wide" ?disabled=${this.busy} @click=${this.#enter}>${key} Sign in</button>
        ${this.#providerButtons(device, 'Sign in with', 'wide quiet')}`,
    );
  }

  #providerButtons(device: Device, what: string, look: string) {
    return this.providers.map((provider) => {
      const leave = () => this.attempt(() => leaveForProvider(device, provider));
      return html`<button class=${look} ?disabled=${this.busy} @click=${leave}>${what} ${provider.name}</button>`;
    });
  }

  #leaving({ session }: SignedIn) {
    return this.#card(
      'Sign out?',
      html`<p class="soft">
          Everything that ${session.user.name} has open from this browser is closed, in every tab.
        </p>
        <div class="actions">
          <button ?disabled=${this.busy} @click=${this.#leave}>Sign out</button>
          <a class="button quiet" href="/">Your services</a>
        </div>`,
    );
  }

  #signedIn(view: SignedIn) {
    if (this.#isLeaving) return this.#leaving(view);
    const { device, session, services } = view;
    return html`<lk-frame>
      <div slot="account" class="account">
        <span class="soft">${session.user.name}</span>
        ${session.roles.length > 0 ? html`<a href="/admin">Administration</a>` : nothing}
        <button class="quiet" ?disabled=${this.busy} @click=${this.#leave}>Sign out</button>
      </div>
      <lk-failure .failure=${this.failure}></lk-failure>
      ${recoveryNote(session)} ${this.#wished(services)}
      <div class="head">
        <h1 tabindex="-1">Your services</h1>
        <p class="soft">You are signed in until ${timeOfDay(session.leaseEnds)}.</p>
      </div>
      <lk-services .services=${services}></lk-services>
      <p class="actions">${this.#providerButtons(device, 'Connect', 'quiet')}</p>
      <lk-devices slot="about" .device=${device} .own=${session.device.id}></lk-devices>
      <lk-about slot="about" .pins=${device.pins}></lk-about>
    </lk-frame>`;
  }

  /** What the person came for, when a shell sent them. */
  #wished(services: readonly ServiceInfo[]) {
    const wish = this.#wish;
    if (wish === undefined) return nothing;
    const service = services.find(({ name }) => name === wish.service);
    return service === undefined ? nothing : html`<lk-launch .service=${service} .path=${wish.path}></lk-launch>`;
  }

  #card(title: string, content: TemplateResult) {
    return html`<lk-frame narrow>
      <div class="card">
        <h1 tabindex="-1">${title}</h1>
        <lk-failure .failure=${this.failure}></lk-failure>
        ${content}
      </div>
    </lk-frame>`;
  }

  #refused: Failure | undefined;

  readonly #load = async (): Promise<void> => {
    const device = await loadDevice();
    if (device === undefined) {
      this.view = { at: 'stranger' };
      return;
    }
    this.providers = await loadProviders();
    await this.#comeBack(device);
    const session = await currentSession();
    if (session === undefined) this.view = { at: 'signed-out', device };
    else await this.#showServices(device, session);
  };

  /** From the provider's page; where that was refused, the page says so and is what it would be without. */
  async #comeBack(device: Device): Promise<void> {
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#answer = undefined;
    try {
      await finishAtHub(device, answer);
    } catch (error) {
      this.#refused = failureOf(error);
    }
  }

  async #showServices(device: Device, session: SessionInfo): Promise<void> {
    const { services, shell } = await call<{ services: ServiceInfo[]; shell: string }>('GET', '/api/services');
    answerShells(new URL(shell).origin, async () => {
      await signedCall(device, '/api/logout', {});
      this.view = { at: 'signed-out', device };
    });
    this.view = { at: 'signed-in', device, session, services };
    const wish = this.#wish;
    if (wish === undefined || this.#isExplained || services.some(({ name }) => name === wish.service)) return;
    // The address of a service that is not in the list: whoever came by it is told why, once.
    this.#isExplained = true;
    await signedCall(device, '/api/launch/explain', { service: wish.service });
  }

  /** Somebody comes back to this tab: services may have come and gone, and the sign-in may have ended. */
  readonly #refresh = (): void => {
    if (document.visibilityState !== 'visible' || this.view.at !== 'signed-in' || this.busy) return;
    // A hub that is away now is no news; the next click says so.
    this.#load().catch(() => undefined);
  };

  readonly #enter = () =>
    this.attempt(async () => {
      if (this.view.at !== 'signed-out') return;
      const { device } = this.view;
      await this.#showServices(device, await signIn(device));
      await this.updateComplete;
      // The button that had the focus is gone; a screen reader goes on from here.
      this.renderRoot.querySelector('h1')?.focus();
    });

  readonly #leave = () =>
    this.attempt(async () => {
      if (this.view.at !== 'signed-in') return;
      await signedCall(this.view.device, '/api/logout', {});
      location.assign('/');
    });

  private async attempt(run: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.failure = undefined;
    try {
      await run();
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.failure ??= this.#refused;
      this.#refused = undefined;
      this.busy = false;
    }
  }
}

/** Whoever did not ask for it learns of it here. */
function recoveryNote({ recovered }: SessionInfo) {
  if (recovered === undefined) return nothing;
  const { at, devices } = recovered;
  const when = new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
  return html`<p class="card notice" role="note">
    Your access was recovered by an administrator’s link on ${when}.
    ${devices === 1 ? 'The device you had before is out.' : `The ${devices} devices you had before are out.`} If that was not
    you, tell your administrator at once.
  </p>`;
}

/** As the person's own clock and language have it; with the day when it is another one. */
function timeOfDay(ms: number): string {
  const end = new Date(ms);
  const isToday = end.toDateString() === new Date().toDateString();
  return end.toLocaleString([], { ...(!isToday && { weekday: 'long' }), hour: '2-digit', minute: '2-digit' });
}

async function currentSession(): Promise<SessionInfo | undefined> {
  try {
    return await call<SessionInfo>('GET', '/api/session');
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return undefined;
    throw error;
  }
}
