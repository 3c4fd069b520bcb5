/** One question to a window of the app's origin, over a port of its own for the answer. */

/** A window that is frozen does not answer, and cannot hold up another. */
const answerLimitMs = 2_000;

/** @returns undefined where nothing is answered within 2 s; null for an answer without a word. */
export function askClient<Answer>(client: Client, question: unknown): Promise<Answer | null | undefined> {
  const { port1, port2 } = new MessageChannel();
  let timer: ReturnType<typeof setTimeout>;
  return new Promise<Answer | null | undefined>((resolve) => {
    timer = setTimeout(resolve, answerLimitMs, undefined);
    port1.onmessage = ({ data }: MessageEvent<Answer | undefined>) => resolve(data ?? null);
    client.postMessage(question, [port2]);
  }).finally(() => {
    clearTimeout(timer);
    port1.close();
  });
}
