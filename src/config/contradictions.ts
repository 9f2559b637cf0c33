import { existsSync } from 'node:fs';
import { Role } from '../domain/role.js';
import { TENANT_PLACEHOLDER } from './auth-config.js';
import { costDefaults, pointsByRole, pointsFor } from './cost-config.js';
import { fileScannerOf } from './file-scan-config.js';
import { partnerCenterContradictions } from './partner-center-config.js';
import { ANONYMOUS } from './trusted-documents-config.js';

/** What is wrong with settings beside one another, each right by itself. */
export function contradictions(given: Record<string, string | undefined>): string[] {
  /** Whether a setting is there, as itself or as a file. */
  const has = (name: string) => Boolean(given[name] || given[`${name}_FILE`]);
  const problems: string[] = [];
  problems.push(...providerContradictions(given));
  const jwksGiven = [given['AUTH_JWKS_URL'], given['AUTH_ISSUER'], given['AUTH_AUDIENCE']].filter(Boolean).length;
  if (jwksGiven !== 0 && jwksGiven !== 3)
    problems.push('AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE: set all three or none');
  const folder = given['DOWNLOADS_DIR'];
  if (folder && !existsSync(folder))
    problems.push(`DOWNLOADS_DIR: ${folder} does not exist; create it or leave the setting out`);
  if (given['DOWNLOADS_STORE_URL']) {
    if (folder)
      problems.push('DOWNLOADS_DIR, DOWNLOADS_STORE_URL: images come from one of the two; leave the other out');
    if (!given['DOWNLOADS_STORE_ACCESS_KEY_ID'] || !has('DOWNLOADS_STORE_SECRET_ACCESS_KEY'))
      problems.push(
        'DOWNLOADS_STORE_URL: needs DOWNLOADS_STORE_ACCESS_KEY_ID and DOWNLOADS_STORE_SECRET_ACCESS_KEY of somebody who may read its objects',
      );
  }
  const scanner = fileScannerOf(given['SUPPORT_FILE_SCAN'] ?? '');
  if (scanner?.kind === 'command' && !existsSync(scanner.command))
    problems.push(`SUPPORT_FILE_SCAN: ${scanner.command} does not exist; install it or leave the setting out`);
  for (const path of (given['TRUSTED_DOCUMENTS'] ?? '').split(',').map((one) => one.trim()))
    if (path !== '' && !existsSync(path)) problems.push(`TRUSTED_DOCUMENTS: ${path} does not exist; mend the path`);
  if (has('TRUSTED_DOCUMENTS_ROLES') && !has('TRUSTED_DOCUMENTS'))
    problems.push('TRUSTED_DOCUMENTS_ROLES: needs TRUSTED_DOCUMENTS, which they run');
  if (has('DATABASE_REPLICA_URL') && !has('DATABASE_URL'))
    problems.push('DATABASE_REPLICA_URL: needs DATABASE_URL, of which it is a replica');
  if (has('NATS_URL') && !has('DATABASE_URL'))
    problems.push('NATS_URL: needs DATABASE_URL; the embedded database is one process’s own');
  if (given['ADMIN_HOST'] && !given['ADMIN_PORT'])
    problems.push('ADMIN_HOST: needs ADMIN_PORT, on which it listens for operators');
  if (given['ADMIN_PORT'] && given['ADMIN_PORT'] !== '0' && given['ADMIN_PORT'] === (given['PORT'] ?? '4000'))
    problems.push('ADMIN_PORT: must be another port than PORT');
  if (
    given['HEADERS_TIMEOUT_MS'] &&
    Number(given['HEADERS_TIMEOUT_MS']) > Number(given['REQUEST_TIMEOUT_MS'] ?? 60_000)
  )
    problems.push('HEADERS_TIMEOUT_MS: must not be longer than REQUEST_TIMEOUT_MS, of which the head is a part');
  if (has('REDIS_URL') && !has('DATABASE_URL'))
    problems.push('REDIS_URL: needs DATABASE_URL; the embedded database is one process’s own, which counts for itself');
  problems.push(...costContradictions(given), ...partnerCenterContradictions(given));
  if (given['NODE_ENV'] !== 'production') return problems;

  if (!given['ADMIN_PORT'] && !has('ADMIN_TOKEN'))
    problems.push(
      'ADMIN_PORT, ADMIN_TOKEN: set one of the two in production, so that /metrics and /health are not everybody’s: a port that only operators reach, or what they send as Authorization: Bearer',
    );
  if (!given['PUBLIC_URL'])
    problems.push(
      'PUBLIC_URL: required in production; the address that clients reach the gateway by, such as https://graph.example.com',
    );

  if (jwksGiven === 0)
    problems.push(
      'AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE: production needs an identity provider; demo tokens are off there',
    );
  if (!has('DATABASE_URL'))
    problems.push('DATABASE_URL: production needs a PostgreSQL server; the embedded database is for trying out');
  if (!has('SIGNING_SECRET'))
    problems.push('SIGNING_SECRET: required in production; make one with: openssl rand -base64 48');
  if (!has('PRODUCT_KEY_SECRETS'))
    problems.push(
      'PRODUCT_KEY_SECRETS: required in production; ID:BASE64 of a 32-byte key, made with: echo "k1:$(openssl rand -base64 32)"',
    );
  if (given['DEMO_DATA'] === 'true') problems.push('DEMO_DATA: not in production');
  return problems;
}

/** A budget of a minute must hold what one operation may cost: else it could never run. */
function costContradictions(given: Record<string, string | undefined>): string[] {
  const [limit, budget] = [given['COST_LIMIT'], given['COST_BUDGET']].map((text, index) =>
    pointsByRole(text ?? costDefaults[index === 0 ? 'COST_LIMIT' : 'COST_BUDGET']),
  );
  if (!limit || !budget) return [];
  const short = [ANONYMOUS, ...Object.values(Role)].filter(
    (role) => pointsFor(limit, [role]) > pointsFor(budget, [role]),
  );
  return short.length > 0
    ? [`COST_BUDGET, COST_LIMIT: an operation of ${short.join(', ')} may cost more than there is for a minute`]
    : [];
}

/** What is wrong with the identity provider's settings beside one another. */
function providerContradictions(given: Record<string, string | undefined>): string[] {
  const keySets = given['AUTH_JWKS_URL']?.split(',') ?? [];
  const issuers = given['AUTH_ISSUER']?.split(',') ?? [];
  const hasTemplate = issuers.some((issuer) => issuer.includes(TENANT_PLACEHOLDER));
  const needsKeySet = ['AUTH_ROLES', 'AUTH_CLIENT_ID'].filter((name) => given[name]);
  const problems: string[] = [];
  if (keySets.length > 1 && keySets.length !== issuers.length)
    problems.push('AUTH_JWKS_URL: give one for all of AUTH_ISSUER, or one for each in the same order');
  if (hasTemplate && !given['PARTNER_TENANT_ID'])
    problems.push('PARTNER_TENANT_ID: required where AUTH_ISSUER lets in many tenants: whose roles are the partner’s?');
  if (keySets.length === 0 && needsKeySet.length > 0)
    problems.push(`${needsKeySet.join(', ')}: needs AUTH_JWKS_URL, the identity provider that it is about`);
  if (given['AUTH_AUTHORITY'] && !given['AUTH_CLIENT_ID'])
    problems.push('AUTH_AUTHORITY: needs AUTH_CLIENT_ID, as which people sign in');
  if (given['AUTH_CLIENT_ID'] && !given['AUTH_AUTHORITY'] && (hasTemplate || issuers.length > 1))
    problems.push('AUTH_AUTHORITY: required beside AUTH_CLIENT_ID where AUTH_ISSUER is not one address');
  return problems;
}
