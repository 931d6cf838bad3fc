/** The extra fields that services attach to their records, with the spelling of each language. */
import type { Random } from './random.ts';
import { amountOf, escaped, type Template } from './templates.ts';

/** One extra field. The value is JSON text. */
export interface Field {
  readonly snake: string;
  readonly camel: string;
  readonly pascal: string;
  readonly json: string;
}

interface FieldKind {
  readonly snake: string;
  readonly camel: string;
  readonly pascal: string;
  readonly json: Template;
}

const CITIES = ['Zürich', 'São Paulo', '東京', 'Kraków', 'Nairobi', 'Reykjavík'].map(escaped);
const REGIONS = ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2', 'ap-southeast-2'];
const TENANTS = ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark'];
const CURRENCIES = ['EUR', 'USD', 'CHF', 'JPY'];
const AGENTS = [
  'Mozilla/5.0 (X11; Linux x86_64)',
  'okhttp/4.12.0',
  'curl/8.5.0',
  'ios-app/7.31 (iPhone15,2)',
];

const KINDS: readonly FieldKind[] = [
  kind('user_id', (random) => String(100_000 + random.below(900_000))),
  kind('order_id', (random) => `"ord_${random.hex8()}"`),
  kind('tenant', (random) => `"${random.pick(TENANTS)}"`),
  kind('region', (random) => `"${random.pick(REGIONS)}"`),
  kind('amount', (random) => amountOf(random)),
  kind('currency', (random) => `"${random.pick(CURRENCIES)}"`),
  kind('retry', (random) => String(random.below(4))),
  kind('cache_hit', (random) => (random.chance(0.8) ? 'true' : 'false')),
  kind('coupon', () => 'null'),
  kind('items', (random) => `[${random.below(5000)},${random.below(5000)},${random.below(5000)}]`),
  kind('city', (random) => `"${random.pick(CITIES)}"`),
  kind('user_agent', (random) => `"${random.pick(AGENTS)}"`),
  // Above 2^53: a consumer that reads numbers as doubles would change it.
  kind(
    'event_seq',
    (random) => `71${String(1_000_000_000 + random.uint32())}${String(100_000 + random.below(900_000))}`,
  ),
  kind(
    'shard',
    (random) => `{"index":${random.below(64)},"replica":"${random.pick(REGIONS)}-${random.below(3)}"}`,
  ),
];

function kind(snake: string, json: Template): FieldKind {
  const camel = snake.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return { snake, camel, pascal: camel.charAt(0).toUpperCase() + camel.slice(1), json };
}

/** Between zero and three different extra fields, which stand next to each other in the list above. */
export function drawFields(random: Random): readonly Field[] {
  const first = random.below(KINDS.length);
  const count = random.below(4);
  const fields: Field[] = [];
  for (let step = 0; step < count; step += 1) {
    const drawn = KINDS[(first + step * 3) % KINDS.length];
    if (drawn === undefined) continue;
    fields.push({ snake: drawn.snake, camel: drawn.camel, pascal: drawn.pascal, json: drawn.json(random) });
  }
  return fields;
}

/** The fields as `,"name":value` in the spelling of the dialect. */
export function spell(fields: readonly Field[], spelling: 'snake' | 'camel' | 'pascal'): string {
  let text = '';
  for (const field of fields) text += `,"${field[spelling]}":${field.json}`;
  return text;
}
