import { runUpkeepProcess } from '../src/pipeline/upkeep-process.ts';

runUpkeepProcess();
