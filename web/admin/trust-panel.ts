/** The keys of the installation with their fingerprints, and whether a rotation waits. */
import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { controls } from '../design/controls.ts';
import { type Failure, failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import { badges } from './badges.ts';
import { read, type Shape } from './client.ts';
import { day, grouped, panelStyles } from './panel.ts';

type Trust = Shape<'TrustState'>;
type Tone = 'good' | 'warn' | 'plain';

/** What each role's key signs, in the words of people. */
const duties: Readonly<Record<string, string>> = {
  root: 'the word of the root before for the one in force',
  directory: 'where gateways are',
  svid: 'who may open a tunnel',
  policy: 'policies and services',
  notary: 'receipts of what was cut',
  audit: 'anchors of the audit log',
  revocation: 'what is taken back',
};

@customElement('lk-trust')
export class TrustPanel extends LitElement {
  static override readonly styles = [
    controls,
    badges,
    panelStyles,
    css`
      li code {
        display: block;
        margin-top: 0.25rem;
      }
    `,
  ];

  @state() private trust: Trust | undefined;
  @state() private failure: Failure | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    read('/api/admin/keys').then(
      (trust) => {
        this.trust = trust;
      },
      (error: unknown) => {
        this.failure = failureOf(error);
      },
    );
  }

  override render() {
    const { trust } = this;
    return html`<lk-failure .failure=${this.failure}></lk-failure>
      ${trust === undefined ? nothing : [this.#roots(trust), this.#roleKeys(trust), this.#others(trust)]}`;
  }

  #roots({ roots, nextRoot, rotation }: Trust) {
    const waits =
      rotation === undefined
        ? html`No rotation waits. <code>latchkey rotate</code> asks for one.`
        : html`A rotation waits since ${day(rotation.requestedAt)}: ${rotation.approvals} of ${rotation.needed} policy
            administrators have signed it.`;
    return html`<section aria-labelledby="roots">
      <h2 id="roots">Root keys</h2>
      <p class="soft">Everybody compares the fingerprint in force; browsers and gateways follow a rotation by themselves.</p>
      <p role="status">${waits}</p>
      <ul>
        ${roots.map(({ fingerprint, inForce }) =>
          key(
            inForce ? 'Installation' : 'Installation, before',
            inForce ? ['in force', 'good'] : ['replaced', 'plain'],
            '',
            fingerprint,
          ),
        )}
        ${key('Next root key', ['pinned', 'plain'], 'takes over at the next rotation', nextRoot)}
      </ul>
    </section>`;
  }

  #roleKeys({ keys }: Trust) {
    return html`<section aria-labelledby="role-keys">
      <h2 id="role-keys">Role keys</h2>
      <p class="soft">Each has a successor 30 days before it ends, without anybody’s doing.</p>
      <ul>
        ${keys.map(({ role, id, notAfter, signs }) =>
          key(
            role,
            signs ? ['signs', 'good'] : ['published', 'plain'],
            `${duties[role] ?? ''} · until ${day(notAfter)}`,
            id,
          ),
        )}
      </ul>
    </section>`;
  }

  #others({ authority, tokenKeys }: Trust) {
    return html`<section aria-labelledby="others">
      <h2 id="others">Certificates and tokens</h2>
      <ul>
        ${key('Authority of X.509-SVIDs', undefined, `until ${day(authority.notAfter)}`, authority.fingerprint)}
        ${tokenKeys.map((kid) => html`<li><span class="title">Key of WIT-SVIDs</span><code>${kid}</code></li>`)}
      </ul>
    </section>`;
  }
}

function key(title: string, badge: readonly [string, Tone] | undefined, detail: string, hex: string): TemplateResult {
  return html`<li>
    <span class="title">${title}</span>
    ${badge === undefined ? nothing : html`<span class="state ${badge[1]}">${badge[0]}</span>`}
    ${detail === '' ? nothing : html`<div class="soft">${detail}</div>`}
    <code>${grouped(hex)}</code>
  </li>`;
}
