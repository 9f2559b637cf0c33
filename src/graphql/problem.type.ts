import type { ClassType } from 'type-graphql';
import { Field, InterfaceType, ObjectType, registerEnumType } from 'type-graphql';
import { type Problem, problemCodeOf } from '../domain/problem.js';

/**
 * Codes of every problem that has a face in the schema. Filled as modules give them theirs, so that it cannot fall
 * behind; type-graphql reads it when the schema is built.
 */
export const ProblemCode: Record<string, string> = {};
const codeDescriptions: Record<string, { description: string }> = {};
registerEnumType(ProblemCode, {
  name: 'ProblemCode',
  description:
    'Every value of `Problem.code`: the name of the problem type in capitals. New ones may join, so leave a branch for codes that you do not know.',
  valuesConfig: codeDescriptions,
});

/** What every refusal implements. */
@InterfaceType('Problem', {
  description:
    'A refusal that the caller can act on, returned in the place of the success. New problems may join: select `... on Problem { code message }` beside those you know.',
  resolveType: (problem: Problem) => problem.constructor.name,
})
export abstract class ProblemType {
  @Field(() => ProblemCode, {
    description: 'What went wrong, for programs to tell apart. A code never changes its meaning.',
  })
  code!: string;

  @Field({
    description:
      'One English sentence for people, which says what to do. Its wording may change, so compare `code` instead.',
  })
  message!: string;
}

/** What a field of a problem is: its GraphQL type, whether it may be null, and its description. */
export type ProblemField = { type: () => unknown; nullable?: boolean; description: string };

/** Every problem that has a face in the schema, by name: an idempotent answer is revived by it. */
export const problemClasses = new Map<string, ClassType<Problem>>();

/** Gives a problem of a use case its GraphQL face, so that use cases know nothing of GraphQL. */
export function problemType(
  problem: ClassType<Problem>,
  description: string,
  fields: Record<string, ProblemField> = {},
): void {
  problemClasses.set(problem.name, problem);
  const code = problemCodeOf(problem.name);
  ProblemCode[code] = code;
  codeDescriptions[code] = { description: `The code of \`${problem.name}\`. ${description}` };
  ObjectType({ implements: ProblemType as never, description })(problem);
  for (const [name, { type, nullable = false, description: of }] of Object.entries(fields)) {
    Field(type as never, { nullable, description: of })(problem.prototype, name);
  }
}

/** The member of a result union: its problem, or the one success. */
export function resultMember(success: string) {
  return (result: object): string => (problemClasses.has(result.constructor.name) ? result.constructor.name : success);
}
