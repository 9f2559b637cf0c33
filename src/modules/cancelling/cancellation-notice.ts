/** What must be read before cancelling (rule 12), after the seed's "Important" note. */
export const cancellationNotice = {
  revoked:
    'Every product key and download link of the cancelled software is revoked: neither you nor the customer can use them any more. The item stays listed, without its key.',
  removal:
    'You and the customer must stop using the cancelled software. You must uninstall it and remove its links and downloads.',
  credit:
    'The next monthly invoice carries a credit: all of the price for perpetual software, the unused days for a subscription. There is no fee. It can take up to 15 minutes until the cancellation shows.',
};
