import type { MigrationObject } from '@mikro-orm/core';
import { Migration20261122180000_initial } from './Migration20261122180000_initial.js';

/** Every migration, oldest first. One that has landed is never edited. */
export const migrations: MigrationObject[] = [
  { name: 'Migration20261122180000_initial', class: Migration20261122180000_initial },
];
