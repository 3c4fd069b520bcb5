/**
 * Asks, between toolbar and app, for the user name and password that the service wants by HTTP (RFC 7617): a browser asks
 * nobody when the answer came from a service worker. The shell is another origin than the app, so no script of the app
 * reads what is typed here. Nothing of it is kept in this page, and no password manager is asked: the shell's origin is
 * that of every service.
 *
 * @fires given with a {@link GivenPassword}
 * @fires dismiss when the person would rather not
 */
import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { PasswordStage } from '../../worker/api.ts';
import { controls } from '../design/controls.ts';

export interface GivenPassword {
  readonly user: string;
  readonly password: string;
}

@customElement('lk-password-bar')
export class PasswordBar extends LitElement {
  static override readonly styles = [
    controls,
    css`
      form {
        align-items: end;
        background: var(--accent-paper);
        border-bottom: 1px solid var(--accent);
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 1rem;
        padding: 0.6rem 0.75rem;
      }
      p {
        flex: 1 1 100%;
        margin: 0;
      }
      label {
        flex: 1 1 10rem;
        max-width: 18rem;
      }
      input {
        background: var(--card);
        border: 1px solid var(--line-strong);
        border-radius: var(--radius-small);
        color: inherit;
        display: block;
        font: inherit;
        margin-top: 0.3rem;
        min-height: 44px;
        padding: 0 0.75rem;
        width: 100%;
      }
    `,
  ];

  @property({ attribute: false }) stage: PasswordStage | undefined;
  /** The service's title. */
  @property({ attribute: false }) service = '';
  @state() private complaint = '';

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('stage')) this.complaint = '';
  }

  override render() {
    // The region is there before its words are, or not every screen reader reads them.
    return html`<div role="alert">${this.stage === undefined ? nothing : this.#form()}</div>`;
  }

  #form() {
    return html`<form aria-label="Sign in to the service" @submit=${this.#onSubmit} @keydown=${this.#onKey}>
      <p>${this.#words()}</p>
      <label>User name <input name="user" autocomplete="off" autocapitalize="none" spellcheck="false" /></label>
      <label>Password <input name="password" type="password" autocomplete="off" /></label>
      <button>Sign in</button>
      <button type="button" class="quiet" @click=${this.#dismiss}>Not now</button>
    </form>`;
  }

  #words() {
    const wrong = this.stage === 'wrong' ? 'That was not accepted. ' : nothing;
    const asks = html`${wrong}<strong>${this.service}</strong> asks for a user name and a password. They are sent to it
      alone, and forgotten when this tab is closed.`;
    return this.complaint === '' ? asks : this.complaint;
  }

  readonly #onSubmit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement; // the listener is on it
    const fields = new FormData(form);
    const detail: GivenPassword = { user: String(fields.get('user')), password: String(fields.get('password')) };
    if (detail.user.includes(':')) {
      this.complaint = 'A user name with a colon cannot be sent this way.';
      return;
    }
    form.reset();
    this.dispatchEvent(new CustomEvent('given', { detail }));
  };

  readonly #onKey = ({ key }: KeyboardEvent): void => {
    if (key === 'Escape') this.#dismiss();
  };

  readonly #dismiss = (): void => {
    this.dispatchEvent(new Event('dismiss'));
  };
}
