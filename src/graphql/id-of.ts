import { type NodeType, parseGlobalId } from '../domain/global-id.js';
import { badUserInput } from './errors.js';

/**
 * The row's id out of a global id of `type`.
 * @throws BAD_USER_INPUT naming `field`, for an id that is broken or of another type
 */
export function idOf(type: NodeType, globalId: string, field: string): string {
  const parsed = parseGlobalId(globalId);
  if (parsed?.type !== type) throw badUserInput(field, `must be an id of type ${type}, as the graph gives it`);
  return parsed.id;
}
