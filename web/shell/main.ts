/** The shell's entry. */
import { failureOf } from '../design/failure.ts';
import '../design/failure-note.ts';
import { learnHubOrigin } from './hub-origin.ts';
import './ended-page.ts';
import './shell-page.ts';

try {
  // Made before it is shown: its Worker loads while the server is asked for the hub.
  const page = document.createElement(location.pathname === '/ended' ? 'lk-ended' : 'lk-shell');
  await learnHubOrigin();
  document.body.append(page);
} catch (error) {
  const note = document.createElement('lk-failure');
  document.body.append(Object.assign(note, { className: 'alone', failure: failureOf(error) }), again());
}

function again(): HTMLElement {
  const button = document.createElement('button');
  button.textContent = 'Try again';
  button.className = 'alone';
  button.addEventListener('click', () => location.reload());
  return button;
}
