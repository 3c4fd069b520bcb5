/** What lies over the app, or stands where it would be: a card in the middle. */
import { css } from 'lit';

export const panelStyles = css`
  :host {
    background: var(--paper);
    display: grid;
    inset: 0;
    overflow: auto;
    padding: 1.25rem;
    place-items: center;
    position: absolute;
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
