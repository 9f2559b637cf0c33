import { Field, Int, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../../graphql/scalars.js';

@ObjectType('DownloadLink', {
  description: 'A signed address that opens without a token, so that it can be sent to the customer (rule 11).',
})
export class DownloadLinkType {
  @Field({ description: 'Where to download. Shown only here.' })
  url!: string;

  @Field(() => DateTimeScalar, { description: 'When it dies: 14 days after it was made.' })
  expiresAt!: Date;

  @Field(() => Int, { description: 'Downloads left, of 50.' })
  remainingDownloads!: number;

  @Field({ description: 'Version of the software.' })
  version!: string;

  @Field({ description: 'Language, as a BCP 47 tag.' })
  language!: string;

  @Field({ description: 'Architecture.' })
  architecture!: string;
}
