import type { Database } from "./database.ts";
import { registrationOf } from "./owner.ts";
import { Platform } from "./platform.ts";
import { drawRates } from "./rates.ts";
import { Rig } from "./rig.ts";
import { Scheduler } from "./scheduler.ts";

/** Many machines of one user are to stop at once, at a provider that takes one call a second and refuses all others. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const START = Date.UTC(2030, 0, 7);
const USER = "u-many";

export interface Stopped {
  readonly hibernated: number;
  /** The highest number of tries that one order took. */
  readonly mostTries: number;
  /** Calls that the provider refused. */
  readonly refused: number;
  readonly criticalAlerts: number;
  /** From the first order to the last machine that stopped, in seconds. */
  readonly tookSeconds: number;
}

export interface Troubles {
  /** The fleet's object is reset every so often. */
  readonly evictedEveryMs?: number;
  /** The provider refuses all calls in this time. */
  readonly refusesUntilMs?: number;
}

export async function stopManyAtOnce(
  machines: number,
  seed: number,
  database: Database,
  setNow: (scheduler: Scheduler) => void,
  { evictedEveryMs, refusesUntilMs = 0 }: Troubles = {},
): Promise<Stopped> {
  database.empty();
  const scheduler = new Scheduler(seed, START);
  setNow(scheduler);
  const platform = new Platform(scheduler, database, drawRates(scheduler));
  scheduler.hostile = false;
  platform.machines.leastIntervalMs = SECOND;
  const names = Array.from({ length: machines }, (_, number) => `rig-${number + 1}`);
  const rigs = names.map((name) => new Rig(platform, USER, name, name, () => {}));
  const begin = async (rig: Rig) => {
    const registration = registrationOf(rig, rig.instanceId, null);
    const profile = { ...registration.profile, provider: "vast" };
    await rig.host.call("register", [{ ...registration, profile }]);
    const generation = rig.host.stored?.tokenGeneration;
    if (generation !== undefined) rig.begin(generation);
  };
  for (const rig of rigs) scheduler.at(START + scheduler.between(0, MINUTE), () => void begin(rig));
  const tries = new Map<string, number>();
  let lastAt = START;
  platform.onHappening = (happening) => {
    if (happening.type === "called" && !happening.isLook) {
      tries.set(happening.workflowId, (tries.get(happening.workflowId) ?? 0) + 1);
    }
    if (happening.type === "saved" && happening.after?.phase.status === "hibernated") lastAt = happening.at;
  };
  const orderedAt = START + 2 * MINUTE;
  scheduler.at(orderedAt, () => {
    platform.machines.refusesAllUntil = orderedAt + refusesUntilMs;
    for (const rig of rigs) rig.ask("hibernate");
  });
  const evict = () => {
    if (evictedEveryMs === undefined) return;
    platform.fleet(USER).evict();
    scheduler.at(scheduler.now + evictedEveryMs, evict);
  };
  scheduler.at(orderedAt, evict);
  await scheduler.runUntil(orderedAt + 3 * 60 * MINUTE);
  const [alerts] = platform
    .fleet(USER)
    .rows("SELECT COUNT(*) AS alerts FROM events WHERE severity = 'critical'");
  return {
    hibernated: rigs.filter(({ host }) => host.outline?.phase.status === "hibernated").length,
    mostTries: Math.max(0, ...tries.values()),
    refused: platform.counts.get("calls refused as too many") ?? 0,
    criticalAlerts: Number(alerts?.alerts),
    tookSeconds: Math.round((lastAt - orderedAt) / SECOND),
  };
}
