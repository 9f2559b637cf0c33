import type { PartnerCenterConfig } from '../../../src/config/partner-center-config.js';
import { PARTNER_CENTER } from './call.js';
import type { Simulator } from './simulator.js';
import { CLIENT_ID, CLIENT_SECRET } from './tokens.js';

/** The settings of a gateway whose Partner Center is the simulator. */
export function settingsFor(
  simulator: Simulator,
  bounds: Pick<PartnerCenterConfig, 'callsPerMinute' | 'timeoutMs'> & Partial<PartnerCenterConfig>,
): PartnerCenterConfig {
  return {
    tenantId: simulator.world.partnerId,
    clientId: CLIENT_ID,
    credential: { kind: 'secret', secret: CLIENT_SECRET },
    serviceUrl: simulator.url,
    authorityUrl: simulator.url,
    audience: PARTNER_CENTER,
    isSandbox: false,
    // Not by itself: those who test the mirror say how often.
    syncSeconds: 86_400,
    crawlDays: 7,
    ...bounds,
  };
}
