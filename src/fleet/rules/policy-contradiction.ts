import { addedIssues, type PolicyIssue, policyIssues } from "../../lifecycle/model/policy-issues.ts";
import { mergePolicy, type PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import type { ConnectedProvider } from "../../lifecycle/model/provider.ts";
import type { Registry } from "../tables/registry.ts";

/** What contradicts itself in a policy, on its own or with an instance's overrides. */
export interface PolicyContradiction {
  readonly issues: readonly PolicyIssue[];
  /** The instance with whose overrides it does; null if it does by itself. */
  readonly instance: { readonly id: string; readonly provider: ConnectedProvider } | null;
}

/** What `next` adds to what contradicted itself before, by itself or with the overrides of an instance; null for nothing. */
export function contradictionOf(
  registry: Registry,
  former: PolicyOverrides,
  next: PolicyOverrides,
): PolicyContradiction | null {
  const added = (provider: ConnectedProvider, own: PolicyOverrides = {}) =>
    addedIssues(
      policyIssues(mergePolicy(former, own), provider),
      policyIssues(mergePolicy(next, own), provider),
    );
  const alone = added("agent");
  if (alone.length > 0) return { issues: alone, instance: null };
  for (const { instanceId, provider, overrides } of registry.overrides()) {
    const issues = added(provider, overrides);
    if (issues.length > 0) return { issues, instance: { id: instanceId, provider } };
  }
  return null;
}
