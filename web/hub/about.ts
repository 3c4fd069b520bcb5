/** What a person can compare to know whose installation this is: the fingerprint of its root keys. */
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { hex } from '../../protocol/bytes.ts';
import { controls } from '../design/controls.ts';

@customElement('lk-about')
export class About extends LitElement {
  static override readonly styles = [
    controls,
    css`
      summary {
        border-radius: 4px;
        cursor: pointer;
        margin-top: 0.5rem;
        width: max-content;
      }
      p {
        margin: 0.5rem 0 0;
      }
    `,
  ];

  /** SHA-256 of the install pins that this browser keeps since its enrolment. */
  @property({ attribute: false }) pins!: Uint8Array;

  override render() {
    const groups = hex(this.pins).match(/.{4}/g) ?? [];
    return html`<details>
      <summary>About this installation</summary>
      <p>
        Fingerprint of its root keys, kept since this browser was enrolled. It is the same that
        <code>latchkey pins</code> shows your administrator:
      </p>
      <p><code>${groups.join(' ')}</code></p>
    </details>`;
  }
}
