/** How much the stream keeps. What is older is replayed from the database. */
export interface StreamLimits {
  maxAgeMs: number;
  maxBytes: number;
}

/** Where the stream is. */
export interface NatsAddress extends StreamLimits {
  /** One or several `nats://` or `tls://` addresses joined by commas; may hold credentials: never for the log. */
  url: string;
}
