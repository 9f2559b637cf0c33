import { isZero } from '../../domain/money.js';
import { RefundOptionType, type SoldRefundOption } from '../../domain/refund-option.js';
import type { SoldLine } from '../orders/sold-line.js';

/** What is said of the credit where it comes to nothing, as with a trial that was bought for 0. */
const NOTHING =
  'There is nothing to give back: the credit is 0. There is no fee. It can take up to 15 minutes until the cancellation shows.';

/**
 * What must be read before cancelling lines for a credit (null where they cannot be cancelled), as one would say it
 * (rule 12), with what each line gives back until when.
 */
export function noticeFor(lines: readonly SoldLine[], credit: string | null) {
  const refundOptions = lines.map((line) => `Line ${line.lineNumber}, ${line.sku.title}: ${whatIsGivenBack(line)}.`);
  return { ...cancellationNotice, ...(credit !== null && isZero(credit) ? { credit: NOTHING } : {}), refundOptions };
}

/** After the seed's "Important" note. */
const cancellationNotice = {
  revoked:
    'Every product key and download link of the cancelled software is revoked: neither you nor the customer can use them any more. The item stays listed, without its key.',
  removal:
    'You and the customer must stop using the cancelled software. You must uninstall it and remove its links and downloads.',
  credit:
    'The next monthly invoice carries a credit, as the refund options of each line say. There is no fee. It can take up to 15 minutes until the cancellation shows.',
};

const given: Record<RefundOptionType, string> = {
  [RefundOptionType.FULL]: 'all of the price',
  [RefundOptionType.PARTIAL]: 'the unused days of the term',
};

function whatIsGivenBack({ refundOptions, supportRequestRequired }: SoldLine): string {
  if (supportRequestRequired) return 'support decides; it is cancelled by a support request';
  if (refundOptions.length === 0) return 'nothing; it can never be cancelled';
  const told = ({ type, expiresAt }: SoldRefundOption) => `${given[type]} until ${expiresAt}`;
  return `${refundOptions.map(told).join(', then ')}; nothing after that`;
}
