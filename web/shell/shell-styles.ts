/** How the shell looks: a toolbar of 40 pixels, the app below it, and what lies over the app when the tunnel is over. */
import { css } from 'lit';

export const shellStyles = css`
  :host {
    display: grid;
    grid-template-rows: 40px auto 1fr;
    height: 100dvh;
    overflow: hidden;
  }
  .bar {
    align-items: center;
    background: var(--card);
    border-bottom: 1px solid var(--line);
    display: flex;
    font-size: 0.875rem;
    gap: 0.5rem;
    padding: 0 0.75rem 0 0.35rem;
    position: relative;
  }
  .home {
    --mark-hole: var(--on-accent);
    align-items: center;
    border-radius: 6px;
    color: var(--accent);
    display: inline-flex;
    flex: none;
    height: 32px;
    justify-content: center;
    width: 32px;
  }
  .home:focus-visible {
    outline-offset: -2px;
  }
  .title {
    font-weight: 650;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  [role='status'] {
    align-items: center;
    border-radius: 999px;
    display: inline-flex;
    flex: none;
    font-weight: 550;
    gap: 0.35rem;
    height: 26px;
    margin-left: auto;
    padding: 0 0.65rem 0 0.5rem;
    white-space: nowrap;
  }
  [role='status'] .icon {
    height: 1rem;
    width: 1rem;
  }
  [data-state='open'],
  [data-state='rekeying'] {
    background: var(--good-paper);
    color: var(--good);
  }
  [data-state='connecting'] {
    background: var(--warn-paper);
    color: var(--warn);
  }
  [data-state='closed'],
  [data-state='refused'] {
    background: var(--bad-paper);
    color: var(--bad);
  }
  [data-state='connecting'] .renew {
    animation: turn 1.2s linear infinite;
  }
  .progress {
    background: var(--warn);
    bottom: -2px;
    height: 2px;
    left: 0;
    position: absolute;
    width: 30%;
    z-index: 1;
    animation: run 1.6s ease-in-out infinite;
  }
  .stage {
    display: grid;
    min-height: 0;
    position: relative;
  }
  iframe.app {
    /* A page of the same scheme as ours has no ground of its own; this is the browser's for the scheme. */
    background: Canvas;
    border: 0;
    height: 100%;
    width: 100%;
  }
  /* What the person may no longer see stays in place, unseen: their unsaved words are in it. */
  iframe.app[inert] {
    visibility: hidden;
  }
  .over {
    background: var(--paper);
    display: grid;
    inset: 0;
    overflow: auto;
    padding: 1.25rem;
    place-items: center;
    position: absolute;
  }
  .panel {
    max-width: 31rem;
    width: 100%;
  }
  .waiting {
    color: var(--ink-soft);
    text-align: center;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
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
  @media (max-width: 30rem) {
    .transport {
      display: none;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    [data-state='connecting'] .renew,
    .progress {
      animation: none;
    }
    .progress {
      width: 100%;
    }
  }
  @media (forced-colors: active) {
    [role='status'] {
      border: 1px solid CanvasText;
    }
  }
`;
