/** The page behind an enrolment link: one button makes a passkey, and the person is in. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import '../design/frame.ts';
import { key } from '../design/icons.ts';
import { type EnrolmentLink, enrol, parseLink } from './enrolment.ts';

/** After these another try with the same link cannot go better. */
const final: ReadonlySet<string> = new Set([
  'enrolment_malformed',
  'enrolment_unknown',
  'enrolment_used',
  'enrolment_expired',
]);

@customElement('lk-enrol')
export class EnrolPage extends LitElement {
  static override readonly styles = [
    controls,
    css`
      ol {
        color: var(--ink-soft);
        display: grid;
        gap: 0.4rem;
        margin: 0 0 1.5rem;
        padding-left: 1.25rem;
      }
    `,
  ];

  readonly #isRecovery = location.pathname === '/regain';
  readonly #title = this.#isRecovery ? 'Recover your access' : 'Set up this browser';
  @state() private link: EnrolmentLink | undefined;
  @state() private failure: Failure | undefined;
  @state() private busy = false;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = `${this.#title} · Latchkey`;
    try {
      this.link = parseLink(location.hash);
      // The token is in memory now; it leaves the address bar, the history and every screenshot.
      history.replaceState(null, '', location.pathname);
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  override render() {
    const isOver = this.failure !== undefined && final.has(this.failure.code);
    return html`
      <lk-frame narrow>
        <div class="card">
          <h1>${this.#title}</h1>
          ${isOver ? nothing : this.#isRecovery ? recovery : invitation}
          <lk-failure .failure=${this.failure}></lk-failure>
          ${
            isOver
              ? html`<a class="button quiet" href="/">Go to the hub</a>`
              : html`<button class="wide" ?disabled=${this.busy} @click=${this.create}>${key} Create a passkey</button>`
          }
        </div>
      </lk-frame>
    `;
  }

  private async create(): Promise<void> {
    if (this.link === undefined) return;
    this.busy = true;
    this.failure = undefined;
    try {
      await enrol(this.link);
      location.assign('/');
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.busy = false;
    }
  }
}

const recovery = html`<p>This link is for whoever lost all their devices. When you use it:</p>
  <ol>
    <li>You make a new passkey on this device, with its fingerprint, face or PIN.</li>
    <li>Every device and passkey you had is taken out, and all they have open is closed.</li>
    <li>Accounts at sign-in providers have to be connected again.</li>
  </ol>`;

const invitation = html`<p>You were invited to reach internal services from this browser. Nothing is installed.</p>
  <ol>
    <li>Make a passkey on this device, with its fingerprint, face or PIN.</li>
    <li>It is your key from now on: there is no password.</li>
    <li>Open your services from the hub.</li>
  </ol>`;
