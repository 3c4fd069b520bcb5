/** A new root key on request: two administrators sign it (changes.ts), because every browser follows. */
import { z } from 'zod';
import { hex } from '../../protocol/bytes.ts';
import { readVouched, vouchAnew } from '../audit/vouch.ts';
import type { Danger } from '../policy/dangers.ts';
import { controlPaths } from '../store/paths.ts';
import { type CarryOut, requestChange, type ShownChange } from './changes.ts';
import type { Context } from './context.ts';
import { newEvent } from './identifiers.ts';

const documentSchema = z.object({ from: z.string() });

/** Asks for it. @param dryRun true says what would be asked for, and writes nothing. @throws ApiError `change_too_many` */
export async function requestRotation(
  context: Context,
  { actor, dryRun }: { readonly actor: string; readonly dryRun: boolean },
): Promise<{ readonly from: string; readonly change?: ShownChange }> {
  const from = hex(context.pki.fingerprint);
  if (dryRun) return { from };
  const message =
    'The next root key takes the place of the one in use. Browsers and gateways follow by themselves; the fingerprint that people compare changes.';
  const danger: Danger = { code: 'new_root', message, policies: [] };
  return {
    from,
    change: await requestChange(context, { kind: 'root.rotate', content: { from }, dangers: [danger], actor }),
  };
}

/** An approved rotation replaces the root that it was asked for, and no later one. */
export function approvedRotation(context: Context): CarryOut {
  return async (transaction, document, approvedBy) => {
    const { from } = documentSchema.parse(document);
    if (hex(context.pki.fingerprint) !== from) return false;
    const now = context.clock.now();
    const vouched = await readVouched(transaction, controlPaths(context.config.data));
    const { to, backup } = await context.pki.rotateRoot(now);
    await vouchAnew(transaction, vouched, context.pki.certified('audit'), now);
    context.log.warn({ from, to: hex(to), backup }, 'a new root key is in force; move the backup off this machine');
    const detail = { operation: 'root.rotate', from, to: hex(to), approvedBy };
    await context.audit.record(transaction, newEvent(context, { type: 'admin', actor: 'system', detail }));
    return true;
  };
}
