/**
 * Makes `npx log-consumer` work in a checkout: npm links the commands of dependencies into
 * node_modules/.bin but not those of the project itself, and npx would then look for a package of
 * that name in the registry. Runs after every install, on whatever Node the machine has.
 */
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const commands = fileURLToPath(new URL('../node_modules/.bin', import.meta.url));
const link = `${commands}/log-consumer`;

if (existsSync(commands)) {
  try {
    rmSync(link, { force: true });
    symlinkSync('../../bin/log-consumer.mjs', link);
  } catch (error) {
    // A convenience only: `node bin/log-consumer.mjs` works without it.
    process.stderr.write(`npx log-consumer will not work here: ${error.message}\n`);
  }
}
