/**
 * Decisions about people that need not be put to Cedar again. What it answers follows from policies and entities, which
 * are those of one engine, and from the question; so the same question has the same answer until another engine decides.
 * Questions are the same when all is the same that a policy can read of them, and only that: most policies read neither
 * the time nor the path. Where one reads the time, and for guests, whose links end by it, Cedar is always asked. Pure.
 */
import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarCall, PolicyDecision } from './question.ts';

/** Of one engine, with the length of a key: about 2 MiB at the very most. */
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
 * The attributes of the context that policies may read: never fewer than they do. Cedar's own parser says where the context
 * stands, so no comment, text or escape can hide it; where it is more than the left side of `.` or `has`, all is read, and
 * so it is where a policy cannot be parsed.
 */
export function contextRead(policies: Iterable<string>): ReadonlySet<string> | 'all' {
  const read = new Set<string>();
  for (const text of policies) {
    const parsed = policyToJson(text);
    if (parsed.type === 'failure' || !collect(parsed.json, read)) return 'all';
  }
  return read;
}

/** @param part of Cedar's JSON policy format. @returns false where the context itself is a value. */
function collect(part: unknown, read: Set<string>): boolean {
  if (typeof part !== 'object' || part === null) return true;
  if (isContext(part)) return false;
  return Object.entries(part).every(([operator, operand]) => {
    const attribute = operator === '.' || operator === 'has' ? attributeOfContext(operand) : undefined;
    if (attribute !== undefined) read.add(attribute);
    return attribute !== undefined || collect(operand, read);
  });
}

function isContext(part: unknown): boolean {
  return typeof part === 'object' && part !== null && 'Var' in part && part.Var === 'context';
}

/** `has` may name a path of attributes, of which the first is the context's. */
function attributeOfContext(operand: unknown): string | undefined {
  if (typeof operand !== 'object' || operand === null || !('left' in operand) || !('attr' in operand)) return undefined;
  const [name] = [operand.attr].flat();
  return isContext(operand.left) && typeof name === 'string' ? name : undefined;
}
