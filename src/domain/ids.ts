import { randomBytes, randomInt } from 'node:crypto';
import { v7 } from 'uuid';

/** A new primary key: UUID version 7, so that rows made together stay together in the index. */
export const newId = (): string => v7();

/** A new order number: 12 hexadecimal digits, as Partner Center's friendly order ids. */
export const newOrderNumber = (): string => randomBytes(6).toString('hex');

/** A new support request number: 15 digits. */
export const newSupportRequestNumber = (): string =>
  String(randomInt(100_000_000, 1_000_000_000)) + String(randomInt(1_000_000)).padStart(6, '0');
