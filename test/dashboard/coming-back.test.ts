import { describe, expect, it } from "vitest";
import { price } from "../../src/dashboard/format.ts";
import { englishComingBack } from "../../src/dashboard/words/english-coming-back.ts";
import { portugueseComingBack } from "../../src/dashboard/words/portuguese-coming-back.ts";
import { CALLED_PROVIDERS } from "../../src/lifecycle/model/provider.ts";
import { waysOnViews } from "../../src/lifecycle/model/ways-on.ts";
import { stoppedRisks } from "../../src/lifecycle/views/stopped-risks.ts";

describe.each([
  ["English", englishComingBack],
  ["Portuguese", portugueseComingBack],
])("the page in %s", (_, words) => {
  it("says before a hibernation what it risks, where the API says it, and nothing where nobody knows", () => {
    for (const kind of CALLED_PROVIDERS) {
      const said = words.risks(kind, null);
      const isSaid = stoppedRisks(kind, null).text.startsWith("Stopped at");
      expect(said !== null).toBe(isSaid);
      expect(said ?? "").not.toMatch(/undefined|null|not said/);
      expect(said?.split(";").length).toBe(
        said === null ? undefined : stoppedRisks(kind, null).text.split(";").length,
      );
    }
    expect(words.risks("agent", 0.01)).toBeNull();
    expect(words.risks("vast", 0.0021)).toMatch(/0[.,]0021/);
    expect(words.risks("vast", null)).not.toMatch(/\$/);
  });

  it("names each way that is offered after a wake in vain", () => {
    for (const kind of CALLED_PROVIDERS) {
      for (const { way } of waysOnViews("rig", kind, "a/b/c/d/e/f")) {
        expect(words.ways[way]).toMatch(/^[A-Z]/);
      }
    }
  });
});

it.each([
  [0, "$0.00"],
  [0.0021, "$0.0021"],
  [0.01234, "$0.012"],
  [0.0997, "$0.10"],
  [0.4, "$0.40"],
])("$%d an hour is shown as %s", (dollars, text) => {
  expect(price(dollars, "en")).toBe(text);
});
