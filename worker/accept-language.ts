/** Accept-Language in the order of preference, as browsers write it: `de-CH,de;q=0.9,en;q=0.8`. */
export function acceptLanguage(languages: readonly string[]): string {
  return languages.map((one, i) => (i === 0 ? one : `${one};q=${Math.max(1, 10 - i) / 10}`)).join(',');
}
