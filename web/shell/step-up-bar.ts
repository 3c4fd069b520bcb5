/**
 * Asks, between toolbar and app, for a touch of the passkey. The app stays where it is and its request waits. What it says
 * is read out when it appears; the focus stays where the person is, and Tab reaches the buttons before the app.
 *
 * @fires confirm when the person wants to, in their click
 * @fires dismiss when they do not, or have read a refusal
 */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { StepUpStage } from '../../worker/api.ts';
import { controls } from '../design/controls.ts';
import type { Failure } from '../design/failure.ts';
import '../design/failure-note.ts';
import { key } from '../design/icons.ts';

@customElement('lk-step-up-bar')
export class StepUpBar extends LitElement {
  static override readonly styles = [
    controls,
    css`
      section {
        align-items: center;
        background: var(--accent-paper);
        border-bottom: 1px solid var(--accent);
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 1rem;
        padding: 0.6rem 0.75rem;
      }
      p {
        flex: 1 1 16rem;
        margin: 0;
      }
      lk-failure {
        --note-margin: 0;
        flex: 1 1 100%;
      }
    `,
  ];

  @property({ attribute: false }) stage: StepUpStage | undefined;
  @property({ attribute: false }) failure: Failure | undefined;
  /** The service's title. */
  @property({ attribute: false }) service = '';

  override render() {
    // The region is there before its words are, or not every screen reader reads them.
    return html`<div role="alert" @keydown=${this.#onKey}>${this.stage === undefined ? nothing : this.#ask(this.stage)}</div>`;
  }

  #ask(stage: StepUpStage) {
    if (stage === 'refused')
      return html`<section aria-label="Confirmation">
        <p>It was not confirmed that it is you, so ${this.service} did not go on. Try again in the page.</p>
        <button class="quiet" @click=${() => this.#fire('dismiss')}>Close</button>
      </section>`;
    const isLapsed = stage === 'lapsed';
    return html`<section aria-label="Confirmation">
      <p>${isLapsed ? this.#lapsed() : this.#asked()}</p>
      <button @click=${() => this.#fire('confirm')}>
        ${key} ${isLapsed ? 'Sign in again' : 'Confirm with your passkey'}
      </button>
      <button class="quiet" @click=${() => this.#fire('dismiss')}>Not now</button>
      ${this.failure === undefined ? nothing : html`<lk-failure .failure=${this.failure}></lk-failure>`}
    </section>`;
  }

  #asked() {
    return html`<strong>${this.service}</strong> asks you to confirm that it is you.`;
  }

  #lapsed() {
    return html`Your sign-in has ended. <strong>${this.service}</strong> waits, and goes on where it was when you have
      signed in again.`;
  }

  readonly #onKey = ({ key: pressed }: KeyboardEvent): void => {
    if (pressed === 'Escape') this.#fire('dismiss');
  };

  #fire(name: 'confirm' | 'dismiss'): void {
    this.dispatchEvent(new Event(name));
  }
}
