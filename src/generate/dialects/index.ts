/** Every dialect by name. */
import type { DialectName } from '../services.ts';
import { canonical } from './canonical.ts';
import type { Dialect } from './dialect.ts';
import { zap, zerolog } from './go.ts';
import { logbackEcs, logstashLogback } from './jvm.ts';
import { bunyan, pino, winston } from './node.ts';
import { nginx, opentelemetry, serilogClef } from './others.ts';
import { pythonJsonLogger, structlog } from './python.ts';

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  canonical,
  pino,
  bunyan,
  winston,
  structlog,
  pythonJsonLogger,
  zap,
  zerolog,
  logbackEcs,
  logstashLogback,
  serilogClef,
  opentelemetry,
  nginx,
};
