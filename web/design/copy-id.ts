/** The id under which the log tells the cause of a failure, and a button that copies it. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { controls } from './controls.ts';
import { copy, done } from './icons.ts';

@customElement('lk-copy-id')
export class CopyId extends LitElement {
  static override readonly styles = [
    controls,
    css`
      :host {
        align-items: center;
        color: var(--ink-soft);
        display: flex;
        gap: 0.25rem 0.35rem;
        margin-top: 0.25rem;
      }
      button {
        min-height: 28px;
        padding: 0.25rem;
      }
      .icon {
        height: 1rem;
        width: 1rem;
      }
    `,
  ];

  /** What is copied; shown by the content of this element. */
  @property({ attribute: false }) correlation = '';
  @state() private outcome: 'copied' | 'refused' | undefined;

  override render() {
    return html`<slot></slot>
      <button class="quiet bare" aria-label="Copy the id" title="Copy the id" @click=${this.copy}>
        ${this.outcome === 'copied' ? done : copy}
      </button>
      <span aria-live="polite">${this.#words()}</span>`;
  }

  #words() {
    if (this.outcome === undefined) return nothing;
    return this.outcome === 'copied' ? 'Copied' : 'Select it to copy';
  }

  private readonly copy = async (): Promise<void> => {
    this.outcome = await navigator.clipboard.writeText(this.correlation).then(
      () => 'copied' as const,
      // A browser may keep the clipboard to itself.
      () => 'refused' as const,
    );
  };
}
