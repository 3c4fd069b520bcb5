/** A person's own devices, and how one that was lost is taken out: from another one, by that one's passkey. */
import { css, html, LitElement, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { attempt, type Failure } from '../design/failure.ts';
import '../design/failure-note.ts';
import { call } from './api.ts';
import type { Device } from './device.ts';
import { signedCall } from './signed-call.ts';

interface OwnDevice {
  readonly id: string;
  readonly name: string;
  readonly state: 'waiting' | 'approved' | 'revoked';
  readonly createdAt: number;
  readonly lastSignIn?: number;
}

@customElement('lk-devices')
export class DeviceList extends LitElement {
  static override readonly styles = [
    controls,
    css`
      summary {
        border-radius: 4px;
        cursor: pointer;
        margin-top: 0.5rem;
        width: max-content;
      }
      ul {
        display: grid;
        gap: 0.6rem;
        list-style: none;
        margin: 0.75rem 0 0;
        padding: 0;
      }
      li {
        align-items: center;
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 1rem;
        justify-content: space-between;
      }
      p {
        margin: 0.75rem 0 0;
      }
    `,
  ];

  @property({ attribute: false }) device!: Device;
  /** The id of the device that is signed in. */
  @property({ attribute: false }) own = '';
  @state() private devices: readonly OwnDevice[] | undefined;
  /** Which one is asked about. */
  @state() private asked: string | undefined;
  @state() private failure: Failure | undefined;
  @state() private busy = false;

  override render() {
    return html`<details @toggle=${this.#toggle}>
      <summary>Your devices</summary>
      <lk-failure .failure=${this.failure}></lk-failure>
      <ul>
        ${this.devices?.map((one) => this.#row(one))}
      </ul>
      <p class="soft">Take out one that you lost. Who lost all of them asks an administrator for a recovery link.</p>
    </details>`;
  }

  #row(one: OwnDevice) {
    return html`<li>
      <span>${nameOf(one)}${one.id === this.own ? ', this one' : ''} <span class="soft">${whenOf(one)}</span></span>
      ${one.id === this.own ? nothing : this.#actions(one)}
    </li>`;
  }

  #actions(one: OwnDevice) {
    if (this.asked !== one.id) {
      const ask = () => {
        this.asked = one.id;
      };
      return html`<button class="quiet" aria-label="Take out ${nameOf(one)}" @click=${ask}>Take out</button>`;
    }
    return html`<button ?disabled=${this.busy} @click=${() => this.#takeOut(one)}>Close all it has open, for good</button>`;
  }

  readonly #toggle = (event: Event): void => {
    if ((event.target as HTMLDetailsElement).open) void this.#attempt(this.#load);
  };

  readonly #load = async (): Promise<void> => {
    const { devices } = await call<{ devices: OwnDevice[] }>('GET', '/api/devices');
    this.devices = devices.filter(({ state }) => state !== 'revoked');
  };

  #takeOut({ id }: OwnDevice): Promise<void> {
    return this.#attempt(async () => {
      await signedCall(this.device, '/api/devices/revoke', { device: id });
      this.asked = undefined;
      await this.#load();
    });
  }

  async #attempt(run: () => Promise<void>): Promise<void> {
    this.busy = true;
    await attempt((failure) => {
      this.failure = failure;
    }, run);
    this.busy = false;
  }
}

function nameOf({ name }: OwnDevice): string {
  return name === '' ? 'A device without a name' : name;
}

function whenOf({ state, createdAt, lastSignIn }: OwnDevice): string {
  const day = (ms: number) => new Date(ms).toLocaleDateString([], { dateStyle: 'medium' });
  if (state === 'waiting') return `waits for an administrator since ${day(createdAt)}`;
  return lastSignIn === undefined ? `since ${day(createdAt)}` : `last signed in ${day(lastSignIn)}`;
}
