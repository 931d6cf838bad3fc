/** `npm run check:deps`: prints every broken folder rule and fails if there is one. */
import { fileURLToPath } from 'node:url';
import { checkDependencies } from './check.ts';

const { modules, problems } = await checkDependencies(fileURLToPath(new URL('../..', import.meta.url)));
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`Dependency rules: ${modules} modules checked, ${problems.length} problems.\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
