/**
 * One thing a browser can say of its device, with how far it can be believed. A page can be made to say anything by
 * whoever controls the browser, so every value names its source, and what cannot be known is `null` with a reason,
 * never a pass.
 */

/** Where a value comes from. All of them are the client's own word; none is attested. */
export type SignalSource = 'user-agent' | 'ua-client-hints' | 'browser';

export interface Signal {
  readonly name: string;
  readonly value: string | number | boolean | null;
  readonly source: SignalSource;
  /** Why `value` is null; a code. */
  readonly reason?: string;
}

/** The part of a browser the signals read, so that tests can hold another one up. */
export interface BrowserView {
  readonly userAgent: string;
  readonly webdriver: boolean;
  readonly isSecureContext: boolean;
  readonly crossOriginIsolated: boolean;
  readonly hints?: {
    readonly brands: readonly { brand: string; version: string }[];
    readonly platform: string;
    readonly mobile: boolean;
    getHighEntropyValues(names: string[]): Promise<{ platformVersion?: string }>;
  };
}

/** A signal that could not be read. */
export function unknown(name: string, source: SignalSource, reason: string): Signal {
  return { name, value: null, source, reason };
}
