import {
  mergePolicy,
  type PolicyOverrides,
  type PolicySettings,
  shortestSilenceSeconds,
} from "./policy-settings.ts";
import { abilitiesOf, type ConnectedProvider, kindOf } from "./provider.ts";
import { onlyDeletes } from "./stopping.ts";
import { DAY_MS, SECOND_MS } from "./time.ts";
import { longestGapMs } from "./windows.ts";

/** Why a policy may not be set: each issue names the setting and says what is wrong with it. */

export interface PolicyIssue {
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * Why a merged policy may not be set: it contradicts itself, asks `provider` for what it can't do, or would take a late
 * heartbeat for silence. Empty for a sound policy.
 */
export function policyIssues(policy: PolicySettings, provider: ConnectedProvider): PolicyIssue[] {
  const { orphan_after_seconds } = policy.orphan;
  const least = shortestSilenceSeconds(policy);
  const issues = policyContradictions(policy, provider);
  if (orphan_after_seconds >= least) return issues;
  const message = `must be at least three heartbeat intervals (${least}), but is ${orphan_after_seconds}`;
  return [...issues, { path: ["orphan", "orphan_after_seconds"], message }];
}

/** What no instance can run with: contradictions within the policy, and what `provider` cannot do. */
export function policyContradictions(policy: PolicySettings, provider: ConnectedProvider): PolicyIssue[] {
  const { idle, orphan, guard } = policy;
  const issues: PolicyIssue[] = [];
  const mustPrecede = (
    group: string,
    earlier: readonly [string, number],
    later: readonly [string, number],
  ) => {
    if (earlier[1] >= later[1]) {
      issues.push({
        path: [group, earlier[0]],
        message: `must be less than ${group}.${later[0]} (${later[1]} s), but is ${earlier[1]} s`,
      });
    }
  };
  const atLeastOneInterval = (group: string, field: string, value: number) => {
    if (value < policy.heartbeat_interval_seconds) {
      issues.push({
        path: [group, field],
        message: `must be at least one heartbeat interval (${policy.heartbeat_interval_seconds}), but is ${value}`,
      });
    }
  };
  mustPrecede(
    "idle",
    ["warn_after_seconds", idle.warn_after_seconds],
    ["hibernate_after_seconds", idle.hibernate_after_seconds],
  );
  mustPrecede(
    "orphan",
    ["orphan_after_seconds", orphan.orphan_after_seconds],
    ["hibernate_after_seconds", orphan.hibernate_after_seconds],
  );
  mustPrecede(
    "orphan",
    ["hibernate_after_seconds", orphan.hibernate_after_seconds],
    ["force_hibernate_after_seconds", orphan.force_hibernate_after_seconds],
  );
  atLeastOneInterval("idle", "warn_after_seconds", idle.warn_after_seconds);
  atLeastOneInterval("idle", "hibernate_after_seconds", idle.hibernate_after_seconds);
  atLeastOneInterval("orphan", "hibernate_after_seconds", orphan.hibernate_after_seconds);
  atLeastOneInterval("orphan", "force_hibernate_after_seconds", orphan.force_hibernate_after_seconds);
  if (orphan.delete_after_days !== null) {
    mustPrecede(
      "orphan",
      ["force_hibernate_after_seconds", orphan.force_hibernate_after_seconds],
      ["delete_after_days", (orphan.delete_after_days * DAY_MS) / SECOND_MS],
    );
    const abilities = abilitiesOf(provider);
    const isNeverDeleted = onlyDeletes(provider) && !orphan.delete_while_running;
    if (abilities.reachesSilent && !abilities.snapshots && orphan.snapshot_before_delete && !isNeverDeleted) {
      const instead = onlyDeletes(provider)
        ? "orphan.delete_while_running to false"
        : "orphan.delete_after_days to null";
      issues.push({
        path: ["orphan", "snapshot_before_delete"],
        message: `${kindOf(provider)} cannot take snapshots: set this to false, or ${instead}`,
      });
    }
  }
  if (orphan.act_on_never_heard && orphan.never_heard_after_seconds > orphan.hibernate_after_seconds) {
    issues.push({
      path: ["orphan", "never_heard_after_seconds"],
      message: `must not be more than orphan.hibernate_after_seconds (${orphan.hibernate_after_seconds} s) while orphan.act_on_never_heard is set, but is ${orphan.never_heard_after_seconds} s`,
    });
  }
  const left = longestGapMs(policy.maintenance.windows) / SECOND_MS;
  if (orphan.enabled && left < orphan.hibernate_after_seconds) {
    issues.push({
      path: ["maintenance", "windows"],
      message: `must leave out orphan.hibernate_after_seconds (${orphan.hibernate_after_seconds} s) at a stretch in each week, but leaves ${left} s`,
    });
  }
  atLeastOneInterval("guard", "window_seconds", guard.window_seconds);
  atLeastOneInterval("guard", "max_hold_seconds", guard.max_hold_seconds);
  return issues;
}

/**
 * The issues of `next` that `former` did not have. A change is not refused for what was stored before a rule was made
 * stricter.
 */
export function addedIssues(former: readonly PolicyIssue[], next: readonly PolicyIssue[]): PolicyIssue[] {
  const same = (a: PolicyIssue, b: PolicyIssue) =>
    a.message === b.message && a.path.join(".") === b.path.join(".");
  return next.filter((issue) => !former.some((known) => same(known, issue)));
}

/** The issues that an instance's own overrides, and what its provider can't do, add to its user's policy. */
export function issuesOfOverrides(
  user: PolicyOverrides,
  overrides: PolicyOverrides,
  provider: ConnectedProvider,
): PolicyIssue[] {
  return addedIssues(
    policyIssues(mergePolicy(user), "agent"),
    policyIssues(mergePolicy(user, overrides), provider),
  );
}

/**
 * The overrides of a machine that is registered without a policy of its own: null where its provider can't do what the user's
 * policy asks for. Without snapshots it is not deleted: only its owner may say that it is to be deleted without one.
 */
export function fittingOverrides(user: PolicyOverrides, provider: ConnectedProvider): PolicyOverrides | null {
  const choices: readonly PolicyOverrides[] = [{}, { orphan: { delete_after_days: null } }];
  return choices.find((overrides) => issuesOfOverrides(user, overrides, provider).length === 0) ?? null;
}
