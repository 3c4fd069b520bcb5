/** The audit log for its notary: how far it reaches, what was anchored, whether it is whole, and a copy to take away. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { attempt, type Failure } from '../design/failure.ts';
import '../design/failure-note.ts';
import type { Device } from '../hub/device.ts';
import { badges } from './badges.ts';
import { change, read, type Shape } from './client.ts';
import { day, grouped, panelStyles } from './panel.ts';

type Audit = Shape<'AuditState'>;

const askEveryMs = 1_000;

@customElement('lk-audit')
export class AuditPanel extends LitElement {
  static override readonly styles = [
    controls,
    badges,
    panelStyles,
    css`
      dl {
        display: grid;
        gap: 0.35rem 1.25rem;
        grid-template-columns: auto 1fr;
        margin: 0 0 1rem;
      }
      dt {
        color: var(--ink-soft);
      }
      dd {
        margin: 0;
      }
    `,
  ];

  @property({ attribute: false }) device!: Device;
  @state() private audit: Audit | undefined;
  @state() private failure: Failure | undefined;
  #asking = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#attempt(this.#look);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#asking);
  }

  override render() {
    const { audit } = this;
    return html`<lk-failure .failure=${this.failure}></lk-failure>
      ${audit === undefined ? nothing : this.#shown(audit)}`;
  }

  #shown({ first, last, anchor, anchors, days, retentionFault, check }: Audit) {
    const isRunning = check?.state === 'running';
    return html`<dl>
        <dt>Events</dt>
        <dd>${first} to ${last}</dd>
        <dt>Newest anchor</dt>
        <dd>${anchor === undefined ? 'none' : `of event ${anchor.position}, ${day(anchor.at)}`}</dd>
        <dt>Anchors kept</dt>
        <dd>${anchors}</dd>
        <dt>Events are kept</dt>
        <dd>
          ${days === undefined ? 'for ever' : `${days} days`}
          ${retentionFault === undefined ? nothing : html`<span class="state warn">${retentionFault}</span>`}
        </dd>
      </dl>
      <div role="status">${check === undefined ? nothing : this.#found(check)}</div>
      <div class="actions">
        <button ?disabled=${isRunning} @click=${this.#verify}>${isRunning ? 'Looking through it…' : 'Look whether it is whole'}</button>
        <a class="button quiet" href="/api/admin/audit/export" download>Export all events</a>
      </div>
      <p class="soft">
        This is what the control plane says of itself. To believe it no further than its keys, run
        <code>latchkey audit verify</code> on a copy, with a position that was noted elsewhere.
      </p>`;
  }

  #found({ at, whole, broken }: NonNullable<Audit['check']>) {
    if (broken !== undefined)
      return html`<p><span class="title">Not whole</span><span class="state bad">${broken.fault}</span></p>
        <p>${broken.message}</p>`;
    if (whole === undefined) return nothing;
    return html`<p><span class="title">Whole</span><span class="state good">${day(at)}</span></p>
      <p>
        Up to event ${whole.last}, a position to note elsewhere, with ${whole.anchors} anchors, under the installation
        <code>${grouped(whole.fingerprint)}</code>.
      </p>`;
  }

  readonly #look = async (): Promise<void> => {
    this.audit = await read('/api/admin/audit/state');
    clearTimeout(this.#asking);
    if (this.audit.check?.state === 'running' && this.isConnected)
      this.#asking = window.setTimeout(() => void this.#attempt(this.#look), askEveryMs);
  };

  readonly #verify = () =>
    this.#attempt(async () => {
      await change(this.device, 'post', '/api/admin/audit/verify', { body: {} });
      await this.#look();
    });

  #attempt(run: () => Promise<void>): Promise<void> {
    return attempt((failure) => {
      this.failure = failure;
    }, run);
  }
}
