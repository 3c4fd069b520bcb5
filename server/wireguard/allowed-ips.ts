/**
 * Cryptokey routing (paper section 2): which peer an inner address belongs to. One table, two uses: the destination of
 * what goes out chooses the peer, and the source of what comes in must lead to the peer that sent it.
 *
 * A path-compressed binary trie for each family: a node holds a prefix, its children longer prefixes that begin with it.
 * The longest prefix that has an owner wins. test/reference/ has nothing to add here: the linear router that this is
 * held against is five lines and stands in the test.
 */
import { type IpBytes, maskTo, type Prefix } from './ip.ts';

interface Node<T> {
  readonly address: IpBytes;
  readonly length: number;
  owner: T | undefined;
  readonly children: [Node<T> | undefined, Node<T> | undefined];
}

function bitAt(address: IpBytes, index: number): 0 | 1 {
  return ((address[index >> 3]! >> (7 - (index & 7))) & 1) as 0 | 1; // one bit is 0 or 1
}

/** How many leading bits two addresses share, up to `limit`. */
function commonBits(a: IpBytes, b: IpBytes, limit: number): number {
  for (let index = 0; index * 8 < limit; index++) {
    const difference = a[index]! ^ b[index]!;
    if (difference !== 0) return Math.min(limit, index * 8 + Math.clz32(difference) - 24);
  }
  return limit;
}

function leaf<T>(prefix: Prefix, owner: T | undefined): Node<T> {
  return { address: prefix.address, length: prefix.length, owner, children: [undefined, undefined] };
}

function insert<T>(node: Node<T> | undefined, prefix: Prefix, owner: T): Node<T> {
  if (node === undefined) return leaf(prefix, owner);
  const common = commonBits(node.address, prefix.address, Math.min(node.length, prefix.length));
  if (common === node.length) {
    if (prefix.length === node.length) {
      node.owner = owner;
    } else {
      const side = bitAt(prefix.address, node.length);
      node.children[side] = insert(node.children[side], prefix, owner);
    }
    return node;
  }
  const parent = leaf<T>({ address: maskTo(prefix.address, common), length: common }, undefined);
  parent.children[bitAt(node.address, common)] = node;
  if (common === prefix.length) parent.owner = owner;
  else parent.children[bitAt(prefix.address, common)] = leaf(prefix, owner);
  return parent;
}

function remove<T>(node: Node<T> | undefined, prefix: Prefix): Node<T> | undefined {
  if (node === undefined || node.length > prefix.length) return node;
  if (commonBits(node.address, prefix.address, node.length) < node.length) return node;
  if (node.length === prefix.length) {
    node.owner = undefined;
  } else {
    const side = bitAt(prefix.address, node.length);
    node.children[side] = remove(node.children[side], prefix);
  }
  if (node.owner !== undefined) return node;
  const [zero, one] = node.children;
  // A node without an owner is only there to part two children.
  return zero !== undefined && one !== undefined ? node : (zero ?? one);
}

function find<T>(root: Node<T> | undefined, address: IpBytes): T | undefined {
  let best: T | undefined;
  let node = root;
  while (node !== undefined && commonBits(node.address, address, node.length) === node.length) {
    if (node.owner !== undefined) best = node.owner;
    if (node.length === address.length * 8) break;
    node = node.children[bitAt(address, node.length)];
  }
  return best;
}

function nameOf(prefix: Prefix): string {
  return `${Buffer.from(prefix.address).toString('hex')}/${prefix.length}`;
}

/** @typeParam T the owner of a prefix, compared by identity. */
export class AllowedIps<T> {
  #v4: Node<T> | undefined;
  #v6: Node<T> | undefined;
  readonly #owners = new Map<string, T>();
  readonly #prefixes = new Map<T, Map<string, Prefix>>();

  /** Gives `owner` exactly these prefixes. One that was another's changes hands, as with `wg set`. */
  assign(owner: T, prefixes: readonly Prefix[]): void {
    this.release(owner);
    const owned = new Map<string, Prefix>();
    this.#prefixes.set(owner, owned);
    for (const prefix of prefixes) {
      const name = nameOf(prefix);
      const previous = this.#owners.get(name);
      if (previous !== undefined) this.#prefixes.get(previous)?.delete(name);
      this.#owners.set(name, owner);
      owned.set(name, prefix);
      if (prefix.address.length === 4) this.#v4 = insert(this.#v4, prefix, owner);
      else this.#v6 = insert(this.#v6, prefix, owner);
    }
  }

  /** Takes all prefixes from `owner`. */
  release(owner: T): void {
    for (const [name, prefix] of this.#prefixes.get(owner) ?? []) {
      this.#owners.delete(name);
      if (prefix.address.length === 4) this.#v4 = remove(this.#v4, prefix);
      else this.#v6 = remove(this.#v6, prefix);
    }
    this.#prefixes.delete(owner);
  }

  /** The owner of the longest prefix that covers `address`. */
  lookup(address: IpBytes): T | undefined {
    return address.length === 4 ? find(this.#v4, address) : find(this.#v6, address);
  }

  prefixesOf(owner: T): Prefix[] {
    return [...(this.#prefixes.get(owner)?.values() ?? [])];
  }
}
