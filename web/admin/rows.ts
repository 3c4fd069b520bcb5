/**
 * A list of any length: rows of one height, of which only those near the window are asked for and drawn. It scrolls with
 * the page, and each row says which of how many it is.
 * @fires rows-failed with what was thrown
 */
import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { badges } from './badges.ts';

export interface Row {
  readonly id: string;
  readonly title: string;
  readonly detail: string;
  readonly state?: { readonly text: string; readonly tone: 'good' | 'warn' | 'bad' | 'plain' };
  readonly actions: readonly { readonly label: string; readonly run: () => void }[];
}

/** Reads a part of the list. */
export type Source = (offset: number, limit: number) => Promise<{ rows: readonly Row[]; total: number }>;

const chunk = 100;
/** Rows drawn beyond the window on each side. */
const spare = 6;

@customElement('lk-rows')
export class Rows extends LitElement {
  static override readonly styles = [
    controls,
    badges,
    css`
      .all {
        margin: 0;
        padding: 0;
        position: relative;
      }
      [role='listitem'] {
        align-items: center;
        background: var(--card);
        border: 1px solid var(--line);
        border-radius: var(--radius-small);
        display: flex;
        gap: 0.75rem;
        inset-inline: 0;
        padding: 0.5rem 0.9rem;
        position: absolute;
      }
      .words {
        flex: 1;
        min-width: 0;
      }
      .words > * {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .title {
        font-weight: 650;
      }
      .detail {
        color: var(--ink-soft);
        font-size: 0.875rem;
      }
      .actions {
        display: flex;
        gap: 0.5rem;
      }
      .none {
        border: 1px dashed var(--line-strong);
        border-radius: var(--radius);
        padding: 2rem;
        text-align: center;
      }
      @media (max-width: 40rem) {
        [role='listitem'] {
          align-items: stretch;
          flex-direction: column;
          gap: 0.4rem;
          justify-content: center;
        }
        /* Three side by side: all rows are of one height. */
        .actions button {
          padding-inline: 0.65rem;
        }
      }
    `,
  ];

  /** Another one begins the list anew. */
  @property({ attribute: false }) source!: Source;
  /** What the list is called. */
  @property() label = '';
  /** Said when there is nothing. */
  @property() nothingYet = '';
  @state() private total: number | undefined;
  @state() private first = 0;
  @state() private count = 20;
  readonly #rows = new Map<number, Row>();
  readonly #asked = new Set<number>();

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener('scroll', this.#measure, { passive: true });
    addEventListener('resize', this.#measure);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener('scroll', this.#measure);
    removeEventListener('resize', this.#measure);
  }

  /** Asks again for what is in the window; rows stay until the answer is there. */
  async refresh(): Promise<void> {
    const offset = Math.floor(this.first / chunk) * chunk;
    this.#asked.clear();
    await this.#load(offset);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('source')) return;
    this.#rows.clear();
    this.#asked.clear();
    this.total = undefined;
    void this.#load(0);
  }

  protected override updated(): void {
    const [from, to] = [this.first, this.first + this.count];
    for (let at = Math.floor(from / chunk) * chunk; at < Math.min(to, this.total ?? 0); at += chunk)
      if (!this.#asked.has(at)) void this.#load(at);
  }

  override render() {
    if (this.total === undefined) return html`<p class="soft" role="status">Loading…</p>`;
    if (this.total === 0) return html`<p class="none soft" role="status">${this.nothingYet}</p>`;
    const height = rowHeight();
    const drawn: TemplateResult[] = [];
    for (let at = this.first; at < Math.min(this.first + this.count, this.total); at += 1)
      drawn.push(this.#row(at, height));
    // Custom properties through the CSSOM, which the content security policy lets be.
    return html`<div class="all" role="list" aria-label=${this.label} .style=${`height:${this.total * height}px`}>${drawn}</div>`;
  }

  #row(at: number, height: number) {
    const row = this.#rows.get(at);
    const place = `top:${at * height}px;height:${height - 8}px`;
    return html`<div role="listitem" aria-setsize=${this.total ?? 0} aria-posinset=${at + 1} .style=${place}>
      ${
        row === undefined
          ? html`<span class="soft">…</span>`
          : html`<div class="words">
                <div>
                  <span class="title">${row.title}</span>
                  ${row.state === undefined ? nothing : html`<span class="state ${row.state.tone}">${row.state.text}</span>`}
                </div>
                <div class="detail">${row.detail}</div>
              </div>
              <div class="actions">
                ${row.actions.map(
                  ({ label, run }) =>
                    html`<button class="quiet" aria-label=${`${label}: ${row.title}`} @click=${run}>${label}</button>`,
                )}
              </div>`
      }
    </div>`;
  }

  async #load(offset: number): Promise<void> {
    this.#asked.add(offset);
    const { source } = this;
    try {
      const { rows, total } = await source(offset, chunk);
      if (source !== this.source) return;
      for (let at = offset; at < offset + chunk; at += 1) this.#rows.delete(at);
      for (const [index, row] of rows.entries()) this.#rows.set(offset + index, row);
      this.total = total;
      this.requestUpdate();
      await this.updateComplete;
      this.#measure();
    } catch (error) {
      this.total ??= 0;
      this.dispatchEvent(new CustomEvent('rows-failed', { detail: error }));
    }
  }

  readonly #measure = (): void => {
    const above = Math.max(0, -this.getBoundingClientRect().top);
    const height = rowHeight();
    this.first = Math.max(0, Math.floor(above / height) - spare);
    this.count = Math.ceil(innerHeight / height) + 2 * spare;
  };
}

/** With the gap below it, pixels; on a phone the buttons stand beneath the words. */
function rowHeight(): number {
  return matchMedia('(max-width: 40rem)').matches ? 132 : 76;
}
