/** The frame of every hub page: the name of the product, the page in one column, the note on what is protected. */
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { controls } from './controls.ts';
import { mark } from './icons.ts';

@customElement('lk-frame')
export class PageFrame extends LitElement {
  static override readonly styles = [
    controls,
    css`
      :host {
        display: grid;
        grid-template: auto 1fr auto / minmax(0, 1fr);
        margin: 0 auto;
        max-width: 64rem;
        min-height: 100dvh;
        padding: 0 clamp(1rem, 4vw, 1.75rem);
      }
      :host([narrow]) {
        max-width: 31rem;
      }
      header {
        align-items: center;
        display: flex;
        gap: 1rem;
        justify-content: space-between;
        min-height: 4.5rem;
        padding: 0.75rem 0;
      }
      .brand {
        align-items: center;
        border-radius: 6px;
        color: var(--ink);
        display: inline-flex;
        flex: none;
        font-size: 1.05rem;
        font-weight: 700;
        gap: 0.6rem;
        letter-spacing: -0.01em;
        text-decoration: none;
      }
      .brand .icon {
        --mark-hole: var(--on-accent);
        color: var(--accent);
        height: 1.75rem;
        width: 1.75rem;
      }
      main {
        min-width: 0;
        padding: 1rem 0 2.5rem;
      }
      :host([narrow]) main {
        align-self: center;
        padding-bottom: 10vh;
      }
      footer {
        border-top: 1px solid var(--line);
        color: var(--ink-soft);
        font-size: 0.875rem;
        padding: 1rem 0 1.5rem;
      }
    `,
  ];

  /** One narrow column in the middle, for a page with one question. */
  @property({ type: Boolean, reflect: true }) narrow = false;

  override render() {
    return html`
      <header>
        <a class="brand" href="/">${mark} Latchkey</a>
        <slot name="account"></slot>
      </header>
      <main><slot></slot></main>
      <footer>
        Traffic is encrypted from this browser to your organisation’s gateway, with keys made for each session. The
        gateway enforces the policy, so it sees what a service sends unless the service encrypts it itself.
        <slot name="about"></slot>
      </footer>
    `;
  }
}
