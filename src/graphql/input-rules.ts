import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsEmail,
  Length,
  Matches,
  Min,
  ValidateBy,
  type ValidationArguments,
} from 'class-validator';
import { isCurrency, minorUnitDigits } from '../domain/currencies.js';
import { IDENTIFIER, ONE_LINE } from '../lib/one-line.js';
import { applyDecorators } from './apply-decorators.js';

/** Made by the client for each request: 1 to 255 visible characters. */
export const IsIdempotencyKey = () =>
  Matches(/^[\x21-\x7e]{1,255}$/, { message: 'must be 1 to 255 visible ASCII characters, such as a UUID' });
/** A currency as it may be asked for: where nothing is sold in it, the answer says in which it is. */
export const IsCurrencyCode = () => Matches(/^[A-Z]{3}$/, { message: 'must be an ISO 4217 code such as USD' });
/** A currency that exists. */
export const IsCurrency = () =>
  ValidateBy({
    name: 'isCurrency',
    validator: {
      validate: (code) => isCurrency(code),
      defaultMessage: () => 'must be the ISO 4217 code of a currency, in capitals, such as USD',
    },
  });
/** An amount in the currency of the field `currency` beside it, not finer than its minor unit. */
export const IsAmount = () =>
  ValidateBy({
    name: 'isAmount',
    validator: {
      // A currency that does not exist is told by its own field.
      validate: (amount: string, of) =>
        !isCurrency(currencyBeside(of)) || decimalsOf(amount) <= minorUnitDigits(currencyBeside(of)),
      defaultMessage: (of) => {
        const currency = currencyBeside(of);
        const digits = minorUnitDigits(currency);
        return `must have ${digits === 0 ? 'no decimals' : `at most ${digits} decimals`}, as ${currency} has no smaller unit`;
      },
    },
  });
const decimalsOf = (amount: string) => amount.split('.')[1]?.length ?? 0;
const currencyBeside = (of?: ValidationArguments) => (of?.object as { currency: string } | undefined)?.currency ?? '';
/** Twelve letters and digits. */
export const IsProductId = () =>
  Matches(/^[A-Z0-9]{12}$/, { message: 'must be a product id of 12 letters and digits such as DG7GMGF0FKZV' });
/** Four letters and digits. */
export const IsSkuId = () =>
  Matches(/^[A-Z0-9]{4}$/, { message: 'must be a SKU id of 4 letters and digits such as 0003; leading zeros matter' });
/** A term of months or years. */
export const IsTerm = () =>
  Matches(/^P[1-9]\d{0,2}[MY]$/, { message: 'must be a term of months or years such as P1M, P1Y or P3Y' });
/** Units bought: their upper bound is the SKU's. */
export const IsQuantity = () => Min(1, { message: 'must be at least 1' });
/** Text of a length, without control characters but line ends. */
export const IsText = (minimum: number, maximum: number) =>
  applyDecorators(
    Length(minimum, maximum, { message: `must have ${minimum} to ${maximum} characters` }),
    Matches(/^[^\0-\x08\x0b\x0c\x0e-\x1f\x7f]*$/, { message: 'must not have control characters' }),
    Matches(/\S/, { message: 'must not be blank' }),
  );
/** Text of a length, in one line. */
export const IsLine = (minimum: number, maximum: number) =>
  applyDecorators(
    Length(minimum, maximum, { message: `must have ${minimum} to ${maximum} characters` }),
    Matches(ONE_LINE, {
      message: 'must be one line, without line breaks, control characters, blanks without width or signs of direction',
    }),
    Matches(/\S/, { message: 'must not be blank' }),
  );
/** An e-mail address. */
export const IsMailAddress = () =>
  applyDecorators(
    IsEmail({}, { message: 'must be an e-mail address such as anna@partner.example' }),
    Matches(IDENTIFIER, { message: 'must not have characters that cannot be seen' }),
  );
/** What may be a telephone number, of whichever country: `phoneOf` tells, once the country is known. */
export const IsPhone = () =>
  applyDecorators(
    Length(3, 60, { message: NO_PHONE }),
    Matches(ONE_LINE, { message: NO_PHONE }),
    Matches(/\p{Nd}.*\p{Nd}.*\p{Nd}/u, { message: NO_PHONE }),
  );
/** What is said of a telephone number that is none. */
export const NO_PHONE =
  "must be a telephone number, with its country code such as +1 425 555 0100, or as it is dialled in the customer's country";
/** A name or an object id of a user, of the form that tokens are let in with. */
export const IsNameOfUser = (what: string) =>
  applyDecorators(
    Length(1, 255, { message: `must be ${what}, in 1 to 255 characters` }),
    Matches(IDENTIFIER, { message: `must be ${what}, without characters that cannot be seen` }),
  );
/** A list of distinct things, within bounds. */
export const IsList = (maximum: number) =>
  applyDecorators(
    ArrayMinSize(1, { message: 'must not be empty' }),
    ArrayMaxSize(maximum, { message: `must have at most ${maximum}` }),
  );
/** Numbers of lines. */
export const IsLineNumbers = () => applyDecorators(IsList(100), ArrayUnique({ message: 'must name each line once' }));
/** Money that is not negative. */
export const IsNotNegative = () => Matches(/^[^-]/, { message: 'must not be negative' });
