/** What a reading showed, as the service says it in one line, taken apart, so that the page can say it in its own words. Pure. */

export type EvidencePart =
  | { readonly is: "metric"; readonly metric: "GPU" | "CPU"; readonly percent: number }
  /** `value` is null where only its name is said. */
  | { readonly is: "source"; readonly name: string; readonly value: number | null }
  | { readonly is: "more"; readonly count: number }
  | { readonly is: "unread"; readonly name: string }
  | { readonly is: "no_reading" }
  /** Of which no more is kept. */
  | { readonly is: "hour" }
  /** As the service words it. */
  | { readonly is: "other"; readonly text: string };

export function evidenceIn(text: string): EvidencePart[] {
  return text.split("; ").flatMap(clauseIn);
}

function clauseIn(clause: string): EvidencePart[] {
  const [, metric, percent] = /^(GPU|CPU) at ([\d.]+)%$/.exec(clause) ?? [];
  if (metric === "GPU" || metric === "CPU") return [{ is: "metric", metric, percent: Number(percent) }];
  if (clause === "no reading") return [{ is: "no_reading" }];
  if (clause === "an hour with work") return [{ is: "hour" }];
  const [, unread] = /^(.+) cannot be read$/.exec(clause) ?? [];
  if (unread !== undefined) return unread.split(", ").map(unreadIn);
  const [, inUse] = /^in use: (.+)$/.exec(clause) ?? [];
  if (inUse !== undefined) return inUse.split(", ").map(sourceIn);
  return [{ is: "other", text: clause }];
}

function unreadIn(name: string): EvidencePart {
  return moreIn(name) ?? { is: "unread", name };
}

/** `2 ssh_connections` of what is counted, `cpu_cores 3.1` of what is measured, and `script_backup` of what says yes or no. */
function sourceIn(text: string): EvidencePart {
  const more = moreIn(text);
  if (more !== null) return more;
  const counted = /^([\d.]+) ([\w.-]+)$/.exec(text);
  if (counted !== null) return { is: "source", name: counted[2] ?? "", value: Number(counted[1]) };
  const measured = /^([\w.-]+) ([\d.]+)$/.exec(text);
  if (measured !== null) return { is: "source", name: measured[1] ?? "", value: Number(measured[2]) };
  return /^[\w.-]+$/.test(text) ? { is: "source", name: text, value: null } : { is: "other", text };
}

function moreIn(text: string): EvidencePart | null {
  const [, count] = /^(\d+) more$/.exec(text) ?? [];
  return count === undefined ? null : { is: "more", count: Number(count) };
}
