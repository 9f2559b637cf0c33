import proxyAddr from '@fastify/proxy-addr';
import { isLoopback } from '../lib/loopback.js';

/** Whether it can be taken apart, also by who decodes the password: a bare % in one is no address. */
export function isAddress(text: string): boolean {
  try {
    const { username, password, pathname } = new URL(text);
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

/** Whether an address is one that paths can be put behind. What is none is told by itself. */
export function isBare(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password, search, hash } = new URL(text);
  return `${username}${password}${search}${hash}` === '';
}

/** Keys and sign-in decide who is let in: nobody on the way may change them. */
export const isSafeAddress = (text: string) => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  // Addresses are logged, and the provider's are nobody's secret.
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
};
/** An address, a range such as 10.0.0.0/8, or `loopback`, `linklocal`, `uniquelocal`. */
export const isAddressRange = (text: string) => {
  try {
    proxyAddr.compile(text);
    return true;
  } catch {
    return false;
  }
};
/** As browsers send it in `Origin`. */
export const isOrigin = (text: string) =>
  /^https?:[^*]+$/i.test(text) && URL.canParse(text) && new URL(text).origin === text.toLowerCase();
/** What is said of an address that is not safe. */
export const SAFE = '(http only to this machine itself, no user and password in it)';
