import type { FieldNode, GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Role } from './role.js';
import type { Viewer } from './viewer.js';

/** The refusals of one operation: one error per coordinate, however many values it would have had. */
export class Denials {
  private readonly byCoordinate = new Map<string, GraphQLError>();

  constructor(private readonly viewer: Viewer) {}

  /** Notes that a field was asked for which the viewer may not read. */
  add(coordinate: string, requires: readonly Role[], nodes: readonly FieldNode[], path?: (string | number)[]): void {
    if (this.byCoordinate.has(coordinate)) return;
    const known = this.viewer.identity !== null;
    const message = known
      ? `${coordinate} is for ${requires.join(', ')}; your roles are ${this.viewer.roles.join(', ')}.`
      : `${coordinate} is for ${requires.join(', ')}. Send a token: Authorization: Bearer …`;
    this.byCoordinate.set(
      coordinate,
      codedError(known ? ErrorCode.FORBIDDEN : ErrorCode.UNAUTHENTICATED, message, {
        nodes,
        path,
        extensions: { coordinate, requires },
      }),
    );
  }

  /** Every refusal so far. */
  get errors(): GraphQLError[] {
    return [...this.byCoordinate.values()];
  }
}
