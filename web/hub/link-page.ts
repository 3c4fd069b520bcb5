/**
 * The page behind a one-click link: what it opens and until when, one button, and where an administrator has to say yes
 * a door to wait at. A kiosk's guest stays on this page, which endorses what they open; others go on to the hub.
 */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import type { ActiveNotice } from '../../worker/api.ts';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import '../design/frame.ts';
import { key, open } from '../design/icons.ts';
import { IdleWatch } from './idle.ts';
import { answerShells } from './launch.ts';
import * as link from './link.ts';
import './service-list.ts';

type View =
  | { readonly at: 'loading' | 'over' }
  | { readonly at: 'door'; readonly preview: link.LinkPreview }
  | { readonly at: 'waiting'; readonly code: string }
  | { readonly at: 'in'; readonly entered: link.KioskEntered };

const headings: Partial<Record<View['at'], string>> = {
  waiting: 'Somebody will let you in',
  over: 'This link opens nothing',
};

/** After these another try with the same link cannot go better. */
const final: ReadonlySet<string> = new Set([
  'link_incomplete',
  'link_unknown',
  'link_used',
  'link_expired',
  'link_revoked',
  'knock_refused',
]);

@customElement('lk-link')
export class LinkPage extends LitElement {
  static override readonly styles = [
    controls,
    css`
      ul {
        margin: 0 0 1rem;
        padding-left: 1.25rem;
      }
      label {
        display: block;
        margin: 0 0 1rem;
      }
      input {
        background: var(--card);
        border: 1px solid var(--line-strong);
        border-radius: 8px;
        box-sizing: border-box;
        color: inherit;
        display: block;
        font: inherit;
        margin-top: 0.3rem;
        min-height: 44px;
        padding: 0 0.75rem;
        width: 100%;
      }
      input:focus-visible {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      .code {
        font-size: 2.25rem;
        font-variant-numeric: tabular-nums;
        font-weight: 700;
        letter-spacing: 0.12em;
        margin: 0.5rem 0;
      }
      .head {
        margin: 0 0 1.25rem;
      }
    `,
  ];

  @state() private view: View = { at: 'loading' };
  @state() private failure: Failure | undefined;
  @state() private busy = false;
  #link: link.GuestLink | undefined;
  #visit: link.KioskVisit | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    document.title = 'You are invited · Latchkey';
    void this.#attempt(async () => {
      this.#link = link.parseGuestLink(location.hash);
      // The secret is in memory now; it leaves the address bar, the history and every screenshot.
      history.replaceState(null, '', location.pathname);
      this.view = { at: 'door', preview: await link.preview(this.#link) };
    });
  }

  override render() {
    if (this.view.at === 'in') return this.#inside(this.view.entered);
    return html`<lk-frame narrow>
      <div class="card">
        <h1 tabindex="-1">${headings[this.view.at] ?? 'You are invited'}</h1>
        <lk-failure .failure=${this.failure}></lk-failure>
        ${this.#card()}
      </div>
    </lk-frame>`;
  }

  #card() {
    switch (this.view.at) {
      case 'door':
        return this.#door(this.view.preview);
      case 'waiting':
        return html`<p role="status">Keep this page open. Whoever lets you in sees the same number:</p>
          <p class="code" aria-label="Your number">${this.view.code}</p>`;
      default:
        return nothing;
    }
  }

  #door(preview: link.LinkPreview) {
    const { services, kiosk, readOnly, approval, recipient, expiresAt } = preview;
    return html`<form @submit=${this.#come}>
      <p>This link opens, until ${moment(expiresAt)}${readOnly ? ', for reading only' : ''}:</p>
      <ul>
        ${services.map(({ title }) => html`<li>${title}</li>`)}
      </ul>
      <p class="soft">
        ${
          kiosk
            ? 'Nothing is installed. What services keep in this browser is wiped when the visit ends.'
            : 'It becomes yours by a passkey of this device, with its fingerprint, face or PIN. It then works in this browser alone.'
        }
      </p>
      ${
        recipient
          ? html`<label>Your e-mail address
              <input name="recipient" type="email" required autocomplete="email" maxlength="254" />
            </label>`
          : nothing
      }
      ${
        approval
          ? html`<label>Your name, for whoever lets you in
              <input name="name" required autocomplete="name" maxlength="64" />
            </label>`
          : nothing
      }
      <button class="wide" ?disabled=${this.busy}>${kiosk ? open : key} ${words(preview)}</button>
    </form>`;
  }

  #inside({ services, until }: link.KioskEntered) {
    return html`<lk-frame>
      <div slot="account"><button class="quiet" ?disabled=${this.busy} @click=${this.#leave}>End visit</button></div>
      <lk-failure .failure=${this.failure}></lk-failure>
      <div class="head">
        <h1 tabindex="-1">Open to you</h1>
        <p class="soft">Until ${moment(until)}, while this page is open and somebody is here.</p>
      </div>
      <lk-services .services=${services}></lk-services>
    </lk-frame>`;
  }

  readonly #come = (event: SubmitEvent): void => {
    event.preventDefault();
    const [preview, data] = [this.view, new FormData(event.target as HTMLFormElement)];
    if (preview.at !== 'door') return;
    const guest = {
      name: String(data.get('name') ?? '').trim(),
      recipient: String(data.get('recipient') ?? '').trim(),
    };
    void this.#attempt(() => this.#enter(preview, guest));
  };

  async #enter(door: Extract<View, { at: 'door' }>, guest: link.GuestWords): Promise<void> {
    const { preview } = door;
    const held = this.#link;
    if (held === undefined) return;
    const knocked = preview.approval ? await this.#knock(door, held, guest) : undefined;
    if (!preview.kiosk) {
      await link.bindLink(held, guest, knocked);
      location.assign('/');
      return;
    }
    const visit = await link.KioskVisit.begin(held);
    const entered = await visit.enter(guest, knocked);
    this.#visit = visit;
    const shell = new URL(entered.shell).origin;
    // The shell that asks hears of it before this page goes.
    const leave = async (): Promise<void> => void (await this.#end(shell));
    answerShells(shell, leave, async () => this.#visit?.endorser());
    this.#watch(shell, entered.idleS);
    this.view = { at: 'in', entered };
    await this.updateComplete;
    this.renderRoot.querySelector('h1')?.focus();
  }

  /** Waits at the door; the form is there again when nobody opened. */
  async #knock(door: View, held: link.GuestLink, guest: link.GuestWords): Promise<link.Knocked> {
    const knocked = await link.knock(held, guest);
    this.view = { at: 'waiting', code: knocked.code };
    try {
      await link.letIn(knocked);
    } finally {
      this.view = door;
    }
    return knocked;
  }

  /** Ends the visit when nobody is there any more, or nothing is left of this page. */
  #watch(shell: string, idleS: number): void {
    const idle = new IdleWatch(idleS * 1_000, () => this.#attempt(() => this.#end(shell)));
    window.addEventListener('message', ({ origin, data }: MessageEvent<ActiveNotice | null>) => {
      if (origin === shell && data?.latchkey === 'active') idle.seen();
    });
    window.addEventListener('pagehide', () => {
      idle.stop();
      this.#visit?.endSoon();
      this.#visit = undefined;
    });
  }

  /** This page goes on where the apps are wiped. */
  async #end(shell: string): Promise<void> {
    const visit = this.#visit;
    if (visit === undefined) return;
    await visit.end();
    this.#visit = undefined;
    location.replace(visit.endedPage(shell));
  }

  readonly #leave = (): void => {
    const { view } = this;
    if (view.at === 'in') void this.#attempt(() => this.#end(new URL(view.entered.shell).origin));
  };

  async #attempt(run: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.failure = undefined;
    try {
      await run();
    } catch (error) {
      this.failure = failureOf(error);
      if (final.has(this.failure.code)) this.view = { at: 'over' };
    } finally {
      this.busy = false;
    }
  }
}

function words({ approval, kiosk }: link.LinkPreview): string {
  if (approval) return 'Knock';
  return kiosk ? 'Open' : 'Create a passkey';
}

/** As the guest's own clock and language have it. */
function moment(ms: number): string {
  return new Date(ms).toLocaleString([], { weekday: 'long', hour: '2-digit', minute: '2-digit' });
}
