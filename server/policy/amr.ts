/** How a person proved who they are: the bits of a ClientSVID (`amr`, u32) and their names in policies and events. */
export const amrBit = { passkey: 1, device: 2, oidc: 4, saml: 8, link: 16, stepup: 32 } as const;
export type AmrName = keyof typeof amrBit;

/** Names of the bits that are set; bits nobody assigned say nothing. */
export function amrNames(bits: number): AmrName[] {
  return (Object.keys(amrBit) as AmrName[]).filter((name) => (bits & amrBit[name]) !== 0);
}
