import { z } from "zod";
import type { HistoryEvent, HistoryEventKind, Severity } from "../lifecycle/model/history-event.ts";
import { openEnum, storedDetail } from "../lifecycle/model/stored.ts";

/** What happened to the service itself. */
export type ServiceEvent = HistoryEvent;

/** A row with an event, here and in D1. */
export const eventRow = z
  .object({
    id: z.string(),
    at: z.number(),
    kind: openEnum<HistoryEventKind>(),
    severity: openEnum<Severity>(),
    message: z.string(),
    detail: storedDetail,
  })
  .transform((row): ServiceEvent => ({ ...row, ...row.detail }));

/** What the daily cleanup did. */
export const cleanupSchema = z.object({
  startedAt: z.number(),
  instances: z.number(),
  unreachable: z.number(),
  /** What it passed over, by what that is; a former release does not say. */
  failures: z.record(z.string(), z.number()).optional(),
});

export type Cleanup = Readonly<z.infer<typeof cleanupSchema>>;
