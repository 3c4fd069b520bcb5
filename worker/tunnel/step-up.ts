/**
 * Step-up as the tunnel's Worker sees it: the gateway's question, a window of the hub that has the passkey touched, and
 * the answer back through the same session (docs/protocol.md, "Step-up"). The exporter never leaves for anywhere but
 * the hub, which hashes it into its challenge.
 */
import type { NoticeCode } from '../../protocol/notice.ts';
import type { Session } from '../../protocol/session.ts';
import type { StepupAssertion, StepupQuestion } from '../../protocol/stepup.ts';
import type { HubToStepUp, StepUpStage, StepUpToHub } from '../api.ts';

type Asking = { readonly session: Pick<Session, 'answerStepup' | 'closed'>; readonly question: StepupQuestion };

const fields = ['credentialId', 'authenticatorData', 'clientDataJson', 'signature', 'userHandle'] as const;

export class StepUp {
  readonly #onStage: (stage: StepUpStage | undefined) => void;
  #asking: Asking | undefined;
  #hub: MessagePort | undefined;

  constructor(onStage: (stage: StepUpStage | undefined) => void) {
    this.#onStage = onStage;
  }

  /** The gateway asks in this session. */
  asked(session: Asking['session'], question: StepupQuestion): void {
    const asking = { session, question };
    this.#asking = asking;
    this.#onStage('asked');
    // Whoever answers later does it in another session, which asks again.
    void session.closed.then(() => {
      if (this.#asking === asking) this.#over(undefined);
    });
  }

  /** What came of it. */
  noticed(code: NoticeCode | undefined): void {
    if (code === 'stepup_done') this.#over(undefined);
    if (code === 'stepup_refused') this.#over('refused');
  }

  /** Puts the question to a window of the hub; a window that was asked before is forgotten. */
  answerOver(hub: MessagePort): void {
    this.#hub?.close();
    const asking = this.#asking;
    if (asking === undefined) {
      hub.close();
      return;
    }
    this.#hub = hub;
    hub.onmessage = ({ data }: MessageEvent<HubToStepUp | null>) => {
      const assertion = data?.t === 'touched' ? readAssertion(data.assertion) : undefined;
      // A hub that makes no sense changes nothing: the question stays open until its time is over.
      if (assertion !== undefined) asking.session.answerStepup(asking.question.nonce, assertion);
    };
    const { nonce, exporter } = asking.question;
    hub.postMessage({ t: 'stepup', nonce, exporter } satisfies StepUpToHub);
  }

  decline(): void {
    const asking = this.#asking;
    this.#over(undefined);
    asking?.session.answerStepup(asking.question.nonce);
  }

  #over(stage: StepUpStage | undefined): void {
    // A refusal of what the person declined themselves is no news.
    if (stage === 'refused' && this.#asking === undefined) return;
    this.#asking?.question.exporter.fill(0);
    this.#asking = undefined;
    this.#hub?.close();
    this.#hub = undefined;
    this.#onStage(stage);
  }
}

function readAssertion(said: StepupAssertion | undefined): StepupAssertion | undefined {
  return said !== undefined && fields.every((field) => said[field] instanceof Uint8Array) ? said : undefined;
}
