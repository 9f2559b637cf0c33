import { ProductKind } from '../../../domain/product-kind.js';
import { parseExpiresAfter, type RefundOption, RefundOptionType } from '../../../domain/refund-option.js';
import type { PolicyRefusal, PolicyRow, PolicySubject } from './policy-file.js';

/** A policy out of the rows of a file: all of one subject and day. */
export interface GivenPolicy {
  subject: PolicySubject;
  effectiveDate: string;
  refundOptions: RefundOption[];
  supportRequestRequired: boolean;
  isRemoved: boolean;
  lines: number[];
}

/** A subject as a key. */
export const subjectKey = (subject: PolicySubject): string =>
  'kind' in subject ? subject.kind : `${subject.productId}:${subject.skuId}`;

/** Puts the rows of a policy together. A policy is taken whole or not at all: of half of one nobody could say what it is. */
export function groupPolicies(
  rows: readonly PolicyRow[],
  kindOf: (subject: PolicySubject) => ProductKind | undefined,
  onRefusal: (refusal: PolicyRefusal) => void,
): GivenPolicy[] {
  const groups = new Map<string, PolicyRow[]>();
  for (const row of rows) {
    const key = `${subjectKey(row.subject)} ${row.effectiveDate}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].flatMap((group) => {
    const broken = group.find(({ isBroken }) => isBroken);
    const fault = broken ?? faultOf(group, kindOf((group[0] as PolicyRow).subject));
    if (!fault) return [policyOf(group)];
    for (const { line, isBroken } of group) {
      // Told when it was read.
      if (isBroken) continue;
      if ('reason' in fault && line === fault.line) {
        onRefusal(fault);
        continue;
      }
      const reason = `belongs to a policy of which line ${fault.line} is refused`;
      onRefusal({ line, column: null, value: '', reason });
    }
    return [];
  });
}

function policyOf(group: readonly PolicyRow[]): GivenPolicy {
  const [{ subject, effectiveDate, supportRequestRequired, isRemoved }] = group as [PolicyRow];
  const refundOptions = group.flatMap(({ option }) => option ?? []).toSorted((a, b) => a.sequence - b.sequence);
  const of = { subject, effectiveDate, supportRequestRequired, isRemoved };
  return { ...of, refundOptions, lines: group.map(({ line }) => line) };
}

/** The first fault of a policy, by the line that it is found on. */
function faultOf(group: readonly PolicyRow[], kind: ProductKind | undefined): PolicyRefusal | null {
  const [first] = group as [PolicyRow];
  if (kind === undefined)
    return {
      line: first.line,
      column: 'SkuId',
      value: subjectKey(first.subject),
      reason: 'the catalog has no such SKU; import a price list with it first',
    };
  for (const { line, supportRequestRequired, option, isRemoved } of group) {
    const at = (column: string, value: unknown, reason: string) => ({ line, column, value: String(value), reason });
    if (isRemoved && (group.length > 1 || option || supportRequestRequired))
      return at('Removed', isRemoved, 'what is taken away has one row, without options');
    if (supportRequestRequired !== first.supportRequestRequired)
      return at(
        'SupportRequestRequired',
        supportRequestRequired,
        `must be as on line ${first.line}: one policy has one`,
      );
    if (supportRequestRequired && option)
      return at('Type', option.type, 'must be blank where a support request is required');
    if (!option && group.length > 1) return at('Type', '', 'a policy without options has one row');
    if (kind === ProductKind.LINUX_PLAN && (option || supportRequestRequired))
      return at('Type', option?.type ?? '', 'must be blank: a LINUX_PLAN can never be cancelled');
    if (kind === ProductKind.PERPETUAL_SOFTWARE && option?.type === RefundOptionType.PARTIAL)
      return at('Type', option.type, 'must be FULL: perpetual software has no term whose days could be unused');
  }
  return orderFault(group);
}

/** Options of which one could never hold: that is not what its author meant. */
function orderFault(group: readonly PolicyRow[]): PolicyRefusal | null {
  const sorted = group
    .filter((row): row is PolicyRow & { option: RefundOption } => row.option !== null)
    .toSorted((a, b) => a.option.sequence - b.option.sequence);
  for (const [position, { line, option }] of sorted.entries()) {
    const before = sorted[position - 1];
    if (!before) continue;
    if (option.sequence === before.option.sequence)
      return { line, column: 'Sequence', value: String(option.sequence), reason: `is on line ${before.line} too` };
    if (mayEndLater(option.expiresAfter, before.option.expiresAfter)) continue;
    const reason = `never holds: ${before.option.expiresAfter} of line ${before.line} comes before it and is not over sooner`;
    return { line, column: 'ExpiresAfter', value: option.expiresAfter, reason };
  }
  return null;
}

/** Whether an option may be over later than another: days end with the calendar's, hours to the millisecond. */
function mayEndLater(expiresAfter: string, than: string): boolean {
  const [later, sooner] = [parseExpiresAfter(expiresAfter), parseExpiresAfter(than)];
  if (later.days !== null && sooner.days !== null) return later.days > sooner.days;
  const latest = later.days === null ? later.hours * 60 : later.days * 1_440 + 1_439;
  const earliest = sooner.days === null ? sooner.hours * 60 : sooner.days * 1_440 - 1;
  return latest > earliest;
}
