import { nextToVisit, visitAll } from "../../src/cleanup/visit.ts";
import { UNKNOWN_PAST } from "../../src/instance/resume.ts";
import { Owner, registrationOf } from "./owner.ts";
import type { Platform } from "./platform.ts";
import type { Say } from "./promises/promise.ts";
import { Rig } from "./rig.ts";

/** What the world does to everybody: each is planned once, at the beginning of a life. */

const MINUTE = 60_000;

/** The database is away now and then, once for ten minutes. */
export function troubleDatabase(platform: Platform): void {
  const { scheduler } = platform;
  const start = scheduler.now;
  const outage = (from: number, durationMs: number) => {
    scheduler.at(from, () => {
      platform.databaseIsDown = scheduler.hostile;
    });
    scheduler.at(from + durationMs, () => {
      platform.databaseIsDown = false;
    });
  };
  if (scheduler.random() < 0.3) outage(start + scheduler.between(0, 25) * MINUTE, 10 * MINUTE);
  if (scheduler.random() < 0.5)
    outage(start + scheduler.between(0, 35) * MINUTE, scheduler.between(1, 90) * 1000);
}

/** The provider refuses everything for a while, and hides machines; a lie never lasts as long as two looks do. */
export function troubleProvider(platform: Platform, userId: string, rigs: readonly Rig[]): void {
  const { scheduler, machines, rates, database } = platform;
  const lied = new Set<string>();
  const setCredentials = () => {
    // At once, wherever they are: a fleet that has not begun yet takes them over from the database.
    database.rows("UPDATE providers SET updated_at = ? WHERE user_id = ?", scheduler.now, userId);
    platform.fleet(userId).setCredentials(scheduler.now);
    platform.count("credentials changed");
  };
  const minute = () => {
    if (!scheduler.hostile) {
      if (machines.areElsewhere) setCredentials();
      machines.areElsewhere = false;
      return;
    }
    if (scheduler.chance(rates.longRefusal)) machines.refuseFor(scheduler.between(3, 20) * MINUTE);
    for (const { ref } of rigs) {
      if (!scheduler.chance(rates.lie) || lied.has(ref)) continue;
      lied.add(ref);
      const isUnknown = scheduler.random() < 0.3;
      machines.lie(ref, isUnknown ? "unknown" : "missing", scheduler.between(20, 290) * 1000);
    }
    if (scheduler.chance(rates.otherCredentials)) {
      setCredentials();
      // Of another team, or of this one again.
      machines.areElsewhere = !machines.areElsewhere && scheduler.random() < 0.7;
    }
    scheduler.at(scheduler.now + MINUTE, minute);
  };
  scheduler.at(scheduler.now + MINUTE, minute);
}

/** Objects of fleets and of the service are reset in the middle of their work, or leave memory at rest. */
export function troubleObjects(platform: Platform): void {
  const { scheduler } = platform;
  const minute = () => {
    if (!scheduler.hostile) return;
    for (const host of [...platform.fleets, ...platform.services]) {
      if (scheduler.chance(0.2)) host.evict();
      else if (scheduler.chance(0.3)) host.hibernate();
    }
    scheduler.at(scheduler.now + scheduler.between(1, 2 * MINUTE), minute);
  };
  scheduler.at(scheduler.now + MINUTE, minute);
}

/** The daily look, often enough that a life sees it. */
export function visitDaily(platform: Platform, untilMs: number): void {
  const { scheduler } = platform;
  const end = scheduler.now + untilMs;
  const visitUser = (userId: string) =>
    platform.request(async (env) => {
      await visitAll(env, userId, await nextToVisit(env, userId, "", 100));
    });
  const visit = () => {
    for (const { name } of platform.fleets) visitUser(name).catch(() => {});
    if (scheduler.now < end) scheduler.at(scheduler.now + 7 * MINUTE, visit);
  };
  scheduler.at(scheduler.now + 10 * MINUTE, visit);
}

/** A hibernated instance is taken for one that was set back: nobody knows any more how its machine is, and somebody looks. */
export function resumeSleepers(platform: Platform, rigs: readonly Rig[]): void {
  const { scheduler, rates } = platform;
  const minute = () => {
    if (!scheduler.hostile) return;
    for (const { host } of rigs) {
      if (host.outline?.phase.status !== "hibernated" || !scheduler.chance(rates.resumed)) continue;
      // What it is about to say of its orders would be lost, as it is in a restore.
      if (host.stored?.state.outbox.some(({ effect }) => effect.type === "action" || effect.type === "guard"))
        continue;
      platform.count("sleepers resumed");
      host.call("resume", [UNKNOWN_PAST]).catch(() => {});
    }
    scheduler.at(scheduler.now + MINUTE, minute);
  };
  scheduler.at(scheduler.now + MINUTE, minute);
}

/**
 * Machines are watched twice: registered once more under another id, which is refused, or put in past the claims, as rows
 * from before them are. Who comes so beats for some minutes and falls silent.
 */
export function watchTwice(platform: Platform, rigs: Rig[], say: Say): void {
  const { scheduler, rates } = platform;
  const [first] = rigs;
  if (first === undefined) return;
  const join = (rig: Rig) => {
    const generation = rig.host.stored?.tokenGeneration;
    if (generation === undefined || rigs.includes(rig)) return;
    rigs.push(rig);
    rig.begin(generation);
    const minute = () => {
      if (!scheduler.hostile) return;
      if (scheduler.chance(0.05)) rig.ask("hibernate");
      if (scheduler.chance(0.1)) rig.ask("wake");
      scheduler.at(scheduler.now + MINUTE, minute);
    };
    minute();
    scheduler.at(scheduler.now + scheduler.between(2, 8) * MINUTE, () => {
      rig.silentUntil = Number.POSITIVE_INFINITY;
    });
  };
  const again = new Rig(platform, first.userId, "again-1", first.ref, say);
  const registerAgain = async () => {
    const answer = await new Owner(platform, again).register(again, first.ref).catch(() => "cut off");
    platform.count(`second registrations ${answer}`);
    join(again);
  };
  const minute = () => {
    if (!scheduler.hostile) return;
    if (scheduler.chance(rates.registeredAgain) && first.host.outline !== null) void registerAgain();
    scheduler.at(scheduler.now + MINUTE, minute);
  };
  scheduler.at(scheduler.now + 2 * MINUTE, minute);
  if (!rates.hasTwin) return;
  const twin = new Rig(platform, first.userId, "twin-1", first.ref, say);
  const putIn = async () => {
    if (first.host.outline === null) return;
    const sighted = { at: scheduler.now, credentialsSetAt: 0, gpus: 1 };
    await admitted(platform, twin);
    await twin.host.call("register", [registrationOf(twin, first.ref, sighted)]).catch(() => null);
    platform.count("twins put in");
    join(twin);
  };
  scheduler.at(scheduler.now + scheduler.between(3, 20) * MINUTE, () => void putIn());
}

/** Asks until it is: nobody is registered whom the fleet has not admitted. */
async function admitted(platform: Platform, { userId, instanceId }: Rig): Promise<void> {
  for (;;) {
    const answer = await platform
      .fleet(userId)
      .call("admit", [instanceId])
      .catch(() => "not reached");
    if (answer !== "not reached") return;
    await new Promise<void>((resolve) => platform.scheduler.after(1000, resolve));
  }
}

export const LIAR = "u-liar";

/** Another user, whose many instances are heard and then fall silent at once, to hold the service's guard closed. */
export function lie(platform: Platform, rigs: Rig[], say: Say): void {
  const { scheduler, rates } = platform;
  if (!rates.hasLiar) return;
  const silentAt = scheduler.now + scheduler.between(3, 20) * MINUTE;
  for (let number = 1; number <= 12; number += 1) {
    const rig = new Rig(platform, LIAR, `fake-${number}`, `fake-${number}`, say);
    const begin = async () => {
      await admitted(platform, rig);
      await rig.host.call("register", [registrationOf(rig, null, null)]).catch(() => null);
      const generation = rig.host.stored?.tokenGeneration;
      if (generation === undefined) return;
      rigs.push(rig);
      rig.begin(generation);
    };
    scheduler.at(silentAt - scheduler.between(60, 90) * 1000, () => void begin());
    scheduler.at(silentAt, () => {
      rig.silentUntil = Number.POSITIVE_INFINITY;
    });
  }
  platform.count("liars");
}
