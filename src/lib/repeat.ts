import type { Logger } from 'pino';

/** Work that is done again and again until it is stopped. */
export interface Repeated {
  /** Waits for what runs. */
  stop(): Promise<void>;
}

/**
 * Does some work every so often, never twice at once: what each process must do for itself, such as a heartbeat or what
 * it has in memory. What one does for all is a job (`jobs/periodic-work.ts`). Where it fails that is told once, not each time, and it is tried
 * again.
 * @param what names the work in the log
 */
export function repeat(milliseconds: number, what: string, work: () => Promise<void>, log: Logger): Repeated {
  let isStopped = false;
  let isFailing = false;
  let timer: NodeJS.Timeout;
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    try {
      await work();
      isFailing = false;
    } catch (error) {
      if (!isStopped && !isFailing) log.error({ err: error }, `${what} failed; it is tried again`);
      isFailing = true;
    }
  };
  const schedule = () => {
    timer = setTimeout(() => {
      running = run().then(() => {
        if (!isStopped) schedule();
      });
    }, milliseconds);
    timer.unref();
  };
  schedule();
  return {
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
