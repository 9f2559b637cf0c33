import { type DocumentNode, type ExecutionArgs, type ExecutionResult, execute, Kind, visit } from 'graphql';
import { identityOf } from '../auth/identity.js';
import { tenantScope } from '../auth/viewer.js';
import { type Context, createContext } from '../context/context.js';
import { EntryTooExpensive } from '../feed/delivery/retry.js';
import type { Render } from '../feed/delivery/shared-texts.js';
import { ErrorCode } from '../graphql/errors.js';
import type { OperationRules } from './prepare.js';

/** Who reads for all who share a stream. */
const FEED = identityOf({ issuer: 'csp-graph', tenantId: null, objectId: 'feed' });

/** Failures that pass: the message would be one without its entry, and its reader would go past it. */
const passing = new Set<unknown>([ErrorCode.INTERNAL_SERVER_ERROR, ErrorCode.UNAVAILABLE, ErrorCode.LIMIT_EXCEEDED]);

/** An entry could not be read; later it may be. */
class EntryUnread extends Error {
  override name = 'EntryUnread';
}

/** @throws {EntryUnread} or {EntryTooExpensive} where a result lacks what could not be read */
function requireWhole({ errors = [] }: ExecutionResult): void {
  for (const { message, extensions } of errors) {
    if (extensions['code'] === ErrorCode.TIMEOUT) throw new EntryTooExpensive(message);
    // Larger than one answer may be: like a read that takes too long, it will be so at every try.
    if (extensions['limit'] === 'answerBytes') throw new EntryTooExpensive(message, 'answerBytes');
    if (passing.has(extensions['code'])) throw new EntryUnread(message);
  }
}

/**
 * What decides every byte of a stream's messages: document, operation, variables, roles and tenant. Where it begins
 * does not: `after` is left out, so that those who resume are delivered to with all others.
 */
export function shareKey({ document, operationName, variableValues, contextValue }: ExecutionArgs): string {
  const { access, viewer, user, tellsCost } = contextValue as Context;
  const start = startVariable(document);
  const variables = Object.entries(variableValues ?? {}).filter(([name]) => name !== start);
  // What a user has left is told to nobody else.
  const told = tellsCost ? user : null;
  return JSON.stringify([document.loc?.source.body, operationName, variables, access.key, tenantScope(viewer), told]);
}

/** The variable that says where a stream begins, where that is all it is used for. */
function startVariable(document: DocumentNode): string | null {
  const roots = document.definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? definition.selectionSet.selections : [],
  );
  const given = roots
    .flatMap((root) => (root.kind === Kind.FIELD ? (root.arguments ?? []) : []))
    .find(({ name, value }) => name.value === 'after' && value.kind === Kind.VARIABLE);
  if (given?.value.kind !== Kind.VARIABLE) return null;
  const start = given.value.name.value;
  let uses = 0;
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => {
      if (name.value === start) uses += 1;
    },
  });
  return uses === 1 ? start : null;
}

/**
 * Executes messages for everyone who shares them. Nothing of the one viewer at hand is in it but roles and tenant, which
 * all have in common. Entries of a batch have one context: what they load is one statement.
 */
export function sharedRender(args: ExecutionArgs, toClientResult: OperationRules['toClientResult']): Render {
  const context = args.contextValue as Context;
  const { services, viewer, user: beginner, tellsCost, cost } = context;
  const anyone = { ...viewer, identity: FEED, userPrincipalName: 'feed', application: null };
  const render: Render = async (messages, abort, user = beginner) => {
    // It takes somebody's turn: others' reads do not wait for many of one user.
    const contextValue = createContext(services, { viewer: anyone, user, tellsCost, abort });
    contextValue.read.cost = cost?.asked ?? 0;
    if (tellsCost && cost) contextValue.cost = { ...cost, left: services.costs.left(context) };
    const executed = await Promise.all(messages.map((rootValue) => execute({ ...args, rootValue, contextValue })));
    const results = executed.map((result) => toClientResult(result, contextValue));
    try {
      for (const result of results) requireWhole(result);
    } catch (error) {
      if (!(error instanceof EntryTooExpensive) || messages.length === 1 || abort?.aborted) throw error;
      // Together they take too long: fewer may not.
      const half = Math.ceil(messages.length / 2);
      return [
        ...(await render(messages.slice(0, half), abort, user)),
        ...(await render(messages.slice(half), abort, user)),
      ];
    }
    return results.map((result) => Buffer.from(JSON.stringify(result)));
  };
  return render;
}
