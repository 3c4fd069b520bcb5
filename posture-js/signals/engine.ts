/** Rendering engine and its major version, which is what security fixes are shipped by. Client-reported. */
import { type BrowserView, type Signal, unknown } from '../signal.ts';

const engines = [
  ['Gecko', /\brv:(\d+)[\d.]*\) Gecko\//],
  ['Blink', /\b(?:Headless)?(?:Chrome|Chromium)\/(\d+)/],
  ['WebKit', /\bAppleWebKit\/(\d+)/],
] as const;

export function engineSignals(view: BrowserView): Signal[] {
  for (const [name, pattern] of engines) {
    const version = pattern.exec(view.userAgent)?.[1];
    if (version === undefined) continue;
    return [
      { name: 'engine.name', value: name, source: 'user-agent' },
      { name: 'engine.version', value: Number(version), source: 'user-agent' },
    ];
  }
  return [
    unknown('engine.name', 'user-agent', 'unrecognised'),
    unknown('engine.version', 'user-agent', 'unrecognised'),
  ];
}
