import type { Config } from '../../../src/config/config.js';
import type { PartnerCenterConfig } from '../../../src/config/partner-center-config.js';
import { SignIn } from '../../../src/partner-center/rest/sign-in.js';
import type { TestDatabase } from '../database.js';
import { startTestGateway, type TestGateway, testJobs } from '../gateway.js';
import { settingsFor } from './settings.js';
import { type Simulator, startSimulator } from './simulator.js';
import { newRefreshToken } from './tokens.js';
import type { WorldOptions } from './world.js';

/** A gateway that mirrors a simulator once a second, with somebody signed in. */
export interface Mirrored {
  gateway: TestGateway;
  simulator: Simulator;
  stop(): Promise<void>;
}

/** Starts both. Lists of the simulator are not behind, unless it is said otherwise. */
export async function startMirrored(
  world: WorldOptions = {},
  {
    database,
    config,
    isSignedIn = true,
    ...changed
  }: Partial<PartnerCenterConfig> & { database?: TestDatabase; config?: Partial<Config>; isSignedIn?: boolean } = {},
): Promise<Mirrored> {
  const simulator = await startSimulator({ retryAfterSeconds: 0, callsPerMinute: 0, listLagMs: 0, ...world });
  const bounds = { callsPerMinute: 100_000, timeoutMs: 2_000, syncSeconds: 1, ...changed };
  const partnerCenter = settingsFor(simulator, bounds);
  const gateway = await startTestGateway({
    ...(database && { database }),
    config: { partnerCenter, jobs: { ...testJobs, retryDelayMs: 0 }, ...config },
  });
  if (isSignedIn) await signIn(gateway, simulator);
  return {
    gateway,
    simulator,
    stop: async () => {
      await gateway.stop();
      await simulator.close();
    },
  };
}

/** Somebody has signed in. */
export async function signIn(gateway: TestGateway, simulator: Simulator): Promise<void> {
  const { kysely, config } = gateway.gateway.services;
  await new SignIn(kysely, config.productKeySecrets).store(newRefreshToken(simulator.world));
}
