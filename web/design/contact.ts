/** Whom to ask, as the operator wrote it in `contact:`; an address in it can be followed. */
import { html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { contactAddress } from '../../worker/contact.ts';
import { controls } from './controls.ts';
import { installation } from './installation.ts';

@customElement('lk-contact')
export class Contact extends LitElement {
  static override readonly styles = [controls];

  @state() private contact = '';

  override connectedCallback(): void {
    super.connectedCallback();
    void installation().then((answer) => {
      this.contact = answer?.contact ?? '';
    });
  }

  override render() {
    if (this.contact === '') return nothing;
    const found = contactAddress(this.contact);
    if (found === undefined) return html`Help: ${this.contact}`;
    const [before, after] = this.contact.split(found.text, 2);
    return html`Help: ${before}<a href=${found.href}>${found.text}</a>${after}`;
  }
}
