/**
 * Selectors of a workload: what the process is that a service is published from, in the words of SPIRE's attestor for Unix
 * (github.com/spiffe/spire, doc/plugin_agent_workloadattestor_unix.md). A connector says them (connector/workload.ts); an
 * administrator asks for them with the connector's token, and without them nothing is issued (QHX-1).
 */
import { z } from 'zod';
import { nameField } from './fields.ts';

/** `unix:uid:33`, `unix:path:/usr/bin/node`, `unix:sha256:…` of the program's file. */
export const selectorField = z
  .string()
  .regex(/^unix:(?:uid:(?:0|[1-9]\d{0,9})|path:\/[\x21-\x7e]{1,1023}|sha256:[0-9a-f]{64})$/);

/** By service: selectors that all have to be there. */
export const workloadsField = z.record(nameField, z.array(selectorField).min(1).max(8));
export type Workloads = Record<string, string[]>;

interface Exposed {
  readonly name: string;
  readonly workload?: readonly string[] | undefined;
}

/**
 * Whether every exposed service is what was asked for. Where anything is asked for, it is of every service: one of another
 * name would otherwise be the way round.
 */
export function areAttested(exposes: readonly Exposed[], wanted: Workloads): boolean {
  if (Object.keys(wanted).length === 0) return true;
  return exposes.every(({ name, workload = [] }) => {
    const selectors = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
    return selectors?.every((selector) => workload.includes(selector)) === true;
  });
}
