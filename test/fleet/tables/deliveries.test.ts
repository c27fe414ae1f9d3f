import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { Deliveries, WAITING_PER_CHANNEL } from "../../../src/fleet/tables/deliveries.ts";
import { createTables } from "../../../src/fleet/tables/schema.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { DAY } from "../../world.ts";

/** Which of a fleet's messages are sent next. */

const NOTICE = { title: "It happened", severity: "critical", groups: [] } as const;
const AT_MOST = 100;
const LATER = DAY + 3_000_000;

function withDeliveries<T>(use: (deliveries: Deliveries) => T): Promise<T> {
  return runInDurableObject(fleetOf(env, "deliveries"), (_, { storage }) => {
    createTables(storage.sql);
    storage.sql.exec("DELETE FROM deliveries");
    return use(new Deliveries(storage.sql));
  });
}

/** The digests with these numbers, a millisecond apart. */
function add(deliveries: Deliveries, channelId: string, from: number, until: number): void {
  for (let number = from; number <= until; number++) {
    const digestId = `u-critical-${number}`;
    deliveries.add({ id: `${digestId}-${channelId}`, channelId, digestId, notice: NOTICE }, DAY + number);
  }
}

/** What is taken at a later moment, as `channel/digest`. */
function take(deliveries: Deliveries, failing: readonly string[]): string[] {
  const { next: taken } = deliveries.take(DAY + 1000, AT_MOST, failing);
  for (const { id } of taken) deliveries.settled(id);
  return taken.map(({ channelId, digestId }) => `${channelId}/${digestId.split("-").at(-1)}`);
}

describe("the messages that are sent next", () => {
  it("are the oldest of each channel, however many another has that is away", async () => {
    await withDeliveries((deliveries) => {
      add(deliveries, "dead", 1, 150);
      add(deliveries, "sound", 200, 201);
      expect(take(deliveries, ["dead"])).toEqual(["sound/200", "sound/201", "dead/1"]);
    });
  });

  it("go by turns while nobody knows which channel is away, a few of each", async () => {
    await withDeliveries((deliveries) => {
      add(deliveries, "one", 1, 150);
      add(deliveries, "two", 8, 12);
      expect(take(deliveries, []).slice(0, 4)).toEqual(["one/1", "two/8", "one/2", "two/9"]);
      expect(take(deliveries, [])).toHaveLength(10);
    });
  });

  it("leave out what is under way, and what is to be tried later", async () => {
    await withDeliveries((deliveries) => {
      add(deliveries, "one", 8, 11);
      deliveries.postpone("u-critical-9-one", DAY + 1000, 30_000);
      expect(deliveries.take(DAY + 1000, 1, []).next.map(({ digestId }) => digestId)).toEqual([
        "u-critical-8",
      ]);
      expect(take(deliveries, [])).toEqual(["one/10", "one/11"]);
    });
  });
});

describe("the messages that wait for one channel", () => {
  it("are bounded: the oldest are the surplus, those that were tried before those that were not", async () => {
    await withDeliveries((deliveries) => {
      add(deliveries, "dead", 1, WAITING_PER_CHANNEL + 3);
      add(deliveries, "sound", 2000, 2005);
      // The first one was tried, which puts it off for later.
      deliveries.postpone("u-critical-1-dead", DAY + 100_000, 30_000);
      const surplus = deliveries.surplus("dead", LATER).map(({ id }) => id);
      expect(surplus).toEqual(["u-critical-1-dead", "u-critical-2-dead", "u-critical-3-dead"]);
      for (const id of surplus) deliveries.remove(id);
      expect(deliveries.surplus("dead", LATER)).toEqual([]);
      expect(deliveries.surplus("sound", LATER)).toEqual([]);
    });
  });

  it("are none of those that somebody carries: a workflow, or the fleet itself", async () => {
    await withDeliveries((deliveries) => {
      add(deliveries, "dead", 1, WAITING_PER_CHANNEL + 3);
      deliveries.postpone("u-critical-503-dead", DAY + 1000, 3_600_000);
      const { next } = deliveries.take(DAY + 1, 1, []);
      expect(next.map(({ id }) => id)).toEqual(["u-critical-1-dead"]);
      const ids = () => deliveries.surplus("dead", LATER).map(({ id }) => id);
      expect(ids()).toEqual(["u-critical-2-dead", "u-critical-3-dead", "u-critical-4-dead"]);
    });
  });
});
