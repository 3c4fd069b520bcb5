/**
 * The step-up of one session: when policy wants a touch of the passkey, everything that needs it waits here for one
 * question, and goes on when the control plane believes the answer. It counts for five minutes, in this session; the
 * next credential carries it into others (docs/protocol.md, "Step-up").
 */
import { equal } from '../../../protocol/bytes.ts';
import type { Clock } from '../../../protocol/clock.ts';
import { encodeNotice } from '../../../protocol/notice.ts';
import type { Session } from '../../../protocol/session.ts';
import type { StepupAssertion, StepupQuestion } from '../../../protocol/stepup.ts';
import { BridgeError } from '../bridge/tunnel-stream.ts';
import { stepUpAnswerLimitMs } from '../limits.ts';
import type { StepUpRefused, StepUpRequests } from '../state/step-up-requests.ts';

export interface StepUpOptions {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  readonly requests: Pick<StepUpRequests, 'begin' | 'finish'>;
  readonly session: Pick<Session, 'askStepup' | 'notice'>;
  /** Serial of the credential held now. */
  readonly serial: () => Uint8Array;
  /** Why one did not come about; for the log. */
  readonly onRefused: (error: StepUpRefused | Error) => void;
}

type Answer = { readonly exporter: Uint8Array; readonly assertion: StepupAssertion | undefined };

export class StepUp {
  readonly #options: StepUpOptions;
  #doneAt: number | undefined;
  #underWay: Promise<void> | undefined;
  #open: { readonly nonce: Uint8Array; readonly answer: PromiseWithResolvers<Answer | undefined> } | undefined;
  #isOver = false;

  constructor(options: StepUpOptions) {
    this.#options = options;
  }

  /** Seconds since the last touch, undefined when there was none. How long it counts is for who asks to judge. */
  get ageS(): number | undefined {
    return this.#doneAt === undefined ? undefined : (this.#options.clock.monotonic() - this.#doneAt) / 1_000;
  }

  /** Asks, or joins the question that is open. @throws BridgeError `stepup_required` when no touch came of it */
  require(): Promise<void> {
    this.#underWay ??= this.#run().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  /** The client's answer; to an earlier question it comes too late. */
  answered({ nonce, exporter }: StepupQuestion, assertion: StepupAssertion | undefined): void {
    if (this.#open !== undefined && equal(this.#open.nonce, nonce)) this.#open.answer.resolve({ exporter, assertion });
  }

  /** The session is over: nobody will answer. */
  end(): void {
    this.#isOver = true;
    this.#open?.answer.resolve(undefined);
  }

  async #run(): Promise<void> {
    const { clock, onRefused, session } = this.#options;
    try {
      await this.#ask();
      this.#doneAt = clock.monotonic();
      session.notice(encodeNotice('stepup_done'));
    } catch (error) {
      // Anything that is thrown here is an Error: ours, or a fault of the runtime's.
      onRefused(error as Error);
      session.notice(encodeNotice('stepup_refused'));
      throw new BridgeError('stepup_required', { cause: error });
    }
  }

  async #ask(): Promise<void> {
    const { requests, serial } = this.#options;
    const { ceremony, nonce } = await requests.begin(serial());
    const answer = await this.#answerTo(nonce);
    if (answer?.assertion === undefined) throw new Error(answer === undefined ? 'not answered' : 'declined');
    const { exporter, assertion } = answer;
    await requests.finish({ serial: serial(), ceremony, exporter, assertion });
  }

  /** @returns undefined when none came in time. */
  async #answerTo(nonce: Uint8Array): Promise<Answer | undefined> {
    const { clock, session } = this.#options;
    if (this.#isOver) return undefined;
    const answer = Promise.withResolvers<Answer | undefined>();
    this.#open = { nonce, answer };
    const cancel = clock.after(stepUpAnswerLimitMs, () => answer.resolve(undefined));
    try {
      session.askStepup(nonce);
      return await answer.promise;
    } finally {
      cancel();
      this.#open = undefined;
    }
  }
}
