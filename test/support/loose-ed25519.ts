/** C2SP's CCTV of Ed25519 (https://github.com/C2SP/CCTV/tree/main/ed25519): what in a signature verifiers disagree about. */

const refused = new Set([
  'low_order_A',
  'low_order_R',
  'non_canonical_A',
  'non_canonical_R',
  'low_order_residue',
  'reencoded_k',
]);

/** Whether our one rule refuses a case with these flags. */
export function isLoose(flags: readonly string[] | null): boolean {
  return flags?.some((flag) => refused.has(flag)) ?? false;
}
