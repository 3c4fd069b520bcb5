/** Shows one failure: what it is, whom to ask, and an id to quote. A live region, so that it is read out when it appears. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import './contact.ts';
import { controls } from './controls.ts';
import './copy-id.ts';
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
        border-radius: var(--radius-small);
        display: grid;
        gap: 0 0.65rem;
        grid-template-columns: auto minmax(0, 1fr);
        margin: var(--note-margin, 0.25rem 0 1.25rem);
        padding: 0.8rem 1rem;
      }
      .icon {
        color: var(--bad);
        margin-top: 0.15rem;
      }
      p {
        margin: 0;
      }
      lk-contact,
      lk-copy-id {
        font-size: 0.875rem;
        grid-column: 2;
        overflow-wrap: anywhere;
      }
      lk-copy-id code {
        user-select: all;
      }
    `,
  ];

  @property({ attribute: false }) failure: Failure | undefined;

  override render() {
    const { failure } = this;
    if (failure === undefined) return nothing;
    const id = failure.correlation
      ? html`<lk-copy-id .correlation=${failure.correlation}><span>Id <code>${failure.correlation}</code></span></lk-copy-id>`
      : nothing;
    return html`<div role="alert" data-code=${failure.code}>
      ${alert}
      <p>${failure.message}</p>
      <lk-contact></lk-contact>
      ${id}
    </div>`;
  }
}
