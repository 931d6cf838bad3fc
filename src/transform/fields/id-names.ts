/** Names of the correlation id (an explicit one before a trace id) and of the request id, best first. */
import type { FieldName } from './field-rule.ts';

export const ID_FORM = {
  plain: 0,
  /** W3C `traceparent`: version-traceid-parentid-flags. */
  traceparent: 1,
  /** Google Cloud: `projects/P/traces/ID`. */
  lastPathPart: 2,
  /** B3, Jaeger, Sentry and Google Cloud headers: the id up to the first `-`, `:` or `/`. */
  firstPart: 3,
  /** As `lastPathPart`, and absent unless a trace id is there: `trace` names stack traces too. */
  cloudTrace: 4,
} as const;

export const CORRELATION_NAMES: readonly FieldName[] = [
  'correlation_id',
  'x_correlation_id',
  'http_x_correlation_id',
  'corr_id',
  'correlation',
  'correlation.id',
  'trace_id',
  'trace.id',
  '@tr',
  'otel_trace_id',
  'dd.trace_id',
  'otel.trace_id',
  'span.trace_id',
  'elasticapm_trace_id',
  'x_trace_id',
  'x_b3_trace_id',
  ['logging.googleapis.com/trace', ID_FORM.lastPathPart],
  ['trace', ID_FORM.cloudTrace],
  ['traceparent', ID_FORM.traceparent],
  ['http_traceparent', ID_FORM.traceparent],
  ['b3', ID_FORM.firstPart],
  ['uber_trace_id', ID_FORM.firstPart],
  ['x_cloud_trace_context', ID_FORM.firstPart],
  ['sentry_trace', ID_FORM.firstPart],
  'operation_id',
  'ai.operation.id',
  'x_amzn_trace_id',
  'xray_trace_id',
];

export const REQUEST_NAMES: readonly FieldName[] = [
  'request_id',
  'x_request_id',
  'http_x_request_id',
  'request.id',
  'req_id',
  'req.id',
  'request.request_id',
  'req.request_id',
  'http.request_id',
  'http.request.id',
  'function_request_id',
  'aws_request_id',
  'lambda_request_id',
  'x_amzn_request_id',
  'request_uuid',
  'invocation_id',
  'ray_id',
  'cf_ray',
  'audit_id',
  'function_invocation_id',
  'unique_id',
];
