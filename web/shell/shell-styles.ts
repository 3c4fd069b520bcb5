/** How the shell is laid out: the toolbar, what is asked below it, the app, and what lies over the app when it is over. */
import { css } from 'lit';
import { cover } from './panel-styles.ts';

export const shellStyles = css`
  :host {
    display: grid;
    /* Not as wide as the toolbar's words would like. */
    grid-template-columns: minmax(0, 1fr);
    grid-template-rows: 40px auto auto minmax(0, 1fr);
    height: 100dvh;
    overflow: hidden;
  }
  .stage {
    display: grid;
    min-height: 0;
    position: relative;
  }
  ::slotted(iframe) {
    /* A page of the same scheme as ours has no ground of its own; this is the browser's for the scheme. */
    background: Canvas;
    border: 0;
    height: 100%;
    width: 100%;
  }
  /* What the person may no longer see stays in place, unseen: their unsaved words are in it. */
  ::slotted(iframe[inert]) {
    visibility: hidden;
  }
  .over {
    ${cover}
  }
  .waiting {
    color: var(--ink-soft);
    margin: 0;
    text-align: center;
  }
`;
