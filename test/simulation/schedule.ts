/**
 * One simulation: some instances consume a topic while, by its seed, everything goes wrong; then all is
 * healed, and in the end every record must be in the files of exactly one of them.
 */

import { messageOf, ServiceError, systemCodeOf } from '../../src/core/errors.ts';
import { Random } from '../../src/generate/random.ts';
import { recover } from '../../src/storage/recovery.ts';
import { commitProblems, finalProblems } from './checks.ts';
import { FakeBroker } from './fake-broker.ts';
import { DiskFaults } from './faults.ts';
import { Instance } from './instance.ts';
import { MemoryDisk } from './memory-disk.ts';
import { simulatedDirectory, simulateFileSystem } from './memory-file-system.ts';
import { logOf } from './records.ts';
import { NOBODY, Scheduler } from './scheduler.ts';

export interface Outcome {
  readonly seed: number;
  /** What must not be; empty when all is well. */
  readonly problems: readonly string[];
  readonly events: number;
  /** What happened, for people, and to compare two runs of one seed. */
  readonly story: readonly string[];
}

/** How long things go wrong, and how long it may take to come to rest after that. */
const TROUBLE_MS = 8000;
const PATIENCE_MS = 120_000;

interface Machine {
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly faults: DiskFaults;
  process: Instance | undefined;
  /** Effects on the disk that are under way, of the process that runs. */
  readonly effects: Set<() => void>;
}

export async function runSchedule(seed: number): Promise<Outcome> {
  const simulation = new Simulation(seed);
  await simulation.run();
  const { problems, story, scheduler } = simulation;
  return { seed, problems, story, events: scheduler.events };
}

class Simulation {
  readonly scheduler = new Scheduler();
  readonly problems: string[] = [];
  readonly story: string[] = [];
  readonly #random: Random;
  readonly #machines = new Map<string, Machine>();
  readonly #broker: FakeBroker;
  readonly #maxFileBytes: number;

  constructor(seed: number) {
    const random = new Random(seed);
    this.#random = random;
    const logs = Array.from({ length: 1 + random.below(3) }, () => logOf(random, 5 + random.below(30)));
    const harm = random.chance(0.3) ? 0 : 0.15;
    this.#broker = new FakeBroker(
      this.scheduler,
      random,
      logs,
      {
        lostRequests: harm * random.fraction(),
        lostAnswers: harm * random.fraction(),
        slowRequests: harm / 2,
      },
      (commits) => {
        for (const { partition, offset } of commits) this.#tell('broker', `took ${partition}@${offset}`);
        this.#report(commitProblems(commits, this.#disks()));
      },
    );
    this.#maxFileBytes = random.chance(0.5) ? 1_000_000 : 60 + random.below(400);
    const instances = 1 + random.below(3);
    for (let index = 0; index < instances; index += 1) this.#addMachine(`m${index}`);
  }

  async run(): Promise<void> {
    const { scheduler } = this;
    simulateFileSystem({
      disk: (name) => this.#machine(name).disk,
      before: (call, name) => this.#machine(name).faults.before(call),
      later: (effect) => this.#later(effect),
    });
    for (const [partition, log] of this.#broker.logs.entries()) this.#produce(partition, log.length);
    for (const machine of this.#machines.values()) this.#start(machine);
    const events = 1 + this.#random.below(8);
    for (let index = 0; index < events; index += 1) {
      scheduler.after(this.#random.below(TROUBLE_MS), () => this.#trouble(), NOBODY);
    }
    const hasFailed = (): boolean => this.problems.length > 0;
    await scheduler.runUntil(TROUBLE_MS, hasFailed);
    if (hasFailed()) return;
    this.#heal();
    await scheduler.runUntil(TROUBLE_MS + PATIENCE_MS, () => hasFailed() || this.#isAtRest());
    if (!hasFailed() && !this.#isAtRest()) this.#report(['it did not come to an end']);
    if (!hasFailed()) this.#examine();
  }

  /** Everything was committed, so it must survive that all machines lose power now. */
  #examine(): void {
    for (const machine of this.#machines.values()) {
      this.#crash(machine, true);
      recover(simulatedDirectory(machine.name), machine.name, 0);
    }
    this.#report(finalProblems(this.#disks(), this.#broker.logs));
  }

  #isAtRest(): boolean {
    return (
      this.#broker.isDrained &&
      [...this.#machines.values()].every(({ process }) => process?.isAtRest === true)
    );
  }

  #produce(partition: number, batches: number): void {
    const isBacklog = this.#random.chance(0.5);
    for (let index = 0; index < batches; index += 1) {
      const produce = (): void => {
        this.#broker.produced[partition] = (this.#broker.produced[partition] ?? 0) + 1;
      };
      if (isBacklog && index < batches / 2) produce();
      else this.scheduler.after(this.#random.below(TROUBLE_MS), produce, NOBODY);
    }
  }

  #trouble(): void {
    const random = this.#random;
    const machine = random.pick([...this.#machines.values()]);
    const { faults, name } = machine;
    switch (random.below(8)) {
      case 0:
      case 1:
        this.#tell(name, 'killed');
        this.#restartAfter(machine, false);
        return;
      case 2:
        this.#tell(name, 'power lost');
        this.#restartAfter(machine, true);
        return;
      case 3: {
        const ms = random.below(10_000);
        this.#tell(name, `frozen for ${ms} ms`);
        const { process } = machine;
        // Never earlier than before, or what waits already would come after what happens then.
        if (process !== undefined)
          process.frozenUntil = Math.max(process.frozenUntil, this.scheduler.now + ms);
        return;
      }
      case 4:
        this.#tell('broker', 'rebalance');
        this.#broker.rebalance();
        return;
      case 5:
        this.#tell(name, 'a call fails');
        faults.failOnce();
        return;
      case 6:
        this.#tell(name, 'disk full');
        faults.fill();
        this.scheduler.after(random.below(4000), () => faults.heal(), NOBODY);
        return;
      default:
        this.#tell(name, 'slow disk');
        faults.isSlow = true;
    }
  }

  #heal(): void {
    this.#tell('all', 'healed');
    this.#broker.network = { lostRequests: 0, lostAnswers: 0, slowRequests: 0 };
    for (const { faults } of this.#machines.values()) faults.heal();
  }

  #addMachine(name: string): void {
    this.#machines.set(name, {
      name,
      disk: new MemoryDisk(),
      faults: new DiskFaults(this.#random),
      process: undefined,
      effects: new Set(),
    });
  }

  #start(machine: Machine): void {
    machine.faults.wereInjected = false;
    this.#tell(machine.name, 'starts');
    const { name } = machine;
    const process = new Instance({
      machine: name,
      scheduler: this.scheduler,
      random: this.#random,
      broker: this.#broker,
      maxFileBytes: this.#maxFileBytes,
      tell: (what) => this.#tell(name, what),
      onFailure: (error) => {
        if (machine.process === process && !process.isDead) this.#onFailure(machine, error);
      },
    });
    machine.process = process;
  }

  /** A failure of the disk ends the process, as it should; anything else must not happen. */
  #onFailure(machine: Machine, error: unknown): void {
    this.#tell(machine.name, `failed: ${messageOf(error)}`);
    const isOfDisk =
      systemCodeOf(error) !== undefined &&
      (!(error instanceof ServiceError) || error.code === 'WRITE_FAILED' || error.code === 'SYNC_FAILED');
    if (!isOfDisk || !machine.faults.wereInjected) {
      this.#report([`${machine.name} failed: ${error instanceof Error ? error.stack : String(error)}`]);
    }
    this.#restartAfter(machine, false);
  }

  #restartAfter(machine: Machine, losesPower: boolean): void {
    if (machine.process === undefined) return;
    this.#crash(machine, losesPower);
    const delay = this.#random.chance(0.3) ? this.#random.below(6000) : this.#random.below(500);
    this.scheduler.after(delay, () => this.#start(machine), NOBODY);
  }

  #crash(machine: Machine, losesPower: boolean): void {
    if (machine.process !== undefined) machine.process.isDead = true;
    machine.process = undefined;
    for (const effect of machine.effects) if (this.#random.chance(0.5)) attempt(effect);
    machine.effects.clear();
    if (losesPower) machine.disk.losePower(this.#random);
  }

  /** What the process that runs now does to its disk in the background. */
  #later<T>(effect: () => T): Promise<T> {
    const owner = this.scheduler.current;
    const machine = [...this.#machines.values()].find(({ process }) => process === owner);
    if (machine === undefined) return Promise.reject(new Error('a process that is gone uses its disk'));
    const { faults, effects } = machine;
    return new Promise((resolve, reject) => {
      effects.add(effect);
      const duration = faults.isSlow ? this.#random.below(400) : this.#random.below(4);
      const settle = (): void => {
        effects.delete(effect);
        try {
          resolve(effect());
        } catch (error) {
          reject(error);
        }
      };
      this.scheduler.after(duration, settle, owner);
    });
  }

  #machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`there is no machine ${name}`);
    return machine;
  }

  #disks(): Map<string, MemoryDisk> {
    return new Map([...this.#machines].map(([name, { disk }]) => [name, disk]));
  }

  #tell(who: string, what: string): void {
    this.story.push(`${this.scheduler.now} ${who}: ${what}`);
  }

  #report(problems: readonly string[]): void {
    this.problems.push(...problems);
  }
}

/** The kernel does it, and nobody is left to hear how it went. */
function attempt(effect: () => void): void {
  try {
    effect();
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
  }
}
