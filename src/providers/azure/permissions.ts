import { z } from "zod";
import { ProviderError, type Target } from "../provider.ts";
import { type Azure, AzureError } from "./api.ts";
import { groupPath, machinePath } from "./machine.ts";

/**
 * What the application may do, as Azure itself lists it.
 * https://learn.microsoft.com/en-us/rest/api/authorization/permissions/list-for-resource, and list-for-resource-group
 * (2022-04-01); how actions are matched: https://learn.microsoft.com/en-us/azure/role-based-access-control/role-definitions.
 */

const MACHINES = "Microsoft.Compute/virtualMachines";
const ON_MACHINE = [
  `${MACHINES}/read`,
  `${MACHINES}/start/action`,
  `${MACHINES}/deallocate/action`,
  `${MACHINES}/delete`,
];
/** Snapshots are put beside the machine. */
const ON_GROUP = ["Microsoft.Compute/snapshots/read", "Microsoft.Compute/snapshots/write"];

const permissionsSchema = z.object({
  value: z.array(
    z.object({ actions: z.array(z.string()).nullish(), notActions: z.array(z.string()).nullish() }),
  ),
});

type Permission = z.infer<typeof permissionsSchema>["value"][number];

/** Throws when the application may not do what orders to this machine need. What can't be found out counts as allowed. */
export async function requirePermissions(azure: Azure, target: Target): Promise<void> {
  await requireActions(azure, machinePath(target), ON_MACHINE);
  await requireActions(azure, groupPath(target), ON_GROUP);
}

async function requireActions(azure: Azure, scope: string, actions: readonly string[]): Promise<void> {
  const permissions = await permissionsAt(azure, scope);
  if (permissions === null) return;
  const missing = actions.filter((action) => !permissions.some((permission) => allows(permission, action)));
  if (missing.length === 0) return;
  throw new ProviderError("unauthorised", `the application lacks ${missing.join(", ")} on ${scope}`);
}

/** Null when the application may not ask for its permissions. */
async function permissionsAt(azure: Azure, scope: string): Promise<readonly Permission[] | null> {
  const path = `${scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`;
  try {
    return (await azure.get(path, permissionsSchema)).value;
  } catch (error) {
    if (error instanceof AzureError && error.azureCode === "AuthorizationFailed") return null;
    throw error;
  }
}

function allows({ actions, notActions }: Permission, action: string): boolean {
  const isIn = (patterns: readonly string[] | null | undefined) =>
    (patterns ?? []).some((pattern) => matches(pattern, action));
  return isIn(actions) && !isIn(notActions);
}

/** Whether the action is what the pattern names; `*` stands for anything. */
function matches(pattern: string, action: string): boolean {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const last = rest.pop();
  const text = action.toLowerCase();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= text.length - last.length;
}
