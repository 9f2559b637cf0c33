import { Segment } from '../../domain/product-kind.js';

/** A company of the demonstration, before it is a customer. */
export interface Company {
  name: string;
  domain: string;
  market: string;
  segment: Segment;
}

const famous = (name: string, tenant: string, market: string, segment: Segment = Segment.COMMERCIAL): Company => ({
  name,
  domain: `${tenant}.onmicrosoft.com`,
  market,
  segment,
});

/** Microsoft's public fictitious companies; the first one has the orders that the documentation speaks of. */
export const famousCompanies: readonly Company[] = [
  famous('Contoso', 'contoso', 'US'),
  famous('Fabrikam', 'fabrikam', 'US'),
  famous('Adatum Corporation', 'adatum', 'GB'),
  famous('Litware', 'litware', 'DE'),
  famous('Northwind Traders', 'northwindtraders', 'US'),
  famous('Tailspin Toys', 'tailspintoys', 'AU'),
  famous('Wingtip Toys', 'wingtiptoys', 'BR'),
  famous('Relecloud', 'relecloud', 'IT'),
  famous('Fourth Coffee', 'fourthcoffee', 'FR'),
  famous('Woodgrove Bank', 'woodgrove', 'CH'),
  famous('Alpine Ski House', 'alpineskihouse', 'AT'),
  famous("Margie's Travel", 'margiestravel', 'MV'),
  famous('Proseware', 'proseware', 'CN'),
  famous('Trey Research', 'treyresearch', 'CA'),
  famous('Blue Yonder Airlines', 'blueyonderairlines', 'JP'),
  famous('City Power & Light', 'citypowerlight', 'US'),
  famous('Coho Winery', 'cohowinery', 'ES'),
  famous('Consolidated Messenger', 'consolidatedmessenger', 'NL'),
  famous('Graphic Design Institute', 'graphicdesigninstitute', 'IT', Segment.EDUCATION),
  famous('Humongous Insurance', 'humongousinsurance', 'IN'),
  famous('Lucerne Publishing', 'lucernepublishing', 'CH'),
  famous('School of Fine Art', 'fineartschool', 'GB', Segment.EDUCATION),
  famous('Southridge Video', 'southridgevideo', 'GI'),
  famous('The Phone Company', 'thephonecompany', 'KR'),
  famous('VanArsdel', 'vanarsdel', 'SE'),
  famous('Wide World Importers', 'wideworldimporters', 'SG'),
  famous('Adventure Works Cycles', 'adventureworks', 'DK'),
  famous('Bellows College', 'bellowscollege', 'US', Segment.EDUCATION),
  famous('Lamna Healthcare', 'lamnahealthcare', 'US', Segment.CHARITY),
  famous("Munson's Pickles and Preserves Farm", 'munsonspickles', 'NZ'),
  famous('Nod Publishers', 'nodpublishers', 'NO'),
  famous('Fincher Architects', 'fincherarchitects', 'IE'),
  famous('First Up Consultants', 'firstupconsultants', 'BE'),
  famous('Lakeshore Retail', 'lakeshoreretail', 'FI'),
];

const stems = (
  'Alderwick Brindlemoor Cascavento Dunmarrow Eisenbrook Fjordalen Granvale Hollowmere Isoletta ' +
  'Juniperra Kestrelby Lunavera Mirabosco Norrhaven Ostermark Pinevale Quillmark Rosafonte Silverglen ' +
  'Tarnfield Umbracosta Valdoria Westerlund Yarrowdale Zephyrine Amberholt Birkenfels Copperlea ' +
  'Driftwold Emberlyn'
).split(' ');
const trades = (
  'Logistics Foods Textiles Instruments Clinics Energy Ceramics Shipping Robotics Gardens Analytics ' +
  'Timber Optics Insurance Mobility Printing Hotels Chemicals Studios Waterworks'
).split(' ');

/** How companies of a market end their names, where it is not "Ltd". */
const suffixes: Record<string, string> = {
  US: 'Inc.',
  CA: 'Inc.',
  DE: 'GmbH',
  AT: 'GmbH',
  CH: 'AG',
  IT: 'S.r.l.',
  FR: 'SAS',
  ES: 'S.L.',
  PT: 'Lda.',
  BR: 'Ltda.',
  NL: 'B.V.',
  BE: 'NV',
  SE: 'AB',
  NO: 'AS',
  DK: 'A/S',
  FI: 'Oy',
  PL: 'Sp. z o.o.',
  CZ: 's.r.o.',
  JP: 'K.K.',
  KR: 'Co., Ltd.',
  AU: 'Pty Ltd',
  MX: 'S.A. de C.V.',
};

/** The n-th invented company, in a market: no two have the same name or domain. Its domain cannot exist. */
export function inventedCompany(index: number, market: string, segment: Segment): Company {
  const stem = stems[index % stems.length] as string;
  const round = Math.floor(index / stems.length);
  const trade = trades[(round + (index % stems.length) * 7) % trades.length] as string;
  const edition = Math.floor(round / trades.length);
  const words = edition === 0 ? [stem, trade] : [stem, trade, String(edition + 1)];
  const name =
    segment === Segment.EDUCATION
      ? `${words.join(' ')} Academy`
      : segment === Segment.CHARITY
        ? `${words.join(' ')} Foundation`
        : `${words.join(' ')} ${suffixes[market] ?? 'Ltd'}`;
  return { name, domain: `${words.join('-').toLowerCase()}.example`, market, segment };
}
