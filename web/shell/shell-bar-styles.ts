/** How the toolbar and its menu look. */
import { css } from 'lit';

export const barStyles = css`
  .bar {
    align-items: center;
    background: var(--card);
    border-bottom: 1px solid var(--line);
    display: flex;
    font-size: 0.875rem;
    gap: 0.25rem;
    height: 40px;
    padding: 0 0.25rem;
    position: relative;
  }
  .tool {
    background: transparent;
    border: 0;
    border-radius: 6px;
    color: var(--ink-soft);
    flex: none;
    height: 32px;
    min-height: 0;
    padding: 0;
    width: 36px;
  }
  .tool:hover {
    background: color-mix(in srgb, var(--ink) 8%, transparent);
    color: var(--ink);
  }
  .tool:focus-visible {
    outline-offset: -3px;
  }
  .home {
    --mark-hole: var(--on-accent);
    align-items: center;
    color: var(--accent);
    display: inline-flex;
    justify-content: center;
  }
  .home:hover {
    color: var(--accent);
  }
  .title {
    flex: 1 1 auto;
    font-size: inherit;
    letter-spacing: normal;
    line-height: inherit;
    margin: 0;
    font-weight: 650;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .moved {
    color: var(--ink-soft);
    flex: none;
    font-variant-numeric: tabular-nums;
    padding-right: 0.5rem;
  }
  .state {
    align-items: center;
    border-radius: 999px;
    display: inline-flex;
    flex: none;
    font-weight: 550;
    gap: 0.35rem;
    height: 26px;
    padding: 0 0.65rem 0 0.5rem;
    white-space: nowrap;
  }
  [role='status'] {
    align-items: center;
    display: inline-flex;
    gap: 0.35rem;
  }
  .left {
    font-variant-numeric: tabular-nums;
  }
  .state .icon {
    height: 1rem;
    width: 1rem;
  }
  .state[data-state='open'],
  .state[data-state='rekeying'] {
    background: var(--good-paper);
    color: var(--good);
  }
  .state[data-state='connecting'] {
    background: var(--warn-paper);
    color: var(--warn);
  }
  .state[data-state='closed'],
  .state[data-state='refused'] {
    background: var(--bad-paper);
    color: var(--bad);
  }
  .state[data-state='connecting'] .renew {
    animation: turn 1.2s linear infinite;
  }
  .busy {
    animation: run 1.6s ease-in-out infinite;
    background: var(--warn);
    bottom: -2px;
    height: 2px;
    left: 0;
    position: absolute;
    width: 30%;
    z-index: 1;
  }
  progress {
    appearance: none;
    background: var(--line);
    border: 0;
    bottom: -2px;
    color: var(--accent);
    height: 3px;
    left: 0;
    position: absolute;
    width: 100%;
    z-index: 1;
  }
  progress::-webkit-progress-bar {
    background: var(--line);
  }
  /* In steps: a bar that moves in every frame costs a tenth of what the transfer itself does. */
  progress::-webkit-progress-value {
    background: var(--accent);
  }
  progress::-moz-progress-bar {
    background: var(--accent);
  }
  progress:indeterminate {
    animation: slide 1.5s steps(12) infinite;
    background: linear-gradient(90deg, var(--line) 35%, var(--accent) 50%, var(--line) 65%) 0 0 / 200% 100%;
  }
  progress:indeterminate::-webkit-progress-bar,
  progress:indeterminate::-moz-progress-bar {
    background: transparent;
  }
  #menu {
    background: var(--card);
    border: 1px solid var(--line-strong);
    border-radius: var(--radius);
    box-shadow: var(--shadow-raised);
    color: var(--ink);
    inset: 44px 8px auto auto;
    margin: 0;
    max-width: calc(100vw - 16px);
    overflow: auto;
    padding: 0.5rem;
    position: fixed;
    width: 19rem;
  }
  dl {
    font-size: 0.875rem;
    margin: 0;
    padding: 0.5rem 0.75rem 0.75rem;
  }
  dt {
    color: var(--ink-soft);
  }
  dd {
    margin: 0;
  }
  dd + dt {
    margin-top: 0.6rem;
  }
  .items {
    border-top: 1px solid var(--line);
    display: grid;
    padding-top: 0.5rem;
  }
  .item {
    align-items: center;
    background: transparent;
    border: 0;
    border-radius: var(--radius-small);
    color: var(--ink);
    cursor: pointer;
    display: flex;
    font-weight: 500;
    gap: 0.75rem;
    justify-content: flex-start;
    min-height: 44px;
    padding: 0.25rem 0.75rem;
    text-decoration: none;
  }
  .item .icon {
    color: var(--ink-soft);
  }
  .item:hover {
    background: color-mix(in srgb, var(--ink) 6%, transparent);
  }
  .item:focus-visible {
    outline-offset: -3px;
  }
  @keyframes turn {
    to {
      transform: rotate(1turn);
    }
  }
  @keyframes run {
    from {
      left: -30%;
    }
    to {
      left: 100%;
    }
  }
  @keyframes slide {
    from {
      background-position: 200% 0;
    }
  }
  @media (max-width: 40rem) {
    .moved,
    .transport {
      display: none;
    }
  }
  @media (max-width: 24rem) {
    .left {
      display: none;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .state[data-state='connecting'] .renew,
    .busy,
    progress:indeterminate {
      animation: none;
    }
    .busy {
      width: 100%;
    }
  }
  @media (prefers-contrast: more) {
    .state {
      border: 1px solid currentColor;
    }
  }
  @media (forced-colors: active) {
    .state,
    #menu {
      border: 1px solid CanvasText;
    }
    .busy {
      background: Highlight;
    }
    progress,
    progress::-webkit-progress-bar {
      background: Canvas;
      forced-color-adjust: none;
    }
    progress::-webkit-progress-value,
    progress::-moz-progress-bar {
      background: Highlight;
    }
  }
`;
