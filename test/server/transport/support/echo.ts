/** What a carrier's far end does in these tests: gives every frame back, on every channel. */
import { type Carrier, CarrierError, type Channel } from '../../../../protocol/carrier.ts';

/** Serves until the carrier closes. */
export async function echoCarrier(carrier: Carrier): Promise<void> {
  for (let channel = await carrier.accept(); channel !== null; channel = await carrier.accept()) {
    echoChannel(channel).catch((error: unknown) => {
      if (!(error instanceof CarrierError)) throw error;
    });
  }
}

async function echoChannel(channel: Channel): Promise<void> {
  for (let frame = await channel.receive(); frame !== null; frame = await channel.receive()) await channel.send(frame);
  channel.finish();
}
