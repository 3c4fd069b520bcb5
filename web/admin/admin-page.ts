/** The administration: one list at a time, for whoever is signed in and holds its role. */
import { css, html, LitElement, nothing, svg, type TemplateResult } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { encode } from 'uqr';
import { controls } from '../design/controls.ts';
import '../design/copy-id.ts';
import { attempt, type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import '../design/frame.ts';
import { ApiError, call, type SessionInfo } from '../hub/api.ts';
import { type Device, loadDevice } from '../hub/device.ts';
import { signIn } from '../hub/sign-in.ts';
import './audit-panel.ts';
import { read } from './client.ts';
import { type Choice, formStyles, linkForm, mostChoices, personForm, serviceForm } from './forms.ts';
import { type Doing, type ListKind, lists, type Question } from './lists.ts';
import './policy-editor.ts';
import './rows.ts';
import type { Rows, Source } from './rows.ts';
import './trust-panel.ts';

type View =
  | { readonly at: 'loading' | 'stranger' }
  | { readonly at: 'signed-out'; readonly device: Device }
  | { readonly at: 'in'; readonly device: Device; readonly session: SessionInfo };

const liveEveryMs = 2_000;

/** Pages that are no lists, and whose duty each is. */
const panels: readonly { name: string; title: string; role: string; shown(device: Device): TemplateResult }[] = [
  {
    ...{ name: 'policies', title: 'Policies', role: 'policy' },
    shown: (device) => html`<lk-policies .device=${device}></lk-policies>`,
  },
  { name: 'keys', title: 'Keys', role: 'pki', shown: () => html`<lk-trust></lk-trust>` },
  {
    ...{ name: 'audit', title: 'Audit', role: 'notary' },
    shown: (device) => html`<lk-audit .device=${device}></lk-audit>`,
  },
];

@customElement('lk-admin')
export class AdminPage extends LitElement {
  static override readonly styles = [
    controls,
    formStyles,
    css`
      nav {
        border-bottom: 1px solid var(--line);
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem;
        margin: 0 0 1.25rem;
        padding-bottom: 0.5rem;
      }
      nav a {
        border-radius: var(--radius-small);
        color: var(--ink);
        padding: 0.55rem 0.8rem;
        text-decoration: none;
      }
      nav a[aria-current] {
        background: var(--accent-paper);
        color: var(--accent);
        font-weight: 650;
      }
      details {
        background: var(--card);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        margin: 0 0 1rem;
        padding: 0.9rem 1rem;
      }
      summary {
        border-radius: 4px;
        cursor: pointer;
        font-weight: 600;
      }
      .search {
        margin: 0 0 1rem;
        max-width: 24rem;
      }
      dialog {
        background: var(--card);
        border: 1px solid var(--line-strong);
        border-radius: var(--radius);
        color: inherit;
        max-width: min(32rem, calc(100vw - 2rem));
        padding: 1.5rem;
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }
      dialog h2 {
        font-size: 1.2rem;
        margin: 0 0 0.75rem;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem;
        margin-top: 1rem;
      }
      .qr {
        background: #fff;
        border-radius: 8px;
        display: block;
        margin: 1rem 0 0;
        max-width: 14rem;
        padding: 0.75rem;
      }
    `,
  ];

  @state() private view: View = { at: 'loading' };
  @state() private failure: Failure | undefined;
  @state() private search = '';
  @state() private question: Question | undefined;
  @state() private told: { readonly title: string; readonly url: string } | undefined;
  @state() private services: Choice = { names: [], total: 0 };
  @query('dialog') private dialog!: HTMLDialogElement | null;
  @query('lk-rows') private rows!: Rows | null;
  /** Made anew when what is looked for changes, and only then. */
  #source: { readonly key: string; readonly source: Source } | undefined;
  #typing = 0;
  #live = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = 'Administration · Latchkey';
    this.#live = window.setInterval(this.#again, liveEveryMs);
    void this.#attempt(this.#load);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#live);
  }

  override render() {
    const { view } = this;
    switch (view.at) {
      case 'loading':
        return html`<lk-frame narrow><lk-failure .failure=${this.failure}></lk-failure></lk-frame>`;
      case 'stranger':
        return html`<lk-frame narrow><div class="card"><h1>This browser is not set up yet</h1>
          <p class="soft">Administrators come by the enrolment link they were given, as everybody does.</p></div></lk-frame>`;
      case 'signed-out':
        return html`<lk-frame narrow><div class="card"><h1>Administration</h1>
          <lk-failure .failure=${this.failure}></lk-failure>
          <button class="wide" @click=${() => this.#attempt(() => this.#enter(view.device))}>Sign in</button></div></lk-frame>`;
      default:
        return this.#inside(view);
    }
  }

  #inside({ device, session }: Extract<View, { at: 'in' }>) {
    const { roles, user } = session;
    const mine = lists.filter(({ role }) => roles.includes(role));
    const name = location.pathname.split('/')[2] ?? '';
    const chosen = mine.find((kind) => kind.name === name) ?? (name === '' ? mine[0] : undefined);
    const panel = panels.find(
      (one) => roles.includes(one.role) && (one.name === name || (name === '' && chosen === undefined)),
    );
    const title = panel?.title ?? chosen?.title ?? 'Administration';
    return html`<lk-frame>
      <div slot="account"><span class="soft">${user.name}</span></div>
      <nav aria-label="Administration">
        ${mine.map((kind) => this.#place(kind.name, kind.title, kind === chosen))}
        ${panels.map((one) => (roles.includes(one.role) ? this.#place(one.name, one.title, one === panel) : nothing))}
        ${roles.includes('policy') ? html`<a href="/changes">Changes</a>` : nothing}
      </nav>
      <h1 tabindex="-1">${title}</h1>
      <lk-failure .failure=${this.failure}></lk-failure>
      ${panel?.shown(device) ?? nothing}
      ${chosen === undefined ? nothing : this.#list(device, chosen)}
      ${chosen === undefined && panel === undefined ? html`<p>This is the duty of another role than yours (${roles.join(', ') || 'none'}).</p>` : nothing}
      ${this.#dialog()}
    </lk-frame>`;
  }

  #place(name: string, title: string, isHere: boolean) {
    return html`<a href="/admin/${name}" aria-current=${isHere ? 'page' : nothing}>${title}</a>`;
  }

  #list(device: Device, kind: ListKind) {
    const doing = this.#doing(device);
    const key = `${kind.name} ${this.search}`;
    if (this.#source?.key !== key) this.#source = { key, source: kind.source(doing, this.search) };
    return html`${this.#make(kind, doing)}
      ${
        kind.isSearched === true
          ? html`<label class="field search">Search <input type="search" maxlength="128" @input=${this.#typed} /></label>`
          : nothing
      }
      <lk-rows
        .source=${this.#source.source}
        label=${kind.title}
        nothingYet=${this.search === '' ? kind.nothingYet : 'Nothing fits the search.'}
        @rows-failed=${(event: CustomEvent<unknown>) => this.#failed(event.detail)}
      ></lk-rows>`;
  }

  #make(kind: ListKind, doing: Doing) {
    switch (kind.name) {
      case 'links':
        return html`<details><summary>Make a link</summary>${linkForm(doing, this.services)}</details>`;
      case 'people':
        return html`<details><summary>Add a person</summary>${personForm(doing)}</details>`;
      case 'services':
        return html`<details><summary>Add a service</summary>${serviceForm(doing)}</details>`;
      default:
        return nothing;
    }
  }

  #dialog() {
    const { question, told } = this;
    return html`<dialog aria-labelledby="asked" @close=${this.#closed}>
      ${
        told === undefined
          ? nothing
          : html`<h2 id="asked">${told.title}</h2>
            <p><code>${told.url}</code></p>
            <lk-copy-id .correlation=${told.url}><span>Hand it over as it is.</span></lk-copy-id>
            ${code(told.url)}
            <div class="actions"><button @click=${() => this.dialog?.close()}>Done</button></div>`
      }
      ${
        question === undefined
          ? nothing
          : html`<form @submit=${this.#answer}>
            <h2 id="asked">${question.title}</h2>
            <p>${question.text}</p>
            ${
              question.takesReason
                ? html`<label class="field">${question.verb === 'Name' ? 'Name' : 'Why (optional)'}
                    <input name="reason" maxlength="64" autocomplete="off" ?required=${question.verb === 'Name'} /></label>`
                : nothing
            }
            <div class="actions">
              <button>${question.verb}</button>
              <button type="button" class="quiet" ?autofocus=${!question.takesReason} @click=${() => this.dialog?.close()}>Cancel</button>
            </div>
          </form>`
      }
    </dialog>`;
  }

  #doing(device: Device): Doing {
    return {
      device,
      ask: (question) => this.#show({ question }),
      now: (run) =>
        void this.#attempt(async () => {
          await run();
          await this.rows?.refresh();
        }),
      tell: (title, url) => this.#show({ told: { title, url } }),
    };
  }

  #show(what: { question?: Question; told?: { title: string; url: string } }): void {
    this.question = what.question;
    this.told = what.told;
    void this.updateComplete.then(() => {
      if (this.dialog?.open === false) this.dialog.showModal();
    });
  }

  readonly #closed = (): void => {
    // A browser tells of it in a task of its own, and by then the next question may be on the screen.
    if (this.dialog?.open === true) return;
    this.question = undefined;
    this.told = undefined;
  };

  readonly #answer = (event: SubmitEvent): void => {
    event.preventDefault();
    const { question } = this;
    const reason = String(new FormData(event.target as HTMLFormElement).get('reason') ?? '').trim();
    this.dialog?.close();
    if (question === undefined) return;
    void this.#attempt(async () => {
      await question.run(reason === '' ? undefined : reason);
      await this.rows?.refresh();
    });
  };

  readonly #typed = (event: InputEvent): void => {
    const { value } = event.target as HTMLInputElement;
    clearTimeout(this.#typing);
    this.#typing = window.setTimeout(() => {
      this.search = value.trim();
    }, 200);
  };

  /** What moves by itself is asked for again while somebody looks. */
  readonly #again = (): void => {
    const kind = lists.find(({ name }) => name === (location.pathname.split('/')[2] || 'sessions'));
    if (kind?.isLive === true && document.visibilityState === 'visible') void this.rows?.refresh();
  };

  readonly #load = async (): Promise<void> => {
    const device = await loadDevice();
    if (device === undefined) {
      this.view = { at: 'stranger' };
      return;
    }
    try {
      await this.#come(device, await call<SessionInfo>('GET', '/api/session'));
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      this.view = { at: 'signed-out', device };
    }
  };

  async #enter(device: Device): Promise<void> {
    await this.#come(device, await signIn(device));
  }

  async #come(device: Device, session: SessionInfo): Promise<void> {
    if (session.roles.includes('manager')) {
      const { services, total } = await read('/api/admin/services', { limit: mostChoices });
      this.services = { names: services.map(({ name }) => name), total };
    }
    this.view = { at: 'in', device, session };
  }

  #failed(error: unknown): void {
    if (error instanceof ApiError && error.status === 401) void this.#attempt(this.#load);
    else this.failure = failureOf(error);
  }

  #attempt(run: () => Promise<void>): Promise<void> {
    return attempt((failure) => {
      this.failure = failure;
    }, run);
  }
}

/** Drawn as one path, with the quiet zone that readers want (ISO/IEC 18004). */
function code(text: string) {
  const { data, size } = encode(text, { ecc: 'L', border: 4 });
  const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
  return html`<svg class="qr" role="img" aria-label="QR code of the link" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">${svg`<path d=${path} fill="#000"></path>`}</svg>`;
}
