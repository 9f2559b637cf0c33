import type { Kysely } from 'kysely';
import type { Execute, Turn } from '../database/execute.js';
import type { Statement } from '../database/statement.js';
import { AbortFlag } from '../lib/abort-flag.js';
import { joinPlans, type Plan, RECORD_SEPARATOR } from './plan.js';

/** Most reads of one statement: more would let some wait for many. */
const MAXIMUM_BATCH = 4;

interface Waiting {
  parameters: unknown[];
  turn: Turn;
  resolve(text: string): void;
  reject(error: unknown): void;
}

/**
 * Reads of single rows by the same plan that come in one turn of the event loop, whoever asks, share a statement: under
 * load most of the price of such a read is its round trip. Each has its own parameters, the tenant among them, and its
 * own place in the answer. What reads lists keeps a statement of its own, so that nobody waits for another's work.
 */
export class PointReadBatcher {
  private readonly waiting = new Map<Plan, Waiting[]>();
  private readonly statements = new WeakMap<Plan, Statement[]>();

  constructor(
    private readonly execute: Execute,
    private readonly kysely: Kysely<unknown>,
  ) {}

  /** The JSON text of the plan, as `execute` answers it. */
  read(plan: Plan, parameters: unknown[], turn: Turn): Promise<string> {
    return new Promise((resolve, reject) => {
      const one = { parameters, turn, resolve, reject };
      const others = this.waiting.get(plan);
      if (others) others.push(one);
      else {
        // All that this turn brings is there when the next phase begins: it costs no waiting.
        if (this.waiting.size === 0) setImmediate(() => this.flush());
        this.waiting.set(plan, [one]);
      }
    });
  }

  private flush(): void {
    const all = [...this.waiting];
    this.waiting.clear();
    for (const [plan, reads] of all) {
      for (let at = 0; at < reads.length; at += MAXIMUM_BATCH) void this.run(plan, reads.slice(at, at + MAXIMUM_BATCH));
    }
  }

  private async run(plan: Plan, reads: Waiting[]): Promise<void> {
    if (reads.length > 1) {
      try {
        const parameters = reads.flatMap((read) => read.parameters);
        const text = await this.execute(this.statement(plan, reads.length), parameters, turnOfAll(reads));
        for (const [index, json] of text.split(RECORD_SEPARATOR).entries()) reads[index]?.resolve(json);
        return;
      } catch {
        // One of them may have failed the others: each by itself.
      }
    }
    for (const { parameters, turn, resolve, reject } of reads)
      this.execute(plan, parameters, turn).then(resolve, reject);
  }

  private statement(plan: Plan, count: number): Statement {
    const known = this.statements.get(plan) ?? [];
    this.statements.set(plan, known);
    known[count] ??= joinPlans(Array(count).fill(plan), this.kysely);
    return known[count];
  }
}

/** The turn of any of those who wait, whichever comes first; it is given up when the last one of them has gone. */
function turnOfAll(reads: readonly Waiting[]): Turn {
  const all = new AbortFlag();
  let present = reads.length;
  for (const { turn } of reads) {
    turn.abort?.onAbort(() => {
      present -= 1;
      if (present === 0) all.abort();
    });
  }
  return { users: reads.flatMap(({ turn }) => turn.users), cost: 0, abort: all };
}
