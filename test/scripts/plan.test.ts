import { describe, expect, it } from "vitest";
import {
  backCommand,
  planDeployment,
  type Step,
  shareCommand,
  sharesOf,
  type Wish,
} from "../../scripts/release/plan.ts";
import { rollbackTarget, whyNotBack } from "../../scripts/release/rollback-plan.ts";
import type { Standing } from "../../scripts/release/standing.ts";
import { errorCounts, growth, newErrors } from "../../scripts/release/watch.ts";
import { configProblems, type WranglerConfig } from "../../scripts/release/wrangler-config.ts";

const CONFIG: WranglerConfig = {
  worker: "dumont",
  databases: [
    { binding: "DB", name: "main", migrations: "migrations" },
    { binding: "HISTORY_1", name: "main-1", migrations: "migrations" },
  ],
  classes: "v4",
  workflows: ["orders"],
  vars: { DEPLOYED: "true" },
};
const WISH: Wish = { atOnce: false, secretsFile: null, canCheck: true };
const STANDING: Standing = { type: "whole", version: { id: "old", classes: "v4", workflows: ["orders"] } };
const ALL = ["main", "main-1"];

const steps = (config: WranglerConfig, standing: Standing, databases: readonly string[], wish: Wish) => {
  const plan = planDeployment(config, standing, databases, wish);
  return plan.type === "refused" ? plan.because : plan.steps.map(named);
};

function named(step: Step): string {
  switch (step.type) {
    case "create_database":
      return `create ${step.name}`;
    case "migrate":
      return `migrate ${step.binding}`;
    case "stage":
      return `stage ${step.percent}`;
    default:
      return step.type;
  }
}

describe("a deployment", () => {
  it("migrates every database before the code that needs it, and goes by stages, each of them checked", () => {
    expect(steps(CONFIG, STANDING, ALL, WISH)).toEqual([
      ...["migrate DB", "migrate HISTORY_1", "upload"],
      ...["stage 0", "check_health"],
      ...["stage 10", "check_health", "watch_errors"],
      ...["stage 50", "check_health", "watch_errors"],
      ...["stage 100", "check_health", "watch_errors"],
      "triggers",
    ]);
  });

  it("creates and migrates a database that is new before a version binds it", () => {
    const planned = steps(CONFIG, STANDING, ["main"], WISH);
    expect(planned.slice(0, 4)).toEqual(["create main-1", "migrate DB", "migrate HISTORY_1", "upload"]);
  });

  it("does the same when it is the first, and then deploys at once", () => {
    const wish = { ...WISH, secretsFile: "secrets.env" };
    expect(steps(CONFIG, { type: "absent" }, [], wish)).toEqual([
      ...["create main", "create main-1", "migrate DB", "migrate HISTORY_1", "deploy", "check_health"],
    ]);
    expect(steps(CONFIG, { type: "absent" }, [], { ...wish, canCheck: false })).not.toContain("check_health");
  });

  it.each([
    ["lacks its secrets, the first time", { type: "absent" }, ALL, WISH, "needs the secrets"],
    ["finds the Worker without its database", STANDING, [], WISH, "right account"],
    [
      "finds stages that have not ended",
      {
        type: "split",
        shares: [
          { version: "new", percent: 10 },
          { version: "old", percent: 90 },
        ],
      },
      ALL,
      WISH,
      "npm run rollback",
    ],
    [
      "migrates classes",
      { type: "whole", version: { id: "old", classes: "v3", workflows: ["orders"] } },
      ALL,
      WISH,
      "from v3 to v4 is all or nothing",
    ],
    [
      "makes a workflow",
      { type: "whole", version: { id: "old", classes: "v4", workflows: [] } },
      ALL,
      WISH,
      "orders is new",
    ],
    ["can't be checked", STANDING, ALL, { ...WISH, canCheck: false }, "SERVICE_URL"],
  ] satisfies [string, Standing, string[], Wish, string][])(
    "is refused with a clear word when it %s",
    (_, standing, databases, wish, word) => {
      expect(steps(CONFIG, standing, databases, wish)).toEqual(expect.stringContaining(word));
    },
  );

  it("without stages is the operator's own word", () => {
    const standing: Standing = { type: "whole", version: { id: "old", classes: "v3", workflows: [] } };
    const planned = steps(CONFIG, standing, ALL, { ...WISH, atOnce: true });
    expect(planned).toEqual(["migrate DB", "migrate HISTORY_1", "deploy", "check_health"]);
  });

  it("leaves to wrangler whether classes are to be migrated, where the platform does not say", () => {
    const standing: Standing = {
      type: "whole",
      version: { id: "old", classes: null, workflows: ["orders"] },
    };
    expect(steps(CONFIG, standing, ALL, WISH)).toContain("upload");
  });
});

it("gives shares in the same order at each stage, the former version last", () => {
  expect([0, 10, 100].map((percent) => shareCommand(sharesOf(percent, "new", "old")).join(" "))).toEqual([
    "versions deploy new@0% old@100% -y --durable-objects-code-update-mode deferred 30s",
    "versions deploy new@10% old@90% -y --durable-objects-code-update-mode deferred 30s",
    "versions deploy new@100% -y --durable-objects-code-update-mode deferred 30s",
  ]);
  expect(backCommand("old").join(" ")).toBe(
    "versions deploy old@100% -y --durable-objects-code-update-mode immediate",
  );
});

describe("the config of a deployment", () => {
  const problems = (change: Partial<WranglerConfig>) => configProblems({ ...CONFIG, ...change });
  const bound = (...bindings: string[]) => ({
    databases: bindings.map((binding) => ({ binding, name: binding, migrations: "migrations" })),
  });

  it("is in order", () => {
    expect(problems({})).toEqual([]);
    expect(problems(bound("DB"))).toEqual([]);
    expect(problems(bound("HISTORY_2", "DB", "HISTORY_1"))).toEqual([]);
  });

  it("numbers the databases of the history without a gap", () => {
    expect(problems(bound("DB", "HISTORY_2"))).toEqual([expect.stringContaining("HISTORY_1 is missing")]);
    expect(problems(bound("DB", "HISTORY_1", "HISTORY_4"))).toHaveLength(2);
    expect(problems(bound("HISTORY_1"))).toEqual(["there is no database DB"]);
    expect(problems(bound("DB", "HISTORY_01"))[0]).toContain("HISTORY_01 is neither");
    expect(problems(bound("DB", "HISTORY_1", "HISTORY_1"))).toContain("HISTORY_1 is bound twice");
  });

  it("give every database its name and the same migrations", () => {
    const unlike = { binding: "HISTORY_1", name: "", migrations: "others" };
    expect(problems({ databases: [...bound("DB").databases, unlike] })).toHaveLength(2);
    expect(problems({ databases: [...bound("DB").databases, { ...unlike, name: "DB" }] })).toHaveLength(2);
  });

  it("are those of a real service", () => {
    expect(problems({ vars: { DEPLOYED: "false" } })).toHaveLength(1);
  });
});

describe("a rollback", () => {
  const at = (createdAt: string, ...shares: [string, number][]) => ({
    createdAt,
    shares: shares.map(([version, percent]) => ({ version, percent })),
  });

  it("goes to the version that had all the traffic before", () => {
    const deployments = [at("3", ["c", 100]), at("2", ["c", 10], ["b", 90]), at("1", ["b", 100])];
    expect(rollbackTarget(deployments)).toEqual({ type: "version", former: "b", current: "c" });
    expect(rollbackTarget(deployments.slice(1))).toEqual({ type: "version", former: "b", current: null });
  });

  it("passes over deployments of the same version", () => {
    const deployments = [at("3", ["c", 100]), at("2", ["c", 100]), at("1", ["b", 100])];
    expect(rollbackTarget(deployments)).toMatchObject({ former: "b" });
  });

  it("says when there is nowhere to go", () => {
    expect(rollbackTarget([])).toMatchObject({ type: "none" });
    expect(rollbackTarget([at("1", ["c", 100])])).toMatchObject({ type: "none" });
  });

  it("does not go back past a migration of classes, nor where that is not known", () => {
    const version = (classes: string | null) => ({ id: "any", classes, workflows: [] });
    expect(whyNotBack(version("v4"), version("v4"))).toBeNull();
    expect(whyNotBack(version("v4"), version("v3"))).toContain("from v3 to v4");
    expect(whyNotBack(version("v4"), version(null))).toContain("not known");
    expect(whyNotBack(version(null), version(null))).toContain("not known");
  });
});

describe("errors", () => {
  const page = (breaches: number, unavailable: number) => `# HELP any
dumont_service_invariant_breaches_total ${breaches}
dumont_service_heartbeats_total{outcome="accepted",reason=""} ${breaches * 100}
dumont_service_heartbeats_total{outcome="refused",reason="unavailable"} ${unavailable}
dumont_service_heartbeats_total{outcome="refused",reason="unknown_token"} 7
`;

  it("are counted by what is an error of the service", () => {
    expect(errorCounts(page(1, 2))).toEqual({
      dumont_service_invariant_breaches_total: 1,
      'dumont_service_heartbeats_total{outcome="refused",reason="unavailable"}': 2,
    });
  });

  it("stop a stage when they grow by more than before it", () => {
    const usual = growth(errorCounts(page(0, 3)), errorCounts(page(0, 5)));
    expect(newErrors(usual, growth(errorCounts(page(0, 5)), errorCounts(page(0, 7))))).toBeNull();
    expect(newErrors(usual, growth(errorCounts(page(0, 5)), errorCounts(page(0, 8))))).toContain("grew by 3");
    expect(newErrors({}, growth(errorCounts(""), errorCounts(page(1, 0))))).toContain(
      "breaches_total grew by 1",
    );
    expect(newErrors({}, {})).toBeNull();
  });
});
