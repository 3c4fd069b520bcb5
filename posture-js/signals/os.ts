/**
 * Operating system as reported. Chromium tells its version by client hints; the others freeze it in the user agent,
 * where it is then worth nothing and said to be unknown.
 */
import { type BrowserView, type Signal, unknown } from '../signal.ts';

const systems = [
  ['Windows', /\bWindows NT\b/],
  ['iOS', /\b(?:iPhone|iPad|iPod)\b/],
  ['Android', /\bAndroid\b/],
  ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Linux', /\bLinux\b/],
] as const;

export async function osSignals(view: BrowserView): Promise<Signal[]> {
  return [systemName(view), await systemVersion(view)];
}

function systemName(view: BrowserView): Signal {
  if (view.hints !== undefined && view.hints.platform !== '')
    return { name: 'os.name', value: view.hints.platform, source: 'ua-client-hints' };
  const name = systems.find(([, pattern]) => pattern.test(view.userAgent))?.[0];
  return name === undefined
    ? unknown('os.name', 'user-agent', 'unrecognised')
    : { name: 'os.name', value: name, source: 'user-agent' };
}

async function systemVersion(view: BrowserView): Promise<Signal> {
  if (view.hints === undefined) return unknown('os.version', 'user-agent', 'frozen_by_browser');
  try {
    const { platformVersion } = await view.hints.getHighEntropyValues(['platformVersion']);
    if (platformVersion === undefined || platformVersion === '')
      return unknown('os.version', 'ua-client-hints', 'not_reported');
    return { name: 'os.version', value: platformVersion, source: 'ua-client-hints' };
  } catch {
    return unknown('os.version', 'ua-client-hints', 'refused_by_browser');
  }
}
