/**
 * What listens where a service is published from, on Linux, by the kernel's word (proc(5)): the sockets that listen on the
 * port, the processes that hold them, and of those the user and the program. Several may hold one (a server and its
 * workers); a selector is said only if it is true of all of them, so that nobody who shares the socket hides behind another.
 *
 * Honest: it is looked at when the connector comes, which is at least twice a day, and not at each connection; and it is
 * as true as the machine is, whose root can say anything. Other users' processes are seen by root alone: a connector that
 * is not root says nothing of their sockets, and of its own user's what it can see.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { selectorField } from '../channel/workload.ts';
import { parseAddress } from '../netstack/address.ts';

/** In /proc/net/tcp: TCP_LISTEN (include/net/tcp_states.h). */
const listening = '0A';
const anyAddress = ['0.0.0.0', '::'];
/** As a socket for both families has an IPv4 address (RFC 4291 section 2.5.5.2). */
const mapped = (address: string): string[] => (address.includes(':') ? [address] : [address, `::ffff:${address}`]);

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** @returns for each its selectors, in SPIRE's spelling; none where nothing listens, or what does cannot be seen */
export function workloadsOf(targets: readonly Target[]): string[][] {
  const all = listeners();
  const sockets = targets.map((target) => socketsOf(target, all));
  // Once for all of them: it looks at everything that any process has open.
  const holders = processesHolding(new Set(sockets.flat().map(({ inode }) => inode)));
  return sockets.map((own) => selectorsOfAll(own, holders));
}

function socketsOf({ host, port }: Target, all: readonly Listener[]): Listener[] {
  const own = ownAddresses(host);
  if (own.length === 0) return [];
  const addresses = new Set([...own, ...anyAddress].flatMap(mapped).map(hexOf));
  return all.filter((one) => one.port === port && addresses.has(one.address));
}

/** What is true of everybody who holds one of these sockets. */
function selectorsOfAll(sockets: readonly Listener[], holders: readonly Holder[]): string[] {
  if (!sockets.every(({ uid }) => isSeen(uid))) return [];
  const isOne = (inode: string) => sockets.some((socket) => socket.inode === inode);
  const own = holders.filter(({ held }) => held.some(isOne));
  // A socket that nobody is seen to hold may be anybody's.
  if (!sockets.every(({ inode }) => own.some(({ held }) => held.includes(inode)))) return [];
  const [first = [], ...rest] = own.map(({ pid }) => selectorsOf(pid));
  return first.filter((selector) => rest.every((selectors) => selectors.includes(selector)));
}

/** Another machine's processes cannot be seen, and what has its port number here is not it. */
function ownAddresses(host: string): string[] {
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  const here = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
  const isOwn = isIP(host) !== 0 && (here.includes(host) || /^127\./.test(host));
  return isOwn ? [host] : [];
}

interface Listener {
  /** As the kernel prints it. */
  readonly address: string;
  readonly port: number;
  /** Of who made the socket. */
  readonly uid: number;
  readonly inode: string;
}

/** Whether all who hold a socket of this user can be seen. */
function isSeen(uid: number): boolean {
  const own = process.getuid?.();
  return own === 0 || own === uid;
}

function listeners(): Listener[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    textOf(table)
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, local = '', , state, , , , uid, , inode = ''] = line.trim().split(/\s+/);
        const [address = '', port = ''] = local.split(':');
        return state === listening ? [{ address, port: Number.parseInt(port, 16), uid: Number(uid), inode }] : [];
      }),
  );
}

interface Holder {
  readonly pid: string;
  readonly held: readonly string[];
}

/** Each with those of the sockets that it holds. */
function processesHolding(inodes: ReadonlySet<string>): Holder[] {
  if (inodes.size === 0) return [];
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const held = namesIn(`/proc/${pid}/fd`).flatMap((fd) => {
        const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
        return inode !== undefined && inodes.has(inode) ? [inode] : [];
      });
      return held.length === 0 ? [] : [{ pid, held }];
    });
}

/** The file is read through the process and not by its path, where another may stand by now. */
function selectorsOf(pid: string): string[] {
  try {
    const program = `/proc/${pid}/exe`;
    const { uid } = statSync(`/proc/${pid}`);
    const all = [`unix:uid:${uid}`, ...pathOf(pid), `unix:sha256:${digestOf(program)}`];
    // A path may be anything, and a program that was replaced while it runs has "(deleted)" behind its own.
    return all.filter((selector) => selectorField.safeParse(selector).success);
  } catch {
    return []; // ended, or another user's
  }
}

/** Only where it means the same file to us: whoever may make a mount namespace puts what he likes at any path in it. */
function pathOf(pid: string): string[] {
  const isOurs = readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt');
  return isOurs ? [`unix:path:${readlinkSync(`/proc/${pid}/exe`)}`] : [];
}

/** By what changes with a file's bytes: programs are large, and connectors come again often. */
const digests = new Map<string, string>();
const mostDigests = 64;

function digestOf(program: string): string {
  const { dev, ino, size, ctimeNs } = statSync(program, { bigint: true });
  const file = [dev, ino, size, ctimeNs].join();
  const known = digests.get(file);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(readFileSync(program)).digest('hex');
  if (digests.size >= mostDigests) digests.clear();
  digests.set(file, digest);
  return digest;
}

/** An address as /proc/net/tcp has it: each four bytes as a number of this machine. */
function hexOf(address: string): string {
  const words = new Uint32Array(parseAddress(address).buffer);
  return Array.from(words, (word) => word.toString(16).padStart(8, '0').toUpperCase()).join('');
}

const textOf = (path: string): string => orNothing(() => readFileSync(path, 'utf8')) ?? '';
const namesIn = (path: string): string[] => orNothing(() => readdirSync(path)) ?? [];
const linkOf = (path: string): string => orNothing(() => readlinkSync(path)) ?? '';

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
