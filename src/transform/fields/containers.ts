/**
 * Objects in which libraries put fields that belong to the record. In a `whole` container every
 * canonical field is looked for; in a `context` only service, ids and exceptions, because its other
 * members are the application's own.
 */
export const CONTAINER = { none: 0, path: 1, context: 2, whole: 3 } as const;

const WHOLE = [
  'record',
  '@fields',
  'fields',
  '_meta',
  '_log_meta',
  'json_payload',
  'resource_logs',
  'scope_logs',
  'instrumentation_library_logs',
  'log_records',
  'event',
  'log_processed',
  '_source',
];

const CONTEXTS = [
  'mdc',
  'mapped_diagnostic_context',
  'context',
  'context_map',
  'context_data',
  'ctx',
  'extra',
  'extra_data',
  'metadata',
  'meta',
  'attributes',
  'resource',
  'labels',
  'logging.googleapis.com/labels',
  'tags',
  'properties',
  'props',
  'payload',
  'message',
  'msg',
  'body',
  'data',
  'span',
  'spans',
  'span_context',
  'trace_context',
  'tracing',
  'scopes',
  'scope',
  'state',
  'kvp_list',
  'baggage',
  'details',
  'custom_dimensions',
  'event_data',
  'event_properties',
  'named_tags',
  'kv',
  'kvs',
  'diags',
  'open_telemetry',
  'request_context',
  'http_request',
  '1',
  '2',
  '3',
  '4',
  '5',
];

/** Container kind by normalised name. */
export function containerKinds(normalise: (name: string) => string): ReadonlyMap<string, number> {
  const kinds = new Map<string, number>();
  for (const name of CONTEXTS) kinds.set(normalise(name), CONTAINER.context);
  for (const name of WHOLE) kinds.set(normalise(name), CONTAINER.whole);
  return kinds;
}
