/**
 * Serves a pair of files and takes a renewed one without a restart. The files are looked at now and then rather than
 * watched: ACME clients replace links, and a pair that is written one file after the other fits only at the second.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../../protocol/clock.ts';
import type { Logger } from '../log.ts';
import { type CertificateFiles, type CertificatePair, readPair, stampOf } from './certificate-files.ts';

/** A certificate is renewed weeks before its end; a minute is soon. */
const lookMs = 20_000;

export interface WatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange?: (pair: CertificatePair) => void;
}

export class CertificateWatch {
  readonly #files: CertificateFiles;
  readonly #options: WatchOptions;
  #stamp: string;
  #pair: CertificatePair;
  #context: SecureContext;
  #cancel: () => void = () => undefined;

  /** @throws TlsError when the files cannot be served now. */
  constructor(files: CertificateFiles, options: WatchOptions) {
    this.#files = files;
    this.#options = options;
    this.#stamp = stampOf(files);
    this.#pair = readPair(files);
    this.#context = contextOf(this.#pair);
    this.#plan();
  }

  get pair(): CertificatePair {
    return this.#pair;
  }

  get context(): SecureContext {
    return this.#context;
  }

  close(): void {
    this.#cancel();
  }

  #plan(): void {
    this.#cancel = this.#options.clock.after(lookMs, () => {
      this.#look();
      this.#plan();
    });
  }

  #look(): void {
    const stamp = stampOf(this.#files);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    const { log, onChange } = this.#options;
    try {
      this.#pair = readPair(this.#files);
      this.#context = contextOf(this.#pair);
    } catch (error) {
      log.error({ err: error }, 'a renewed certificate cannot be used; the one before is served on');
      return;
    }
    log.info(
      { file: this.#files.certificate, validTo: this.#pair.chain[0].validTo },
      'a renewed certificate is served',
    );
    onChange?.(this.#pair);
  }
}

function contextOf({ certificate, key }: CertificatePair): SecureContext {
  return createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3' });
}
