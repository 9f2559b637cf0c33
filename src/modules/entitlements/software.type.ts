import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { IsText } from '../../graphql/input-rules.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar } from '../../graphql/scalars.js';
import { DownloadLinkType } from './download-link.type.js';
import { EntitlementType } from './entitlement.type.js';
import {
  EntitlementExpired,
  EntitlementNotFound,
  EntitlementRevoked,
  SoftwareChoiceNotOffered,
  SoftwareNotOffered,
} from './software-choice.js';

problemType(EntitlementNotFound, 'No such entitlement, or not yours; the attempt is in the log (rule 9).');
problemType(EntitlementRevoked, 'The purchase was cancelled: keys and links are dead (rule 18).', {
  revokedAt: { type: () => DateTimeScalar, description: 'Since when.' },
});
problemType(EntitlementExpired, 'The term is over.', {
  expiredAt: { type: () => DateTimeScalar, description: 'Since when.' },
});
problemType(SoftwareNotOffered, 'It comes without software, as a reservation does (rule 25).');
problemType(SoftwareChoiceNotOffered, 'The SKU does not offer this choice (rule 7).', {
  field: { type: () => String, description: 'Which choice: version, language or architecture.' },
  offered: { type: () => [String], description: 'What it offers.' },
});

@InputType('RevealProductKeyInput', { description: 'Whose key to show.' })
export class RevealProductKeyInput {
  @Field(() => ID, { description: 'Of which entitlement.' })
  entitlementId!: string;

  @Field({ description: 'Of which version: one of `sku.softwareVersions`.' })
  @IsText(1, 100)
  version!: string;
}

@ObjectType('RevealProductKeySuccess', { description: 'The key; that you read it is in the log.' })
export class RevealProductKeySuccess {
  @Field({ description: '25 characters in five groups of five. Shown only here (rules 8 and 10).' })
  productKey!: string;

  @Field(() => EntitlementType, { description: 'The entitlement.' })
  entitlement!: object;
}

export const RevealProductKeyResult = createUnionType({
  name: 'RevealProductKeyResult',
  description: 'What became of asking for a key.',
  types: () =>
    [
      RevealProductKeySuccess,
      EntitlementNotFound,
      EntitlementRevoked,
      EntitlementExpired,
      SoftwareNotOffered,
      SoftwareChoiceNotOffered,
    ] as const,
  resolveType: resultMember('RevealProductKeySuccess'),
});

@InputType('CreateDownloadLinkInput', { description: 'What to download.' })
export class CreateDownloadLinkInput {
  @Field(() => ID, { description: 'Of which entitlement.' })
  entitlementId!: string;

  @Field({ description: 'One of `sku.softwareVersions`.' })
  @IsText(1, 100)
  version!: string;

  @Field({ description: "One of the version's languages, as a BCP 47 tag." })
  @IsText(1, 40)
  language!: string;

  @Field({ description: "One of the version's architectures." })
  @IsText(1, 40)
  architecture!: string;
}

@ObjectType('CreateDownloadLinkSuccess', { description: 'The link; that you had it made is in the log.' })
export class CreateDownloadLinkSuccess {
  @Field(() => DownloadLinkType, { description: 'The link.' })
  downloadLink!: Relation<DownloadLinkType>;

  @Field(() => EntitlementType, { description: 'The entitlement.' })
  entitlement!: object;
}

export const CreateDownloadLinkResult = createUnionType({
  name: 'CreateDownloadLinkResult',
  description: 'What became of asking for a link.',
  types: () =>
    [
      CreateDownloadLinkSuccess,
      EntitlementNotFound,
      EntitlementRevoked,
      EntitlementExpired,
      SoftwareNotOffered,
      SoftwareChoiceNotOffered,
    ] as const,
  resolveType: resultMember('CreateDownloadLinkSuccess'),
});
