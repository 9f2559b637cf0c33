import type { FieldNode, GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Viewer } from './viewer.js';

/** The refusals of one operation: one error per field, however many values it would have had. */
export class Denials {
  private readonly byCoordinate = new Map<string, GraphQLError>();
  /** Fields whose arguments are refused, by their place and what is said of them. */
  private readonly byPlace = new Map<string, GraphQLError>();

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

  /** Notes that a field below the roots is null because its arguments are refused: once, however many rows have it. */
  addRefused(error: GraphQLError): void {
    const place = placeOf(error);
    if (!this.byPlace.has(place)) this.byPlace.set(place, error);
  }

  /** Every refusal so far. */
  get errors(): GraphQLError[] {
    return [...this.byCoordinate.values(), ...this.byPlace.values()];
  }

  /** What else went wrong, without what graphql-js says again for each row of a field whose arguments are refused. */
  others<Told extends { message: string; path?: readonly (string | number)[] | undefined }>(
    errors: readonly Told[],
  ): readonly Told[] {
    return this.byPlace.size === 0 ? errors : errors.filter((error) => !this.byPlace.has(placeOf(error)));
  }
}

/** A place in an answer, of whichever row, and what is said there. */
function placeOf({ path, message }: { path?: readonly (string | number)[] | undefined; message: string }): string {
  return JSON.stringify([path?.filter((step) => typeof step === 'string'), message]);
}
