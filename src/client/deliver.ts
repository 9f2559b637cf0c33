import type { Observer } from './follow-feed.js';

/** A result of a subscription, as clients hand it over. */
export interface Result {
  data?: unknown;
  errors?: readonly unknown[] | null | undefined;
}

/** Hands on the one root field of a result: without one it is a refusal. */
export function deliver<Message>({ data, errors }: Result, observer: Observer<Message>): void {
  const [message] = Object.values((data ?? {}) as Record<string, Message | null>);
  if (message) observer.next(message);
  else observer.error(errors ?? new Error('an answer without data'));
}

/**
 * A copy of variables whose `after` is written as it is at the time, not as it was: clients copy variables, and send
 * their copy again when they reconnect by themselves. At `null` that would be "from now", and what was missed lost.
 */
export function currentVariables(variables: Record<string, unknown> & { after: string | null }) {
  return { ...variables, after: { toJSON: () => variables.after } };
}
