/** Browser name and major version. Client-reported: anyone can send another user agent. */
import { type BrowserView, type Signal, unknown } from '../signal.ts';

// Order matters: Edge and Opera also say Chrome, Chrome also says Safari.
const products = [
  ['Edge', /\bEdg(?:A|iOS)?\/(\d+)/],
  ['Opera', /\bOPR\/(\d+)/],
  ['Firefox', /\b(?:Firefox|FxiOS)\/(\d+)/],
  ['Chrome', /\b(?:Headless)?(?:Chrome|CriOS|Chromium)\/(\d+)/],
  ['Safari', /\bVersion\/(\d+)[\d.]* (?:Mobile\/\w+ )?Safari\//],
] as const;

export function browserSignals(view: BrowserView): Signal[] {
  for (const [name, pattern] of products) {
    const version = pattern.exec(view.userAgent)?.[1];
    if (version === undefined) continue;
    return [
      { name: 'browser.name', value: name, source: 'user-agent' },
      { name: 'browser.version', value: Number(version), source: 'user-agent' },
    ];
  }
  return [
    unknown('browser.name', 'user-agent', 'unrecognised'),
    unknown('browser.version', 'user-agent', 'unrecognised'),
  ];
}
