/**
 * Message templates. `payment {id} captured` is compiled once into pieces that are already escaped
 * for JSON, so that rendering a message is a few concatenations and never a JSON.stringify.
 */
import type { Random } from './random.ts';

/** Renders text that may stand between the quotes of a JSON string as it is. */
export type Template = (random: Random) => string;

const USERS = ['amelie', 'bjorn', 'chidi', 'dolores', 'emre', 'fatima', 'giulia', 'hiroshi', 'ines', 'jamal'];
const HOSTS = ['db-primary', 'db-replica-2', 'redis-cache', 'broker-1', 'object-store', 'ldap', 'smtp-relay'];
const PATHS = [
  '/v1/orders',
  '/v1/cart',
  '/v1/users/me',
  '/v2/search',
  '/v1/quotes',
  '/healthz',
  '/v1/sessions',
];

const SLOTS: Readonly<Record<string, Template>> = {
  id: (random) => String(1_000_000 + random.below(9_000_000)),
  count: (random) => String(1 + random.below(400)),
  percent: (random) => String(70 + random.below(30)),
  attempt: (random) => String(1 + random.below(5)),
  hex: (random) => random.hex8(),
  user: (random) => random.pick(USERS),
  host: (random) => random.pick(HOSTS),
  path: (random) => random.pick(PATHS),
  amount: (random) => amountOf(random),
};

/** An amount of money with two decimals, from 0.00 to 999.99. */
export function amountOf(random: Random): string {
  const cents = random.below(100);
  return `${random.below(1000)}.${cents < 10 ? '0' : ''}${cents}`;
}

/** Text escaped for use between the quotes of a JSON string. */
export function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Compiles `text {slot} text`; an unknown slot name is a mistake in this program and throws. */
export function template(source: string): Template {
  const pieces = source.split(/\{(\w+)\}/);
  const texts = pieces.filter((_, index) => index % 2 === 0).map(escaped);
  const slots = pieces.filter((_, index) => index % 2 === 1).map(slotNamed);
  return (random) => {
    let rendered = texts[0] ?? '';
    for (let index = 0; index < slots.length; index += 1) {
      rendered += (slots[index]?.(random) ?? '') + (texts[index + 1] ?? '');
    }
    return rendered;
  };
}

function slotNamed(name: string): Template {
  const slot = SLOTS[name];
  if (slot === undefined) throw new RangeError(`unknown slot {${name}} in a message template`);
  return slot;
}
