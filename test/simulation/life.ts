import type { Database } from "./database.ts";
import { Owner, USER_POLICY } from "./owner.ts";
import { Platform } from "./platform.ts";
import { AlertsAreToldOnce } from "./promises/alerts-are-told-once.ts";
import { CountsAreRight, stateOf } from "./promises/counts-are-right.ts";
import { EverythingEnds } from "./promises/everything-ends.ts";
import { InvariantsHold } from "./promises/invariants-hold.ts";
import { NeverHeardIsSpared } from "./promises/never-heard-is-spared.ts";
import { NewestPolicyHolds } from "./promises/newest-policy-holds.ts";
import { NoMachineIsForgotten } from "./promises/no-machine-is-forgotten.ts";
import { NoStartOutlivesItsWake } from "./promises/no-start-outlives-its-wake.ts";
import { NothingIsLost } from "./promises/nothing-is-lost.ts";
import { OneWatcher } from "./promises/one-watcher.ts";
import { OnlyOrdersThatStand } from "./promises/only-orders-that-stand.ts";
import { OrdersReachTheirMachine } from "./promises/orders-reach-their-machine.ts";
import type { Promised } from "./promises/promise.ts";
import { RegistryKnowsItsInstances } from "./promises/registry-knows-its-instances.ts";
import { ServiceHearsItsFleets } from "./promises/service-hears-its-fleets.ts";
import { SleepersAreLookedAt } from "./promises/sleepers-are-looked-at.ts";
import { StatusNeverLies } from "./promises/status-never-lies.ts";
import { ThePastIsRetraced } from "./promises/the-past-is-retraced.ts";
import { ViewersSeeTheFleet } from "./promises/viewers-see-the-fleet.ts";
import { WhoIsUsedIsNotDeleted } from "./promises/who-is-used-is-not-deleted.ts";
import { WhoLivesIsSpared } from "./promises/who-lives-is-spared.ts";
import { drawRates } from "./rates.ts";
import { Rig } from "./rig.ts";
import { Scheduler } from "./scheduler.ts";
import {
  LIAR,
  lie,
  resumeSleepers,
  troubleDatabase,
  troubleObjects,
  troubleProvider,
  visitDaily,
  watchTwice,
} from "./troubles.ts";
import { VIEWER_TOKEN, Viewer } from "./viewer.ts";

/** One life of a small fleet in a hostile world, and what must hold of it whatever happens. */

const MINUTE = 60_000;
const START = Date.UTC(2030, 0, 7);
const HOSTILE_MS = 40 * MINUTE;
/** Long enough for every ladder and every retry to end. */
const REST_MS = 180 * MINUTE;
/** Longer than any order may take. */
const LONGEST_ORDER_MS = 19 * 60 * MINUTE;
const USER = "u-1";
const INSTANCES = ["rig-1", "rig-2", "rig-3"];

export interface Outcome {
  readonly heartbeats: number;
  readonly crashes: number;
  /** How often each deed was done, and each thing happened that a seed need not bring. */
  readonly counts: ReadonlyMap<string, number>;
  readonly violations: readonly string[];
}

export async function live(
  seed: number,
  database: Database,
  setNow: (scheduler: Scheduler) => void,
): Promise<Outcome> {
  database.empty();
  const scheduler = new Scheduler(seed, START);
  setNow(scheduler);
  populate(database);
  const platform = new Platform(scheduler, database, drawRates(scheduler));
  const violations: string[] = [];
  const say = (what: string) => {
    violations.push(`${((scheduler.now - START) / 1000).toFixed(1)} s: ${what}`);
  };
  const rigs = INSTANCES.map((id) => new Rig(platform, USER, id, `${id}-1`, say));
  const viewers = [new Viewer(platform, USER), new Viewer(platform, USER)];
  const promises: readonly Promised[] = [
    new WhoLivesIsSpared(say),
    new WhoIsUsedIsNotDeleted(platform, say),
    new NeverHeardIsSpared(platform, say),
    new NoMachineIsForgotten(platform, say),
    new NoStartOutlivesItsWake(platform, say),
    new OrdersReachTheirMachine(say),
    new OneWatcher(platform, say),
    new OnlyOrdersThatStand(platform, say),
    new EverythingEnds(platform, say),
    new NothingIsLost(platform, rigs, say),
    new StatusNeverLies(platform, say),
    new SleepersAreLookedAt(platform, say),
    new InvariantsHold(say),
    new RegistryKnowsItsInstances(platform, say),
    new CountsAreRight(platform, say),
    new ServiceHearsItsFleets(platform, say),
    new NewestPolicyHolds(platform, say),
    new ViewersSeeTheFleet(platform, viewers, say),
    new AlertsAreToldOnce(platform, USER, [FORMER_ALERT], say),
    new ThePastIsRetraced(platform),
  ];
  platform.onHappening = (happening) => {
    for (const promise of promises) promise.observe(happening);
  };
  const owners = rigs.map((rig) => new Owner(platform, rig));
  for (const owner of owners) owner.start();
  // Whoever rests by now and misses it has nothing to report for hours.
  scheduler.at(START + HOSTILE_MS - MINUTE, () => void owners[0]?.changePolicy().catch(() => {}));
  for (const viewer of viewers) viewer.start();
  troubleDatabase(platform);
  troubleObjects(platform);
  troubleProvider(platform, USER, [...rigs]);
  visitDaily(platform, HOSTILE_MS + REST_MS - 10 * MINUTE);
  resumeSleepers(platform, [...rigs]);
  watchTwice(platform, rigs, say);
  lie(platform, rigs, say);

  await scheduler.runUntil(START + HOSTILE_MS);
  scheduler.hostile = false;
  platform.databaseIsDown = false;
  await scheduler.runUntil(START + HOSTILE_MS + REST_MS);
  const end = scheduler.now + LONGEST_ORDER_MS;
  while (scheduler.now < end && hasOrder(platform)) await scheduler.runUntil(scheduler.now + 10 * MINUTE);
  // Until what the last order brought is told everywhere.
  await scheduler.runUntil(scheduler.now + 10 * MINUTE);
  for (const promise of promises) promise.atRest();
  countGuards(platform);
  return {
    heartbeats: rigs.reduce((sum, rig) => sum + rig.acknowledged.size, 0),
    crashes: platform.crashes,
    counts: platform.counts,
    violations,
  };
}

/** One that waited in D1 to be told when the fleet was started for the first time. */
const FORMER_ALERT = { id: "former", at: START - MINUTE, kind: "gone", instanceId: "former-1" } as const;

/** The users as they were before there were fleets; the first one's credentials, token, channel, and an alert that waits. */
function populate(database: Database): void {
  for (const user of [USER, LIAR]) {
    database.rows(
      "INSERT INTO users (id, name, created_at, policy, policy_version) VALUES (?, 'Ada', ?, ?, 1)",
      user,
      START,
      JSON.stringify(USER_POLICY),
    );
  }
  database.rows(
    "INSERT INTO user_tokens (id, user_id, name, created_at) VALUES (?, ?, '', ?)",
    VIEWER_TOKEN,
    USER,
    START,
  );
  database.rows(
    "INSERT INTO providers (user_id, kind, credentials, updated_at) VALUES (?, 'webhook', '', ?)",
    USER,
    START,
  );
  database.rows(
    `INSERT INTO channels (user_id, id, kind, name, minimum_severity, settings, origin, created_at)
     VALUES (?, 'c-1', 'webhook', 'pager', 'info', '', 'https://service.example', ?)`,
    USER,
    START,
  );
  const { id, at, kind, instanceId } = FORMER_ALERT;
  database.rows(
    `INSERT INTO events (user_id, at, instance_id, id, kind, severity, message, detail, notice)
     VALUES (?, ?, ?, ?, ?, 'critical', 'It is gone', '{}', 'pending')`,
    USER,
    at,
    instanceId,
    id,
    kind,
  );
}

/** How often a guard closed and opened. */
function countGuards(platform: Platform): void {
  for (const fleet of platform.fleets) {
    for (const { kind } of fleet.rows(
      "SELECT kind FROM events WHERE kind IN ('guard_closed', 'guard_opened')",
    )) {
      platform.count(`${kind === "guard_closed" ? "guards closed" : "guards opened"}`);
    }
    if (stateOf(fleet)?.guard.closedAt !== null) platform.count("guards left closed");
  }
}

function hasOrder({ actors }: Platform): boolean {
  return actors.some(({ outline }) => outline !== null && "action" in outline.phase);
}
