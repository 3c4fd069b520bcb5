/** Signing in at an OpenID provider, from an enrolled browser (idp/sign-in.ts has what every provider has in common). */
import { timingSafeEqual } from 'node:crypto';
import { utf8 } from '../../../protocol/bytes.ts';
import { oidcChallenge } from '../../../protocol/challenges.ts';
import { nodeCrypto } from '../../crypto/node-crypto.ts';
import { ApiError } from '../api-error.ts';
import { beginCeremony, findCeremony } from '../ceremonies.ts';
import type { Context } from '../context.ts';
import { digestOf, newSecret } from '../identifiers.ts';
import { finishAtProvider, type ProviderBegun, type ProviderProof, personToSignIn } from '../idp/sign-in.ts';
import type { SignedIn } from '../leases.ts';
import type { Entered } from '../proof.ts';
import type { OidcFlow, OidcProvider } from './provider.ts';

/** @throws ApiError `device_unknown`, `device_waits`, `oidc_unreachable`, `oidc_weak` */
export async function beginOidc(
  context: Context,
  provider: OidcProvider,
  devicePublicKey: Uint8Array,
): Promise<ProviderBegun> {
  const person = await personToSignIn(context, devicePublicKey);
  const [secret, nonce, verifier] = [newSecret(), newSecret(), newSecret()];
  const { id, nonce: ceremonyNonce } = await beginCeremony(context, {
    kind: 'oidc',
    user_id: person.user_id,
    device_id: person.device_id,
    idp: JSON.stringify({ secretHash: Buffer.from(digestOf(secret)).toString('hex'), nonce, verifier }),
  });
  const url = await provider.begin({ state: `${id}.${secret}`, nonce, verifier });
  return { url: url.href, nonce: ceremonyNonce, userHandle: person.handle };
}

/**
 * @param signedIn who is signed in in this browser, if anybody: the identity is tied to them where it is nobody's
 * @throws ApiError `ceremony_unknown`, `device_signature`, `oidc_refused`, `oidc_acr`, `idp_unlinked`, `idp_other`
 */
export async function finishOidc(
  context: Context,
  provider: OidcProvider,
  signedIn: SignedIn | undefined,
  proof: ProviderProof,
): Promise<Entered> {
  const state = new URLSearchParams(proof.answer).get('state') ?? '';
  const [id = '', secret = ''] = state.split('.');
  const ceremony = await findCeremony(context, 'oidc', id);
  const flow = flowOf(ceremony.idp ?? '', state, secret);
  return finishAtProvider(context, signedIn, {
    ...{ protocol: 'oidc', ceremony, proof },
    challenge: (device, { hash: postureHash }) => {
      const queryHash = nodeCrypto.sha256(utf8(proof.answer));
      return oidcChallenge(nodeCrypto, {
        ...{ ...device, rpId: context.config.rpId, nonce: ceremony.nonce, postureHash, queryHash },
      });
    },
    identify: () => provider.finish(proof.answer, flow, context.clock.now()),
  });
}

function flowOf(kept: string, state: string, secret: string): OidcFlow {
  const { secretHash, nonce, verifier } = JSON.parse(kept) as { secretHash: string; nonce: string; verifier: string };
  if (!timingSafeEqual(Buffer.from(secretHash, 'hex'), digestOf(secret))) throw new ApiError('ceremony_unknown');
  return { state, nonce, verifier };
}
