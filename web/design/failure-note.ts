/** Shows one failure. A live region, so that it is read out when it appears. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { controls } from './controls.ts';
import type { Failure } from './failure.ts';
import { alert } from './icons.ts';

@customElement('lk-failure')
export class FailureNote extends LitElement {
  static override readonly styles = [
    controls,
    css`
      [role='alert'] {
        background: var(--bad-paper);
        border: 1px solid var(--bad);
        border-radius: 8px;
        display: grid;
        gap: 0 0.65rem;
        grid-template-columns: auto 1fr;
        margin: 0.25rem 0 1.25rem;
        padding: 0.8rem 1rem;
      }
      .icon {
        color: var(--bad);
        margin-top: 0.15rem;
      }
      p {
        margin: 0;
      }
      .id {
        font-size: 0.875rem;
        grid-column: 2;
        margin-top: 0.35rem;
      }
    `,
  ];

  @property({ attribute: false }) failure: Failure | undefined;

  override render() {
    const { failure } = this;
    if (failure === undefined) return nothing;
    const id = failure.correlation ? html`<p class="id soft">Id <code>${failure.correlation}</code></p>` : nothing;
    return html`<div role="alert" data-code=${failure.code}>${alert}<p>${failure.message}</p>${id}</div>`;
  }
}
