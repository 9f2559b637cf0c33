import { isIPv6 } from 'node:net';

/** The network that an address is counted by: its own, but of IPv6 the /64, as whoever has one address there has them all. */
export function networkOf(address: string): string {
  // Each request asks: of IPv4 nothing is looked at twice.
  if (!address.includes(':')) return address;
  const plain = address.replace(/^::ffff:/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const before = head.split(':').filter(Boolean);
  const missing = tail === undefined ? 0 : 8 - before.length - tail.split(':').filter(Boolean).length;
  const groups = [...before, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
