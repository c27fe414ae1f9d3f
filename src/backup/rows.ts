import { logWarning } from "../platform/log.ts";
import { type Line, lineSchema } from "./lines.ts";

/** Rows as lines. One that can't be a line is left out, so that it keeps nothing else from being exported. */
export function linesOf(type: Line["type"], rows: readonly unknown[]): Line[] {
  return rows.flatMap((row) => {
    const line = lineSchema.safeParse({ type, ...(typeof row === "object" ? row : {}) });
    if (!line.success) {
      logWarning("a row is left out of an export", { type, path: line.error.issues[0]?.path.join(".") });
    }
    return line.success ? [line.data] : [];
  });
}
