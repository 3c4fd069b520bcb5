/** In what state something is, in a word beside its name. */
import { css } from 'lit';

export const badges = css`
  .state {
    border-radius: 999px;
    font-size: 0.8125rem;
    font-weight: 600;
    margin-inline-start: 0.5rem;
    padding: 0.1rem 0.6rem;
  }
  .good {
    background: var(--good-paper);
    color: var(--good);
  }
  .warn {
    background: var(--warn-paper);
    color: var(--warn);
  }
  .bad {
    background: var(--bad-paper);
    color: var(--bad);
  }
  .plain {
    border: 1px solid var(--line-strong);
    color: var(--ink-soft);
  }
`;
