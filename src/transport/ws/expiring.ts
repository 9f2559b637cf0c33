import type { ExecutionResult } from 'graphql';
import { tokenExpired } from '../token-expiry.js';

/** What runs on a socket and is to be answered when its viewer's token ends, done or not. */
export class Expiring {
  private readonly running = new Set<(result: ExecutionResult) => void>();

  /** The answer, or TOKEN_EXPIRED where the token ends before it is there. */
  race(answer: ExecutionResult | Promise<ExecutionResult>): Promise<ExecutionResult> {
    return new Promise((resolve, reject) => {
      this.running.add(resolve);
      const done = () => void this.running.delete(resolve);
      Promise.resolve(answer).then(resolve, reject).then(done, done);
    });
  }

  /** The token ends: whatever still runs is answered now. */
  expire(): void {
    for (const answer of this.running) answer({ errors: [tokenExpired()] });
    this.running.clear();
  }
}
