/** Shows one failure. A live region, so that it is read out when it appears. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { controls } from './controls.ts';
import type { Failure } from './failure.ts';

@customElement('lk-failure')
export class FailureNote extends LitElement {
  static override readonly styles = [
    controls,
    css`
      div {
        background: var(--bad-paper);
        border: 1px solid var(--bad);
        border-radius: 8px;
        margin: 0 0 1rem;
        padding: 0.75rem 1rem;
      }
      p {
        margin: 0;
      }
      .id {
        font-size: 0.85rem;
        margin-top: 0.35rem;
      }
    `,
  ];

  @property({ attribute: false }) failure: Failure | undefined;

  override render() {
    const { failure } = this;
    if (failure === undefined) return nothing;
    const id = failure.correlation ? html`<p class="id soft">Id <code>${failure.correlation}</code></p>` : nothing;
    return html`<div role="alert" data-code=${failure.code}><p>${failure.message}</p>${id}</div>`;
  }
}
