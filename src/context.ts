import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Access, AccessTable } from './auth/auth.js';
import { Denials } from './auth/denials.js';
import type { Revocations } from './auth/revocations.js';
import type { Viewer } from './auth/viewer.js';
import type { Config } from './config.js';
import type { Feed } from './feed/feed.js';
import type { Orm } from './orm.js';
import { Reader, type ReadSource } from './read/reader.js';
import type { Signer } from './signing.js';

/** What the whole process shares. */
export interface Services {
  config: Config;
  orm: Orm;
  kysely: Kysely<unknown>;
  readSource: ReadSource;
  accessTable: AccessTable;
  revocations: Revocations;
  signer: Signer;
  feed: Feed;
  log: Logger;
  /** The time, for the rules that speak of it. */
  now: () => Date;
  /** Address under which clients reach the gateway: `http://127.0.0.1:4000`. */
  publicUrl: () => string;
  /** Says that a cancellation waits for fulfilment. */
  cancellationRequested: () => void;
}

/** What one request, socket operation or feed event has of its own: made fresh for each by `createContext`. */
export interface Context {
  services: Services;
  viewer: Viewer;
  access: Access;
  denials: Denials;
  read: Reader;
  /** The same in every activity entry of one cause. */
  correlationId: string;
}

/** A fresh context. */
export function createContext(services: Services, viewer: Viewer, correlationId: string = randomUUID()): Context {
  const access = services.accessTable.for(viewer.roles);
  const denials = new Denials(viewer);
  return {
    services,
    viewer,
    access,
    denials,
    correlationId,
    read: new Reader(services.readSource, viewer, access, denials),
  };
}
