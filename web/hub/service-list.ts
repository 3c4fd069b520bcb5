/** The launcher's list: a link for each service, named as the service is, opening its shell in a tab of its own. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { empty, open, search } from '../design/icons.ts';
import { shellAddress } from './addresses.ts';
import type { ServiceInfo } from './api.ts';

/** From this many on, a field narrows the list. */
const filterFrom = 9;

@customElement('lk-services')
export class ServiceList extends LitElement {
  static override readonly styles = [
    controls,
    css`
      ul {
        display: grid;
        gap: 0.9rem;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr));
        list-style: none;
        margin: 0;
        padding: 0;
      }
      li {
        align-items: center;
        background: var(--card);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        box-shadow: var(--shadow);
        display: grid;
        gap: 0 0.9rem;
        grid-template-columns: auto 1fr auto;
        padding: 0.95rem 1rem;
        position: relative;
        transition:
          border-color 120ms,
          box-shadow 120ms;
      }
      li:hover {
        border-color: var(--accent);
        box-shadow: var(--shadow-raised);
      }
      .tile {
        align-items: center;
        background: var(--accent-paper);
        border-radius: 9px;
        color: var(--accent);
        display: flex;
        font-size: 1.15rem;
        font-weight: 700;
        height: 2.6rem;
        justify-content: center;
        width: 2.6rem;
      }
      .words {
        min-width: 0;
      }
      a {
        color: var(--ink);
        display: block;
        font-weight: 650;
        overflow: hidden;
        text-decoration: none;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      /* The whole card is the link's target, and its name is the service's alone. */
      a::after {
        border-radius: var(--radius);
        content: '';
        inset: -1px;
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
        font-size: 0.875rem;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      li > .icon {
        color: var(--ink-soft);
      }
      li:hover > .icon {
        color: var(--accent);
      }
      .filter {
        align-items: center;
        background: var(--card);
        border: 1px solid var(--line-strong);
        border-radius: 8px;
        display: flex;
        gap: 0.5rem;
        margin: 0 0 1.25rem;
        max-width: 24rem;
        padding: 0 0.75rem;
      }
      .filter:focus-within {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      .filter .icon {
        color: var(--ink-soft);
      }
      input {
        background: transparent;
        border: 0;
        color: inherit;
        flex: 1;
        font: inherit;
        min-height: 44px;
        min-width: 0;
        outline: none;
      }
      .none {
        border: 1px dashed var(--line-strong);
        border-radius: var(--radius);
        padding: clamp(1.5rem, 6vw, 3rem);
        text-align: center;
      }
      .none .icon {
        color: var(--ink-soft);
        height: 2.5rem;
        margin-bottom: 0.75rem;
        stroke-width: 1.5;
        width: 2.5rem;
      }
      .none p {
        margin: 0 auto;
        max-width: 30rem;
      }
      @media (prefers-reduced-motion: reduce) {
        li {
          transition: none;
        }
      }
    `,
  ];

  @property({ attribute: false }) services: readonly ServiceInfo[] = [];
  @state() private typed = '';

  override render() {
    if (this.services.length === 0) return nothingYet;
    const shown = this.services.filter((service) => matches(service, this.typed));
    return html`${this.services.length >= filterFrom ? this.filter() : nothing}
      <ul>
        ${shown.map(
          (service) => html`<li>
            <span class="tile" aria-hidden="true">${initial(service.title)}</span>
            <span class="words">
              <a href=${shellAddress(service)} target="_blank" rel="opener">${service.title}</a>
              <span class="kind">${describe(service)}</span>
            </span>
            ${open}
          </li>`,
        )}
      </ul>
      ${shown.length === 0 ? html`<p class="soft" role="note">No service is called that.</p>` : nothing}`;
  }

  private filter() {
    return html`<label class="filter">
      ${search}
      <input
        type="search"
        aria-label="Find a service"
        placeholder="Find a service"
        autocomplete="off"
        @input=${(event: InputEvent) => {
          this.typed = (event.target as HTMLInputElement).value;
        }}
      />
    </label>`;
  }
}

const nothingYet = html`<div class="none">
  ${empty}
  <p class="soft">
    There is no service you may open yet. Ask your administrator for access, or publish the first one with
    <code>latchkey service add</code>.
  </p>
</div>`;

const kinds: Readonly<Record<string, string>> = {
  http: 'Web app',
  https: 'Web app',
  ssh: 'Terminal',
  vnc: 'Screen',
  rdp: 'Desktop',
  tcp: 'TCP',
};

/** The kind, and the name in commands and addresses where it is another than the title. */
function describe({ name, title, scheme }: ServiceInfo): string {
  const kind = kinds[scheme] ?? scheme.toUpperCase();
  return name === title ? kind : `${kind} · ${name}`;
}

function initial(title: string): string {
  return Array.from(title.trim())[0]?.toLocaleUpperCase() ?? '?';
}

function matches({ name, title }: ServiceInfo, typed: string): boolean {
  const wanted = typed.trim().toLocaleLowerCase();
  return [name, title].some((text) => text.toLocaleLowerCase().includes(wanted));
}
