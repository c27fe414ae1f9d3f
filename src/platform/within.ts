/** Whoever was asked did not answer in time. */
export class NoAnswer extends Error {}

/** What `promise` brings, or an error once `limitMs` have passed. Whatever was asked for may still happen later. */
export async function within<P extends Promise<unknown>>(limitMs: number, promise: P): Promise<Awaited<P>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    // A timer that is left pending keeps an object from hibernating.
    clearTimeout(timer);
  }
}
