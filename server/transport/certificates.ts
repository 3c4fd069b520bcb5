/**
 * Which certificate is in use and which comes next. Both are announced all the time, so whoever learned our hashes up to
 * a whole period ago still finds one that fits. The change needs no timer to be exact: it happens when somebody looks.
 */
import type { Clock } from '../../protocol/clock.ts';
import { type Certificate, certificateDays, makeCertificate } from './certificate.ts';

/** Where an engine has its certificate from. */
export interface CertificateSource {
  /** The one to serve now. */
  readonly current: Pick<Certificate, 'certificate' | 'key' | 'hash'>;
  /** The hashes to announce: current and next; none where a public authority vouches. */
  readonly hashes: Uint8Array[];
  close(): void;
}

/** @param onChange the certificate to serve, or the hashes, have changed. */
export type OpenCertificates = (onChange: () => void) => Promise<CertificateSource>;

/** A certificate serves until a day before it ends. */
const periodMs = (certificateDays - 1) * 86_400_000;
/** A sleeping machine's timers stand still, so the clock is asked again this often. */
const lookMs = 3_600_000;

export class Certificates implements CertificateSource {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #current: Certificate;
  #next: Certificate;
  /** When the next one takes over, ms since the epoch. */
  #changeAt: number;
  #making = false;
  #stop: () => void = () => undefined;

  private constructor(clock: Clock, current: Certificate, next: Certificate, changeAt: number, onChange: () => void) {
    this.#clock = clock;
    this.#current = current;
    this.#next = next;
    this.#changeAt = changeAt;
    this.#onChange = onChange;
    this.#watch();
  }

  /** Makes the first two. `onChange` is called after each further one was made. */
  static async start(clock: Clock, onChange: () => void): Promise<Certificates> {
    const now = clock.now();
    const [current, next] = await Promise.all([makeCertificate(now), makeCertificate(now + periodMs)]);
    return new Certificates(clock, current, next, now + periodMs, onChange);
  }

  /** The one to serve now. */
  get current(): Certificate {
    this.#look();
    return this.#current;
  }

  /** The hashes to announce: current and next. */
  get hashes(): Uint8Array[] {
    this.#look();
    return [this.#current.hash, this.#next.hash];
  }

  close(): void {
    this.#stop();
  }

  #watch(): void {
    this.#stop = this.#clock.after(lookMs, () => {
      this.#look();
      this.#watch();
    });
  }

  #look(): void {
    if (this.#making || this.#clock.now() < this.#changeAt) return;
    this.#making = true;
    this.#current = this.#next;
    this.#renew().then(
      () => this.#onChange(),
      // The next look tries again; until then the one in use goes on.
      () => {
        this.#making = false;
      },
    );
  }

  async #renew(): Promise<void> {
    const now = this.#clock.now();
    // After a long sleep the one that just took over may be spent as well: then both are made anew.
    if (now >= this.#current.notAfter) this.#current = await makeCertificate(now);
    const changeAt = Math.max(this.#changeAt, now) + periodMs;
    this.#next = await makeCertificate(changeAt);
    this.#changeAt = changeAt;
    this.#making = false;
  }
}
