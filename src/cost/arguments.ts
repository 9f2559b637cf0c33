import {
  type ArgumentNode,
  type FieldNode,
  type OperationDefinitionNode,
  type ValueNode,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE } from '../graphql/page.js';

type Variables = Record<string, unknown>;

/** The names of the filters that are given. */
export function givenFilters(values: Record<string, unknown>): string[] {
  const { filter } = values;
  if (typeof filter !== 'object' || filter === null) return [];
  return Object.entries(filter).flatMap(([name, value]) => (value == null ? [] : [name]));
}

/** How many rows a page is asked for. */
export function pageSizeOf({ first, last }: Record<string, unknown>): number {
  const size = first ?? last ?? DEFAULT_PAGE_SIZE;
  // What is no page size is refused when it is read.
  return typeof size === 'number' ? Math.min(Math.max(size, 0), MAXIMUM_PAGE_SIZE) : MAXIMUM_PAGE_SIZE;
}

/** How many values a list has; of what is none, one. */
export const lengthOf = (list: unknown) => (Array.isArray(list) ? list.length : 1);

/** Whether no argument of a field depends on a variable. */
export function isConstant({ arguments: given = [] }: FieldNode): boolean {
  return !given.some(({ value }) => hasVariable(value));
}

function hasVariable(value: ValueNode): boolean {
  let has = false;
  visit(value, {
    Variable: () => {
      has = true;
    },
  });
  return has;
}

/** The arguments of a field as plain values. Those without variables are made once. */
export function argumentsOf(node: FieldNode): (inputs: { variables: Variables }) => Record<string, unknown> {
  const made = (given: readonly ArgumentNode[], { variables }: { variables: Variables }) =>
    Object.fromEntries(given.map(({ name, value }) => [name.value, valueFromASTUntyped(value, variables)]));
  const { arguments: given = [] } = node;
  if (!isConstant(node)) return (inputs) => made(given, inputs);
  const constant = made(given, { variables: {} });
  return () => constant;
}

/** Values of variables that the operation gives itself. */
export function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Record<string, unknown> | null {
  const given = variableDefinitions.flatMap(({ variable, defaultValue }) =>
    defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)]] : [],
  );
  return given.length > 0 ? Object.fromEntries(given) : null;
}
