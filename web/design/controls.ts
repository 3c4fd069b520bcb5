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
    line-height: 1.25;
    margin: 0 0 0.5rem;
    letter-spacing: -0.01em;
  }
  p {
    margin: 0 0 1rem;
  }
  .soft {
    color: var(--ink-soft);
  }
  .card {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    box-shadow: var(--shadow);
    padding: 2rem;
  }
  button,
  .button {
    appearance: none;
    border: 1px solid transparent;
    border-radius: 8px;
    background: var(--accent);
    color: var(--on-accent);
    cursor: pointer;
    display: inline-block;
    font: inherit;
    font-weight: 600;
    min-height: 44px;
    padding: 0.55rem 1.15rem;
    text-decoration: none;
  }
  button:hover,
  .button:hover {
    background: var(--accent-strong);
  }
  button[disabled] {
    cursor: progress;
    opacity: 0.6;
  }
  button.quiet {
    background: transparent;
    border-color: var(--line);
    color: var(--ink);
  }
  button.quiet:hover {
    border-color: var(--ink-soft);
  }
  :focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  code {
    font-family: ui-monospace, 'Cascadia Mono', 'Liberation Mono', monospace;
    font-size: 0.9em;
  }
`;
