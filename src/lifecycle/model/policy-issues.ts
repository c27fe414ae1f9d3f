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
import { phrase } from "./words/phrase.ts";
import type { Phrase } from "./words/said.ts";
import { say } from "./words/say.ts";

/** Why a policy may not be set: each issue names the setting and says what is wrong with it. */

export interface PolicyIssue {
  readonly path: readonly string[];
  /** In English. */
  readonly message: string;
  /** It, for any language; absent where an object of the former release says it. */
  readonly said?: Phrase | undefined;
}

function issueOf(path: readonly string[], said: Phrase): PolicyIssue {
  return { path, message: say("en", said), said };
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
  const said = phrase("must.be_intervals", { least, value: orphan_after_seconds });
  return [...issues, issueOf(["orphan", "orphan_after_seconds"], said)];
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
      const told = { later: `${group}.${later[0]}`, limit: later[1], value: earlier[1] };
      issues.push(issueOf([group, earlier[0]], phrase("must.be_less", told)));
    }
  };
  const atLeastOneInterval = (group: string, field: string, value: number) => {
    if (value < policy.heartbeat_interval_seconds) {
      const least = policy.heartbeat_interval_seconds;
      issues.push(issueOf([group, field], phrase("must.be_an_interval", { least, value })));
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
        ? { field: "orphan.delete_while_running", setting: "false" }
        : { field: "orphan.delete_after_days", setting: "null" };
      const said = phrase("must.not_snapshot", { provider: kindOf(provider), ...instead });
      issues.push(issueOf(["orphan", "snapshot_before_delete"], said));
    }
  }
  if (orphan.act_on_never_heard && orphan.never_heard_after_seconds > orphan.hibernate_after_seconds) {
    const told = { limit: orphan.hibernate_after_seconds, value: orphan.never_heard_after_seconds };
    issues.push(issueOf(["orphan", "never_heard_after_seconds"], phrase("must.not_outlast", told)));
  }
  const left = longestGapMs(policy.maintenance.windows) / SECOND_MS;
  if (orphan.enabled && left < orphan.hibernate_after_seconds) {
    const told = { least: orphan.hibernate_after_seconds, value: left };
    issues.push(issueOf(["maintenance", "windows"], phrase("must.leave_out", told)));
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
