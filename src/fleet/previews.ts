import { addedIssues, type PolicyIssue, policyIssues } from "../lifecycle/model/policy-issues.ts";
import { mergePolicy } from "../lifecycle/model/policy-settings.ts";
import { MINUTE_MS } from "../lifecycle/model/time.ts";
import type { Span } from "../replay/story.ts";
import type { Fleet } from "./fleet.ts";
import { UserDeleted } from "./import/import.ts";
import { FleetInventory } from "./inventory.ts";
import { READY } from "./keeper.ts";
import { contradictionOf, type PolicyContradiction } from "./rules/policy-contradiction.ts";
import type { KeptLine, Outcomes, PreviewRequest, PreviewSkip } from "./rules/preview.ts";
import { guardClosedIn } from "./tables/guard-spans.ts";
import type { PreviewPage, PreviewRow, TagSum } from "./tables/preview-rows.ts";
import { countPreviewed, previewedAfter } from "./tables/previewed.ts";
import { PREVIEW_LINES_KEPT } from "./tables/previews.ts";

/** So many are replayed at once. */
const PREVIEWS_RUNNING = 2;

/** One that has not come on for so long has failed, whatever became of its workflow. If it comes on all the same, it runs. */
const STALLED_AFTER_MS = 30 * MINUTE_MS;

export type PreviewAsked = Omit<PreviewRequest, "inForce">;

export type PreviewStarted =
  | { readonly outcome: "started"; readonly id: string }
  | { readonly outcome: "suspended" }
  /** Of the candidate, at the user's level. */
  | { readonly outcome: "contradiction"; readonly contradiction: PolicyContradiction }
  /** Of the overrides that take the place of an instance's own. */
  | {
      readonly outcome: "instance_contradiction";
      readonly instanceId: string;
      readonly issues: readonly PolicyIssue[];
    }
  | { readonly outcome: "unknown_instances"; readonly instanceIds: readonly string[] }
  | { readonly outcome: "too_many_running" }
  | { readonly outcome: "too_many_instances"; readonly limit: number };

/** A preview with those of its lines for which the candidate changes most. */
export interface PreviewNow {
  readonly preview: PreviewRow;
  readonly lines: readonly KeptLine[];
  readonly skips: readonly PreviewSkip[];
  readonly tags: readonly TagSum[];
}

export interface NewestOutcomes {
  /** When the days that were replayed end. */
  readonly to: number;
  readonly outcomes: Outcomes;
}

/** What is to be replayed next. */
export interface PreviewTask extends Span {
  readonly request: PreviewRequest;
  readonly instanceIds: readonly string[];
  /** No instance comes after these. */
  readonly isLast: boolean;
  /** When the user's outage guard held steps back. */
  readonly guardClosed: readonly Span[];
}

/** What its user asks to be replayed. */
export abstract class FleetPreviews extends FleetInventory {
  async startPreview(asked: PreviewAsked, period: Span): Promise<PreviewStarted> {
    const fleet = await this[READY]();
    if (fleet.isSuspended || fleet.state.leavingSince !== null) return { outcome: "suspended" };
    const request = { ...asked, inForce: fleet.state.policy.overrides };
    return fleet.change((state) => ({ state, result: this.#start(fleet, request, period, Date.now()) }));
  }

  #start(fleet: Fleet, request: PreviewRequest, period: Span, now: number): PreviewStarted {
    const contradiction = contradictionOf(fleet.registry, fleet.state.policy.overrides, request.policy);
    if (contradiction !== null) return { outcome: "contradiction", contradiction };
    const known = new Set((request.instances ?? []).filter((id) => fleet.registry.has(id)));
    const unknown = (request.instances ?? []).filter((id) => !known.has(id));
    if (unknown.length > 0) return { outcome: "unknown_instances", instanceIds: unknown };
    const wrong = instanceContradiction(fleet, request);
    if (wrong !== null) return { outcome: "instance_contradiction", ...wrong };
    const running = fleet.previews.list().filter((preview) => standingOf(preview, now).state === "running");
    if (running.length >= PREVIEWS_RUNNING) return { outcome: "too_many_running" };
    const total = countPreviewed(this.ctx.storage.sql, request, period.to);
    if (total > PREVIEW_LINES_KEPT) return { outcome: "too_many_instances", limit: PREVIEW_LINES_KEPT };
    const id = crypto.randomUUID();
    fleet.previews.add({ id, request, total, ...period }, now);
    return { outcome: "started", id };
  }

  /** The instances of it that come next. Null where there is nothing more to do: it is over, or gone, or its user is. */
  async nextOfPreview(id: string, limit: number): Promise<PreviewTask | null> {
    const fleet = await this.#fleetOrNull();
    const preview = fleet?.previews.find(id) ?? null;
    if (fleet === null || preview === null || preview.state !== "running") return null;
    if (fleet.isSuspended || fleet.state.leavingSince !== null) {
      fleet.previews.fail(id, "suspended", Date.now());
      return null;
    }
    const { request, from, to, after } = preview;
    const found = previewedAfter(this.ctx.storage.sql, request, to, after, limit + 1);
    const guardClosed = guardClosedIn(this.ctx.storage.sql, { from, to });
    const instanceIds = found.slice(0, limit);
    return { request, from, to, instanceIds, isLast: found.length <= limit, guardClosed };
  }

  /** When the user's outage guard was closed, as far as that is kept. */
  async guardClosed(period: Span): Promise<Span[]> {
    await this[READY]();
    return guardClosedIn(this.ctx.storage.sql, period);
  }

  /** Takes what became of some of them. `isOver`: no instance comes after. Taken twice, it is taken once. */
  async takeOfPreview(id: string, page: PreviewPage, isOver: boolean): Promise<void> {
    const fleet = await this.#fleetOrNull();
    fleet?.change((state) => {
      const preview = fleet.previews.find(id);
      if (preview?.state === "running") {
        fleet.previews.take(preview, page, Date.now());
        const done = preview.done + page.lines.length;
        if (fleet.previews.isOutOfReach({ id, done })) fleet.previews.fail(id, "out_of_reach", Date.now());
        else if (isOver) fleet.previews.finish(id, Date.now());
      }
      return { state, result: undefined };
    });
  }

  /** Newest first. */
  async previews(): Promise<PreviewRow[]> {
    const now = Date.now();
    return (await this[READY]()).previews.list().map((preview) => standingOf(preview, now));
  }

  /** Null for one that there is not, or no longer. */
  async preview(id: string, lines: number, skips: number): Promise<PreviewNow | null> {
    const { previews } = await this[READY]();
    const preview = previews.find(id);
    if (preview === null) return null;
    return {
      preview: standingOf(preview, Date.now()),
      lines: previews.mostChanged(id, lines),
      skips: previews.skips(id, skips),
      tags: previews.tags(id),
    };
  }

  /** Null for a preview that there is not. */
  async previewLines(id: string, after: string, limit: number): Promise<KeptLine[] | null> {
    const { previews } = await this[READY]();
    return previews.find(id) === null ? null : previews.lines(id, after, limit);
  }

  /** False when there is none. One that runs stops. */
  async deletePreview(id: string): Promise<boolean> {
    const fleet = await this[READY]();
    return fleet.change((state) => ({ state, result: fleet.previews.delete(id) }));
  }

  /** What the newest that is done came to; null without one. */
  async newestOutcomes(): Promise<NewestOutcomes | null> {
    const preview = (await this[READY]()).previews.newestDone(() => true);
    return preview === null ? null : { to: preview.to, outcomes: preview.sum.outcomes };
  }

  /** Null for a user who was deleted. */
  async #fleetOrNull(): Promise<Fleet | null> {
    try {
      return await this[READY]();
    } catch (error) {
      if (error instanceof UserDeleted) return null;
      throw error;
    }
  }
}

function standingOf(preview: PreviewRow, now: number): PreviewRow {
  const isStalled = preview.state === "running" && now - preview.movedAt > STALLED_AFTER_MS;
  return isStalled ? { ...preview, state: "failed", because: "stalled" } : preview;
}

/** The first of the instances named that could not have these as its own overrides. */
function instanceContradiction(
  { registry, state }: Fleet,
  { policy, instancePolicy, instances }: PreviewRequest,
): { readonly instanceId: string; readonly issues: readonly PolicyIssue[] } | null {
  if (instancePolicy === null || instances === null) return null;
  const { rows } = registry.list("", instances.length, { ids: instances });
  for (const { instanceId, view } of rows) {
    const provider = view.provider;
    const issues = addedIssues(
      policyIssues(mergePolicy(state.policy.overrides), provider),
      policyIssues(mergePolicy(policy, instancePolicy), provider),
    );
    if (issues.length > 0) return { instanceId, issues };
  }
  return null;
}
