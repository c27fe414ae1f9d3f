import { nextToVisit, visitAll } from "../../src/cleanup/visit.ts";
import type { Database } from "./database.ts";
import { Meter } from "./meter.ts";
import { Platform } from "./platform.ts";
import { drawRates } from "./rates.ts";
import { type Reconciled, Reconciliation } from "./reconciliation.ts";
import { KNOWN_BY, Rented } from "./rented.ts";
import { Scheduler } from "./scheduler.ts";

/** Four users rent machines for a month, at a provider that bills each of them by the second. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2030, 0, 1);
const USERS = ["u-1", "u-2", "u-3", "u-4"];

/** The service is away for an hour of the third day. */
const AWAY_FROM = START + 2 * DAY + 11 * HOUR;

export interface Month {
  readonly instances: readonly { readonly rented: Rented; readonly costs: Reconciled }[];
  /** Time that was put down twice, or not at all. */
  readonly misplacedMs: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly heartbeats: number;
}

export async function rentForAMonth(
  machines: number,
  days: number,
  seed: number,
  database: Database,
  setNow: (scheduler: Scheduler) => void,
): Promise<Month> {
  database.empty();
  const scheduler = new Scheduler(seed, START);
  setNow(scheduler);
  for (const user of USERS) addUser(database, user);
  const platform = new Platform(scheduler, database, drawRates(scheduler));
  // What goes wrong is what this file brings, and no more.
  scheduler.hostile = false;
  const meter = new Meter();
  const rented = Array.from({ length: machines }, (_, number) => {
    const user = USERS[number % USERS.length] ?? "";
    const knownBy = KNOWN_BY[Math.floor(number / USERS.length) % KNOWN_BY.length] ?? "owner";
    return new Rented(platform, meter, user, `${user}-rig-${number + 1}`, knownBy);
  });
  const byId = new Map(rented.map((one) => [one.id, one]));
  const reconciliations = new Map(
    rented.map((one) => [`${one.userId}/${one.id}`, new Reconciliation(one, meter)]),
  );
  connect(platform, byId);
  let heartbeats = 0;
  platform.onHappening = (happening) => {
    if (happening.type === "deed") {
      const one = byId.get(happening.ref);
      if (one !== undefined) one.turnedBy = "order";
    }
    if (happening.type !== "saved" || happening.state === null) return;
    const reconciliation = reconciliations.get(happening.instance);
    if (reconciliation === undefined) return;
    const { rented: one, state } = reconciliation;
    if (state === null) meter.begin(one.id, one.prices, happening.state.profile.registeredAt);
    if (state?.recent !== happening.state.recent) heartbeats += 1;
    reconciliation.saved(happening.state);
  };
  for (const one of rented) scheduler.at(START + scheduler.between(0, HOUR), () => void one.register());
  scheduler.at(AWAY_FROM, () => {
    platform.awayUntil = AWAY_FROM + HOUR;
  });
  visitDaily(platform, START + days * DAY);
  const end = START + days * DAY;
  for (let day = START + DAY; day <= end; day += DAY) {
    await scheduler.runUntil(day);
    for (const one of reconciliations.values()) one.endDay(day);
  }
  return {
    instances: [...reconciliations.values()].map((one) => ({
      rented: one.rented,
      costs: one.end(end),
    })),
    misplacedMs: [...reconciliations.values()].reduce((sum, { misplacedMs }) => sum + misplacedMs, 0),
    counts: platform.counts,
    heartbeats,
  };
}

function addUser(database: Database, user: string): void {
  database.rows(
    "INSERT INTO users (id, name, created_at, policy, policy_version) VALUES (?, 'Ada', ?, '{}', 1)",
    user,
    START - DAY,
  );
  database.rows(
    "INSERT INTO providers (user_id, kind, credentials, updated_at) VALUES (?, 'vast', '', ?)",
    user,
    START - DAY,
  );
}

/** The provider knows its machines: it lists them, says what they cost, and has its meter run. */
function connect({ machines }: Platform, byId: ReadonlyMap<string, Rented>): void {
  machines.onTurn = (ref, state) => byId.get(ref)?.turned(state);
  machines.stoppedHourlyCost = (ref) => byId.get(ref)?.prices.asleep;
  machines.listed = () => [...byId.values()].flatMap((one) => one.listed ?? []);
}

function visitDaily(platform: Platform, end: number): void {
  const { scheduler } = platform;
  const visit = () => {
    for (const userId of USERS) {
      platform
        .request(async (env) => {
          await visitAll(env, userId, await nextToVisit(env, userId, "", 100));
        })
        .catch(() => {});
    }
    if (scheduler.now < end) scheduler.at(scheduler.now + DAY, visit);
  };
  scheduler.at(START + 3 * HOUR, visit);
}
