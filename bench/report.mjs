/** The middle one, or the mean of the two in the middle. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
}

const short = (number) => number.toFixed(number < 10 ? 2 : 0);
const spread = (numbers, show = short) =>
  `${show(median(numbers))} (${show(Math.min(...numbers))}..${show(Math.max(...numbers))})`;
const cpuOf = (figures) => {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? 'none was answered' : median(known).toFixed(2);
};
const markdown = (rows) => {
  const [head, ...body] = rows.map((row) => `| ${row.join(' | ')} |`);
  return [head, `| --- |${' ---: |'.repeat(rows[0].length - 1)}`, ...body].join('\n');
};

/**
 * The one table: requests a second as a share of the limit's in the same round, CPU of the server's process per request,
 * statements per request, resident memory right after each load; and beneath it the figures behind the shares.
 * @param results by server's name and shape's key `{ figures, statements }`, one figure a round, and `resident`; the limit is the first
 */
export function report(served, keys, results) {
  const [limit] = served;
  const figures = (server, key, what) => results[server.name][key].figures.map((figure) => figure[what]);
  const shares = (server, key) => {
    const limits = figures(limit, key, 'perSecond');
    return figures(server, key, 'perSecond').map((perSecond, round) => perSecond / limits[round]);
  };
  const listed = (show) => keys.map(show).join(' / ');
  const main = [
    [
      'server',
      ...keys.map((key) => `${key}, share of LIMIT`),
      `CPU ms a request: ${listed((key) => key)}`,
      'statements',
      'memory MB',
    ],
    ...served.map((server) => [
      server.title,
      ...keys.map((key) => (server === limit ? '1' : spread(shares(server, key), (share) => share.toFixed(2)))),
      listed((key) => cpuOf(figures(server, key, 'cpu'))),
      listed((key) => results[server.name][key].statements),
      spread(results[server.name].resident, (bytes) => Math.round(bytes / 2 ** 20)),
    ]),
  ];
  const behind = [
    ['requests a second, 99th percentile', ...keys],
    ...served.map((server) => [
      server.title,
      ...keys.map(
        (key) => `${spread(figures(server, key, 'perSecond'))}, ${Math.round(median(figures(server, key, 'p99')))} ms`,
      ),
    ]),
  ];
  return `${markdown(main)}\n\n${markdown(behind)}`;
}
