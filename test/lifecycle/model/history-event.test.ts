import { describe, expect, it } from "vitest";
import {
  type HistoryEvent,
  historyEventKindSchema,
  isAlert,
  severitySchema,
} from "../../../src/lifecycle/model/history-event.ts";

describe("an event", () => {
  const event = (kind: HistoryEvent["kind"], detail: HistoryEvent["detail"] = {}): HistoryEvent => ({
    id: "1",
    at: 0,
    kind,
    severity: "info",
    message: "",
    detail,
  });

  it("is a notice unless its owner made or expects it", () => {
    const quiet = historyEventKindSchema.options.filter((kind) => !isAlert(event(kind)));
    expect(quiet.toSorted()).toEqual([
      "changed",
      "cleanup",
      "cost_report",
      "first_heartbeat",
      "guard_deferred",
      "guard_permitted",
      "hibernate_all",
      "hibernating",
      "kept_alive",
      "looked",
      "operator_acted",
      "policy_changed",
      "preparation_cancelled",
      "prepared",
      "preparing",
      "rebooted",
      "reconciliation",
      "registered",
      "resumed",
      "token_rotated",
      "user_deleted",
      "user_resumed",
      "user_suspended",
      "waking",
    ]);
  });

  it("of a flapping instance, or of a failure that repeats, is none", () => {
    expect(isAlert(event("orphaned", { flapping: true }))).toBe(false);
    expect(isAlert(event("orphaned", { flapping: false }))).toBe(true);
    expect(isAlert(event("delete_failed", { repeated: true }))).toBe(false);
    expect(isAlert(event("delete_failed", { repeated: false }))).toBe(true);
  });

  it("of a step that is held is one only where no closed guard has told it", () => {
    expect(isAlert(event("guard_deferred", { guard: "unknown" }))).toBe(true);
    expect(isAlert(event("guard_deferred", { step: "hibernate" }))).toBe(false);
  });

  it("is of three severities", () => {
    expect(severitySchema.options).toEqual(["info", "warning", "critical"]);
  });
});
