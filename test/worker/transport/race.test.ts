/** Who wins the race of the transports, and when, by a clock that only moves when told. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Carrier, CarrierError, transportByte } from '../../../protocol/carrier.ts';
import type { Endpoint } from '../../../worker/transport/endpoint.ts';
import { headStartMs, raceTransports, type Transport } from '../../../worker/transport/race.ts';
import { ManualClock } from '../../server/transport/support/clock.ts';

/** One attempt to connect, in the test's hands. */
interface Attempt {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  readonly settle: PromiseWithResolvers<Carrier>;
}

const quic: Endpoint = { url: 'https://127.0.0.1:1/tunnel', transport: 'webtransport', certHashes: [] };
const quic2: Endpoint = { ...quic, url: 'https://127.0.0.1:2/tunnel' };
const ws: Endpoint = { url: 'ws://127.0.0.1:3/tunnel', transport: 'websocket', certHashes: [] };

function setUp(endpoints: readonly Endpoint[], order?: readonly [Transport, Transport?]) {
  const attempts: Attempt[] = [];
  const connect = (endpoint: Endpoint, signal: AbortSignal) => {
    const settle = Promise.withResolvers<Carrier>();
    signal.addEventListener('abort', () => settle.reject(new CarrierError('unreachable')));
    attempts.push({ endpoint, signal, settle });
    return settle.promise;
  };
  const clock = new ManualClock(0);
  const owner = new AbortController();
  const result = raceTransports(endpoints, {
    clock,
    signal: owner.signal,
    ...(order !== undefined && { order }),
    connect: { webtransport: connect, websocket: connect },
  });
  result.catch(() => undefined);
  return { attempts, clock, owner, result };
}

/** Lets everything that is ready run. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const unreachable = () => new CarrierError('unreachable');

function fakeCarrier(transport: Endpoint['transport']): Carrier & { readonly isClosed: boolean } {
  const state = { isClosed: false };
  return {
    transport: transportByte[transport],
    open: () => assert.fail('not used'),
    accept: async () => null,
    close: () => {
      state.isClosed = true;
    },
    closed: new Promise(() => undefined),
    get isClosed() {
      return state.isClosed;
    },
  };
}

it('BR-6: WebTransport alone is tried during its head start, and wins', async () => {
  const { attempts, clock, result } = setUp([ws, quic]);
  clock.advance(headStartMs - 1);
  await settled();
  assert.deepEqual(
    attempts.map(({ endpoint }) => endpoint),
    [quic],
  );
  const carrier = fakeCarrier('webtransport');
  attempts[0]!.settle.resolve(carrier);
  assert.equal(await result, carrier);
  clock.advance(headStartMs);
  await settled();
  assert.equal(attempts.length, 1);
  assert.equal(clock.pending, 0);
});

it('BR-6: WebSocket joins after 1.2 s, and when it wins WebTransport is cancelled', async () => {
  const { attempts, clock, result } = setUp([quic, ws]);
  clock.advance(1_200);
  await settled();
  assert.deepEqual(
    attempts.map(({ endpoint }) => endpoint),
    [quic, ws],
  );
  attempts[1]!.settle.resolve(fakeCarrier('websocket'));
  assert.equal((await result).transport, transportByte.websocket);
  assert.equal(attempts[0]!.signal.aborted, true);
});

it('BR-6: WebTransport still wins when it stands before a WebSocket that joined, which is cancelled', async () => {
  const { attempts, clock, result } = setUp([quic, ws]);
  clock.advance(1_200);
  await settled();
  attempts[0]!.settle.resolve(fakeCarrier('webtransport'));
  assert.equal((await result).transport, transportByte.webtransport);
  assert.equal(attempts[1]!.signal.aborted, true);
});

it('BR-6: WebSocket is tried at once when WebTransport has failed', async () => {
  const { attempts, clock } = setUp([quic, ws]);
  attempts[0]!.settle.reject(unreachable());
  await settled();
  assert.deepEqual(
    attempts.map(({ endpoint }) => endpoint),
    [quic, ws],
  );
  assert.equal(clock.pending, 0);
});

it('BR-6: WebSocket is tried at once when there is no WebTransport', async () => {
  const { attempts } = setUp([ws]);
  await settled();
  assert.deepEqual(
    attempts.map(({ endpoint }) => endpoint),
    [ws],
  );
});

it('BR-6: after a silence WebSocket has the head start, and WebTransport joins', async () => {
  const { attempts, clock, result } = setUp([quic, ws], ['websocket', 'webtransport']);
  clock.advance(headStartMs);
  await settled();
  assert.deepEqual(
    attempts.map(({ endpoint }) => endpoint),
    [ws, quic],
  );
  attempts[0]!.settle.resolve(fakeCarrier('websocket'));
  assert.equal((await result).transport, transportByte.websocket);
});

it('BR-6: WebTransport alone: nothing else is tried, and its failure is the end', async () => {
  const { attempts, clock, result } = setUp([quic, ws], ['webtransport']);
  clock.advance(headStartMs);
  attempts[0]!.settle.reject(unreachable());
  await assert.rejects(result, { code: 'unreachable' });
  assert.equal(attempts.length, 1);
});

it('tries the endpoints of a transport one after another', async () => {
  const { attempts, result } = setUp([quic, quic2, ws]);
  attempts[0]!.settle.reject(unreachable());
  await settled();
  assert.deepEqual(
    attempts.map(({ endpoint }) => endpoint),
    [quic, quic2],
  );
  const carrier = fakeCarrier('webtransport');
  attempts[1]!.settle.resolve(carrier);
  assert.equal(await result, carrier);
});

it('waits for WebTransport when WebSocket fails first', async () => {
  const { attempts, clock, result } = setUp([quic, ws]);
  clock.advance(1_200);
  await settled();
  attempts[1]!.settle.reject(unreachable());
  await settled();
  const carrier = fakeCarrier('webtransport');
  attempts[0]!.settle.resolve(carrier);
  assert.equal(await result, carrier);
});

it('is lost when all have failed', async () => {
  const { attempts, clock, result } = setUp([quic, ws]);
  clock.advance(1_200);
  await settled();
  for (const { settle } of attempts) settle.reject(unreachable());
  await assert.rejects(result, { code: 'unreachable' });
});

it('is lost at once without endpoints', async () => {
  await assert.rejects(setUp([]).result, { code: 'unreachable' });
});

it('closes a carrier that comes after the race', async () => {
  const { attempts, clock, result } = setUp([quic, ws]);
  clock.advance(1_200);
  await settled();
  const [first, late] = [fakeCarrier('webtransport'), fakeCarrier('websocket')];
  attempts[0]!.settle.resolve(first);
  attempts[1]!.settle.resolve(late);
  assert.equal(await result, first);
  await settled();
  assert.equal(late.isClosed, true);
  assert.equal(first.isClosed, false);
});

it('ends with the reason of its owner, and cancels both', async () => {
  const { attempts, clock, owner, result } = setUp([quic, ws]);
  clock.advance(1_200);
  await settled();
  const reason = new Error('enough');
  owner.abort(reason);
  await assert.rejects(result, reason);
  assert.deepEqual(
    attempts.map(({ signal }) => signal.aborted),
    [true, true],
  );
});

it('does not start when its owner has given up before', async () => {
  const reason = new Error('enough');
  const clock = new ManualClock(0);
  await assert.rejects(raceTransports([ws], { clock, signal: AbortSignal.abort(reason) }), reason);
});
