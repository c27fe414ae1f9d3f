import { expect } from "vitest";
import { ADMIN_TOKEN, call } from "../../world.ts";

export interface Line {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** All that the operator is given of a user, and in how many pages. */
export async function exportAll(userId: string): Promise<{ lines: Line[]; pages: number }> {
  const lines: Line[] = [];
  let query = "";
  for (let pages = 1; ; pages++) {
    const path = `/api/admin/users/${userId}/export${query}`;
    const { status, body } = await call("GET", path, { token: ADMIN_TOKEN });
    expect(status).toBe(200);
    lines.push(...body.lines);
    if (body.next_cursor === null) return { lines, pages };
    query = `?cursor=${body.next_cursor}`;
  }
}
