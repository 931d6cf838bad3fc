/** The services of an invented shop: which library each one logs with, how busy it is, what it says. */
import { type Template, template } from './templates.ts';

export type DialectName =
  | 'canonical'
  | 'pino'
  | 'bunyan'
  | 'winston'
  | 'structlog'
  | 'pythonJsonLogger'
  | 'zap'
  | 'zerolog'
  | 'logbackEcs'
  | 'logstashLogback'
  | 'serilogClef'
  | 'opentelemetry'
  | 'nginx';

export interface Service {
  readonly name: string;
  readonly dialect: DialectName;
  /** Share of all records, relative to the other services. */
  readonly weight: number;
  readonly host: string;
  readonly processId: number;
  /** Type or module name as the language writes it, for logger and caller fields. */
  readonly component: string;
  readonly messages: readonly Template[];
}

type ServiceRow = readonly [string, DialectName, number, string, readonly string[]];

const ROWS: readonly ServiceRow[] = [
  [
    'payments',
    'canonical',
    10,
    'capture',
    [
      'payment {id} captured: {amount} EUR',
      'refund {id} accepted',
      'authorisation {hex} settled',
      'payout batch of {count} prepared',
    ],
  ],
  [
    'orders',
    'canonical',
    9,
    'placement',
    [
      'order {id} placed with {count} items',
      'order {id} moved to packing',
      'order {id} cancelled by {user}',
      'reservation {hex} extended',
    ],
  ],
  [
    'ledger',
    'canonical',
    5,
    'posting',
    ['posted {count} entries to journal {id}', 'balance of account {id} recalculated', 'period {hex} closed'],
  ],
  [
    'checkout',
    'pino',
    8,
    'routes',
    [
      'request completed',
      'checkout {id} started',
      'basket {hex} priced at {amount}',
      'address of {user} confirmed',
    ],
  ],
  [
    'cart',
    'pino',
    6,
    'routes',
    ['request completed', 'cart {id} merged after login', 'item {id} added', 'quantity changed to {count}'],
  ],
  [
    'storefront',
    'pino',
    5,
    'render',
    ['request completed', 'page {path} rendered', 'fragment cache refreshed: {count} keys'],
  ],
  [
    'user-profile',
    'bunyan',
    4,
    'profile',
    ['profile {id} loaded', 'avatar of {user} resized', 'preferences saved for {user}'],
  ],
  [
    'notifications',
    'winston',
    5,
    'mailer',
    ['mail {hex} handed to {host}', 'push sent to {count} devices', 'template "receipt" rendered for {user}'],
  ],
  [
    'webhooks',
    'winston',
    3,
    'dispatcher',
    ['delivery {hex} acknowledged', 'endpoint {id} answered after {attempt} attempts'],
  ],
  [
    'recommendations',
    'structlog',
    4,
    'ranking',
    ['ranked {count} candidates', 'model {hex} loaded', 'features fetched for {user}'],
  ],
  [
    'feature-store',
    'structlog',
    3,
    'materialise',
    ['materialised {count} rows', 'view {hex} refreshed', 'offline export {id} written'],
  ],
  [
    'fraud-scoring',
    'pythonJsonLogger',
    4,
    'fraud.model',
    ['transaction {id} scored', 'rule set {hex} evaluated', 'case {id} opened for review'],
  ],
  [
    'inventory',
    'zap',
    5,
    'stock/reserve.go:118',
    ['stock reserved', 'warehouse sync of {count} articles done', 'article {id} counted'],
  ],
  [
    'auth',
    'zap',
    5,
    'session/token.go:74',
    ['token issued for {user}', 'token refreshed', 'key {hex} rotated'],
  ],
  [
    'search',
    'zerolog',
    5,
    'query',
    ['query answered with {count} hits', 'index segment {hex} merged', 'synonyms reloaded'],
  ],
  [
    'rate-limiter',
    'zerolog',
    3,
    'bucket',
    ['bucket {hex} refilled', 'client {id} throttled', 'limits reloaded: {count} rules'],
  ],
  [
    'billing',
    'logbackEcs',
    4,
    'com.shop.billing.InvoiceService',
    ['Invoice {id} issued', 'Dunning run finished: {count} reminders', 'Tax rate for {hex} resolved'],
  ],
  [
    'shipping',
    'logbackEcs',
    4,
    'com.shop.shipping.LabelPrinter',
    ['Label {hex} printed', 'Parcel {id} handed over', 'Carrier answered after {attempt} attempts'],
  ],
  [
    'catalog',
    'logstashLogback',
    4,
    'com.shop.catalog.ImportJob',
    ['Imported {count} products', 'Product {id} published', 'Price list {hex} activated'],
  ],
  [
    'pricing',
    'serilogClef',
    3,
    'Shop.Pricing.QuoteEngine',
    ['Quote {id} calculated', 'Rule {hex} compiled', '"Summer" campaign applied to {count} items'],
  ],
  [
    'sessions',
    'opentelemetry',
    4,
    'session-store',
    ['session {hex} created', 'session of {user} expired', 'evicted {count} idle sessions'],
  ],
  ['edge-proxy', 'nginx', 5, 'access', ['{path}']],
];

export const SERVICES: readonly Service[] = ROWS.map(
  ([name, dialect, weight, component, messages], index) => ({
    name,
    dialect,
    weight,
    host: `${name}-6d9f7c5b${index % 10}-x${index}k`,
    processId: 7 + index * 31,
    component,
    messages: messages.map(template),
  }),
);
