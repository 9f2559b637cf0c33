import type { Viewer } from '../auth/viewer.js';

/** What a plan is run with: the values of this time. */
export interface Bindings {
  viewer: Viewer;
  /** Coerced arguments of a field of the plan, by the number the plan gave it. */
  argsOf(fieldIndex: number): Record<string, unknown>;
  /** Ids of rows to load. */
  ids?: readonly string[];
}

/**
 * A value that is not known when a statement is compiled: put into `sql` it becomes a parameter, and is evaluated at
 * each run. So one plan serves every value.
 */
export class Param<Value> {
  constructor(readonly evaluate: (bindings: Bindings) => Value) {}

  /** What is made of the value at each run. It may throw BAD_USER_INPUT. */
  map<Result>(make: (value: Value) => Result): Param<Result> {
    return new Param((bindings) => make(this.evaluate(bindings)));
  }
}

/** A parameter of a statement that is compiled for one run: what is made of its value is made at once, and may be refused. */
class JudgedParam<Value> extends Param<Value> {
  constructor(
    evaluate: (bindings: Bindings) => Value,
    private readonly bindings: Bindings,
  ) {
    super(evaluate);
  }

  override map<Result>(make: (value: Value) => Result): Param<Result> {
    const made = new JudgedParam((bindings) => make(this.evaluate(bindings)), this.bindings);
    made.evaluate(this.bindings);
    return made;
  }
}

/** What a plan was compiled under; a run for which it does not hold needs another plan. */
export type Guard = (bindings: Bindings) => boolean;

/**
 * The arguments of a field while it is compiled. Values are parameters; whatever decides the shape of the statement
 * (is it given? which direction?) is asked by `given` and `known`, and so becomes a guard of the plan.
 */
export class Args {
  constructor(
    private readonly fieldIndex: number,
    private readonly current: Record<string, unknown>,
    private readonly guard: (guard: Guard) => void,
    private readonly path: readonly string[] = [],
    /** The values of the one run that the statement is for, where it is for one. */
    private readonly judgedBy?: Bindings,
  ) {}

  /** Whether an argument is given and not null. */
  given(name: string): boolean {
    const given = this.current[name] != null;
    this.guard((bindings) => (this.at(bindings)[name] != null) === given);
    return given;
  }

  /** The names of what is given and not null, in the order of the input type. */
  get names(): string[] {
    const names = namesOf(this.current);
    const joined = names.join();
    this.guard((bindings) => namesOf(this.at(bindings)).join() === joined);
    return names;
  }

  /** The value itself: it becomes part of the statement's shape. */
  known<Value>(name: string): Value {
    const value = this.current[name];
    this.guard((bindings) => this.at(bindings)[name] === value);
    return value as Value;
  }

  /** A list of enum values: it becomes part of the statement's shape. */
  knownList<Value extends string>(name: string): Value[] {
    const values = (this.current[name] ?? []) as Value[];
    const joined = values.join();
    this.guard((bindings) => ((this.at(bindings)[name] ?? []) as Value[]).join() === joined);
    return values;
  }

  /** What is made of a value: it becomes part of the statement's shape. It may throw BAD_USER_INPUT. */
  knownAs<Value, Made extends string | boolean>(name: string, make: (value: Value) => Made): Made {
    return this.knownOf((values) => make(values[name] as Value));
  }

  /** The same of several values together. */
  knownOf<Made extends string | boolean>(make: (values: Record<string, unknown>) => Made): Made {
    const made = make(this.current);
    this.guard((bindings) => make(this.at(bindings)) === made);
    return made;
  }

  /** The value as a parameter. */
  param<Value>(name: string): Param<Value> {
    return this.made((bindings) => this.at(bindings)[name] as Value);
  }

  /** The fields of an argument that is an input object; none where it is not given. */
  object(name: string): Args {
    const current = (this.current[name] ?? {}) as Record<string, unknown>;
    return new Args(this.fieldIndex, current, this.guard, [...this.path, name], this.judgedBy);
  }

  /** All arguments as a parameter. */
  get all(): Param<Record<string, unknown>> {
    return this.made((bindings) => this.at(bindings));
  }

  private made<Value>(evaluate: (bindings: Bindings) => Value): Param<Value> {
    return this.judgedBy ? new JudgedParam(evaluate, this.judgedBy) : new Param(evaluate);
  }

  private at(bindings: Bindings): Record<string, unknown> {
    let value = bindings.argsOf(this.fieldIndex);
    for (const name of this.path) value = (value[name] ?? {}) as Record<string, unknown>;
    return value;
  }
}

function namesOf(object: Record<string, unknown>): string[] {
  return Object.keys(object).filter((name) => object[name] != null);
}
