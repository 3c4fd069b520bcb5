/** What every session of a gateway shares. */
import type { Clock } from '../../../protocol/clock.ts';
import type { Crypto, Signer } from '../../../protocol/crypto.ts';
import type { Config } from '../../config.ts';
import type { Logger } from '../../log.ts';
import type { Audit } from '../audit.ts';
import type { Connect } from '../bridge/upstream-pool.ts';
import type { JarStore } from '../exchange/jar-store.ts';
import type { ShimSource } from '../exchange/response-rules.ts';
import type { AssertionKeys } from '../state/assertion-keys.ts';
import type { PolicyState } from '../state/policy-state.ts';
import type { StepUpRequests } from '../state/step-up-requests.ts';
import type { Trust } from '../state/trust.ts';
import type { UdpFlows } from './udp-flows.ts';

export interface SessionDependencies {
  readonly config: Config;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Logger;
  readonly audit: Audit;
  readonly trust: Pick<Trust, 'svid'>;
  readonly policy: PolicyState;
  readonly jars: JarStore;
  readonly connect: Connect;
  readonly udpFlows: UdpFlows;
  readonly shim: ShimSource;
  /** Certificate authorities of https services, PEM; the system's own when absent. */
  readonly ca?: readonly string[] | undefined;
  readonly assertionKeys: Pick<AssertionKeys, 'sign'>;
  readonly stepUps: Pick<StepUpRequests, 'begin' | 'finish'>;
  readonly identity: { readonly signer: Signer; readonly stealthKeys: readonly Uint8Array[] };
}
