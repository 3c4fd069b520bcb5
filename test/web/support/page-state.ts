/** One state of one page, and how to get there. */
import type { Frame, Page } from 'playwright-core';
import type { MockInstallation } from './mock-installation.ts';
import type { Visitor } from './visitor.ts';

export interface PageState {
  readonly name: string;
  /** Brings a browser there; the page is closed by the caller when it is not the visitor's own. */
  reach(visitor: Visitor, mock: MockInstallation): Promise<Page>;
  /** What is looked at when it is not the page itself. */
  readonly within?: (page: Page) => Frame;
}

/** From an empty page: another fragment alone would load nothing. */
export function state(name: string, reach: PageState['reach'], within?: PageState['within']): PageState {
  return {
    name,
    ...(within && { within }),
    reach: async (visitor, mock) => {
      await visitor.page.goto('about:blank');
      return reach(visitor, mock);
    },
  };
}
