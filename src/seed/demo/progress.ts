import { Presets, SingleBar } from 'cli-progress';

/** Shows how far something is: a bar on a terminal, a line every tenth elsewhere. */
export class Progress {
  private bar: SingleBar | undefined;
  private tenths = 0;

  constructor(private readonly output: NodeJS.WriteStream) {}

  /** Tells that `done` of `total` is done. */
  show(done: number, total: number): void {
    if (this.output.isTTY) this.showBar(done, total);
    else this.showLine(done, total);
  }

  /** Leaves the terminal tidy. */
  stop(): void {
    this.bar?.stop();
  }

  private showBar(done: number, total: number): void {
    if (!this.bar) {
      this.bar = new SingleBar(
        { format: '{bar} {percentage}%  {duration_formatted}', stream: this.output, hideCursor: true },
        Presets.shades_classic,
      );
      this.bar.start(total, 0);
    }
    this.bar.update(done);
  }

  private showLine(done: number, total: number): void {
    const tenths = Math.floor((done / total) * 10);
    if (tenths <= this.tenths) return;
    this.tenths = tenths;
    this.output.write(`${tenths * 10} %\n`);
  }
}
