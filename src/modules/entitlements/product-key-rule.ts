import { ValidateBy, type ValidationArguments } from 'class-validator';
import { productKeyOf } from './product-key.js';

/** A list of product keys. The refusal says where one is none, and repeats none (rule 8). */
export const AreProductKeys = () =>
  ValidateBy({
    name: 'areProductKeys',
    validator: {
      validate: (keys: string[]) => wrongPlaces(keys).length === 0,
      defaultMessage: (of) =>
        `must be product keys of 25 letters and digits; none are those at ${wrongPlaces(keysOf(of)).slice(0, 20).join(', ')}`,
    },
  });

const keysOf = (of?: ValidationArguments) => (of?.value ?? []) as string[];
const wrongPlaces = (keys: string[]) => [...keys.keys()].filter((at) => productKeyOf(keys[at] as string) === null);
