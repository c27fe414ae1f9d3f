import type { Database } from "./database.ts";
import { registrationOf } from "./owner.ts";
import { Platform } from "./platform.ts";
import { drawRates } from "./rates.ts";
import { Rig } from "./rig.ts";
import { Scheduler } from "./scheduler.ts";

/** A drill of the mass-outage guard: most of a fleet falls silent while the fleet's own object is out of reach, and that comes back. */

const MINUTE = 60_000;
const START = Date.UTC(2030, 0, 7);
const USER = "u-drill";
const RIGS = 8;

/** By then each has begun; at rest a rig beats for some minutes, and then falls silent. */
const BEGUN_MS = MINUTE;

export interface Drilled {
  /** Instances that were ordered to stop. */
  readonly stopped: ReadonlySet<string>;
  readonly orphans: number;
}

/** `awayFromMs` and `awayUntilMs`: from when until when the fleet is out of reach. */
export async function drill(
  seed: number,
  database: Database,
  setNow: (scheduler: Scheduler) => void,
  { awayFromMs, awayUntilMs, endsAtMs }: Record<"awayFromMs" | "awayUntilMs" | "endsAtMs", number>,
): Promise<Drilled> {
  database.empty();
  const scheduler = new Scheduler(seed, START);
  setNow(scheduler);
  const platform = new Platform(scheduler, database, drawRates(scheduler));
  scheduler.hostile = false;
  const stopped = new Set<string>();
  const orphans = new Set<string>();
  platform.onHappening = (happening) => {
    if (happening.type !== "saved") return;
    if (happening.after?.phase.status === "orphaned") orphans.add(happening.instance);
    if (happening.after?.phase.status === "hibernating") stopped.add(happening.instance);
  };
  for (let number = 1; number <= RIGS; number += 1) {
    const rig = new Rig(platform, USER, `rig-${number}`, `rig-${number}`, () => {});
    const begin = async () => {
      await rig.host.call("register", [registrationOf(rig, `rig-${number}`, null)]);
      const generation = rig.host.stored?.tokenGeneration;
      if (generation !== undefined) rig.begin(generation);
    };
    scheduler.at(START + scheduler.between(0, BEGUN_MS), () => void begin());
  }
  scheduler.at(START + awayFromMs, () => {
    platform.fleetsAreOutOfReach = true;
  });
  scheduler.at(START + awayUntilMs, () => {
    platform.fleetsAreOutOfReach = false;
  });
  await scheduler.runUntil(START + endsAtMs);
  return { stopped, orphans: orphans.size };
}
