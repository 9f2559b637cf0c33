import { SingleBar } from 'cli-progress';

/** The bar on a terminal; silent where output goes to a file or another program. */
export function progressBar() {
  const bar = new SingleBar({
    format: '[{bar}] {percentage} %  {megabytes} of {totalMegabytes} MB',
    stream: process.stderr,
    hideCursor: true,
  });
  const shown = process.stderr.isTTY === true;
  const megabytes = (bytes: number) => (bytes / 1_000_000).toFixed(1);
  let started = false;
  return {
    update(bytes: number, totalBytes: number): void {
      if (!shown) return;
      if (!started) bar.start(totalBytes, 0, { megabytes: '0.0', totalMegabytes: megabytes(totalBytes) });
      started = true;
      bar.update(bytes, { megabytes: megabytes(bytes) });
    },
    stop: () => bar.stop(),
  };
}
