#!/usr/bin/env node
/**
 * The command. Plain JavaScript that also old versions of Node can parse: on one that is too old for
 * the service it runs itself again with the Node of the `node` package that the checkout installs.
 *
 * In a checkout the service runs from `src/main.ts`; a package holds only `dist/`.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 26;
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'];

const sources = new URL('../src/main.ts', import.meta.url);
const built = new URL('../dist/src/main.js', import.meta.url);
const bundledNode = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= OLDEST_NODE) {
  // Compiled code is kept between starts (in the temporary directory), which halves the work of one.
  // The threads look for it in the environment.
  const { directory } = module.enableCompileCache();
  if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;
  const { main } = await import((existsSync(sources) ? sources : built).href);
  process.exitCode = await main(process.argv.slice(2));
} else if (existsSync(bundledNode)) {
  runAgainWith(bundledNode);
} else {
  process.stderr.write(
    `log-consumer needs Node ${OLDEST_NODE} or newer and this is ${process.version}: install a newer Node, or run "npm ci" in the checkout, which brings one.\n`,
  );
  process.exitCode = 1;
}

/** Hands everything over to the same command under another Node: streams, signals, exit code. */
function runAgainWith(node) {
  const child = spawn(node, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  // Ctrl-C reaches the child from the terminal itself, and a second signal would force it to stop.
  const onTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of FORWARDED_SIGNALS) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !onTerminal) child.kill(signal);
    });
  }
  child.once('error', (error) => {
    process.stderr.write(`log-consumer could not start ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.once('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal]);
  });
}
