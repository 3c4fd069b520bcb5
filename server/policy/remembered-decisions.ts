/**
 * Decisions about people that need not be put to Cedar again. What it answers follows from policies and entities, which
 * are those of one engine, and from the question; so the same question has the same answer until another engine decides.
 * Questions are the same when all is the same that a policy can read of them, and only that: most policies read neither
 * the time nor the path. Where one reads the time, and for guests, whose links end by it, Cedar is always asked. Pure.
 */
import type { CedarCall, PolicyDecision } from './engine.ts';

/** Of one engine, with the length of a key: about 1 MiB at the very most. */
const maxDecisions = 1_024;
const maxKeyChars = 1_024;

export class RememberedDecisions {
  /** In a fixed order; undefined where nothing is remembered. */
  readonly #read: readonly string[] | undefined;
  readonly #known = new Map<string, PolicyDecision>();

  /** @param policies Cedar text, all that can apply to a person */
  constructor(policies: Iterable<string>) {
    const read = contextRead(policies);
    if (read !== 'all' && !read.has('now')) this.#read = [...read];
  }

  /** @param ask puts it to Cedar; undefined for a question that Cedar could not read, which is no answer to any other. */
  of(call: CedarCall, ask: () => PolicyDecision | undefined): PolicyDecision | undefined {
    const key = this.#keyOf(call);
    if (key === undefined) return ask();
    const known = this.#known.get(key) ?? this.#keep(key, ask());
    return known && { ...known, policies: [...known.policies] };
  }

  #keyOf({ principal, action, resource, context }: CedarCall): string | undefined {
    if (this.#read === undefined || principal === null || !('type' in principal) || principal.type !== 'User') return;
    const circumstances = this.#read.map((name) => context[name]);
    // The device also decides which entities there are.
    const key = JSON.stringify([principal, action, resource, context['device'], ...circumstances]);
    return key.length > maxKeyChars ? undefined : key;
  }

  #keep(key: string, decided: PolicyDecision | undefined): PolicyDecision | undefined {
    if (decided === undefined) return undefined;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= maxDecisions && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, decided);
    return decided;
  }
}

/**
 * `context`, and where it is one attribute that is read, its name. A name that is spelled with an escape, and whatever
 * else may follow, is none of these.
 */
const reading =
  /\bcontext\b(?:\s*\.\s*([A-Za-z_]\w*)|\s*\[\s*"([^"\\]*)"\s*\]|\s+has\s+([A-Za-z_]\w*)|\s+has\s*"([^"\\]*)")?/g;

/**
 * The attributes of the context that policies may read: never fewer than they do. Cedar reaches the context by this one
 * word, whose letters cannot be written in any other way; where it stands by itself, in a text or a comment too, all is read.
 */
export function contextRead(policies: Iterable<string>): ReadonlySet<string> | 'all' {
  const read = new Set<string>();
  for (const text of policies) {
    for (const [, ...names] of text.matchAll(reading)) {
      const name = names.find((one) => one !== undefined);
      if (name === undefined) return 'all';
      read.add(name);
    }
  }
  return read;
}
