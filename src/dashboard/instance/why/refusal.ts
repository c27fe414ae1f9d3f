import type { ApiError } from "../../api-error.ts";

/** Why nothing is told of a moment, so that the page can say it in its own words. */
export type MomentRefusal =
  | { readonly is: "future" }
  /** `from`: ISO. */
  | { readonly is: "not_registered" | "not_kept_any_more"; readonly from: string };

/** Null for what only the service can word. Pure. */
export function refusalIn({ issues }: Pick<ApiError, "issues">): MomentRefusal | null {
  const message = issues.find(({ path }) => path === "query.at")?.message ?? "";
  if (message === "must not be in the future") return { is: "future" };
  const [, what, from] =
    /^must not be before (the instance was registered|what is kept) \((\S+)\)$/.exec(message) ?? [];
  if (from === undefined || Number.isNaN(Date.parse(from))) return null;
  return { is: what === "what is kept" ? "not_kept_any_more" : "not_registered", from };
}
