/** Exceptions as the runtimes of the services print them, escaped once for JSON. */
import { escaped } from './templates.ts';

type Runtime = 'node' | 'python' | 'go' | 'jvm' | 'dotnet';

export interface ExceptionKind {
  /** What the service says in its message when this happens. */
  readonly message: string;
  /** The exception's own text. */
  readonly reason: string;
  /** Class name as the runtime writes it. */
  readonly type: Readonly<Record<Runtime, string>>;
  /** Stack text, first line included. */
  readonly stack: Readonly<Record<Runtime, string>>;
}

type ExceptionRow = readonly [name: string, message: string, reason: string];

const ROWS: readonly ExceptionRow[] = [
  ['Timeout', 'database connection timeout', 'connection to db-primary:5432 timed out after 5000 ms'],
  ['Database', 'could not store the row', 'duplicate key value violates unique constraint "orders_pkey"'],
  ['Network', 'upstream closed the connection', 'connect ECONNREFUSED 10.4.17.9:8443'],
  ['Authentication', 'token rejected', 'invalid token: signature verification failed'],
  ['OutOfMemory', 'worker ran out of memory', 'cannot allocate memory: heap limit of 2048 MB reached'],
  ['Validation', 'request refused', 'validation failed: field "quantity" must be a positive integer'],
  ['Dependency', 'dependency unavailable', 'service pricing answered 503 Service Unavailable'],
  ['Io', 'could not write the export', 'ENOSPC: no space left on device, write'],
  ['IllegalState', 'unexpected state', 'order moved from SHIPPED to PLACED'],
];

export const EXCEPTIONS: readonly ExceptionKind[] = ROWS.map(([name, message, reason]) => {
  const type: Record<Runtime, string> = {
    node: `${name}Error`,
    python: `${name}Error`,
    go: `*errors.${name}Error`,
    jvm: `com.shop.common.${name}Exception`,
    dotnet: `Shop.Common.${name}Exception`,
  };
  const stack: Record<Runtime, string> = {
    node: escaped(nodeStack(type.node, reason)),
    python: escaped(pythonStack(type.python, reason)),
    go: escaped(goStack()),
    jvm: escaped(jvmStack(type.jvm, reason)),
    dotnet: escaped(dotnetStack(type.dotnet, reason)),
  };
  return { message: escaped(message), reason: escaped(reason), type, stack };
});

function nodeStack(type: string, reason: string): string {
  return [
    `${type}: ${reason}`,
    '    at Connection.onTimeout (/app/dist/db/connection.js:184:23)',
    '    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)',
    '    at async handle (/app/dist/routes/index.js:61:18)',
  ].join('\n');
}

function pythonStack(type: string, reason: string): string {
  return [
    'Traceback (most recent call last):',
    '  File "/app/shop/pipeline.py", line 214, in run',
    '    result = self.step(batch)',
    '  File "/app/shop/store.py", line 88, in step',
    '    cursor.execute(statement, values)',
    `shop.errors.${type}: ${reason}`,
  ].join('\n');
}

function goStack(): string {
  return [
    'shop/internal/store.(*Store).Save',
    '\t/src/internal/store/store.go:142',
    'shop/internal/server.(*Server).handle',
    '\t/src/internal/server/server.go:77',
    'net/http.HandlerFunc.ServeHTTP',
    '\t/usr/local/go/src/net/http/server.go:2294',
  ].join('\n');
}

function jvmStack(type: string, reason: string): string {
  return [
    `${type}: ${reason}`,
    '\tat com.shop.common.Store.save(Store.java:142)',
    '\tat com.shop.common.Handler.lambda$handle$0(Handler.java:61)',
    '\tat java.base/java.lang.Thread.run(Thread.java:1583)',
    'Caused by: java.net.SocketTimeoutException: Read timed out',
    '\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:278)',
    '\t... 14 more',
    '',
  ].join('\n');
}

function dotnetStack(type: string, reason: string): string {
  return [
    `${type}: ${reason}`,
    '   at Shop.Common.Store.SaveAsync(Order order) in /src/Shop.Common/Store.cs:line 142',
    '   at Shop.Common.Handler.HandleAsync(Request request) in /src/Shop.Common/Handler.cs:line 61',
  ].join('\n');
}
