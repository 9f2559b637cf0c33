import type { Logger } from 'pino';
import { askClock, type Clock } from '../../../context/clock.js';
import type { Em } from '../../../database/orm.js';
import { askScanner, type ScanOptions } from './ask-scanner.js';
import { type ClaimedFile, claimFile, putOff, settleScan } from './scan-table.js';

/** How often to look for files that another process left behind. */
const POLL_MS = 2_000;
/** Files that are judged at once: one that hangs holds up a quarter. */
const SIDE_BY_SIDE = 4;
/** A file is another process's no sooner than so long after its scanner's time is over. */
const LEASE_MARGIN_MS = 10_000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [5_000, 15 * 60_000];

/** What judging files needs. */
export interface FileScansOptions {
  scan: ScanOptions;
  /** Runs work in a transaction. */
  inTransaction: <Result>(work: (em: Em) => Promise<Result>) => Promise<Result>;
  clock: Clock;
  log: Logger;
}

/**
 * Has files judged that nobody has judged, those from before there was a scanner too. What a crash left behind is taken
 * again once its lease is over. The scanner is asked outside of any transaction; without an answer it is asked again,
 * after pauses that grow, and until then nobody downloads the file.
 */
export class FileScans {
  private readonly timer: NodeJS.Timeout;
  private readonly working = new Set<Promise<void>>();
  private isStopped = false;

  constructor(private readonly options: FileScansOptions) {
    this.timer = setInterval(() => this.wake(), POLL_MS).unref();
    this.wake();
  }

  /** Looks for files now, unless as many are being judged as may be. */
  wake(): void {
    if (this.isStopped || this.working.size >= SIDE_BY_SIDE) return;
    const work = this.work()
      .catch((error) => this.options.log.error({ err: error }, 'looking for files to scan failed; it is tried again'))
      .finally(() => this.working.delete(work));
    this.working.add(work);
  }

  /** Takes no more files, and waits for those that are being judged. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await Promise.all(this.working);
  }

  private async work(): Promise<void> {
    const { scan, inTransaction } = this.options;
    while (!this.isStopped) {
      const file = await inTransaction((em) => claimFile(em, scan.timeoutMs + LEASE_MARGIN_MS));
      if (!file) return;
      // There may be more.
      this.wake();
      await this.judge(file);
    }
  }

  private async judge(file: ClaimedFile): Promise<void> {
    const { scan, inTransaction, clock, log } = this.options;
    const finding = await askScanner(scan, file).catch((error: Error) => {
      log.warn({ file: file.id, attempts: file.attempts, reason: error.message }, 'a file could not be scanned');
      return null;
    });
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(file.attempts - 1, 20), LONGEST_PAUSE_MS);
    await inTransaction(async (em) =>
      finding ? settleScan(em, file.id, finding, await askClock(em, clock)) : putOff(em, file.id, pause),
    );
  }
}
