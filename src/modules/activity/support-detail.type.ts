import { Field, ObjectType } from 'type-graphql';

const NUMBER = 'The number of the request to support. It is its `SupportRequest.number`.';
const FILE = 'The name of the file. It is its `SupportFile.name`.';
const SHA256 = 'The SHA-256 digest of its content, in hexadecimal. It is its `SupportFile.sha256`.';

@ObjectType('SupportRequestSubmittedDetail', {
  description: 'What an entry of action `SUPPORT_REQUEST_SUBMITTED` says of the request.',
})
class SupportRequestSubmittedDetail {
  @Field({ description: NUMBER })
  supportRequestNumber!: string;

  @Field({ description: 'The topic of the request to support. It is one of `supportTopics`.' })
  topic!: string;

  @Field({ description: 'The impact of the request to support. It is a value of `SupportImpact`.' })
  impact!: string;
}

@ObjectType('SupportRequestUpdatedDetail', {
  description: 'What an entry of action `SUPPORT_REQUEST_UPDATED` says of the change. Notes are never in the log.',
})
class SupportRequestUpdatedDetail {
  @Field({ description: NUMBER })
  supportRequestNumber!: string;

  @Field({ description: 'The state that it was in. It is a value of `SupportRequestStatus`.' })
  statusBefore!: string;

  @Field({ description: 'The state that it is in since. It is a value of `SupportRequestStatus`.' })
  status!: string;

  @Field({ description: 'Whether a note was added to it.' })
  noteAdded!: boolean;
}

@ObjectType('SupportFileDownloadedDetail', {
  description: 'What an entry of action `SUPPORT_FILE_DOWNLOADED` says of the file.',
})
class SupportFileDownloadedDetail {
  @Field({ description: NUMBER })
  supportRequestNumber!: string;

  @Field({ description: FILE })
  fileName!: string;

  @Field({ description: SHA256 })
  sha256!: string;
}

@ObjectType('SupportFileRefusedDetail', {
  description: 'What an entry of action `SUPPORT_FILE_REFUSED` says of the file.',
})
class SupportFileRefusedDetail {
  @Field({ description: NUMBER })
  supportRequestNumber!: string;

  @Field({ description: FILE })
  fileName!: string;

  @Field({ description: SHA256 })
  sha256!: string;

  @Field({ description: "Why it was refused, in the scanner's words." })
  refusalReason!: string;
}

/** The details of entries about support. */
export const supportDetailTypes = [
  SupportRequestSubmittedDetail,
  SupportRequestUpdatedDetail,
  SupportFileDownloadedDetail,
  SupportFileRefusedDetail,
] as const;
