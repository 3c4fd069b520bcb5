/**
 * The icons of hub and shell, drawn on a grid of 24 with strokes of 2 so that they are sharp at 16, 20 and 24 pixels.
 * They repeat what words beside them say and are hidden from screen readers.
 */
import { html, svg, type TemplateResult } from 'lit';

function icon(shapes: TemplateResult, name: string): TemplateResult {
  return html`<svg class=${`icon ${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${shapes}</svg>`;
}

/** The mark of the product: a keyhole. */
export const mark = html`<svg class="icon mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
  <rect width="24" height="24" rx="6.5" fill="currentColor"></rect>
  <path
    d="M12 6a3.25 3.25 0 0 0-1.5 6.13V17a1.5 1.5 0 0 0 3 0v-4.87A3.25 3.25 0 0 0 12 6Z"
    fill="var(--mark-hole, var(--card))"
  ></path>
</svg>`;

export const lock = icon(
  svg`<rect x="5" y="11" width="14" height="9" rx="2"></rect><path d="M8 11V8a4 4 0 0 1 8 0v3"></path>`,
  'lock',
);
export const key = icon(
  svg`<circle cx="8" cy="15" r="4"></circle><path d="m11 12 8-8m-3 3 3 3m-6 0 2 2"></path>`,
  'key',
);
export const alert = icon(svg`<path d="M12 4 2.8 19.5h18.4L12 4Z"></path><path d="M12 10v4m0 2.8v.2"></path>`, 'alert');
export const stop = icon(svg`<circle cx="12" cy="12" r="9"></circle><path d="M6 6l12 12"></path>`, 'stop');
export const renew = icon(svg`<path d="M20 12a8 8 0 1 1-2.4-5.7"></path><path d="M20 3v4h-4"></path>`, 'renew');
export const open = icon(
  svg`<path d="M14 5h5v5M19 5l-8 8M17 14v4a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h4"></path>`,
  'open',
);
export const copy = icon(
  svg`<rect x="8" y="8" width="12" height="12" rx="2"></rect><path d="M5 16a1 1 0 0 1-1-1V6a2 2 0 0 1 2-2h9a1 1 0 0 1 1 1"></path>`,
  'copy',
);
export const done = icon(svg`<path d="m5 13 4.5 4.5L19 7"></path>`, 'done');
export const more = icon(svg`<path d="M5 12h.01M12 12h.01M19 12h.01" stroke-width="3.5"></path>`, 'more');
export const leave = icon(
  svg`<path d="M10 5H6a1 1 0 0 0-1 1v12a1 1 0 0 0 1 1h4M15 8l4 4-4 4M19 12h-9"></path>`,
  'leave',
);
export const grid = icon(
  svg`<rect x="4" y="4" width="6.5" height="6.5" rx="1.5"></rect><rect x="13.5" y="4" width="6.5" height="6.5" rx="1.5"></rect><rect x="4" y="13.5" width="6.5" height="6.5" rx="1.5"></rect><rect x="13.5" y="13.5" width="6.5" height="6.5" rx="1.5"></rect>`,
  'grid',
);
export const empty = icon(
  svg`<rect x="3" y="5" width="18" height="14" rx="2"></rect><path d="M3 9h18M9 14h6"></path>`,
  'empty',
);
export const search = icon(svg`<circle cx="11" cy="11" r="6"></circle><path d="m16 16 4 4"></path>`, 'search');
