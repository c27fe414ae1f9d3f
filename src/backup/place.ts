import { z } from "zod";
import type { Line } from "./lines.ts";

/** Where the last page ended. */
export const exportPlaceSchema = z.discriminatedUnion("part", [
  z.object({ part: z.literal("account"), after: z.string().max(200) }),
  z.object({ part: z.literal("enrollments"), after: z.array(z.string().max(200)).max(2) }),
  z.object({ part: z.literal("people") }),
  z.object({ part: z.literal("identities"), after: z.array(z.string().max(2000)).max(2) }),
  z.object({ part: z.literal("acts"), after: z.array(z.union([z.string().max(200), z.number()])).max(2) }),
  z.object({ part: z.literal("fleet") }),
  z.object({
    part: z.literal("instances"),
    after: z.string().max(200),
    /** Of the owner's policy, as the line of the fleet has it. A cursor of the former release does not say. */
    version: z.int().min(0).optional(),
  }),
  z.object({
    part: z.enum(["event", "heartbeats", "hour", "cost_day"]),
    shard: z.int().min(0),
    after: z.array(z.union([z.string().max(200), z.number()])).max(3),
  }),
]);

export type ExportPlace = Readonly<z.infer<typeof exportPlaceSchema>>;
export type HistoryPart = Extract<ExportPlace, { shard: number }>["part"];

export const FIRST_EXPORT: ExportPlace = { part: "account", after: "" };

export interface ExportedPage {
  readonly lines: readonly Line[];
  readonly next: ExportPlace | null;
}
