/** The part of the schema that says where closed files are copied to: `backup`. */
import { z } from 'zod';
import { bytes, choice, duration, integer, secret, text } from './setting.ts';

/** Of S3, and of the stores that are less strict: capitals and `_` too. */
const BUCKET = /^([A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])?$/;

/** Characters that S3 calls safe, in folders that have a name. */
const PREFIX = /^([A-Za-z0-9!_.*'()=-]+(\/[A-Za-z0-9!_.*'()=-]+)*)?$/;

const ENDPOINT = /^(https?:\/\/([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?\/?)?$/;

export const backup = z.strictObject({
  bucket: text(
    { default: '', pattern: BUCKET, accepts: 'a bucket name of 3 to 63 characters, or "" for no backup' },
    'Bucket that closed files are copied to. It has to exist. Without it there is no backup.',
  ),
  prefix: text(
    {
      default: '',
      pattern: PREFIX,
      accepts: 'a path without / at its begin and end, such as logs/production, or "" for none',
    },
    'Put before the name of every object, so that several services can share a bucket.',
  ),
  endpoint: text(
    {
      default: '',
      pattern: ENDPOINT,
      accepts: 'an http or https URL of a host and a port, or "" for Amazon S3',
    },
    'Where the store answers, for one that is not Amazon S3.',
  ),
  region: text(
    { default: 'us-east-1', pattern: /^[A-Za-z0-9-]{1,64}$/, accepts: 'the name of a region' },
    'Region of the bucket; requests are signed with it. Most other stores take us-east-1.',
  ),
  addressing: choice(
    ['auto', 'path', 'host'],
    'auto',
    'Where the name of the bucket stands: in the path of the URL or in the name of the host. auto: in the path where an endpoint is set, else in the host.',
  ),
  access_key_id: secret(
    'Access key. Without it the usual places are searched: the AWS_* variables, the shared files of the AWS command line, the role of the machine or of the pod.',
  ),
  secret_access_key: secret('Secret of access_key_id.'),
  session_token: secret('Session token of access_key_id, for credentials that end.'),
  encryption: choice(
    ['none', 'AES256', 'aws:kms'],
    'none',
    'Encryption to ask the store for: none leaves it to the settings of the bucket.',
  ),
  kms_key_id: text(
    {
      default: '',
      pattern: /^[A-Za-z0-9:/_-]{0,2048}$/,
      accepts: 'the id or the ARN of a key, or "" for the default key of the account',
    },
    'Key of aws:kms.',
  ),
  storage_class: choice(
    ['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'],
    'STANDARD',
    'Storage class of compressed files. Classes that do not answer at once are left out: a restore and a deep verification read.',
  ),
  part_size: bytes(
    { default: '16MiB', min: '5MiB', max: '512MiB' },
    'Larger files travel in parts of this size. So many bytes times concurrency are held in memory. 5 MiB is the least that stores take.',
  ),
  concurrency: integer({ default: 2, min: 1, max: 16 }, 'Files that are copied at the same time.'),
  request_timeout: duration(
    { default: '60s', min: '1s', max: '30m' },
    'How long to wait for the answer to one request; a part has to be sent in this time.',
  ),
});
