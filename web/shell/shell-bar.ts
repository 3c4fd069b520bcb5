/**
 * The toolbar of 40 pixels: which service this is, how it is connected, what is being transferred, and a menu with what
 * can be done about it. What changes every second is outside of the live region, which speaks when the state changes.
 *
 * @fires reconnect when the person wants a session now
 * @fires sign-out when they want to leave
 */
import { html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Transfers, TunnelStatus } from '../../worker/api.ts';
import { controls } from '../design/controls.ts';
import { grid, leave, lock, mark, more, open, renew, stop } from '../design/icons.ts';
import { wanted } from './addresses.ts';
import { Countdown } from './countdown.ts';
import { barStyles } from './shell-bar-styles.ts';
import { keyWords, statusWords, transferWords } from './status-text.ts';

const icons = { connecting: renew, open: lock, rekeying: lock, closed: stop, refused: stop } as const;

@customElement('lk-shell-bar')
export class ShellBar extends LitElement {
  static override readonly styles = [controls, barStyles];

  @property({ attribute: false }) status: TunnelStatus = { state: 'connecting', epoch: 0 };
  /** There was a tunnel before. */
  @property({ attribute: false }) wasOpen = false;
  @property({ attribute: false }) transfers: Transfers | undefined;
  /** The service's title. */
  @property({ attribute: false }) service = '';
  @property({ attribute: false }) hub = '';
  /** The app's origin; empty while the app is not there. */
  @property({ attribute: false }) app = '';
  @state() private secondsLeft: number | undefined;
  readonly #countdown = new Countdown((seconds) => {
    this.secondsLeft = seconds;
  });

  override connectedCallback(): void {
    super.connectedCallback();
    // A click into the app's frame is no event here, but the focus goes there.
    window.addEventListener('blur', this.#closeMenu);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('blur', this.#closeMenu);
    this.#countdown.stop();
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('status')) this.#countdown.from(this.status.retryInMs);
  }

  override render() {
    const { status } = this;
    return html`<header class="bar">
        <a class="tool home" href=${this.hub} target="_blank" aria-label="Your services" title="Your services"
          >${mark}</a
        >
        <h1 class="title">${this.service}</h1>
        ${this.#moved()} ${this.#state()} ${this.#again()}
        <button class="tool" popovertarget="menu" aria-label="Connection and sign-out" title="Connection and sign-out">
          ${more}
        </button>
        ${status.state === 'connecting' ? html`<span class="busy" aria-hidden="true"></span>` : nothing}
        ${this.#progress()} ${this.#menu()}
      </header>`;
  }

  #state() {
    const { status } = this;
    const { words, transport } = statusWords(status, this.wasOpen);
    const left = this.secondsLeft;
    return html`<span class="state" data-state=${status.state}
      ><span
        role="status"
        data-state=${status.state}
        data-transport=${status.transport ?? nothing}
        data-epoch=${status.epoch}
        >${icons[status.state]}<span>${words}</span
        >${transport === '' ? nothing : html`<span class="transport"> · ${transport}</span>`}</span
      >${left === undefined ? nothing : html`<span class="left" aria-hidden="true">in ${left} s</span>`}</span
    >`;
  }

  /** Where a person waits for a tunnel, what they want is one click away. */
  #again() {
    if (this.status.state !== 'connecting' || !this.wasOpen) return nothing;
    return html`<button class="tool" aria-label="Reconnect now" title="Reconnect now" @click=${this.#reconnect}>
      ${renew}
    </button>`;
  }

  #moved() {
    const { transfers } = this;
    if (transfers === undefined || transfers.bodies === 0) return nothing;
    return html`<span class="moved" aria-hidden="true">${transferWords(transfers)}</span>`;
  }

  #progress() {
    const { transfers } = this;
    if (transfers === undefined || transfers.bodies === 0) return nothing;
    const { movedBytes, totalBytes } = transfers;
    // Without a value it is indeterminate, and looks so.
    return totalBytes === undefined
      ? html`<progress aria-label="Transfer"></progress>`
      : html`<progress aria-label="Transfer" .max=${totalBytes} .value=${movedBytes}></progress>`;
  }

  #menu() {
    const { status } = this;
    const { words, transport, more: sentence } = statusWords(status, this.wasOpen);
    const isOpen = status.state === 'open' || status.state === 'rekeying';
    const isOver = status.state === 'closed' || status.state === 'refused';
    return html`<div
      id="menu"
      popover
      role="group"
      aria-label="Connection and sign-out"
      @beforetoggle=${this.#giveFocusBack}
    >
      <dl>
        <dt>Connection</dt>
        <dd>${words}${transport === '' ? nothing : ` · ${transport}`}</dd>
        <dd class="soft">${sentence}</dd>
        ${isOpen ? html`<dt>End-to-end keys</dt><dd>${keyWords(status.epoch)}</dd>` : nothing}
      </dl>
      <div class="items">
        <button class="item" @click=${this.#reconnect}>${renew} ${isOver ? 'Open again' : 'Reconnect'}</button>
        ${this.app === '' ? nothing : this.#window()}
        <a class="item" href=${this.hub} target="_blank" @click=${this.#closeMenu}>${grid} Your services</a>
        <button class="item" @click=${this.#signOut}>${leave} Sign out</button>
      </div>
    </div>`;
  }

  /** Through this tab's tunnel, and under no frame: for pages that refuse to be framed, or want to be isolated. */
  #window() {
    return html`<a
      class="item"
      href=${this.app}
      target="_blank"
      rel="noopener"
      referrerpolicy="origin"
      @click=${this.#leadWindow}
      >${open} In a window of its own</a
    >`;
  }

  /** To where the app is now. */
  readonly #leadWindow = ({ currentTarget }: MouseEvent): void => {
    (currentTarget as HTMLAnchorElement).href = this.app + (wanted(location)?.path ?? '/'); // the listener is on it
    this.#closeMenu();
  };

  /**
   * HTML gives the focus back to what had it before, if the popover has it; Chromium asks whether the shadow root's host is
   * in the popover, which it never is, and then nothing has it.
   */
  readonly #giveFocusBack = ({ newState, currentTarget }: ToggleEvent): void => {
    const menu = currentTarget as HTMLElement; // the listener is on it
    if (newState !== 'closed' || !menu.matches(':focus-within')) return;
    this.renderRoot.querySelector<HTMLElement>('[popovertarget=menu]')?.focus();
  };

  readonly #closeMenu = (): void => {
    this.renderRoot.querySelector<HTMLElement>('#menu')?.hidePopover();
  };

  readonly #reconnect = (): void => {
    this.#closeMenu();
    this.dispatchEvent(new Event('reconnect'));
  };

  readonly #signOut = (): void => {
    this.#closeMenu();
    this.dispatchEvent(new Event('sign-out'));
  };
}
