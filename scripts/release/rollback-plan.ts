import { inWords } from "./plan.ts";
import type { Deployment, UploadedVersion } from "./standing.ts";

/** Where a rollback goes. Pure: `npm run rollback` carries it out. */

export type RollbackTarget =
  | { readonly type: "none"; readonly because: string }
  /** `current`: the version that has all the traffic, whose classes must be compared; null during a deployment in stages. */
  | { readonly type: "version"; readonly former: string; readonly current: string | null };

/** The version that had all the traffic before. `deployments`: newest first. */
export function rollbackTarget(deployments: readonly Deployment[]): RollbackTarget {
  const [now, ...before] = deployments;
  if (now === undefined) return { type: "none", because: "nothing is deployed" };
  const current = wholeVersion(now);
  const former = before.map(wholeVersion).find((version) => version !== null && version !== current);
  if (former === undefined || former === null) {
    return {
      type: "none",
      because: `there is no former version in the last deployments (${inWords(now.shares)})`,
    };
  }
  return { type: "version", former, current };
}

function wholeVersion({ shares }: Deployment): string | null {
  return shares.find(({ percent }) => percent === 100 && shares.length === 1)?.version ?? null;
}

/** Why the platform does not go back; null when it does. What is not known is no permission. */
export function whyNotBack(current: UploadedVersion, former: UploadedVersion): string | null {
  const known = current.classes !== null && former.classes !== null;
  if (known && current.classes === former.classes) return null;
  const between = known
    ? `a migration of classes lies between, from ${former.classes} to ${current.classes}`
    : "it is not known whether a migration of classes lies between";
  return (
    `${between}, and the platform does not go back past one. Deploy the former code as a new release instead: ` +
    'with the present [[migrations]] of wrangler.toml, and every class that they name. docs/operations.md says how, under "Deploy and roll back"'
  );
}
