/** What waits for two administrators: why it does, the policies it would put in force, and the buttons for yes and no. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { attempt, type Failure } from '../design/failure.ts';
import '../design/failure-note.ts';
import '../design/frame.ts';
import { key } from '../design/icons.ts';
import { ApiError, call, type SessionInfo } from './api.ts';
import { approve, type Change, contentOf, refuse, waitingChanges } from './changes.ts';
import { type Device, loadDevice } from './device.ts';

@customElement('lk-changes')
export class ChangesPage extends LitElement {
  static override readonly styles = [
    controls,
    css`
      pre {
        overflow-x: auto;
        white-space: pre-wrap;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem;
      }
    `,
  ];

  @state() private changes: readonly Change[] | undefined;
  @state() private failure: Failure | undefined;
  @state() private busy = false;
  /** What became of the last one, for whoever decided it. */
  @state() private outcome = '';
  #signedIn: { readonly device: Device; readonly session: SessionInfo } | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = 'Changes that wait';
    void this.#attempt(async () => {
      const device = await loadDevice();
      if (device === undefined)
        throw new ApiError('device_unknown', 'This browser is not enrolled. Open your enrolment link.', 0);
      this.#signedIn = { device, session: await call<SessionInfo>('GET', '/api/session') };
      this.changes = await waitingChanges();
    });
  }

  override render() {
    return html`<lk-frame>
      <h1>Changes that wait</h1>
      <lk-failure .failure=${this.failure}></lk-failure>
      <p role="status">${this.outcome}</p>
      ${this.changes?.length === 0 ? html`<p class="soft">Nothing waits.</p>` : nothing}
      ${this.changes?.map((change) => this.#card(change))}
      <p><a href="/admin/policies">Policies</a> · <a href="/">Your services</a></p>
    </lk-frame>`;
  }

  #card(change: Change) {
    const names = change.approvals.map(({ name }) => name).join(', ');
    const hasApproved = change.approvals.some(({ user }) => user === this.#signedIn?.session.user.id);
    return html`<section class="card" aria-labelledby=${`change-${change.id}`}>
      <h2 id=${`change-${change.id}`}>${headingOf(change)}</h2>
      ${change.dangers.map(({ message, policies }) => html`<p><strong>${message}</strong>${policies.length === 0 ? nothing : ` (${policies.join(', ')})`}</p>`)}
      <p class="soft">
        Asked for by ${change.requestedBy === 'system' ? 'the command line' : change.requestedBy},
        ${new Date(change.requestedAt).toLocaleString()}. Approved by ${change.approvals.length} of
        ${change.needed}${names === '' ? '' : `: ${names}`}.
      </p>
      ${contentOf(change).map(([id, text]) => html`<h3>${id}</h3><pre>${text}</pre>`)}
      <div class="actions">
        <button ?disabled=${this.busy || hasApproved} @click=${() => this.#approve(change)}>
          ${key} ${hasApproved ? 'You have approved' : 'Approve with your passkey'}
        </button>
        <button class="quiet" ?disabled=${this.busy} @click=${() => this.#refuse(change)}>Refuse</button>
      </div>
    </section>`;
  }

  readonly #approve = (change: Change) =>
    this.#attempt(async () => {
      if (this.#signedIn === undefined) return;
      const { state: became } = await approve(this.#signedIn.device, this.#signedIn.session, change);
      this.outcome = sentenceOf(became, change.kind);
      this.changes = await waitingChanges();
    });

  readonly #refuse = (change: Change) =>
    this.#attempt(async () => {
      if (this.#signedIn === undefined) return;
      await refuse(this.#signedIn.device, change);
      this.outcome = sentenceOf('refused', change.kind);
      this.changes = await waitingChanges();
    });

  async #attempt(run: () => Promise<void>): Promise<void> {
    this.busy = true;
    await attempt((failure) => {
      this.failure = failure;
    }, run);
    this.busy = false;
  }
}

function headingOf({ kind }: Change): string {
  if (kind === 'retention.set') return 'How long audit events are kept';
  return kind === 'root.rotate' ? 'A new root key' : 'New policies';
}

function sentenceOf(became: Change['state'], kind: Change['kind']): string {
  switch (became) {
    case 'waiting':
      return 'You have approved it. It waits for another administrator.';
    case 'done':
      if (kind === 'retention.set') return 'It is approved, and in force.';
      return kind === 'root.rotate'
        ? 'It is approved, and the new root key is in use. Tell people the new fingerprint.'
        : 'It is approved, and the new policies are in force.';
    case 'refused':
      return 'It is refused, and nothing has changed.';
    case 'outdated':
      return 'What it would replace was changed meanwhile, so nothing was done. Ask for it again.';
    case 'expired':
      return 'It has expired, and nothing has changed.';
    default:
      return became satisfies never;
  }
}
