/**
 * What this browser keeps: its device key, the root of its cookie-jar keys, whom it was enrolled for and the pins of
 * the installation. The one file that touches IndexedDB. Both keys are non-extractable: script can use them while it
 * runs on this origin, and cannot take them away.
 */
import { type DBSchema, openDB } from 'idb';

export interface Device {
  readonly id: 'this';
  readonly signing: CryptoKeyPair;
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** HKDF; each service's jar key is derived from it. */
  readonly jarRoot: CryptoKey;
  readonly user: { readonly id: string; readonly name: string };
  /** SHA-256 of the install pins, from the enrolment link. */
  readonly pins: Uint8Array<ArrayBuffer>;
}

interface Schema extends DBSchema {
  device: { key: 'this'; value: Device };
}

const open = () =>
  openDB<Schema>('latchkey', 1, {
    upgrade: (database) => void database.createObjectStore('device', { keyPath: 'id' }),
  });

/** @returns undefined in a browser that was never enrolled. */
export async function loadDevice(): Promise<Device | undefined> {
  const database = await open();
  try {
    return await database.get('device', 'this');
  } finally {
    database.close();
  }
}

/** Keeps a device after its enrolment succeeded, replacing an earlier one. */
export async function saveDevice(device: Device): Promise<void> {
  const database = await open();
  try {
    await database.put('device', device);
  } finally {
    database.close();
  }
}

/** Makes the keys of a new device; nothing is kept before the control plane has accepted them. */
export async function makeDeviceKeys(): Promise<Pick<Device, 'signing' | 'publicKey' | 'jarRoot'>> {
  const signing = (await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify'])) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', signing.publicKey));
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const jarRoot = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  secret.fill(0);
  return { signing, publicKey, jarRoot };
}

/** The key of one service's cookie jar, 32 bytes. The root stays here: a shell gets the key of its own service alone. */
export async function jarKeyOf(device: Pick<Device, 'jarRoot'>, service: string): Promise<Uint8Array<ArrayBuffer>> {
  const info = new TextEncoder().encode(`latchkey jar ${service}`);
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(32), info };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, device.jarRoot, 256));
}

/** Ed25519 by the device key. */
export async function signAsDevice(
  device: Pick<Device, 'signing'>,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign({ name: 'Ed25519' }, device.signing.privateKey, message));
}
