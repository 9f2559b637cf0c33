import type { FieldNode, GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Viewer } from './viewer.js';

/** The refusals of one operation: one error per coordinate, however many values it would have had. */
export class Denials {
  private readonly byCoordinate = new Map<string, GraphQLError>();

  constructor(private readonly viewer: Viewer) {}

  /** Notes that a field was asked for which the viewer may not read. Who may is not for them to know. */
  add(coordinate: string, nodes: readonly FieldNode[], path?: (string | number)[]): void {
    if (this.byCoordinate.has(coordinate)) return;
    const { identity, roles } = this.viewer;
    const known = identity !== null;
    const message = known
      ? `${coordinate} is not for your roles${roles.length > 0 ? `: ${roles.join(', ')}` : '; your token gives none, and { viewer { noRolesReason } } says why'}.`
      : `${coordinate} is not for everybody. Send a token: Authorization: Bearer …`;
    this.byCoordinate.set(
      coordinate,
      codedError(known ? ErrorCode.FORBIDDEN : ErrorCode.UNAUTHENTICATED, message, {
        nodes,
        path,
        extensions: { coordinate },
      }),
    );
  }

  /** Every refusal so far. */
  get errors(): GraphQLError[] {
    return [...this.byCoordinate.values()];
  }
}
