/**
 * What a failure is called in words: what, why and what to do, for every code that can end a request: the gateway's for a
 * stream (protocol/codes.ts) and the tunnel's own. A code without a text does not compile.
 */
import type { ExchangeErrorCode } from '../../protocol/exchange/error.ts';
import type { StreamErrorCode } from '../../protocol/stream-error.ts';

export interface Sentences {
  readonly status: number;
  readonly what: string;
  readonly why: string;
  readonly next: string;
}

/** What is found out in the browser: no tab, no tunnel, a tunnel that is over, or nothing to show without asking again. */
type OwnCode = 'offline' | 'refused' | 'no_answer' | 'no_shell' | 'tab_gone' | 'not_kept';
export type FailureCode = StreamErrorCode | ExchangeErrorCode | OwnCode;

const retry = 'Try again; if it goes on, tell the person who runs this service.';
const byItself = 'It reconnects by itself; try again in a moment.';

const lost: Sentences = {
  status: 503,
  what: 'The tunnel was lost',
  why: 'It ended before the page was complete.',
  next: byItself,
};
const noShell: Sentences = {
  status: 503,
  what: 'The page was not opened',
  why: 'The tab that held the tunnel is closed.',
  next: 'Open the service again from the hub.',
};

export const failures: Readonly<Record<FailureCode, Sentences>> = {
  denied: {
    status: 403,
    what: 'You may not open this page',
    why: 'No policy of your organisation allows it.',
    next: 'Ask your administrator for access and give them the id below.',
  },
  unreachable: {
    status: 502,
    what: 'The service cannot be reached',
    why: 'Nothing answered at its address inside the private network.',
    next: retry,
  },
  wrong_peer: {
    status: 502,
    what: 'The service was not opened',
    why: 'Its address is held by another machine than the one it is bound to.',
    next: 'Tell your administrator and give them the id below.',
  },
  unknown_service: {
    status: 404,
    what: 'The service is gone',
    why: 'It was removed, or is being moved.',
    next: 'Open the hub to see what there is.',
  },
  upstream_failed: {
    status: 502,
    what: 'The service hung up',
    why: 'It ended the connection before its answer was complete.',
    next: retry,
  },
  timeout: { status: 504, what: 'The service is too slow', why: 'It did not answer in time.', next: retry },
  too_many: {
    status: 503,
    what: 'Too much at once',
    why: 'This tab has more open than the gateway allows.',
    next: 'Close what you do not need and try again.',
  },
  stepup_required: {
    status: 403,
    what: 'This page asks for your passkey again',
    why: 'It is opened only when you have just confirmed that it is you, and that was not done.',
    next: 'Try again, and confirm when you are asked above the page.',
  },
  policy_stale: {
    status: 503,
    what: 'The page was not opened',
    why: 'The gateway has not heard from the control plane for too long to be sure you still may.',
    next: 'Wait a minute and try again.',
  },
  protocol: {
    status: 502,
    what: 'The page could not be read',
    why: 'The request or the answer of the service is not what HTTP allows.',
    next: 'Tell the person who runs this service and give them the id below.',
  },
  malformed: {
    status: 400,
    what: 'The request could not be sent',
    why: 'Its address or headers are not what HTTP allows.',
    next: 'Go back and try another way; if it goes on, tell the person who runs this service.',
  },
  internal: {
    status: 502,
    what: 'The page could not be brought',
    why: 'Something failed at the gateway.',
    next: 'Try again; if it goes on, tell your administrator and give them the id below.',
  },
  cancelled: {
    status: 502,
    what: 'The page was not loaded',
    why: 'It was cancelled before its answer came.',
    next: 'Try again.',
  },
  offline: { status: 503, what: 'The tunnel is down', why: 'The gateway did not answer.', next: byItself },
  session_closed: lost,
  truncated: lost,
  refused: {
    status: 403,
    what: 'The tunnel was refused',
    why: 'Your credential ended or was withdrawn.',
    next: 'Open the service again from the hub.',
  },
  too_large: {
    status: 431,
    what: 'The request is too large',
    why: 'Its address or headers are longer than a tunnel carries.',
    next: 'Clear the cookies of this service, or tell the person who runs it.',
  },
  no_answer: {
    status: 503,
    what: 'The page was not opened',
    why: 'The tab that holds the tunnel did not answer.',
    next: 'Go to that tab, or open the service again from the hub.',
  },
  not_kept: {
    status: 504,
    what: 'This page is not kept',
    why: 'It answered a form, and to bring it again would send the form a second time.',
    next: 'Go on from another page, or send the form again.',
  },
  no_shell: noShell,
  tab_gone: noShell,
};

/** The sentences of a code, whoever said it. */
export function sentencesOf(code: string): Sentences {
  const known: Readonly<Record<string, Sentences>> = failures;
  return (Object.hasOwn(known, code) ? known[code] : undefined) ?? failures.internal;
}
