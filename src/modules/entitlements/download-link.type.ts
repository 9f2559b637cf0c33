import { Field, Int, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../../graphql/scalars.js';

@ObjectType('DownloadLink', {
  description:
    'A signed address to download software from. It opens without a token, so that it can be sent to the customer.',
})
export class DownloadLinkType {
  @Field({
    description:
      'The address to download from. It is shown only in this answer, and answers 410 Gone once it no longer holds. Browsers get a page with a button, programs the file.',
  })
  url!: string;

  @Field(() => DateTimeScalar, {
    description: 'The instant until which the link holds: 14 days after it was made, or when the licence ends.',
  })
  expiresAt!: Date;

  @Field(() => Int, {
    description:
      'How many downloads are left, of 50. What one address downloads on one day, in how many parts, is one.',
  })
  remainingDownloads!: number;

  @Field({ description: 'The version of the software, as it was asked for.' })
  version!: string;

  @Field({ description: 'The language of the software, as a BCP 47 tag such as `en-US`.' })
  language!: string;

  @Field({ description: 'The architecture of the software, such as `x64`.' })
  architecture!: string;
}
