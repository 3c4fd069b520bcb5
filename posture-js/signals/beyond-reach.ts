/**
 * What policies ask for and no web page can see. They are stated as unknown with the reason, so that a policy that
 * wants them fails closed instead of believing silence.
 */
import { type Signal, unknown } from '../signal.ts';

const names = ['disk_encryption', 'screen_lock', 'anti_malware', 'firewall', 'jailbreak'] as const;

export function beyondReach(): Signal[] {
  return names.map((name) => unknown(name, 'browser', 'not_observable_in_a_browser'));
}
