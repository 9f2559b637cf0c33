import { demoTenantId } from '../../auth/demo-tenant.js';
import { Segment } from '../../domain/product-kind.js';
import { marketOf, type ReferenceMarket } from '../reference/reference-data.js';
import { famousCompanies, inventedCompany } from './companies.js';
import { type DemoMarket, demoMarkets } from './demo-markets.js';
import { demoId } from './numbers.js';
import { marketsWithSegments } from './prices.js';
import { SeededRandom } from './random.js';

const DAY_MS = 86_400_000;
/** Customers came between three years and one month before now. */
const FIRST_CUSTOMER_DAYS = 1_095;
const LAST_CUSTOMER_DAYS = 30;

/** A customer that orders can be made for. */
export interface DemoCustomer {
  /** Place among all customers: orders are made for those that exist already. */
  index: number;
  id: string;
  domain: string;
  companyName: string;
  market: ReferenceMarket;
  segment: Segment;
  contactName: string;
  contactEmail: string;
  contactPhone: string;
  createdAt: Date;
}

const firstNames = (
  'Ada Björn Carla Dmitri Elena Fatima Giulia Haruto Inês Jonas Kavya Liam Mei Noor Olivia Paulo Quinn ' +
  'Rosa Søren Tomás Uma Viktor Wanda Yusuf Zoë'
).split(' ');
const lastNames = (
  'Abara Bianchi Castillo Dubois Eriksen Ferrari Gruber Hoffmann Iyer Jansen Kowalski Lindqvist Moreau ' +
  'Nakamura Oliveira Park Quist Rossi Sato Tanaka Usman Varga Weber Young Zhang'
).split(' ');

/**
 * The customers from place `first` on, oldest first. Microsoft's fictitious companies take the first places, then every
 * market gets one customer, then the rest is spread by weight.
 */
export function makeCustomers(seed: number, first: number, count: number, now: Date): DemoCustomer[] {
  const random = new SeededRandom(seed, `customers from ${first}`);
  return Array.from({ length: count }, (_, position) => {
    const index = first + position;
    const company =
      famousCompanies[index] ?? inventedCompany(index - famousCompanies.length, ...placeOf(random, index));
    const market = marketOf(company.market);
    const [firstName, lastName] = [random.pick(firstNames), random.pick(lastNames)];
    const ageDays =
      FIRST_CUSTOMER_DAYS -
      ((position === 0 ? 0 : position + random.fraction()) / count) * (FIRST_CUSTOMER_DAYS - LAST_CUSTOMER_DAYS);
    return {
      index,
      id: demoId(seed, `customer/${index}`),
      domain: company.domain,
      companyName: company.name,
      market,
      segment: company.segment,
      contactName: `${firstName} ${lastName}`,
      contactEmail: `${plain(firstName)}.${plain(lastName)}@${company.domain}`,
      contactPhone: `${callingCodeOf(market.code)} 555 01${String(random.whole(0, 99)).padStart(2, '0')}`,
      createdAt: new Date(Math.round(now.getTime() - ageDays * DAY_MS)),
    };
  });
}

/** The row of `customers`. */
export function customerRow(customer: DemoCustomer): Record<string, unknown> {
  const [firstName, lastName] = customer.contactName.split(' ');
  return {
    id: customer.id,
    tenant_id: demoTenantId(customer.domain),
    domain: customer.domain,
    company_name: customer.companyName,
    market_code: customer.market.code,
    segment: customer.segment,
    contact_first_name: firstName,
    contact_last_name: lastName,
    contact_email: customer.contactEmail,
    contact_phone: customer.index % 9 === 8 ? null : customer.contactPhone,
    created_at: customer.createdAt.toISOString(),
    is_demonstration: true,
  };
}

function placeOf(random: SeededRandom, index: number): [market: string, segment: Segment] {
  const turn = index - famousCompanies.length;
  const place = demoMarkets[turn] ?? random.weighted<DemoMarket>(demoMarkets, ({ weight }) => weight);
  if (!marketsWithSegments.includes(place.code)) return [place.code, Segment.COMMERCIAL];
  return [
    place.code,
    random.weighted([Segment.COMMERCIAL, Segment.EDUCATION, Segment.CHARITY], (segment) =>
      segment === Segment.COMMERCIAL ? 18 : 1,
    ),
  ];
}

const callingCodeOf = (market: string): string => demoMarkets.find(({ code }) => code === market)?.callingCode ?? '+1';

const plain = (name: string): string =>
  name
    .replaceAll('ø', 'o')
    .normalize('NFD')
    .replace(/[^A-Za-z]/g, '')
    .toLowerCase();
