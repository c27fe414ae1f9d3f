import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Usage } from "../../../src/lifecycle/model/ledger.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, startOfUtcDay, utcDay } from "../../../src/lifecycle/model/time.ts";
import { fleetOf } from "../../../src/platform/address.ts";
import { type FleetStub, passAlarms, type Reported, reportOf, stateOf } from "../../fleet/fleets.ts";
import { basisOf, HIBERNATED, IDLE, SILENT, UNKNOWN, WORKING } from "../../fleet/told-costs.ts";
import { expectLogged } from "../../quiet.ts";
import { call, Instance, newUser, type Reply, setClock } from "../../world.ts";

const NOON = Date.UTC(2030, 0, 17, 12);
const MIDNIGHT = startOfUtcDay(NOON) + DAY_MS;

beforeEach(() => setClock(NOON));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

class Watched {
  readonly userId: string;
  readonly token: string;
  readonly fleet: FleetStub;
  #revision = 0;

  constructor({ userId, token }: { userId: string; token: string }) {
    this.userId = userId;
    this.token = token;
    this.fleet = fleetOf(env, userId);
  }

  static async user(): Promise<Watched> {
    return new Watched(await newUser());
  }

  async does(id: string, usage: Usage, since = NOON, more: Reported = {}): Promise<void> {
    this.#revision += 1;
    await this.fleet.report(
      reportOf(id, { revision: this.#revision, costs: basisOf(usage, since), ...more }),
    );
  }

  costs(query = "", headers: Record<string, string> = {}): Promise<Reply> {
    return call("GET", `/api/agent/costs${query}`, { token: this.token, headers });
  }

  /** Each row's key and cost. */
  async rows(query: string): Promise<[string, number][]> {
    const { status, body } = await this.costs(query);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.rows.map(({ key, cost }: { key: string; cost: number }) => [key, cost]);
  }

  /** Lets the night that begins at midnight pass. */
  async night(midnight: number): Promise<void> {
    await passAlarms(this.fleet, midnight + 7 * HOUR_MS);
    setClock(midnight + 7 * HOUR_MS);
  }
}

/** The history does not answer what begins so. */
function withoutHistory(words: RegExp): { away: boolean } {
  const history = { away: true };
  const prototype = Object.getPrototypeOf(env.DB);
  const { prepare } = prototype;
  vi.spyOn(prototype, "prepare").mockImplementation(function (this: D1Database, query) {
    const sql = String(query);
    if (history.away && words.test(sql)) throw new Error("the history is away");
    return prepare.call(this, sql);
  });
  return history;
}

const READ = /FROM cost_days\s+WHERE/;
const KEEP = /INSERT INTO cost_days/;
const BY = ["day", "instance", "provider", "status", "tag&tag=team"];

const sumOf = (rows: readonly [string, number][]) => rows.reduce((sum, [, cost]) => sum + cost, 0);

describe("the costs of a user", () => {
  it("are nothing where there is nothing", async () => {
    const user = await Watched.user();
    const { status, body } = await user.costs();
    expect(status).toBe(200);
    expect(body).toMatchObject({
      from: "2030-01-01",
      to: "2030-01-17",
      by: "day",
      rows: [],
      total: { cost: 0, wasted: 0, saved: 0, reported: 0, unpriced_hours: 0 },
      now: { at: "2030-01-17T12:00:00Z", rate: 0, unknown_rates: 0, wasted_rate: 0, wasting: [] },
      forecast: { month: "2030-01", cost: 0 },
      next_cursor: null,
    });
    for (const by of BY) expect(await user.rows(`?by=${by}`)).toEqual([]);
  });

  it("are known by day, instance, provider, tag and status, with what is wasted now and by whom", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON, { provider: "vast" });
    await user.does("b", SILENT, NOON, { provider: "runpod", name: "Rig" });
    await user.does("c", HIBERNATED, NOON, { provider: "vast" });
    await user.does("d", IDLE, NOON, { provider: "vast" });
    await user.does("e", UNKNOWN, NOON);
    setClock(NOON + 2 * HOUR_MS);
    expect(await user.rows("")).toEqual([["2030-01-17", 12.2]]);
    expect(await user.rows("?by=instance")).toEqual([
      ["a", 4],
      ["b", 6],
      ["c", 0.2],
      ["d", 2],
      ["e", 0],
    ]);
    expect(await user.rows("?by=provider")).toEqual([
      ["none", 0],
      ["runpod", 6],
      ["vast", 6.2],
    ]);
    expect(await user.rows("?by=tag&tag=team")).toEqual([["", 12.2]]);
    const { body } = await user.costs("?by=status");
    expect(body.rows).toMatchObject([
      { key: "working", cost: 4, wasted: 0, hours: { working: 4, idle: 0 }, unpriced_hours: null },
      { key: "idle", cost: 2, wasted: null, saved: 0 },
      { key: "silent", cost: 6, wasted: null, cost_by_use: { silent: 6, idle: 0 } },
      { key: "hibernated", cost: 0.2, wasted: 0, saved: 3.8, hours: { hibernated: 2 } },
    ]);
    expect(body.total).toEqual({
      cost: 12.2,
      wasted: 8,
      saved: 3.8,
      hours: { working: 4, idle: 2, silent: 2, hibernated: 2 },
      cost_by_use: { working: 4, idle: 2, silent: 6, hibernated: 0.2 },
      reported: 0,
      unpriced_hours: 2,
    });
    expect(body.now).toEqual({
      at: "2030-01-17T14:00:00Z",
      rate: 6.1,
      unknown_rates: 1,
      wasted_rate: 4,
      wasting: [
        { instance_id: "b", name: "Rig", rate: 3, use: "silent", wasted_today: 6 },
        { instance_id: "d", name: "d", rate: 1, use: "idle", wasted_today: 2 },
      ],
    });
    expect(body.forecast.method).toContain("at the present rate");
    expect(body.forecast.method).toContain("without one instance of unknown price");
  });

  it("are those of the days asked for, and of no others", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON);
    await user.does("b", SILENT, NOON);
    for (const days of [0, 1, 2, 3]) await user.night(MIDNIGHT + days * DAY_MS);
    const days = ["2030-01-17", "2030-01-18", "2030-01-19", "2030-01-20", "2030-01-21"];
    expect(await user.rows("")).toEqual(days.map((day, index) => [day, [60, 120, 120, 120, 35][index]]));
    for (const [from, to, hours] of [
      ["2030-01-01", "2030-01-16", 0],
      ["2030-01-17", "2030-01-17", 12],
      ["2030-01-18", "2030-01-19", 48],
      ["2030-01-20", "2030-01-31", 31],
      ["2030-01-01", "2030-01-31", 91],
      ["2030-02-01", "2030-02-28", 0],
    ] as const) {
      const range = `from=${from}&to=${to}`;
      expect((await user.costs(`?${range}`)).body.total.cost, range).toBeCloseTo(hours * 5, 6);
      expect(await user.rows(`?by=instance&${range}`)).toEqual(
        hours === 0
          ? []
          : [
              ["a", hours * 2],
              ["b", hours * 3],
            ],
      );
    }
  });

  it("come to the same by day, instance, provider, tag and status at every hour, while days are closed and the history is away", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON, { provider: "vast" });
    await user.does("b", SILENT, NOON);
    await user.does("gone", IDLE, NOON);
    const history = withoutHistory(KEEP);
    history.away = false;
    let expected = 0;
    for (let hour = 0; hour < 5 * 24; hour++) {
      // In the second night the history takes nothing.
      history.away = hour >= 36 && hour < 60;
      if (hour === 37) expectLogged(/days of costs wait for the history/);
      await passAlarms(user.fleet, NOON + hour * HOUR_MS);
      setClock(NOON + hour * HOUR_MS);
      if (hour === 30) await user.fleet.remove("gone", 1000);
      if (hour % 3 !== 0) continue;
      expected = 5 * hour + Math.min(hour, 30);
      for (const by of BY) {
        const sum = sumOf(await user.rows(`?by=${by}`));
        expect(sum, `${by} after ${hour} hours`).toBeCloseTo(expected, 3);
      }
      const { total } = (await user.costs()).body;
      expect(total.cost).toBeCloseTo(expected, 3);
      expect(total.hours.working).toBeCloseTo(hour, 3);
    }
  });

  it("count a day once that is closed, and comes to the history, between what the fleet says and what the history says", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON);
    await user.night(MIDNIGHT);
    // The second day is over, and not closed.
    setClock(MIDNIGHT + DAY_MS + HOUR_MS);
    const closing = (await stateOf(user.fleet)).due.costsAt ?? 0;
    expect(closing).toBeGreaterThan(Date.now());
    const prototype = Object.getPrototypeOf(env.DB);
    const { prepare } = prototype;
    let closed = 0;
    vi.spyOn(prototype, "prepare").mockImplementation(function (this: D1Database, query) {
      const sql = String(query);
      const statement: D1PreparedStatement = prepare.call(this, sql);
      if (!READ.test(sql) || closed > 0) return statement;
      closed += 1;
      const { bind } = statement;
      statement.bind = (...values) => {
        const bound = bind.apply(statement, values);
        const { all } = bound;
        bound.all = async <T>() => {
          setClock(Math.max(closing, Date.now()));
          // The request has a stub of its own: another's is not for it.
          await runDurableObjectAlarm(fleetOf(env, user.userId));
          return all.call(bound) as Promise<D1Result<T>>;
        };
        return bound;
      };
      return statement;
    });
    const answer = await user.costs("?by=instance");
    expect(closed).toBe(1);
    const kept = await env.DB.prepare("SELECT COUNT(*) AS rows FROM cost_days WHERE user_id = ?")
      .bind(user.userId)
      .first();
    expect(kept).toEqual({ rows: 2 });
    expect(answer.body.rows).toMatchObject([{ key: "a", cost: 2 * (12 + 24 + 1) }]);
    expect(answer.body.total.cost).toBe(2 * (12 + 24 + 1));
  });

  it("come to the same by all of these after the fleet was set back to before days were closed", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON);
    await user.does("b", SILENT, NOON);
    await user.night(MIDNIGHT);
    const former = await stateOf(user.fleet);
    for (let day = 1; day < 6; day++) await user.night(MIDNIGHT + day * DAY_MS);
    expectLogged(/was set back to a former state/);
    await runInDurableObject(user.fleet, (_, { storage: { sql } }) => {
      sql.exec("UPDATE fleet SET json = ?", JSON.stringify(former));
      sql.exec("DELETE FROM cost_totals WHERE day >= ?", MIDNIGHT);
      sql.exec("DELETE FROM closed_costs");
    });
    await evictDurableObject(user.fleet);
    await user.fleet.goOnFromFormer();
    await passAlarms(user.fleet, Date.now() + MINUTE_MS);
    await user.does("a", WORKING, NOON);
    await user.does("b", SILENT, NOON);
    const start = Date.now();
    for (let hour = 0; hour < 48; hour += 6) {
      await passAlarms(user.fleet, start + hour * HOUR_MS);
      setClock(start + hour * HOUR_MS);
      const expected = 5 * ((Date.now() - NOON) / HOUR_MS);
      for (const by of BY) {
        expect(sumOf(await user.rows(`?by=${by}`)), `${by} after ${hour} hours`).toBeCloseTo(expected, 3);
      }
    }
  });

  it("are unavailable for a while when the history can't be read, and only where it is needed", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON);
    await user.night(MIDNIGHT);
    withoutHistory(READ);
    expectLogged(/request failed/);
    const { status, headers, body } = await user.costs("?by=instance");
    expect([status, headers.get("Retry-After"), body.error.code]).toEqual([503, "5", "unavailable"]);
    for (const query of ["", "?by=status", "?by=instance&from=2030-01-18"]) {
      expect((await user.costs(query)).status, query).toBe(200);
    }
  });

  it("are unavailable for a while where the history does not answer at all", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON);
    await user.night(MIDNIGHT);
    const prototype = Object.getPrototypeOf(env.DB);
    const { prepare } = prototype;
    vi.spyOn(prototype, "prepare").mockImplementation(function (this: D1Database, query) {
      const statement: D1PreparedStatement = prepare.call(this, query);
      if (READ.test(String(query))) {
        const never = { all: () => new Promise(() => {}) };
        Object.assign(statement, { bind: () => never });
      }
      return statement;
    });
    expectLogged(/request failed/);
    const { status, headers } = await user.costs("?by=instance");
    expect([status, headers.get("Retry-After")]).toEqual([503, "5"]);
  });

  it("are unavailable for a while from a fleet of the release before", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON);
    await runInDurableObject(user.fleet, (actor) => {
      Object.defineProperty(actor, "costs", {
        value: () => {
          throw new TypeError('The RPC receiver does not implement the method "costs".');
        },
      });
    });
    const { status, headers } = await user.costs();
    expect([status, headers.get("Retry-After")]).toEqual([503, "60"]);
  });

  it("are nobody else's", async () => {
    const [ada, bob] = [await Watched.user(), await Watched.user()];
    await ada.does("a", WORKING, NOON);
    await ada.night(MIDNIGHT);
    for (const by of BY) expect(await bob.rows(`?by=${by}`)).toEqual([]);
    expect((await bob.costs()).body.total.cost).toBe(0);
    const { next_cursor } = (await ada.costs("?by=instance&limit=1")).body;
    expect(await bob.rows(`?by=instance&cursor=${next_cursor}`)).toEqual([]);
  });
});

describe("pages of costs", () => {
  it("have each instance once, of the history and of now, and the total of all", async () => {
    const user = await Watched.user();
    for (const id of ["a", "c", "e", "g"]) await user.does(id, WORKING, NOON);
    await user.night(MIDNIGHT);
    for (const id of ["a", "c"]) await user.fleet.remove(id, 1000);
    for (const id of ["b", "d", "f"]) await user.does(id, SILENT, Date.now());
    await user.night(MIDNIGHT + DAY_MS);
    const seen: [string, number][] = [];
    let cursor = "";
    let pages = 0;
    do {
      const { body } = await user.costs(`?by=instance&limit=2${cursor}`);
      expect(body.total.cost).toBeCloseTo(2 * 2 * 19 + 2 * 2 * 43 + 3 * 3 * 24, 3);
      expect(body.rows.length).toBeLessThanOrEqual(2);
      seen.push(...body.rows.map(({ key, cost }: { key: string; cost: number }) => [key, cost]));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
      pages += 1;
    } while (cursor !== "" && pages < 10);
    expect(seen).toEqual([
      ["a", 38],
      ["b", 72],
      ["c", 38],
      ["d", 72],
      ["e", 86],
      ["f", 72],
      ["g", 86],
    ]);
  });

  it("refuse a cursor of another list, and what can't be", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON);
    await user.does("b", WORKING, NOON);
    setClock(NOON + HOUR_MS);
    const { next_cursor } = (await user.costs("?by=instance&limit=1")).body;
    expect(next_cursor).not.toBeNull();
    for (const [query, path] of [
      [`?by=provider&cursor=${next_cursor}`, "query.cursor"],
      [`?cursor=${next_cursor}`, "query.cursor"],
      ["?by=instance&cursor=eA", "query.cursor"],
      ["?by=tag", "query.tag"],
      ["?tag=team", "query.tag"],
      ["?by=tag&tag=a%22b", "query.tag"],
      ["?from=2030-02-30", "query.from"],
      ["?from=2030-01-18", "query.from"],
      ["?from=2028-01-01", "query.from"],
      ["?to=soon", "query.to"],
      ["?by=week", "query.by"],
      ["?limit=0", "query.limit"],
    ]) {
      const { status, body } = await user.costs(query);
      expect([query, status, body.error.issues[0].path]).toEqual([query, 400, path]);
    }
  });
});

describe("costs as CSV", () => {
  it("are the rows, under a name that says which", async () => {
    const user = await Watched.user();
    await user.does("a", WORKING, NOON);
    await user.does("b", UNKNOWN, NOON);
    setClock(NOON + 2 * HOUR_MS);
    const { status, headers, body } = await user.costs("?by=instance", { Accept: "text/csv" });
    expect(status).toBe(200);
    expect(headers.get("Content-Type")).toBe("text/csv; charset=utf-8");
    expect(headers.get("Content-Disposition")).toBe(
      'attachment; filename="costs-2030-01-01-to-2030-01-17-by-instance.csv"',
    );
    expect(headers.get("Vary")).toBe("Accept");
    expect(headers.get("Link")).toBeNull();
    expect(body.split("\r\n")).toEqual([
      "instance,cost,wasted,saved,hours_working,hours_idle,hours_silent,hours_hibernated,cost_working,cost_idle,cost_silent,cost_hibernated,reported,unpriced_hours",
      "a,4,0,0,2,0,0,0,4,0,0,0,0,0",
      "b,0,0,0,2,0,0,0,0,0,0,0,0,2",
      "",
    ]);
    const byStatus = await user.costs("?by=status", { Accept: "text/csv" });
    expect(byStatus.body).toContain("working,4,0,0,4,0,0,0,4,0,0,0,0,2\r\n");
  });

  it("lead from page to page by a header", async () => {
    const user = await Watched.user();
    for (const id of ["a", "b", "c"]) await user.does(id, WORKING, NOON);
    setClock(NOON + HOUR_MS);
    const lines: string[] = [];
    let query = "?by=instance&limit=2";
    for (let page = 0; page < 2; page++) {
      const { headers, body } = await user.costs(query, { Accept: "text/csv" });
      lines.push(...body.split("\r\n").slice(1, -1));
      const link = /^<\/api\/agent\/costs(\?.*)>; rel="next"$/.exec(headers.get("Link") ?? "");
      query = link?.[1] ?? "";
    }
    expect(lines.map((line) => line.split(",")[0])).toEqual(["a", "b", "c"]);
    expect(query).toBe("");
  });

  it("come where they are preferred, by the weights that are given", async () => {
    const user = await Watched.user();
    for (const [accept, isCsv] of [
      ["text/csv", true],
      ["TEXT/CSV", true],
      ["text/csv;q=0.9, application/json;q=0.1", true],
      ["application/json;q=0.5, text/csv", true],
      ["text/csv;q=0.1, application/json", false],
      ["text/csv;q=0", false],
      ["application/json", false],
      ["*/*", false],
      ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false],
      ["", false],
      [";;;,,q=", false],
    ] as const) {
      const { status, headers } = await user.costs("", { Accept: accept });
      expect([accept, status]).toEqual([accept, 200]);
      expect(headers.get("Content-Type")?.startsWith("text/csv"), accept).toBe(isCsv);
      expect(headers.get("Vary")).toBe("Accept");
    }
  });
});

describe("the costs of real instances", () => {
  it("are what each of them shows", async () => {
    const user = await newUser();
    const one = await Instance.register(user, "one", { hourly_cost: 3 });
    const other = await Instance.register(user, "other", { hourly_cost: 2 });
    for (const each of [one, other]) await each.heartbeat();
    for (let minute = 1; minute <= 20; minute++) {
      await one.until(NOON + minute * MINUTE_MS);
      await other.until(NOON + minute * MINUTE_MS);
      await other.heartbeat();
    }
    for (const each of [one, other]) await each.settled();
    const { body } = await call("GET", "/api/agent/costs?by=instance", { token: user.token });
    const shown = await Promise.all([one, other].map(async (each) => (await each.ask("GET")).body));
    expect(body.rows.map(({ key, cost, wasted }: Record<string, unknown>) => [key, cost, wasted])).toEqual(
      shown.map(({ instance_id, cost_total, wasted_total }) => [
        instance_id,
        expect.closeTo(cost_total, 3),
        expect.closeTo(wasted_total, 3),
      ]),
    );
    expect(body.now.wasting).toMatchObject([{ instance_id: "one", name: "one", use: "silent" }]);
    expect(body.to).toBe(utcDay(NOON));
  });

  it("are known by the tags that they have", async () => {
    const user = await Watched.user();
    const team = (tags: Record<string, string>) => ({ hourly_cost: 1, tags });
    const rigs = [
      await Instance.register(user, "a", team({ team: "=cmd|'x'!A1", "cost.center": "7" })),
      await Instance.register(user, "b", team({ team: "vision, two" })),
      await Instance.register(user, "c", team({ team: "vision, two" })),
      await Instance.register(user, "d", team({})),
    ];
    for (const one of rigs) await one.settled();
    setClock(NOON + 2 * HOUR_MS);
    expect(await user.rows("?by=tag&tag=team")).toEqual([
      ["", 2],
      ["=cmd|'x'!A1", 2],
      ["vision, two", 4],
    ]);
    expect(await user.rows("?by=tag&tag=cost.center")).toEqual([
      ["", 6],
      ["7", 2],
    ]);
    const { body } = await user.costs("?by=tag&tag=team", { Accept: "text/csv" });
    expect(body.split("\r\n").map((line: string) => line.split(",2")[0])).toEqual([
      expect.stringMatching(/^team,cost,/),
      "",
      "'=cmd|'x'!A1",
      expect.stringMatching(/^"vision, two",4/),
      "",
    ]);
    await user.night(MIDNIGHT);
    expect(await user.rows("?by=tag&tag=team&to=2030-01-17")).toEqual([
      ["", 12],
      ["=cmd|'x'!A1", 12],
      ["vision, two", 24],
    ]);
    const pages = await user.costs("?by=tag&tag=team&limit=1");
    expect(pages.body.rows).toMatchObject([{ key: "" }]);
    const next = await user.costs(`?by=tag&tag=team&limit=1&cursor=${pages.body.next_cursor}`);
    expect(next.body.rows).toMatchObject([{ key: "=cmd|'x'!A1" }]);
  });
});
