import { v5 } from 'uuid';

/** Namespace of demonstration tenants. */
const TENANT_NAMESPACE = '0c5d0c1e-7a51-4c3b-8f0e-5c5097a9d001';

/** The tenant id of a demonstration customer: the same in every database, so that a token can name it beforehand. */
export function demoTenantId(domain: string): string {
  return v5(domain.toLowerCase(), TENANT_NAMESPACE);
}
