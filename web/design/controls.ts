/** Styles that the elements of hub and shell share. Colours come from base.css. */
import { css } from 'lit';

export const controls = css`
  :host {
    display: block;
  }
  * {
    box-sizing: border-box;
  }
  h1 {
    font-size: 1.5rem;
    letter-spacing: -0.015em;
    line-height: 1.25;
    margin: 0 0 0.75rem;
    text-wrap: balance;
  }
  h1:focus {
    outline: none;
  }
  p {
    margin: 0 0 1rem;
    text-wrap: pretty;
  }
  .soft {
    color: var(--ink-soft);
  }
  .icon {
    flex: none;
    height: 1.25rem;
    width: 1.25rem;
  }
  .card {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    box-shadow: var(--shadow);
    padding: clamp(1.25rem, 6vw, 2.25rem);
  }
  button,
  .button {
    align-items: center;
    appearance: none;
    background: var(--accent);
    border: 1px solid transparent;
    border-radius: var(--radius-small);
    color: var(--on-accent);
    cursor: pointer;
    display: inline-flex;
    font: inherit;
    font-weight: 600;
    gap: 0.5rem;
    justify-content: center;
    min-height: 44px;
    padding: 0.5rem 1.15rem;
    text-decoration: none;
  }
  button.quiet {
    flex: none;
  }
  button:hover,
  .button:hover {
    background: var(--accent-strong);
  }
  button[disabled] {
    cursor: progress;
    opacity: 0.65;
  }
  button.wide + button.wide {
    margin-top: 0.75rem;
  }
  button.wide {
    width: 100%;
  }
  button.quiet,
  .button.quiet {
    background: transparent;
    border-color: var(--line-strong);
    color: var(--ink);
  }
  button.quiet:hover,
  .button.quiet:hover {
    background: color-mix(in srgb, var(--ink) 6%, transparent);
  }
  button.bare,
  .button.bare {
    border-color: transparent;
  }
  :where(a:not(.button)) {
    color: var(--accent);
  }
  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  code {
    font-family: ui-monospace, 'Cascadia Mono', 'Liberation Mono', monospace;
    font-size: 0.875em;
    overflow-wrap: anywhere;
  }
  @media (forced-colors: active) {
    button,
    .card {
      border-color: CanvasText;
    }
  }
`;
