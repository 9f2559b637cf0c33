/** Why something did not begin: others of the same name took longer than it may wait. */
export class WaitedTooLong extends Error {}

interface Row {
  waiting: (() => void)[];
}

/** Does work of one name one after the other, in the order in which it came; work of other names goes on beside it. */
export class OneAtATime {
  private readonly rows = new Map<string, Row>();

  /** @param longestWaitMs how long work may wait for its turn; 0: for ever */
  constructor(readonly longestWaitMs: number) {}

  /** @throws {WaitedTooLong} where its turn does not come in time; then it is not done */
  async run<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const row = this.rows.get(name);
    if (row) await this.wait(row);
    else this.rows.set(name, { waiting: [] });
    try {
      return await work();
    } finally {
      this.passOn(name);
    }
  }

  private wait(row: Row): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        resolve();
      };
      const leave = () => {
        row.waiting.splice(row.waiting.indexOf(begin), 1);
        reject(new WaitedTooLong());
      };
      const timer = this.longestWaitMs > 0 ? setTimeout(leave, this.longestWaitMs) : undefined;
      row.waiting.push(begin);
    });
  }

  private passOn(name: string): void {
    const next = this.rows.get(name)?.waiting.shift();
    if (next) next();
    else this.rows.delete(name);
  }
}
