import { describe, expect, it } from "vitest";
import type { CostRow, CostsAnswer } from "../../src/dashboard/costs/answers.ts";
import { costToday, type FleetMoney, fleetMoney } from "../../src/dashboard/fleet/money.ts";
import { about } from "../../src/dashboard/format.ts";
import { englishCosts, type SaidFleet } from "../../src/dashboard/words/english-costs.ts";
import { portugueseCosts } from "../../src/dashboard/words/portuguese-costs.ts";
import type { ShownView } from "../../src/lifecycle/views/instance-view.ts";
import { live } from "./live-view.ts";

const NOTHING: CostRow = {
  cost: 0,
  wasted: 0,
  saved: 0,
  hours: { working: 0, idle: 0, silent: 0, hibernated: 0 },
  cost_by_use: { working: 0, idle: 0, silent: 0, hibernated: 0 },
  unpriced_hours: 0,
};

const answer = (today: Partial<CostRow>, total: Partial<CostRow>, forecast: number | null): CostsAnswer => ({
  to: "2026-11-27",
  rows: [
    { key: "2026-11-26", ...NOTHING, cost: 100 },
    { key: "2026-11-27", ...NOTHING, ...today },
  ],
  total: { ...NOTHING, ...total },
  now: { at: "2026-11-27T10:00:00Z" },
  forecast: forecast === null ? null : { cost: forecast, method: "as it went" },
  next_cursor: null,
});

const of = (instances: readonly ShownView[], costs: CostsAnswer | null = null): FleetMoney =>
  fleetMoney({ instances, unreadable: [] }, costs);

describe("the fleet's money", () => {
  it("is what all machines cost, and what those cost that do nothing for it", () => {
    const money = of([
      live("a", { rate: 2.5 }),
      live("b", { rate: 0.5, health: "idle" }),
      live("c", { rate: 0.25, status: "orphaned", health: "unhealthy" }),
      live("free", { rate: 0, health: "idle" }),
      live("asleep", { rate: 0.01, status: "hibernated", health: "inactive" }),
      live("gone", { rate: 0, status: "deleted", health: "inactive" }),
    ]);
    expect(money).toEqual({
      rate: { dollars: 3.26, isMore: false },
      wasted: { dollars: 0.75, isMore: false, machines: 2 },
      unknown: [],
      today: null,
      month: null,
    });
  });

  it("takes no price that nobody knows for nothing, and names whose it is", () => {
    const unpriced = live("b", { name: "Rig B", health: "idle" });
    expect(of([live("a", { rate: 2 }), unpriced])).toMatchObject({
      rate: { dollars: 2, isMore: true },
      wasted: { dollars: null, isMore: true, machines: 1 },
      unknown: ["Rig B"],
    });
    expect(of([unpriced]).rate).toEqual({ dollars: null, isMore: true });
    const unreadable = [{ instance_id: "x", error: { code: "unreadable", message: "" } } as const];
    expect(fleetMoney({ instances: [live("a", { rate: 2 })], unreadable }, null)).toMatchObject({
      rate: { dollars: 2, isMore: true },
      unknown: ["x"],
    });
    expect(costToday({ cost_today: 0, cost_source: "unknown" })).toBe(null);
    expect(costToday({ cost_today: 0, cost_source: "computed" })).toBe(0);
  });

  it("has today's and the month's as the service says them", () => {
    expect(of([], answer({ cost: 96.2 }, { cost: 3200, saved: 210 }, 3912))).toMatchObject({
      today: { dollars: 96.2, isMore: false },
      month: { dollars: 3912, isMore: false, isForecast: true, saved: 210 },
    });
    expect(of([], answer({ unpriced_hours: 3 }, { cost: 12, unpriced_hours: 3 }, null))).toMatchObject({
      today: { dollars: null, isMore: true },
      month: { dollars: 12, isMore: true, isForecast: false },
    });
    const unpriced = answer({ unpriced_hours: 3 }, { unpriced_hours: 3 }, 0);
    expect(of([], unpriced).month).toEqual({ dollars: null, isMore: true, isForecast: false, saved: 0 });
    const tomorrow = { ...answer({}, {}, null), now: { at: "2026-11-28T00:00:01Z" } };
    expect(of([], tomorrow).today).toBe(null);
    expect(of([], { ...answer({}, {}, null), rows: [] }).today).toEqual({ dollars: 0, isMore: false });
  });
});

describe("the sentence", () => {
  const said: SaidFleet = {
    rate: { dollars: "$12.40", isMore: false },
    wasted: { dollars: "$3.10", isMore: false, machines: 4 },
    unknown: [],
    today: { dollars: "$96.20", isMore: false },
    month: { dollars: "$3,900", isMore: false, isForecast: true, saved: "$210" },
  };
  const unknown: SaidFleet = {
    rate: { dollars: null, isMore: true },
    wasted: { dollars: null, isMore: true, machines: 1 },
    unknown: ["a", "b", "c", "d"],
    today: { dollars: null, isMore: true },
    month: { dollars: "$5.00", isMore: true, isForecast: false, saved: null },
  };

  it("says all of it in English", () => {
    expect(englishCosts.fleet(said)).toBe(
      "$12.40 an hour now, $3.10 of it wasted by 4 machines · $96.20 today · about $3,900 this month, $210 saved",
    );
    expect(englishCosts.fleet(unknown)).toBe(
      "Cost an hour not known, an unknown part wasted by 1 machine · cost not known today · $5.00 or more this month so far · price not known: a, b and 2 others",
    );
    expect(
      englishCosts.fleet({ ...said, wasted: null, today: null, month: null, unknown: ["a", "b", "c"] }),
    ).toBe("$12.40 an hour now · price not known: a, b, c");
  });

  it("says all of it in Portuguese", () => {
    expect(portugueseCosts.fleet(said)).toBe(
      "$12.40 por hora agora, dos quais $3.10 desperdiçados por 4 máquinas · $96.20 hoje · cerca de $3,900 neste mês, $210 economizados",
    );
    expect(portugueseCosts.fleet(unknown)).toBe(
      "Custo por hora desconhecido, uma parte desconhecida desperdiçada por 1 máquina · custo desconhecido hoje · $5.00 ou mais neste mês até agora · preço desconhecido: a, b e mais 2",
    );
  });

  it("rounds what is only foretold", () => {
    expect([3912, 392, 39.2, 3.92].map((dollars) => about(dollars, "en"))).toEqual([
      "$3,900",
      "$390",
      "$39",
      "$3.92",
    ]);
  });
});
