/** Where a tunnel can be opened, as the answer to a launch lists it. */
export interface Endpoint {
  /** `https://HOST:PORT/tunnel` or `ws://…`, `wss://…`. */
  readonly url: string;
  readonly transport: 'webtransport' | 'websocket';
  /** SHA-256 of the certificates the far end may show, now and next; empty where it has one that browsers trust. */
  readonly certHashes: readonly Uint8Array[];
}
