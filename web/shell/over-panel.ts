/**
 * What lies over the app when it cannot be shown: what and why, whom to ask, and a way on. It takes the focus when it
 * comes, since what had it cannot be reached any more.
 *
 * @fires again when the person wants to try once more
 */
import { html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import type { Failure } from '../design/failure.ts';
import '../design/failure-note.ts';
import { sentences } from './ended-page.ts';
import { panelStyles } from './panel-styles.ts';

/** No failure: the person wanted it. */
const calm: ReadonlySet<string> = new Set(['signed_out', 'done']);

@customElement('lk-over')
export class OverPanel extends LitElement {
  static override readonly styles = [controls, panelStyles];

  @property({ attribute: false }) heading = '';
  @property({ attribute: false }) failure!: Failure;
  /** Where the hub is. */
  @property({ attribute: false }) hub = '';
  @property({ type: Boolean }) again = false;
  /** At a kiosk: what became of what the app kept here. */
  @property({ attribute: false }) wiped: keyof typeof sentences | undefined;

  override firstUpdated(): void {
    this.renderRoot.querySelector('h1')?.focus();
  }

  override render() {
    return html`<div class="card">
      <h1 tabindex="-1">${this.heading}</h1>
      ${
        calm.has(this.failure.code)
          ? html`<p>${this.failure.message}</p>`
          : html`<lk-failure .failure=${this.failure}></lk-failure>`
      }
      ${
        this.wiped === undefined
          ? nothing
          : html`<p class="soft" role="status" data-wiped=${this.wiped}>${sentences[this.wiped]}</p>`
      }
      <div class="actions">
        ${
          this.again ? html`<button @click=${() => this.dispatchEvent(new Event('again'))}>Try again</button>` : nothing
        }
        <a class=${this.again ? 'button quiet' : 'button'} href=${this.hub}>Go to the hub</a>
      </div>
    </div>`;
  }
}
