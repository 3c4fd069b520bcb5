/**
 * Keeps cookie jars on disk, one sealed file each, written whole or not at all, so that a sign-in survives the
 * gateway's death at any instant. The key comes with the requests (the shell's Worker derives it) and is never stored:
 * who has the disk alone has nothing.
 *
 *     0   4  "LKJ1"        4  32  salt        36  n  ChaCha20-Poly1305 of the jar, key = HKDF(jar key, salt, owner)
 *
 * A fresh salt makes a fresh key for each write, so the fixed first nonce of a sealer is never used twice with one key.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { concat, equal, hex, unbase64url, utf8, wipe } from '../../../protocol/bytes.ts';
import type { Crypto } from '../../../protocol/crypto.ts';
import { ServiceJar } from './cookie-jar.ts';

/** Whose cookies: nobody else's request ever touches them. */
export interface JarOwner {
  readonly user: string;
  readonly device: string;
  readonly service: string;
}

/** A jar in use. */
export interface OpenJar {
  readonly jar: ServiceJar;
  /** Resolves once everything in the jar is on disk; at once when nothing changed or there is no key. */
  save(): Promise<void>;
}

/** A jar for one exchange, which is empty and is not kept. */
export const noJar = (): OpenJar => ({ jar: new ServiceJar(), save: async () => undefined });

const magic = utf8('LKJ1');
const saltBytes = 32;
const jarKeyBytes = 32;

export class JarStore {
  readonly #crypto: Crypto;
  readonly #directory: string;
  readonly #open = new Map<string, Promise<StoredJar>>();
  readonly #closing = new Map<string, Promise<void>>();

  constructor(options: { readonly crypto: Crypto; readonly directory: string }) {
    this.#crypto = options.crypto;
    this.#directory = options.directory;
  }

  /**
   * The one jar of this owner and key; every request of theirs gets the same.
   * @param jarKey base64url of 32 bytes. Without it, or with a malformed one, the jar lives in memory only.
   */
  open(owner: JarOwner, jarKey: string | undefined): Promise<OpenJar> {
    const key = readKey(jarKey);
    const name = key === undefined ? 'memory' : this.#fileName(key);
    const path = join(this.#folder(owner), name);
    const opened = this.#open.get(path) ?? this.#load(path, owner, key);
    this.#open.set(path, opened);
    return opened;
  }

  /** Drops the owner's jars from memory; those with a key stay on disk. For when their last session has ended. */
  async release(owner: JarOwner): Promise<void> {
    const folder = this.#folder(owner);
    const mine = [...this.#open].filter(([path]) => path.startsWith(folder));
    await Promise.all(mine.map(([path, jar]) => this.#close(path, jar)));
  }

  /** Whoever asks for the jar meanwhile gets it from disk, after the last write to it. */
  async #close(path: string, jar: Promise<StoredJar>): Promise<void> {
    this.#open.delete(path);
    const closing = jar.then((stored) => stored.close());
    this.#closing.set(path, closing);
    await closing.finally(() => {
      if (this.#closing.get(path) === closing) this.#closing.delete(path);
    });
  }

  /** Destroys what a person, a device, or a person on one device left at any service: sign-out, revocation. */
  async destroy({ user, device }: { readonly user?: string; readonly device?: string }): Promise<void> {
    const people = user === undefined ? await namesIn(this.#directory) : [this.#digest(user)];
    for (const person of people) {
      const folder = join(this.#directory, person, device === undefined ? '' : this.#digest(device), '/');
      for (const path of [...this.#open.keys()]) if (path.startsWith(folder)) this.#forget(path);
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Whoever still holds the jar may read it to the end of its exchange, but it is never written again. */
  #forget(path: string): void {
    const open = this.#open.get(path);
    this.#open.delete(path);
    void open?.then((stored) => stored.discard());
  }

  async #load(path: string, owner: JarOwner, key: Uint8Array | undefined): Promise<StoredJar> {
    await this.#closing.get(path);
    const sealing = key === undefined ? undefined : new Sealing(this.#crypto, key, owner);
    const text = sealing === undefined ? undefined : sealing.open(await readIfThere(path));
    return new StoredJar(path, sealing, text);
  }

  /** The file's name tells two keys of one owner apart, and tells nothing of either. */
  #fileName(key: Uint8Array): string {
    return hex(this.#crypto.hmac(key, utf8('latchkey jar file')).subarray(0, 16));
  }

  #folder(owner: JarOwner): string {
    const [user, device, service] = [owner.user, owner.device, owner.service].map((id) => this.#digest(id));
    return join(this.#directory, user!, device!, service!, '/');
  }

  /** Ids become file names of one shape, whatever characters they have. */
  #digest(id: string): string {
    return hex(this.#crypto.sha256(utf8(`latchkey jar\0${id}`)).subarray(0, 16));
  }
}

class StoredJar implements OpenJar {
  readonly jar: ServiceJar;
  readonly #path: string;
  readonly #sealing: Sealing | undefined;
  #written: number;
  #closed = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, sealing: Sealing | undefined, text: string | undefined) {
    this.#path = path;
    this.#sealing = sealing;
    this.jar = new ServiceJar(text);
    this.#written = this.jar.version;
  }

  save(): Promise<void> {
    // Whoever waits in line finds the work done by the write before: many responses, few writes.
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#writing;
  }

  /** Writes what is left, then forgets the key; nothing is written afterwards. */
  async close(): Promise<void> {
    await this.save().catch(() => undefined);
    await this.discard();
  }

  /** Forgets the key as soon as a write that is under way has ended. */
  async discard(): Promise<void> {
    this.#closed = true;
    await this.#writing.catch(() => undefined);
    this.#sealing?.wipe();
  }

  async #write(): Promise<void> {
    const version = this.jar.version;
    if (this.#sealing === undefined || this.#closed || version === this.#written) return;
    await writeWhole(this.#path, this.#sealing.seal(this.jar.save()));
    this.#written = version;
  }
}

/** Seals and opens the text of one owner's jar. */
class Sealing {
  readonly #crypto: Crypto;
  readonly #key: Uint8Array;
  readonly #info: Uint8Array;

  constructor(crypto: Crypto, key: Uint8Array, owner: JarOwner) {
    this.#crypto = crypto;
    this.#key = key;
    this.#info = utf8(JSON.stringify(['latchkey jar', owner.user, owner.device, owner.service]));
  }

  seal(text: string): Uint8Array {
    const salt = this.#crypto.random(saltBytes);
    const sealer = this.#with(salt, (key) => this.#crypto.sealer(key));
    try {
      return concat(magic, salt, sealer.seal(magic, new TextEncoder().encode(text)));
    } finally {
      sealer.wipe();
    }
  }

  /** Undefined for a file that is not there, not ours or not whole: the person then signs in to the app again. */
  open(file: Uint8Array | undefined): string | undefined {
    if (file === undefined || !equal(file.subarray(0, magic.length), magic)) return undefined;
    const salt = file.subarray(magic.length, magic.length + saltBytes);
    const opener = this.#with(salt, (key) => this.#crypto.opener(key));
    try {
      const text = opener.open(magic, file.subarray(magic.length + saltBytes));
      return text === null ? undefined : new TextDecoder().decode(text);
    } finally {
      opener.wipe();
    }
  }

  wipe(): void {
    wipe(this.#key);
  }

  #with<T>(salt: Uint8Array, use: (key: Uint8Array) => T): T {
    const extracted = this.#crypto.extract(salt, this.#key);
    const key = this.#crypto.expand(extracted, this.#info, 32);
    try {
      return use(key);
    } finally {
      wipe(extracted, key);
    }
  }
}

function readKey(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  try {
    const key = unbase64url(text);
    return key.length === jarKeyBytes ? key : undefined;
  } catch {
    return undefined;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch(() => undefined);
}

/** A reader sees the old file or the new one, after a power cut too. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const folder = join(path, '..');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(8).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const directory = await open(folder, 'r');
  await directory.sync().finally(() => directory.close());
}
