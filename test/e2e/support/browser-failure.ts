/** The page that stands in an app's frame when the service's own could not be brought. */
import type { Frame } from 'playwright-core';

export interface ShownFailure {
  readonly text: string;
  readonly correlation: string;
  readonly code: string;
}

const patienceMs = 40_000;

/** Waits for it. @throws Error when something else is shown. */
export async function failureIn(app: Frame): Promise<ShownFailure> {
  const alert = app.locator('main [role=alert]');
  await alert.waitFor({ timeout: patienceMs });
  // `code · id …`
  const [line = ''] = (await alert.locator('p.id').allTextContents()).slice(-1);
  const [, code = '', correlation = ''] = /^(\S+)(?:.* id (\S+))?/.exec(line.trim()) ?? [];
  return { text: (await alert.textContent()) ?? '', correlation, code };
}
