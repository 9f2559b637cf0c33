import { Problem } from '../../domain/problem.js';

/** The order has no line with that number. */
export class OrderLineNotFound extends Problem {
  readonly code = 'ORDER_LINE_NOT_FOUND';
  readonly message: string;
  constructor(readonly lineNumbers: number[]) {
    super();
    this.message = `The order has no line ${lineNumbers.join(', ')}. Lines are numbered from 0.`;
  }
}

/** Rule 12: the notice was not acknowledged. */
export class AcknowledgementRequired extends Problem {
  readonly code = 'ACKNOWLEDGEMENT_REQUIRED';
  readonly message = 'Show the notice of cancellationQuote, and send acknowledged: true once it was read.';
}

/** Rule 13: the window is over. */
export class CancellationWindowClosed extends Problem {
  readonly code = 'CANCELLATION_WINDOW_CLOSED';
  readonly message: string;
  constructor(
    readonly lineNumbers: number[],
    readonly closedAt: Date,
  ) {
    super();
    this.message = `Line ${lineNumbers.join(', ')} could be cancelled until ${closedAt.toISOString()}.`;
  }
}

/** Rule 13: this SKU can never be cancelled, such as a LINUX_PLAN. */
export class ProductNotCancellable extends Problem {
  readonly code = 'PRODUCT_NOT_CANCELLABLE';
  readonly message: string;
  constructor(readonly lineNumbers: number[]) {
    super();
    this.message = `Line ${lineNumbers.join(', ')} can never be cancelled. Name the other lines in lineNumbers.`;
  }
}

/** Rule 16: the term is over, so nothing is left to give back, and the licence has ended by itself. */
export class NothingToGiveBack extends Problem {
  readonly code = 'NOTHING_TO_GIVE_BACK';
  readonly message: string;
  readonly lineNumbers: number[];
  constructor(lines: { lineNumber: number }[]) {
    super();
    this.lineNumbers = lines.map((line) => line.lineNumber);
    this.message = `The term of line ${this.lineNumbers.join(', ')} is over: there is nothing to give back, and its licence has expired. Name the other lines in lineNumbers.`;
  }
}

/** The lines are cancelled already. */
export class AlreadyCancelled extends Problem {
  readonly code = 'ALREADY_CANCELLED';
  readonly message: string;
  constructor(readonly lineNumbers: number[]) {
    super();
    this.message = `Line ${lineNumbers.join(', ')} is cancelled already.`;
  }
}

/** Rule 4: the provider has not answered to the purchase yet. */
export class OrderPending extends Problem {
  readonly code = 'ORDER_PENDING';
  readonly message: string;
  constructor(readonly lineNumbers: number[]) {
    super();
    this.message = `Line ${lineNumbers.join(', ')} waits for the provider to confirm the purchase. Cancel it once the order is COMPLETED.`;
  }
}

/** Rule 4: the provider refused the purchase, and nothing was charged. */
export class OrderRefused extends Problem {
  readonly code = 'ORDER_REFUSED';
  readonly message: string;
  constructor(readonly lineNumbers: number[]) {
    super();
    this.message = `Line ${lineNumbers.join(', ')} was refused by the provider: nothing was charged, and nothing is to be given back.`;
  }
}

/** The lines wait for fulfilment. */
export class CancellationPending extends Problem {
  readonly code = 'CANCELLATION_PENDING';
  readonly message: string;
  constructor(readonly lineNumbers: number[]) {
    super();
    this.message = `Line ${lineNumbers.join(', ')} is being cancelled. Its confirmation comes within 15 minutes: subscribe to cancellationConfirmed.`;
  }
}

/** What to submit where cancelling needs a support request: a draft to fill in. */
export interface SupportRequestDraft {
  topic: string;
  title: string;
  description: string;
}

/** Rules 20 and 25: cancelled by a support request. */
export class SupportRequestRequired extends Problem {
  readonly code = 'SUPPORT_REQUEST_REQUIRED';
  readonly message: string;
  constructor(
    readonly lineNumbers: number[],
    readonly draft: SupportRequestDraft,
  ) {
    super();
    this.message = `Line ${lineNumbers.join(', ')} is cancelled by support: send the draft with submitSupportRequest.`;
  }
}

/** Rule 14: the quote is older than 15 minutes. */
export class QuoteExpired extends Problem {
  readonly code = 'QUOTE_EXPIRED';
  readonly message = 'The quote has expired. Ask for a new one with cancellationQuote.';
}

/** The quote is not one of ours, or of another order or other lines. */
export class QuoteNotApplicable extends Problem {
  readonly code = 'QUOTE_NOT_APPLICABLE';
  readonly message = 'The quoteToken is not for this order and these lines. Send what cancellationQuote gave for them.';
}
