/** How often something happened, by labels: what metrics are read from, and nothing to whoever counts. */

/** Label values are codes and names of ours: whoever lets a caller choose one has no bound on how many there are. */
export class Counts<L extends string> {
  readonly #counts = new Map<string, { readonly labels: Readonly<Record<L, string>>; count: number }>();

  add(labels: Readonly<Record<L, string>>): void {
    const key = JSON.stringify(labels);
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { labels, count: 1 });
    else known.count += 1;
  }

  all(): Iterable<{ readonly labels: Readonly<Record<L, string>>; readonly count: number }> {
    return this.#counts.values();
  }
}
