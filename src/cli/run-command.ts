import { ConfigError } from '../config/config-error.js';
import { databaseProblem } from '../database/database-problem.js';

/** The command was called wrongly: it exits with 2 and shows how it is called. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The command was called rightly and will not do it: the message says why. */
export class CommandRefused extends Error {
  override name = 'CommandRefused';
}

/**
 * Runs a command of `npm run`: `--help` shows its usage, and an error is told in words on standard error. Exits with what
 * `run` answers (0 where it answers nothing), 2 for wrong arguments or settings, `failed` for everything else.
 */
export async function runCommand(usage: string, run: () => Promise<number | undefined>, failed = 1): Promise<void> {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage);
    return;
  }
  // Whoever reads the output has had enough, as `head` does.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    process.exitCode = await run();
  } catch (error) {
    process.exitCode = tell(error as Error & { code?: string }, usage, failed);
  }
}

/** What PostgreSQL says of tables, columns and schemas that are not there. */
const NOT_THERE = ['42P01', '42703', '3F000'];

/** Answers the exit code. */
function tell(error: Error & { code?: string }, usage: string, failed: number): number {
  if (error instanceof UsageError || error.code?.startsWith('ERR_PARSE_ARGS')) {
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
  if (error instanceof ConfigError) {
    console.error(error.message);
    return 2;
  }
  const problem = NOT_THERE.includes(error.code ?? '')
    ? 'That database has not all tables. Bring it up to date: npm run migrate'
    : error instanceof CommandRefused
      ? error.message
      : databaseProblem(error);
  // Anything else is a defect, and whoever mends it wants to know where it came from.
  console.error(problem ?? error.stack);
  return failed;
}
