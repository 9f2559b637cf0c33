/** Where demonstration customers live: how many of a hundred or so, and how their telephone numbers begin. */
export interface DemoMarket {
  code: string;
  weight: number;
  callingCode: string;
}

const market = (code: string, weight: number, callingCode: string): DemoMarket => ({ code, weight, callingCode });

/** 42 markets; the last nine are closed to Azure reservations (rule 1); AU and BR price with tax (rule 2). */
export const demoMarkets: readonly DemoMarket[] = [
  market('US', 22, '+1'),
  market('GB', 9, '+44'),
  market('DE', 9, '+49'),
  market('IT', 9, '+39'),
  market('FR', 7, '+33'),
  market('CA', 5, '+1'),
  market('AU', 5, '+61'),
  market('BR', 5, '+55'),
  market('IN', 4, '+91'),
  market('JP', 4, '+81'),
  market('NL', 3, '+31'),
  market('ES', 3, '+34'),
  market('CH', 3, '+41'),
  market('SE', 2, '+46'),
  market('NO', 2, '+47'),
  market('DK', 2, '+45'),
  market('FI', 1, '+358'),
  market('AT', 1, '+43'),
  market('BE', 1, '+32'),
  market('IE', 1, '+353'),
  market('PL', 1, '+48'),
  market('PT', 1, '+351'),
  market('CZ', 1, '+420'),
  market('GR', 1, '+30'),
  market('LU', 1, '+352'),
  market('NZ', 1, '+64'),
  market('KR', 1, '+82'),
  market('TW', 1, '+886'),
  market('SG', 1, '+65'),
  market('MX', 1, '+52'),
  market('ZA', 1, '+27'),
  market('AE', 1, '+971'),
  market('CL', 1, '+56'),
  market('CN', 2, '+86'),
  market('MV', 1, '+960'),
  market('GI', 1, '+350'),
  market('SM', 1, '+378'),
  market('IM', 1, '+44'),
  market('KH', 1, '+855'),
  market('PF', 1, '+689'),
  market('GL', 1, '+299'),
  market('LA', 1, '+856'),
];
