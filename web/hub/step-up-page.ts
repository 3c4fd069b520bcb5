/**
 * The small window in which a service that asked for it gets a touch of the passkey. The person has said yes in the
 * shell, so the browser's prompt comes at once, and it names the hub. Browsers that give it only to a window that was
 * clicked in refuse, and then there is the button, as there is after a prompt that was cancelled.
 */
import { html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import '../design/frame.ts';
import { key } from '../design/icons.ts';
import { type StepUpAsked, stepUpAsked } from './step-up.ts';

/** A refusal that comes sooner is the browser's own. */
const unseenMs = 400;

@customElement('lk-step-up')
export class StepUpPage extends LitElement {
  static override readonly styles = [controls];

  @state() private asked: StepUpAsked | undefined;
  @state() private failure: Failure | undefined;
  @state() private busy = false;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = 'Confirm that it is you';
    stepUpAsked().then(
      async (asked) => {
        this.asked = asked;
        await this.#atOnce();
        await this.updateComplete;
        this.renderRoot.querySelector('button')?.focus();
      },
      (error: unknown) => {
        this.failure = failureOf(error);
      },
    );
  }

  override render() {
    return html`<lk-frame narrow>
      <div class="card">
        <h1>Confirm that it is you</h1>
        <lk-failure .failure=${this.failure}></lk-failure>
        ${this.asked === undefined ? nothing : this.#question(this.asked)}
      </div>
    </lk-frame>`;
  }

  #question({ service }: StepUpAsked) {
    return html`<p class="soft"><strong>${service}</strong> goes on when you have used your passkey once more.</p>
      <button class="wide" ?disabled=${this.busy} @click=${this.touch}>${key} Use your passkey</button>`;
  }

  async #atOnce(): Promise<void> {
    const began = performance.now();
    await this.touch();
    // Nobody cancels a prompt in so short a time: there was none, and nothing to tell.
    if (this.failure?.code === 'passkey_cancelled' && performance.now() - began < unseenMs) this.failure = undefined;
  }

  private readonly touch = async (): Promise<void> => {
    this.busy = true;
    this.failure = undefined;
    try {
      await this.asked?.answer();
      window.close();
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.busy = false;
    }
  };
}
