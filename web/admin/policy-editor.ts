/** The policies in force, as one text to edit: checked as it is written, put in force as a whole. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { attempt, type Failure } from '../design/failure.ts';
import '../design/failure-note.ts';
import type { Device } from '../hub/device.ts';
import { change, read, type Shape } from './client.ts';

type Checked = Shape<'CheckedPolicies'>;

@customElement('lk-policies')
export class PolicyEditor extends LitElement {
  static override readonly styles = [
    controls,
    css`
      label {
        display: block;
        font-weight: 600;
      }
      textarea {
        background: var(--card);
        border: 1px solid var(--line-strong);
        border-radius: 8px;
        color: inherit;
        display: block;
        font: 0.9rem / 1.5 ui-monospace, 'Cascadia Mono', 'Liberation Mono', monospace;
        margin: 0.4rem 0 1rem;
        min-height: 22rem;
        padding: 0.75rem;
        resize: vertical;
        tab-size: 2;
        width: 100%;
      }
      ul {
        margin: 0 0 1rem;
        padding-left: 1.25rem;
      }
      .bad {
        color: var(--bad);
      }
      .warn {
        color: var(--warn);
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem;
      }
    `,
  ];

  @property({ attribute: false }) device!: Device;
  /** None until the policies in force are there: what is typed before would be written over. */
  @state() private text: string | undefined;
  @state() private checked: Checked | undefined;
  @state() private failure: Failure | undefined;
  @state() private said = '';

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#attempt(async () => {
      const { policies } = await read('/api/admin/policies');
      this.text = Object.entries(policies)
        .map(([id, text]) => (text.includes('@id(') ? text : `@id("${id}")\n${text}`))
        .join('\n\n');
    });
  }

  override render() {
    const { checked } = this;
    return html`<lk-failure .failure=${this.failure}></lk-failure>
      <label>Cedar policies
        <textarea
          spellcheck="false"
          autocapitalize="off"
          ?disabled=${this.text === undefined}
          .value=${this.text ?? ''}
          @input=${(event: InputEvent) => {
            this.text = (event.target as HTMLTextAreaElement).value;
            this.checked = undefined;
            this.said = '';
          }}
        ></textarea>
      </label>
      <div role="status">${checked === undefined ? this.said : this.#found(checked)}</div>
      <div class="actions">
        <button class="quiet" ?disabled=${this.text === undefined} @click=${this.#check}>Check</button>
        <button ?disabled=${checked === undefined || checked.faults.length > 0} @click=${this.#apply}>Put in force</button>
      </div>`;
  }

  #found({ faults, warnings, dangers, difference }: Checked) {
    const place = ({ policy, line }: { policy?: string; line?: number }) =>
      [policy, line === undefined ? undefined : `line ${line}`].filter((part) => part !== undefined).join(', ');
    if (faults.length > 0)
      return html`<p>This cannot be put in force:</p>
        <ul class="bad">${faults.map((fault) => html`<li>${place(fault)}: ${fault.message}</li>`)}</ul>`;
    const notes = [...dangers.map(({ message }) => message), ...warnings.map(({ message }) => message)];
    const words = (['added', 'removed', 'changed'] as const)
      .filter((kind) => difference[kind].length > 0)
      .map((kind) => `${kind}: ${difference[kind].join(', ')}`);
    return html`<p>${words.length === 0 ? 'Nothing would change.' : `No fault. ${words.join('; ')}.`}</p>
      ${notes.length === 0 ? nothing : html`<ul class="warn">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}`;
  }

  readonly #check = () =>
    this.#attempt(async () => {
      const body = { text: this.text ?? '' };
      this.checked = await change(this.device, 'post', '/api/admin/policies/check', { body });
    });

  readonly #apply = () =>
    this.#attempt(async () => {
      const body = { text: this.text ?? '' };
      const { state, epoch } = await change(this.device, 'put', '/api/admin/policies', { body });
      this.checked = undefined;
      this.said =
        state === 'inForce'
          ? `In force, as epoch ${epoch}.`
          : 'This lets everybody in, so two administrators have to approve it: see “Changes” on the hub.';
    });

  #attempt(run: () => Promise<void>): Promise<void> {
    return attempt((failure) => {
      this.failure = failure;
    }, run);
  }
}
