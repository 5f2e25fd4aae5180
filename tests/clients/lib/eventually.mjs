import { setTimeout as sleep } from 'node:timers/promises';

/** Thrown by a probe when asking again is of no use. */
export class GaveUp extends Error {}

/**
 * Asks again and again until the answer is truthy; the servers run on a real clock, so there is no event to wait for.
 * Fails with the last error when `within` milliseconds are over.
 */
export async function eventually(what, probe, { within, every }) {
  const deadline = Date.now() + within;
  for (;;) {
    let cause;
    try {
      const answer = await probe();
      if (answer) return answer;
    } catch (error) {
      if (error instanceof GaveUp) throw error;
      cause = error;
    }
    if (Date.now() >= deadline) throw new Error(`${what}: not within ${within} ms`, { cause });
    await sleep(every);
  }
}
