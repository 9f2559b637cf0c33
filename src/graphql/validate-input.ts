import { type ValidationError, validate } from 'class-validator';
import { badUserInput } from './errors.js';

/**
 * Judges an input at the door by the decorators of its class (class-validator).
 * @throws BAD_USER_INPUT naming the first field that is wrong, such as `input.lines.0.quantity`, and what would be right
 */
export async function validateInput(input: unknown): Promise<void> {
  const [error] = await validate(input as object, { forbidUnknownValues: false, stopAtFirstError: true });
  if (error) throw toBadUserInput(error, 'input');
}

function toBadUserInput(error: ValidationError, path: string): Error {
  const field = `${path}.${error.property}`;
  const [child] = error.children ?? [];
  if (child) return toBadUserInput(child, field);
  const [message] = Object.values(error.constraints ?? {});
  return badUserInput(field, message ?? 'is not valid');
}
