/** The launcher's list: a link for each service, named as the service is, opening its shell in a tab of its own. */
import { css, html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { shellAddress } from './addresses.ts';
import type { ServiceInfo } from './api.ts';

@customElement('lk-services')
export class ServiceList extends LitElement {
  static override readonly styles = [
    controls,
    css`
      ul {
        display: grid;
        gap: 0.9rem;
        grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr));
        list-style: none;
        margin: 1.25rem 0 0;
        padding: 0;
      }
      li {
        background: var(--card);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        box-shadow: var(--shadow);
        padding: 1.1rem 1.25rem;
        position: relative;
      }
      li:hover,
      li[data-wanted] {
        border-color: var(--accent);
      }
      a {
        color: var(--ink);
        font-size: 1.05rem;
        font-weight: 650;
        text-decoration: none;
      }
      /* The whole card is the link's target, and its name is the service's alone. */
      a::after {
        border-radius: var(--radius);
        content: '';
        inset: 0;
        position: absolute;
      }
      a:focus-visible {
        outline: none;
      }
      a:focus-visible::after {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      .kind {
        color: var(--ink-soft);
        display: block;
        font-size: 0.85rem;
        margin-top: 0.15rem;
      }
    `,
  ];

  @property({ attribute: false }) services: readonly ServiceInfo[] = [];
  /** The service the person came for, when a shell sent them. */
  @property({ attribute: false }) highlight: string | null = null;

  override render() {
    if (this.services.length === 0)
      return html`<p class="soft">
        There is no service you may open yet. Ask your administrator for access, or publish the first one with
        <code>latchkey service add</code>.
      </p>`;
    return html`<ul>
      ${this.services.map(
        (service) => html`<li ?data-wanted=${service.name === this.highlight}>
          <a href=${shellAddress(service)} target="_blank" rel="opener">${service.title}</a>
          <span class="kind">${kinds[service.scheme] ?? service.scheme}</span>
        </li>`,
      )}
    </ul>`;
  }
}

const kinds: Readonly<Record<string, string>> = {
  http: 'Web app',
  https: 'Web app',
  ssh: 'Terminal',
  vnc: 'Screen',
  rdp: 'Desktop',
  tcp: 'TCP',
};
