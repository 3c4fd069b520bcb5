/** What the pages of the administration that are no lists have in common. */
import { css } from 'lit';

export const panelStyles = css`
  h2 {
    font-size: 1.15rem;
    margin: 1.75rem 0 0.5rem;
  }
  ul {
    display: grid;
    gap: 0.5rem;
    list-style: none;
    margin: 0;
    padding: 0;
  }
  li {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: var(--radius-small);
    padding: 0.7rem 0.9rem;
  }
  .title {
    font-weight: 650;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
    margin: 1rem 0;
  }
`;

/** A time, ms since 1970, as the person writes them. */
export function day(ms: number): string {
  return new Date(ms).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}

/** Hex in groups of four, to be compared by eye. */
export function grouped(hex: string): string {
  return hex.match(/.{1,4}/g)?.join(' ') ?? '';
}
