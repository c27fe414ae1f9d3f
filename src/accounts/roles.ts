import { z } from "zod";

/**
 * What somebody may do in an account. `metrics` scrapes and does nothing else; `viewer` sees; `operator` sees and acts on
 * machines, policies and channels; `owner` also holds the keys: tokens, people, and the credentials of providers.
 */
export const roleSchema = z.enum(["metrics", "viewer", "operator", "owner"]);

export type Role = z.infer<typeof roleSchema>;

const RANK: Readonly<Record<Role, number>> = { metrics: 0, viewer: 1, operator: 2, owner: 3 };

/** Whether who has `role` may do what needs `needed`. */
export function isAtLeast(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}
