/**
 * Where a kiosk's visit ends: each app that was opened is wiped, also those whose tabs were closed before. The hub, which
 * knows the tickets, sends this tab here; without them nothing happens.
 */
import { html, LitElement } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { siblingOrigin } from '../../worker/origins.ts';
import { controls } from '../design/controls.ts';
import { panelStyles } from './panel-styles.ts';
import { wipeApp } from './wipe.ts';

@customElement('lk-ended')
export class EndedPage extends LitElement {
  static override readonly styles = [controls, panelStyles];

  @state() private wiped: 'wiping' | 'done' | 'failed' = 'wiping';

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = 'Your visit has ended · Latchkey';
    void this.#wipe(location.hash.slice(1));
  }

  override render() {
    return html`<main class="card">
      <h1>Your visit has ended</h1>
      <p role="status" data-wiped=${this.wiped}>${sentences[this.wiped]}</p>
    </main>`;
  }

  /** @param visits `service.ticket,…` */
  async #wipe(visits: string): Promise<void> {
    history.replaceState(null, '', location.pathname);
    const asked = [...visits.matchAll(/([a-z0-9][a-z0-9-]{0,62})\.([\w-]{43})/g)];
    const wiped = await Promise.all(
      asked.map(([, service = '', ticket = '']) => wipeApp(siblingOrigin(location, service), ticket, document.body)),
    );
    this.wiped = wiped.every(Boolean) ? 'done' : 'failed';
  }
}

/** What a page cannot take away is said. */
export const sentences = {
  wiping: 'What services kept in this browser is being wiped.',
  done: 'What services kept in this browser is wiped. Its history still names the pages: close the private window, or clear it.',
  failed: 'Not everything that services kept in this browser could be wiped: clear the site data of this browser.',
} as const;
