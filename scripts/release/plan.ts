import type { Share, Standing } from "./standing.ts";
import type { WranglerConfig } from "./wrangler-config.ts";

/** What a deployment does, in which order. Pure: `npm run deploy` carries it out. */

export type Step =
  | { readonly type: "create_database"; readonly name: string }
  | { readonly type: "migrate"; readonly binding: string }
  /** The new version is there, and nobody is sent to it. */
  | { readonly type: "upload" }
  /** So much of the traffic, and so many of the objects, go to the new version. */
  | { readonly type: "stage"; readonly percent: number }
  /** The new version takes everything at once. */
  | { readonly type: "deploy" }
  /** The new version answers `/healthz`. */
  | { readonly type: "check_health" }
  /** Errors are counted for a while. */
  | { readonly type: "watch_errors" }
  /** Crons and workflows, which no version holds. */
  | { readonly type: "triggers" };

export type Plan =
  | { readonly type: "refused"; readonly because: string }
  | { readonly type: "staged"; readonly former: string; readonly steps: readonly Step[] }
  | { readonly type: "at_once"; readonly because: string; readonly steps: readonly Step[] };

export interface Wish {
  /** The operator wants no stages. */
  readonly atOnce: boolean;
  /** A file of secrets to upload with the version. */
  readonly secretsFile: string | null;
  /** Whether the service can be asked how it is: its address and the operator's token are given. */
  readonly canCheck: boolean;
}

/** Nobody is sent to the new version in the first stage: only the check is. */
const STAGES = [0, 10, 50, 100];

/** `databases`: the names of those that there are. */
export function planDeployment(
  config: WranglerConfig,
  standing: Standing,
  databases: readonly string[],
  wish: Wish,
): Plan {
  const missing = config.databases.filter(({ name }) => !databases.includes(name));
  const before: Step[] = [
    ...missing.map(({ name }): Step => ({ type: "create_database", name })),
    ...config.databases.map(({ binding }): Step => ({ type: "migrate", binding })),
  ];
  const check: Step[] = wish.canCheck ? [{ type: "check_health" }] : [];
  const atOnce = (because: string): Plan => ({
    type: "at_once",
    because,
    steps: [...before, { type: "deploy" }, ...check],
  });
  switch (standing.type) {
    case "absent":
      return wish.secretsFile === null
        ? refused("the first deployment needs the secrets: npm run deploy -- --secrets-file secrets.env")
        : atOnce("it is the first deployment");
    case "split":
      return refused(
        `a deployment in stages has not ended (${inWords(standing.shares)}). npm run rollback goes back to the former version`,
      );
    case "whole": {
      const lost = missing.find(({ binding }) => binding === "DB");
      if (lost !== undefined) {
        return refused(`the Worker is there, but its database ${lost.name} is not. Is it the right account?`);
      }
      const reason = whyNotInStages(config, standing.version);
      if (wish.atOnce) return atOnce(reason ?? "you said so");
      if (reason !== null) return refused(`${reason}. npm run deploy -- --at-once deploys it without stages`);
      if (!wish.canCheck) {
        return refused(
          "stages are checked: set SERVICE_URL and ADMIN_TOKEN. npm run deploy -- --at-once deploys without stages",
        );
      }
      return { type: "staged", former: standing.version.id, steps: [...before, ...stages()] };
    }
  }
}

function stages(): Step[] {
  return [
    { type: "upload" },
    ...STAGES.flatMap((percent): Step[] => [
      { type: "stage", percent },
      { type: "check_health" },
      ...(percent === 0 ? [] : [{ type: "watch_errors" } as const]),
    ]),
    { type: "triggers" },
  ];
}

/** What the platform can't do by versions. */
function whyNotInStages(
  { classes, workflows }: WranglerConfig,
  former: Extract<Standing, { type: "whole" }>["version"],
): string | null {
  // A tag that is not known is wrangler's to judge: it refuses to upload a version with a migration that is pending.
  if (former.classes !== null && former.classes !== classes) {
    return `the migration of classes from ${former.classes} to ${classes} is all or nothing, and nothing goes back past it`;
  }
  const made = workflows.filter((name) => !former.workflows.includes(name));
  return made.length === 0 ? null : `only a whole deployment makes a workflow, and ${made.join(", ")} is new`;
}

/** Newest first in each stage, so that no object goes from the new version to the former one and back. */
export function sharesOf(percent: number, version: string, former: string): Share[] {
  const shares = [{ version, percent }];
  return percent === 100 ? shares : [...shares, { version: former, percent: 100 - percent }];
}

/**
 * When objects that are at work take the code of their version. By itself the platform grants them five minutes, which is longer
 * than a stage is watched; going back, none goes on with what is wrong.
 */
export const SOON = ["--durable-objects-code-update-mode", "deferred 30s"];
const AT_ONCE = ["--durable-objects-code-update-mode", "immediate"];

/** The arguments that give each version its share. */
export function shareCommand(shares: readonly Share[]): string[] {
  return [...deployCommand(shares), ...SOON];
}

/** The arguments that give everything to the former version. */
export function backCommand(former: string): string[] {
  return [...deployCommand([{ version: former, percent: 100 }]), ...AT_ONCE];
}

function deployCommand(shares: readonly Share[]): string[] {
  return ["versions", "deploy", ...shares.map(({ version, percent }) => `${version}@${percent}%`), "-y"];
}

const refused = (because: string): Plan => ({ type: "refused", because });

export function inWords(shares: readonly Share[]): string {
  return shares.map(({ version, percent }) => `${version} ${percent} %`).join(", ");
}
