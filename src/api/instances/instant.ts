import { z } from "zod";

export const instant = z.string().describe("ISO 8601, UTC, whole seconds");
