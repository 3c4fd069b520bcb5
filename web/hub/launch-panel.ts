/**
 * One service, one button: for people whom a shell without a hub sent here (a bookmark, a closed tab). A window can be
 * opened by a click alone, so the click is all that is asked.
 */
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { open } from '../design/icons.ts';
import { shellAddress } from './addresses.ts';
import type { ServiceInfo } from './api.ts';

@customElement('lk-launch')
export class LaunchPanel extends LitElement {
  static override readonly styles = [
    controls,
    css`
      section {
        align-items: center;
        background: var(--accent-paper);
        border: 1px solid var(--accent);
        border-radius: var(--radius);
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem 1.5rem;
        justify-content: space-between;
        margin: 0 0 2rem;
        padding: 1.1rem 1.25rem;
      }
      p {
        flex: 1 1 16rem;
        margin: 0;
      }
    `,
  ];

  @property({ attribute: false }) service!: ServiceInfo;
  /** Inside the app; empty for its start. */
  @property({ attribute: false }) path = '';

  override render() {
    return html`<section>
      <p><strong>${this.service.title}</strong> is ready to open, in a tab of its own.</p>
      <button @click=${this.openService}>${open} Open ${this.service.title}</button>
    </section>`;
  }

  private readonly openService = (): void => {
    // With an opener: the shell asks this page to endorse its key.
    window.open(shellAddress(this.service, this.path), '_blank');
  };
}
