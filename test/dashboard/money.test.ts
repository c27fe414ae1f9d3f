import { describe, expect, it } from "vitest";
import { englishInstances } from "../../src/dashboard/words/english-instances.ts";
import { englishMoney } from "../../src/dashboard/words/english-money.ts";
import { portugueseInstances } from "../../src/dashboard/words/portuguese-instances.ts";
import { portugueseMoney } from "../../src/dashboard/words/portuguese-money.ts";
import type { Money } from "../../src/lifecycle/model/money.ts";
import { statementOf } from "../../src/lifecycle/model/say-money.ts";

/** Every sentence that events of these kinds lead to, whatever of their figures is known. */
const EVENTS: readonly (readonly [string, Money])[] = [
  ["idle", { rate: 0.4, would_save_hourly: 0.39, wasted: 0.95 }],
  ["recovered", { wasted: 0.95 }],
  ["hibernated", { rate: 0.01, running_cost: 0.4, hibernated_cost: 0.01, saves_hourly: 0.39, wasted: 0.95 }],
  ["hibernated", { rate: 0, running_cost: 0.4, hibernated_cost: 0, saves_hourly: 0.4 }],
  ["hibernated", { running_cost: 0.4 }],
  ["never_heard", { rate: 0.4 }],
  ["waking", { running_cost: 0.4 }],
  ["guard_closed", { rate: 14.2, unknown_rates: 2 }],
  ["connection_refused", { rate: 14.2, unknown_rates: 0 }],
  ["deleted", { saves_hourly: 0.01, cost_total: 9, wasted_total: 2 }],
];

describe("of an event", () => {
  it("the page says the same in Portuguese, amount by amount", () => {
    for (const [kind, money] of EVENTS) {
      const statement = statementOf(kind, money);
      if (statement === null) throw new Error(`nothing is said of ${kind}`);
      const [english, portuguese] = [englishMoney, portugueseMoney].map((words) => words.ofEvent(statement));
      const amounts = (text: string | undefined) =>
        [...(text ?? "").matchAll(/\$\s?([\d.,]+\d)/g)].map(([, amount]) =>
          Number(amount?.replace(",", ".")),
        );
      expect(amounts(portuguese)).toEqual(amounts(english));
      for (const text of [english, portuguese]) expect(text).toMatch(/^[A-Z].*\.$/);
      for (const text of [english, portuguese]) expect(text).not.toMatch(/undefined|null|\.\.| {2}/);
    }
  });

  it("the page says it in Portuguese", () => {
    const said = EVENTS.map(([kind, money]) => {
      const statement = statementOf(kind, money);
      return statement === null ? null : portugueseMoney.ofEvent(statement).replaceAll("\u00a0", " ");
    });
    expect(said.slice(0, 3)).toEqual([
      "Ela custa US$ 0,40 por hora, desperdiçou US$ 0,95 e economizaria US$ 0,39 por hora se fosse hibernada.",
      "Ela desperdiçou US$ 0,95.",
      "Ela ainda custa US$ 0,01 por hora e economiza US$ 0,39 por hora. Antes, desperdiçou US$ 0,95.",
    ]);
  });
});

describe.each([
  ["English", englishMoney, englishInstances],
  ["Portuguese", portugueseMoney, portugueseInstances],
])("before an act the page in %s", (_, words, instances) => {
  it("says what a hibernation saves, and no more than is known", () => {
    expect(words.hibernateStakes("$4", "$1", "$3")).toMatch(/\$4.*\$1.*\$3/);
    expect(words.hibernateStakes("$4", "$4", null)).not.toMatch(/:/);
    expect(words.hibernateStakes("$4", null, null)).toMatch(/\$4 .*(not known|não se sabe)/i);
    expect(words.hibernateStakes(null, "$1", null)).toMatch(/\$1 .*(not known|não se sabe)/i);
    expect(words.hibernateStakes(null, null, null)).not.toMatch(/\$/);
  });

  it("says what a wake costs, and what it costs now", () => {
    expect(words.wakeStakes("$4", "$1")).toMatch(/\$4.*\$1/);
    expect(words.wakeStakes("$4", null)).toMatch(/\$4/);
    expect(words.wakeStakes(null, "$1")).not.toMatch(/\$/);
  });

  it("says what goes on being billed once a machine is watched no more", () => {
    expect(instances.removeStakes("RunPod", "$4", false)).toMatch(/RunPod: .*(running|ligada).*\$4/);
    expect(instances.removeStakes("RunPod", "$1", true)).toMatch(/RunPod: .*(hibernated|hibernada).*\$1/);
    expect(instances.removeStakes(null, null, true)).not.toMatch(/\$|null/);
  });

  it("says what a machine costs that runs, and that this is not known", () => {
    expect(words.running("$4", "$2")).toMatch(/\$4.*\$2/);
    expect(words.running(null, null)).toMatch(/not known|não se sabe/i);
  });
});
