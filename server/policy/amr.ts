/** Names of the authentication bits of a ClientSvid, as policies and audit events use them. */
import { amrBit } from '../../protocol/svid.ts';

export type AmrName = keyof typeof amrBit;

/** Names of the bits that are set; bits nobody assigned say nothing. */
export function amrNames(bits: number): AmrName[] {
  return (Object.keys(amrBit) as AmrName[]).filter((name) => (bits & amrBit[name]) !== 0);
}
