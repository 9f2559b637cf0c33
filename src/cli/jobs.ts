import { parseArgs } from 'node:util';
import pino from 'pino';
import { readConfig } from '../config/config.js';
import { JobState } from '../domain/job-kind.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Lists work that waits for the provider, begins it anew, or gives it up.

  npm run jobs [-- list [--state STATE]]
  npm run jobs -- retry ID
  npm run jobs -- give-up ID --reason TEXT [--not-done]

  --state STATE  only jobs that are ${Object.values(JobState).join(', ')}
  --reason TEXT  why, in one line: whoever waits reads it as the reason of a refusal
  --not-done     you have looked in Partner Center, and it is not done there: needed where an attempt got no answer

In DATABASE_URL, or in the embedded database while the gateway is stopped; while it runs, ask its graph for jobs.
Exits with 1 where there is no such job, where it is being attempted just now, or where it may be done.`;

type Asked =
  | { what: 'list'; state: string | undefined }
  | { what: 'retry' | 'give-up'; id: string; reason: string; isNotDone: boolean };

function readArguments(): Asked {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      state: { type: 'string' },
      reason: { type: 'string' },
      'not-done': { type: 'boolean', default: false },
    },
  });
  const [what = 'list', id, ...others] = positionals;
  if (others.length > 0) throw new UsageError('One job at a time.');
  if (what === 'list' && id === undefined) {
    const state = values.state?.toUpperCase();
    if (state !== undefined && !Object.hasOwn(JobState, state)) throw new UsageError(`There is no state ${state}.`);
    return { what, state };
  }
  if (what !== 'retry' && what !== 'give-up') throw new UsageError(`There is nothing to ${what}.`);
  if (!/^(job_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id ?? ''))
    throw new UsageError('Name the job by its id, as the list has it.');
  const reason = values.reason?.trim() ?? '';
  if (what === 'give-up' && (reason === '' || reason.length > 1_000 || /\p{Cc}/u.test(reason)))
    throw new UsageError('--reason must be one line of 1 to 1000 characters.');
  return { what, id: (id as string).replace('job_', ''), reason, isNotDone: values['not-done'] };
}

async function main(): Promise<undefined> {
  const asked = readArguments();
  const { openJobs } = await import('./open-jobs.js');
  const opened = await openJobs(readConfig(), pino({ level: 'warn' }, pino.destination(2)));
  try {
    if (asked.what === 'list') {
      const jobs = await opened.list(asked.state);
      for (const job of jobs) console.log(JSON.stringify(job));
      if (jobs.length === 0) console.error('No jobs wait.');
    } else {
      const problem = asked.what === 'retry' ? await opened.retry(asked.id) : await opened.giveUp(asked);
      if (problem) throw new CommandRefused(problem.message);
      console.log(asked.what === 'retry' ? 'it begins at once' : 'it is given up');
    }
  } finally {
    await opened.close();
  }
}

await runCommand(USAGE, main);
