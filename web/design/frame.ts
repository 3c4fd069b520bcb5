/** The frame of every hub page: the name of the product, the page in one column, the note on what is protected. */
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { controls } from './controls.ts';

@customElement('lk-frame')
export class PageFrame extends LitElement {
  static override readonly styles = [
    controls,
    css`
      :host {
        display: grid;
        grid-template-rows: auto 1fr auto;
        margin: 0 auto;
        max-width: 62rem;
        min-height: 100dvh;
        padding: 0 1.25rem;
      }
      :host([narrow]) {
        max-width: 32rem;
      }
      header {
        align-items: center;
        display: flex;
        gap: 0.6rem;
        justify-content: space-between;
        padding: 1.25rem 0;
      }
      .brand {
        align-items: center;
        color: var(--ink);
        display: inline-flex;
        font-weight: 700;
        gap: 0.55rem;
        letter-spacing: -0.01em;
        text-decoration: none;
      }
      svg {
        color: var(--accent);
        height: 1.6rem;
        width: 1.6rem;
      }
      main {
        padding: 1rem 0 2rem;
      }
      :host([narrow]) main {
        align-self: center;
        padding-bottom: 12vh;
      }
      footer {
        border-top: 1px solid var(--line);
        color: var(--ink-soft);
        font-size: 0.85rem;
        padding: 1rem 0 1.5rem;
      }
    `,
  ];

  /** One narrow column in the middle, for a page with one question. */
  @property({ type: Boolean, reflect: true }) narrow = false;

  override render() {
    return html`
      <header>
        <a class="brand" href="/">${keyhole} Latchkey</a>
        <slot name="account"></slot>
      </header>
      <main><slot></slot></main>
      <footer>
        Traffic is encrypted from this browser to your organisation's gateway, with keys made for each session. The
        gateway enforces the policy and therefore sees what a service sends unless the service encrypts it itself.
      </footer>
    `;
  }
}

const keyhole = html`<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">
  <rect x="2.5" y="2.5" width="19" height="19" rx="6"></rect>
  <circle cx="12" cy="10" r="2.6" fill="currentColor" stroke="none"></circle>
  <path d="M12 11.5v5" stroke-linecap="round" stroke-width="2.6"></path>
</svg>`;
