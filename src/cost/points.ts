/**
 * What things cost, in points. A point is about a tenth of a millisecond of PostgreSQL's time: measured with EXPLAIN
 * ANALYZE at 5,000 customers, 100,000 orders and 500,000 entries on one core of 2026 (docs/limits.md has the figures).
 * What belongs to one field stands beside it: `weight` in the read model, `@Costs` on resolvers.
 */
export const points = {
  /** Least of any operation: its way through the gateway. */
  operation: 1,
  /** The beginning of a page at the root, and of one for each row of another list. */
  page: 1,
  nestedPage: 0.3,
  /** A row of a list, and its JSON. */
  row: 0.1,
  /** A single row found by its key. */
  one: 0.1,
  /** Rows of a list that is no page, such as the lines of an order, on average; at most as many as its field says. */
  listLength: 4,
  /** A row that is only counted. */
  counted: 0.0025,
  /** A row that one filter leads to and another throws away: read by an index, one here and one there. */
  walked: 0.01,
  /** Part of looking for a span of time that it takes in the list of one customer. */
  nestedLooking: 0.1,
  /** How many times the average those customers have of everything whom a page shows. */
  pageOfCustomers: 2,
  /** A byte of an answer: the least that it costs, whatever it was judged by what it asks for. */
  answeredByte: 1 / 1024,
  /** A mutation that says nothing of itself: a transaction of about ten statements. */
  mutation: 50,
  /** The beginning of a stream. */
  subscription: 5,
  /** A character of a document that is parsed and validated for the first time: time of the event loop. */
  character: 1 / 250,
  /** The whole schema by introspection: time of the event loop. */
  introspection: 100,
  /** One type by introspection, and a field of what it leads to. */
  introspectedType: 10,
  introspectedField: 1,
  /** That the schema's text is what the caller has already; where it is sent, its bytes are paid for as an answer's. */
  schema: 5,
  /** A message that goes to one subscriber, whoever shares its text. */
  message: 0.02,
  /** An entry of the log that a replay looks at for its filter, and one that it reads out of the table. */
  lookedAtEntry: 0.0025,
  replayedEntry: 0.05,
  /** The beginning of an export, and each of its lines: a flat row, read in the order in which it lies. */
  export: 5,
  exportedLine: 0.05,
  /** The beginning of an upload, and each MiB of it: received, judged and written, and kept for good. */
  upload: 5,
  uploadedMebibyte: 300,
  /** Looking for a file of a support request, a transaction of a few statements, and each MiB of it: read in pieces. */
  fileDownload: 20,
  downloadedMebibyte: 300,
} satisfies Record<string, number>;

/** Points of so many bytes of a file out of the database. */
export const costOfDownload = (bytes: number) => Math.ceil((bytes / 2 ** 20) * points.downloadedMebibyte);

/** Bytes of variables and the like that come with every operation, and cost nothing of their own. */
const FREE_BYTES = 4_096;

/** Points of a text of so many bytes, as JSON, beyond what is free: reading it is time of the event loop. */
export const costOfText = (bytes: number) => Math.max(0, Math.floor((bytes - FREE_BYTES) * points.character));

/** Points of so many bytes of an upload. */
export const costOfBytes = (bytes: number) => (bytes / 2 ** 20) * points.uploadedMebibyte;
