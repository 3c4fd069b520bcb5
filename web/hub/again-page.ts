/**
 * The small window in which a person whose sign-in has ended signs in again, for a service that waits in its shell. It
 * endorses the shell's session key as any launch does; the shell sees the port and nothing of what crosses it.
 */
import { html, LitElement } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import type { HubToTunnel } from '../../worker/api.ts';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import '../design/frame.ts';
import { key } from '../design/icons.ts';
import { ApiError } from './api.ts';
import { loadDevice } from './device.ts';
import { launch } from './launch.ts';
import { signIn } from './sign-in.ts';
import { askedByShell } from './step-up.ts';

@customElement('lk-again')
export class AgainPage extends LitElement {
  static override readonly styles = [controls];

  @state() private failure: Failure | undefined;
  @state() private busy = false;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = 'Sign in again';
    void this.updateComplete.then(() => this.renderRoot.querySelector('button')?.focus());
  }

  override render() {
    return html`<lk-frame narrow>
      <div class="card">
        <h1>Sign in again</h1>
        <lk-failure .failure=${this.failure}></lk-failure>
        <p class="soft">Your sign-in has ended. What you had open goes on when you have used your passkey.</p>
        <button class="wide" ?disabled=${this.busy} @click=${this.enter}>${key} Use your passkey</button>
      </div>
    </lk-frame>`;
  }

  private readonly enter = async (): Promise<void> => {
    this.busy = true;
    this.failure = undefined;
    try {
      await enter();
      window.close();
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.busy = false;
    }
  };
}

/** The shell's origin is told to who is signed in, so it is heard afterwards. @throws ApiError */
async function enter(): Promise<void> {
  const device = await loadDevice();
  if (device === undefined)
    throw new ApiError('device_unknown', 'This browser is not enrolled. Open your enrolment link.', 0);
  await signIn(device);
  const { name, port } = await askedByShell();
  port.postMessage({ t: 'signed-in' } satisfies HubToTunnel);
  await launch(name, port);
}
