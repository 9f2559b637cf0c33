/**
 * Waits for work for so long and no longer; what comes of it later is nobody's.
 * @param what for the error, as in `Redis`
 * @throws Error once the time is over
 */
export async function withinTime<Result>(work: Promise<Result>, limitMs: number, what: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const isOver = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer for ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, isOver]);
  } finally {
    clearTimeout(timer);
  }
}
