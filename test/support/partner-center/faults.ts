/** What can be switched on, one by one: `docs/partner-center.md` says where each was seen. */
export const FAULTS = [
  // Tokens
  'tokenWithoutMfa',
  'accessTokenRefused',
  'refreshTokenExpired',
  'tokenEndpointDown',
  // Connections
  'hangBeforeWrite',
  'hangAfterWrite',
  'cutAfterWrite',
  'requestIdsForgotten',
  // Answers of whatever stands before the service
  'tooManyRequests',
  'unavailable',
  'htmlBody',
  'emptyBody',
  'frontRefuses',
  // Spelling
  'byteOrderMark',
  'doubledHeaders',
  'numbersAsText',
  'upperCaseIds',
  'timesWithoutZone',
  'malformedNextLinks',
  'pageMissing',
  // Purchases and cancellations
  'availabilityMoved',
  'splitCart',
  'groupFails',
  'lineError',
  'cartAlreadySubmitted',
  'checkoutRefused',
  'refusedAfterwards',
  'ownFault',
  'acceptedWrites',
  // What it tells
  'auditValuesCut',
  'auditRecordsLate',
  'exportFails',
  'exportLinksExpired',
  // Webhooks
  'webhookTwice',
  'webhookOutOfOrder',
  'webhookLate',
] as const;

export type Fault = (typeof FAULTS)[number];

/** When a fault strikes. */
export interface Strike {
  /** How often yet; left out: until it is switched off. */
  times?: number;
  /** The share of calls that it strikes, from 0 to 1; left out: every one. */
  rate?: number;
  /** Only calls whose method and path have this in them, such as `checkout`; left out: any. */
  at?: string;
}

/** Which faults are switched on. */
export class Faults {
  private readonly on = new Map<Fault, Strike>();
  /** How often each has struck. */
  readonly struck: Partial<Record<Fault, number>> = {};

  constructor(private readonly random: () => number) {}

  switchOn(fault: Fault, strike: Strike = {}): void {
    this.on.set(fault, { ...strike });
  }

  switchOff(fault?: Fault): void {
    if (fault) this.on.delete(fault);
    else this.on.clear();
  }

  /** Whether a fault strikes here; one that has a number of times has one less then. */
  strikes(fault: Fault, at = ''): boolean {
    const strike = this.on.get(fault);
    if (!strike || !at.includes(strike.at ?? '')) return false;
    if (strike.rate !== undefined && this.random() >= strike.rate) return false;
    if (strike.times !== undefined) {
      if (strike.times <= 0) return false;
      strike.times -= 1;
    }
    this.struck[fault] = (this.struck[fault] ?? 0) + 1;
    return true;
  }
}
