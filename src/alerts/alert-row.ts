import { z } from "zod";
import { type HistoryEventKind, severitySchema } from "../lifecycle/model/history-event.ts";
import { openEnum, storedDetail } from "../lifecycle/model/stored.ts";
import type { Alert } from "./notice.ts";

/** An alert as a database has it: a row of its event, with the instance's where there still is one. */
export const alertRow = z
  .object({
    id: z.string(),
    instance_id: z.string(),
    name: z.string().nullable(),
    registered_at: z.number().nullable(),
    kind: openEnum<HistoryEventKind>(),
    // One of a newer version is told as what most channels want to hear.
    severity: severitySchema.catch("warning"),
    message: z.string(),
    at: z.number(),
    detail: storedDetail,
  })
  .transform(
    (row): Alert => ({
      eventId: row.id,
      instanceId: row.instance_id,
      name: row.name ?? row.instance_id,
      registeredAt: row.registered_at,
      kind: row.kind,
      severity: row.severity,
      message: row.message,
      at: row.at,
      ...row.detail,
    }),
  );
