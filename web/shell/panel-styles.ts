/** What lies over the app, or stands where it would be: a card in the middle. */
import { css } from 'lit';

/** Declarations of what covers the app's place, whichever element that is. */
export const cover = css`
  background: var(--paper);
  display: grid;
  inset: 0;
  overflow: auto;
  padding: 1.25rem;
  place-items: center;
  position: absolute;
`;

export const panelStyles = css`
  :host {
    ${cover}
  }
  .card {
    max-width: 31rem;
    width: 100%;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
  }
`;
