import { isZero } from '../../domain/money.js';

/** What is said of the credit where it comes to nothing, as with a trial that was bought for 0. */
const NOTHING =
  'There is nothing to give back: the credit is 0. There is no fee. It can take up to 15 minutes until the cancellation shows.';

/** What must be read before cancelling for a credit (null where it cannot be cancelled), as one would say it (rule 12). */
export function noticeFor(credit: string | null): typeof cancellationNotice {
  return credit !== null && isZero(credit) ? { ...cancellationNotice, credit: NOTHING } : cancellationNotice;
}

/** After the seed's "Important" note. */
const cancellationNotice = {
  revoked:
    'Every product key and download link of the cancelled software is revoked: neither you nor the customer can use them any more. The item stays listed, without its key.',
  removal:
    'You and the customer must stop using the cancelled software. You must uninstall it and remove its links and downloads.',
  credit:
    'The next monthly invoice carries a credit: all of the price for perpetual software, the unused days for a subscription. There is no fee. It can take up to 15 minutes until the cancellation shows.',
};
