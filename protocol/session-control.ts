/**
 * Stream 0, the control stream: what each role may hear there and who handles it (docs/protocol.md, "States"). A kind
 * that is not in a role's table is fatal, and so is everything while a handler says that it is out of turn.
 */
import { copy, DecodeError } from './bytes.ts';
import { type CloseCode, closeCode, nameOf } from './codes.ts';
import { recordKind } from './record.ts';
import type { LinkRecord, RecordLink } from './record-link.ts';
import { SessionError } from './session-error.ts';

/** By record kind. The content is the handler's to keep. */
export type ControlHandlers = ReadonlyMap<number, (content: Uint8Array, epoch: number) => void>;

export type ControlHost = {
  readonly link: RecordLink;
  readonly isOver: () => boolean;
  readonly fatal: (error: unknown) => void;
  /** The transport ended without CLOSE. */
  readonly onCut: () => void;
  readonly onClose: (code: CloseCode) => void;
  /** The session is over, whoever said so, and the peer has ended its direction. */
  readonly onEnded: () => void;
};

export class ControlStream {
  readonly #host: ControlHost;
  #handlers: ControlHandlers = new Map();
  #before: (record: LinkRecord) => void = () => {};

  constructor(host: ControlHost) {
    this.#host = host;
  }

  /** Seals and sends in the order of calls; settles when the transport took it, and never rejects. */
  send(kind: number, content: Uint8Array): Promise<void> {
    return this.#host.link.send(kind, content).catch(() => this.#host.onCut());
  }

  /**
   * Starts listening.
   * @param before sees every record first and may refuse it by throwing
   */
  listen(handlers: ControlHandlers, before: (record: LinkRecord) => void): void {
    this.#handlers = handlers;
    this.#before = before;
    void this.#run();
  }

  async #run(): Promise<void> {
    const { link, isOver, fatal, onCut, onEnded } = this.#host;
    for (;;) {
      const frame = await link.channel.receive().catch(() => null);
      if (isOver()) {
        if (frame !== null) continue;
        onEnded();
        return;
      }
      if (frame === null) {
        onCut();
        return;
      }
      try {
        this.#take(link.open(frame));
      } catch (error) {
        fatal(error);
      }
    }
  }

  #take(record: LinkRecord): void {
    this.#before(record);
    const content = copy(record.content); // handlers use the crypto, which may overwrite the view
    if (record.kind === recordKind.close) {
      this.#host.onClose(decodeClose(content));
      return;
    }
    const handler = this.#handlers.get(record.kind);
    if (!handler) throw new SessionError('decode', 'not a control record of this role');
    handler(content, record.epoch);
  }
}

export function encodeClose(code: CloseCode): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(closeCode[code]);
}

/** A code of a later version ends the session all the same. */
function decodeClose(content: Uint8Array): CloseCode {
  if (content.length !== 1) throw new DecodeError('CLOSE');
  return nameOf(closeCode, content[0]!) ?? 'internal';
}
