/**
 * Stands where the app would be when its pages do not stay in a frame: it asks for the click that opens a window.
 *
 * @fires stay when the person wants it here all the same
 */
import { html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { panelStyles } from './panel-styles.ts';

@customElement('lk-own-window')
export class OwnWindowPanel extends LitElement {
  static override readonly styles = [controls, panelStyles];

  /** The service's title. */
  @property({ attribute: false }) service = '';
  /** Where the window goes to: an address of the app. */
  @property({ attribute: false }) address = '';

  override firstUpdated(): void {
    this.renderRoot.querySelector('h1')?.focus();
  }

  override render() {
    return html`<div class="card">
      <h1 tabindex="-1">${this.service} wants a window of its own</h1>
      <p>Its pages do not stay inside another page. Keep this tab open meanwhile: the connection to it is here.</p>
      <div class="actions">
        <a class="button" href=${this.address} target="_blank" rel="noopener" referrerpolicy="origin">Open the window</a>
        <button class="quiet" @click=${() => this.dispatchEvent(new Event('stay'))}>Show it here</button>
      </div>
    </div>`;
  }
}
