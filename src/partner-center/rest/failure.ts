/** What whoever called can do about a failure. */
export type Handling =
  /** Another token is got, once; then somebody has to sign in, or to mend the settings. */
  | 'token'
  /** No right to it: not to be tried again. */
  | 'forbidden'
  | 'missing'
  /** The catalog has moved: availabilities are to be read again. */
  | 'moved'
  /** Somebody else changed it: it is to be read again. */
  | 'changed'
  /** Later. */
  | 'busy'
  /** It was done before: the result is to be read. */
  | 'done'
  /** Too late to cancel. */
  | 'late'
  /** To be asked for in another way. */
  | 'door'
  /** The customer may not buy yet. */
  | 'customer'
  | 'sandbox'
  /** Refused for what was asked. */
  | 'refused'
  /** No answer: a write may have been done. */
  | 'unknown';

/** Codes of the service by what can be done about them; docs/partner-center.md has the table. */
const codes: Partial<Record<Handling, string>> = {
  token: '800001 900420 10001',
  forbidden: '90000 20002 27006 27007 27008 27009 900150 900308 900309 900329 900416 800043 400030 400036',
  missing: '1000 20000 20003 60003 800007 800008 800015 800076',
  moved: '400013 400018 400019 400072 800009 800010 800017',
  changed: '2055',
  busy: '800014 800060 800064 800080 800081 800082 900278 900311',
  done: '800065 600061',
  late: '900117 900213 900214 900257 800061',
  door: '800019 800020 800063 800077 2054',
  // Its own fault, whatever has become of the call by then.
  unknown: '0 800003 800005 800031 900192',
  customer: '13605 800039 800066 800067 800068 800069 800073 800074 800075 900119 900120 900121 900203 900206 2030',
  sandbox: '800018 900127',
};
const byCode = new Map(
  Object.entries(codes).flatMap(([handling, list]) => list.split(' ').map((code) => [code, handling as Handling])),
);

/** What a status means that the service itself gives, with a code that says nothing more. */
const byStatus: Record<number, Handling> = {
  401: 'token',
  403: 'forbidden',
  404: 'missing',
  // It gave up waiting: what was asked for may have been done.
  408: 'unknown',
  409: 'done',
  412: 'changed',
  429: 'busy',
};

/** What is clear from whatever stands before the service: a call is not let through. Anything else says nothing of it. */
const byStatusAlone: Record<number, Handling> = { 401: 'token', 429: 'busy' };

/** What can be done about an answer. A code says more than the status that it comes with. */
export function handlingOf(status: number, code: string | null): Handling {
  if (code === null) return byStatusAlone[status] ?? 'unknown';
  return byCode.get(code) ?? byStatus[status] ?? (status >= 500 ? 'unknown' : 'refused');
}

/** What is known of a failure. */
export interface FailureDetails {
  handling: Handling;
  /** 0: no answer. */
  status: number;
  /** As the service gave it; null: what answered was not the service. */
  code: string | null;
  /** What it said, in its words. */
  text: string;
  /** The id that Microsoft finds the call by. */
  requestId: string;
  /** How long it asks to wait. */
  retryAfterMs?: number | undefined;
}

/** A call that failed. What is known of it is kept: whoever is told of an error finds it in the log by the error's id. */
export class PartnerCenterFailure extends Error {
  override name = 'PartnerCenterFailure';
  readonly handling: Handling;
  readonly status: number;
  readonly code: string | null;
  readonly text: string;
  readonly requestId: string;
  readonly retryAfterMs: number | undefined;
  /** Whether an earlier attempt at the same write got no answer: it may have been done, whatever this one says. */
  mayBeDone = false;

  constructor({ handling, status, code, text, requestId, retryAfterMs }: FailureDetails, options?: ErrorOptions) {
    const answered = status === 0 ? 'did not answer' : `answered ${status}${code ? `, code ${code}` : ''}`;
    super(`Partner Center ${answered}: ${text} (MS-RequestId ${requestId})`, options);
    this.handling = handling;
    this.status = status;
    this.code = code;
    this.text = text;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }
}
