import { z } from 'zod';

const whole = (what: string, fallback: number, minimum: number, maximum: number) => {
  const error = `must be a whole number${what} from ${minimum} to ${maximum}`;
  return z.coerce.number({ error }).int({ error }).min(minimum, { error }).max(maximum, { error }).default(fallback);
};

/** The settings of jobs, with their defaults. */
export const jobSettings = {
  JOB_POLL_MS: whole(' of milliseconds', 2_000, 100, 600_000),
  JOB_TIME_LIMIT_MS: whole(' of milliseconds', 30_000, 100, 3_600_000),
  JOB_ATTEMPTS: whole('', 10, 1, 1_000),
  JOB_RETRY_DELAY_MS: whole(' of milliseconds', 1_000, 1_000, 3_600_000),
  JOB_RETRY_DELAY_MAX_MS: whole(' of milliseconds', 300_000, 1_000, 86_400_000),
  JOBS_AT_ONCE: whole('', 10, 1, 1_000),
};

/** How work that waits for somebody is done. */
export interface JobsConfig {
  /** How often to look for jobs that another process left, or that are due again. Own ones are begun at once. */
  pollMs: number;
  /** How long an attempt may take before it counts as failed. */
  timeLimitMs: number;
  /** How many attempts there are before a job lies in the operators' list. */
  attempts: number;
  /** The pause after the first failure; it doubles with each one. In whole seconds, rounded up; 0: none, also later. */
  retryDelayMs: number;
  /** The longest pause. */
  retryDelayMaxMs: number;
  /** How many jobs of a kind a process does at once. */
  atOnce: number;
}

/** How jobs are done where a service is asked that takes minutes, and shows later what it has done. */
const patient = { JOB_TIME_LIMIT_MS: '300000', JOB_ATTEMPTS: '200' };

/** Settings with the defaults of jobs that wait for Partner Center, where that is set. */
export const withPatience = (given: Record<string, string | undefined>): Record<string, string | undefined> =>
  given['PARTNER_CENTER_TENANT_ID'] ? { ...patient, ...given } : given;

/** The settings of jobs as they are set. */
export const jobsOf = (values: z.infer<z.ZodObject<typeof jobSettings>>): JobsConfig => ({
  pollMs: values.JOB_POLL_MS,
  timeLimitMs: values.JOB_TIME_LIMIT_MS,
  attempts: values.JOB_ATTEMPTS,
  retryDelayMs: values.JOB_RETRY_DELAY_MS,
  retryDelayMaxMs: values.JOB_RETRY_DELAY_MAX_MS,
  atOnce: values.JOBS_AT_ONCE,
});

/** How jobs are done where nothing is set. */
export const defaultJobs = (): JobsConfig => jobsOf(z.object(jobSettings).parse({}));
