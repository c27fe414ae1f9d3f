import { env } from "cloudflare:workers";
import { type Aged, deleteHoursPage, rollUpPage } from "../../src/history/retention.ts";
import { WALK_START, type WalkedTo } from "../../src/history/walk.ts";

/** Takes a walk to its end, page by page. */
export async function walk(page: (from: WalkedTo) => Promise<Aged>): Promise<Omit<Aged, "next">> {
  const sum = { rows: 0, unreadable: 0, calls: 0 };
  for (let from: WalkedTo | null = WALK_START; from !== null; ) {
    const aged: Aged = await page(from);
    sum.rows += aged.rows;
    sum.unreadable += aged.unreadable;
    sum.calls += aged.calls;
    from = aged.next;
  }
  return sum;
}

/** Rolls up what began before `before`, and deletes hours before `hoursBefore`. Returns how many chunks were rolled up. */
export async function age(before: number, hoursBefore: number): Promise<number> {
  const { rows } = await walk((from) => rollUpPage(env.DB, from, before, hoursBefore));
  await walk((from) => deleteHoursPage(env.DB, from, hoursBefore));
  return rows;
}
