import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { IsLine } from '../../graphql/input-rules.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { DownloadLinkType } from './download-link.type.js';
import { EntitlementType } from './entitlement.type.js';
import {
  EntitlementExpired,
  EntitlementNotFound,
  EntitlementPending,
  EntitlementRevoked,
  SoftwareChoiceNotOffered,
  SoftwareNotOffered,
} from './software-choice.js';
import { ProductKeysRanOut } from './take-pooled-key.js';

problemType(
  EntitlementNotFound,
  'Returned when there is no entitlement with the id, or none that you may see: both look the same. The attempt is in the activity log.',
);
problemType(
  EntitlementPending,
  'Returned when the purchase of the entitlement, or its cancellation, waits for the provider; `message` says which.',
);
problemType(
  EntitlementRevoked,
  'Returned when a cancellation, or the refusal of the purchase, revoked the entitlement.',
  {
    revokedAt: { type: () => DateTimeScalar, description: 'The instant at which it was revoked, in UTC.' },
  },
);
problemType(EntitlementExpired, 'Returned when the term is over; `expiredAt` says since when.', {
  expiredAt: { type: () => DateTimeScalar, description: 'The instant at which the term was over, in UTC.' },
});
problemType(SoftwareNotOffered, 'Returned when the SKU comes without software, as a reservation does.');
problemType(
  SoftwareChoiceNotOffered,
  'Returned when the SKU does not offer what was chosen; `offered` lists what it does.',
  {
    field: {
      type: () => String,
      description: 'The field of the input that is not offered: `version`, `language` or `architecture`.',
    },
    offered: { type: () => [String], description: 'The values that can be chosen instead.' },
  },
);

problemType(
  ProductKeysRanOut,
  'Returned when no product key of the version is left to give; whoever has one already can still read it.',
  { version: { type: () => String, description: 'The version that there is no key of.' } },
);

@InputType('RevealProductKeyInput', { description: 'The entitlement and the version that a product key is for.' })
export class RevealProductKeyInput {
  @Field(() => ID, { description: 'The global id of the entitlement.' })
  entitlementId!: string;

  @Field({ description: 'The version of the software, one of `Sku.softwareVersions`.' })
  @IsLine(1, 100)
  version!: string;
}

@ObjectType('RevealProductKeySuccess', {
  description: 'Returned with the product key. That it was shown to you is in the activity log.',
})
export class RevealProductKeySuccess {
  @Field({ description: 'The product key: 25 characters in five groups of five. It is shown only in this answer.' })
  productKey!: string;

  @Field({
    description:
      'Whether the key is invented, as for customers of the demonstration: it has the form of a key and activates nothing.',
  })
  isInvented!: boolean;

  @Field(() => EntitlementType, { description: 'The entitlement that the product key belongs to.' })
  entitlement!: object;
}

export const RevealProductKeyResult = createUnionType({
  name: 'RevealProductKeyResult',
  description: 'The answer of `revealProductKey`: its success or the reason why not.',
  types: () =>
    [
      RevealProductKeySuccess,
      EntitlementNotFound,
      EntitlementPending,
      EntitlementRevoked,
      EntitlementExpired,
      SoftwareNotOffered,
      SoftwareChoiceNotOffered,
      ProductKeysRanOut,
    ] as const,
  resolveType: resultMember('RevealProductKeySuccess'),
});

@InputType('CreateDownloadLinkInput', { description: 'The entitlement and the software that a download link is for.' })
export class CreateDownloadLinkInput {
  @Field(() => ID, { description: 'The global id of the entitlement.' })
  entitlementId!: string;

  @Field({ description: 'The version of the software, one of `Sku.softwareVersions`.' })
  @IsLine(1, 100)
  version!: string;

  @Field({ description: 'One of the languages of the version, as a BCP 47 tag such as `en-US`.' })
  @IsLine(1, 40)
  language!: string;

  @Field({ description: 'One of the architectures of the version, such as `x64`.' })
  @IsLine(1, 40)
  architecture!: string;
}

@ObjectType('CreateDownloadLinkSuccess', {
  description: 'Returned with the download link. That you had it made is in the activity log.',
})
export class CreateDownloadLinkSuccess {
  @Field(() => DownloadLinkType, { description: 'The link, with the instant until which it holds.' })
  downloadLink!: Relation<DownloadLinkType>;

  @Field(() => EntitlementType, { description: 'The entitlement that the link belongs to.' })
  entitlement!: object;
}

export const CreateDownloadLinkResult = createUnionType({
  name: 'CreateDownloadLinkResult',
  description: 'The answer of `createDownloadLink`: its success or the reason why not.',
  types: () =>
    [
      CreateDownloadLinkSuccess,
      EntitlementNotFound,
      EntitlementPending,
      EntitlementRevoked,
      EntitlementExpired,
      SoftwareNotOffered,
      SoftwareChoiceNotOffered,
    ] as const,
  resolveType: resultMember('CreateDownloadLinkSuccess'),
});
