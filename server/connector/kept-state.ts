/** What a connector keeps between runs, in one file of mode 0600: who it is and how it comes again without a token. */
import { z } from 'zod';
import { nameField } from '../channel/fields.ts';
import { readIfPresent, replaceFile } from '../store/files.ts';

const stateSchema = z.strictObject({
  name: nameField,
  control: z.string(),
  trustDomain: z.string(),
  /** PEM; absent where the control plane is on this machine. */
  authority: z.string().optional(),
  /** Ed25519, PEM: what its certificates are for. */
  key: z.string(),
  /** The token at first, then the credential of the last welcome. */
  credential: z.string(),
  id: z.string().optional(),
  svid: z.string().optional(),
});
export type ConnectorState = z.infer<typeof stateSchema>;

/** The file is there and cannot be used. */
export class StateError extends Error {
  readonly code = 'state_unusable';
  constructor(path: string) {
    super(`The connector's file ${path} cannot be read. Restore it, or remove it and start with a new token.`);
    this.name = 'StateError';
  }
}

/** @returns undefined when there is none. @throws StateError */
export function readState(path: string): ConnectorState | undefined {
  const text = readIfPresent(path)?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch {
    // Without the cause, which would repeat what was read.
    throw new StateError(path);
  }
}

export function writeState(path: string, state: ConnectorState): void {
  replaceFile(path, JSON.stringify(state));
}
