/** The page behind an enrolment link: one button makes a passkey, and the person is in. */
import { html, LitElement } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import '../design/frame.ts';
import { type EnrolmentLink, enrol, parseLink } from './enrolment.ts';

@customElement('lk-enrol')
export class EnrolPage extends LitElement {
  static override readonly styles = controls;

  @state() private link: EnrolmentLink | undefined;
  @state() private failure: Failure | undefined;
  @state() private busy = false;

  override connectedCallback(): void {
    super.connectedCallback();
    try {
      this.link = parseLink(location.hash);
      // The token is in memory now; it leaves the address bar, the history and every screenshot.
      history.replaceState(null, '', location.pathname);
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  override render() {
    return html`
      <lk-frame narrow>
        <div class="card">
          <h1>Set up this browser</h1>
          <p class="soft">
            You were invited to reach internal services from here. A passkey on this device will be your key: no
            password, nothing to install.
          </p>
          <lk-failure .failure=${this.failure}></lk-failure>
          <button ?disabled=${this.busy || this.link === undefined} @click=${this.create}>Create a passkey</button>
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
