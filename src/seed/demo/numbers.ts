import { v5 } from 'uuid';

/** Namespace of the ids of demonstration rows. */
const DEMO_NAMESPACE = '8d1f6d8e-3f0b-4a39-9c55-2f7c1d0e4b02';

/** The id of a demonstration row, from the seed and a name that a person can read: `order/17/line/0`. */
export const demoId = (seed: number, name: string): string => v5(`${seed}/${name}`, DEMO_NAMESPACE);

// Each number is index × factor + offset, modulo as many as there are; the factor shares no divisor with that, so no
// two indices meet. Numbers drawn at random would: 100,000 of nine digits collide five times.

/** The order number of the n-th demonstration order: 12 hexadecimal digits. */
export const orderNumberAt = (index: number): string =>
  ((BigInt(index) * 0x9e3779b97f4bn + 0x8ae0e679fb36n) & 0xffffffffffffn).toString(16).padStart(12, '0');

/** The number of the n-th demonstration support request: 15 digits. */
export const supportRequestNumberAt = (index: number): string =>
  String(((BigInt(index) * 618_033_988_749_897n + 161_221_228_745_761n) % 900_000_000_000_000n) + 100_000_000_000_000n);
