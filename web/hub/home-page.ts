/** The hub: sign in, then one link for each service the person may open. */
import { html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import '../design/frame.ts';
import { ApiError, call, type ServiceInfo, type SessionInfo } from './api.ts';
import { type Device, loadDevice } from './device.ts';
import { answerLaunches } from './launch.ts';
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

@customElement('lk-home')
export class HomePage extends LitElement {
  static override readonly styles = controls;

  @state() private view: View = { at: 'loading' };
  @state() private failure: Failure | undefined;
  @state() private busy = false;
  /** `/launch?service=NAME`: a shell was opened by itself and sent the person here. */
  private readonly wanted =
    location.pathname === '/launch' ? new URLSearchParams(location.search).get('service') : null;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.attempt(() => this.load());
  }

  override render() {
    switch (this.view.at) {
      case 'loading':
        return html`<lk-frame narrow><lk-failure .failure=${this.failure}></lk-failure></lk-frame>`;
      case 'stranger':
        return this.card(
          'This browser is not set up yet',
          html`<p class="soft">Open the enrolment link your administrator gave you. It works once, in one browser.</p>`,
        );
      case 'signed-out':
        return this.card(
          `Welcome back, ${this.view.device.user.name}`,
          html`<p class="soft">Confirm with the passkey of this device.</p>
            <button ?disabled=${this.busy} @click=${this.enter}>Sign in</button>`,
        );
      case 'signed-in':
        return html`
          <lk-frame>
            <button slot="account" class="quiet" @click=${this.leave}>Sign out</button>
            <h1>Your services</h1>
            <p class="soft">Signed in as ${this.view.session.user.name}.</p>
            <lk-failure .failure=${this.failure}></lk-failure>
            <lk-services .services=${this.view.services} .highlight=${this.wanted}></lk-services>
          </lk-frame>
        `;
      default:
        return this.view satisfies never;
    }
  }

  private card(title: string, content: unknown) {
    return html`<lk-frame narrow>
      <div class="card">
        <h1>${title}</h1>
        <lk-failure .failure=${this.failure}></lk-failure>
        ${content ?? nothing}
      </div>
    </lk-frame>`;
  }

  private async load(): Promise<void> {
    const device = await loadDevice();
    if (device === undefined) {
      this.view = { at: 'stranger' };
      return;
    }
    const session = await currentSession();
    if (session === undefined) this.view = { at: 'signed-out', device };
    else await this.showServices(device, session);
  }

  private async showServices(device: Device, session: SessionInfo): Promise<void> {
    const { services, shell } = await call<{ services: ServiceInfo[]; shell: string }>('GET', '/api/services');
    answerLaunches(new URL(shell).origin);
    this.view = { at: 'signed-in', device, session, services };
    const { wanted } = this;
    if (wanted === null || services.some(({ name }) => name === wanted)) return;
    // The address of a service that is not in the list: whoever came by it is told why.
    await signedCall(device, '/api/launch/explain', { service: wanted });
  }

  private readonly enter = () =>
    this.attempt(async () => {
      if (this.view.at !== 'signed-out') return;
      const { device } = this.view;
      await this.showServices(device, await signIn(device));
    });

  private readonly leave = () =>
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
      this.busy = false;
    }
  }
}

async function currentSession(): Promise<SessionInfo | undefined> {
  try {
    return await call<SessionInfo>('GET', '/api/session');
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return undefined;
    throw error;
  }
}
