import { allFields, type Path } from "./policy-values.ts";

/** What the service says against a policy, at the field that it is about. Pure. */

export type Problem =
  | {
      readonly code: "less_than" | "at_most" | "left_out";
      readonly other: Path;
      readonly limit: number;
      readonly is: number;
    }
  | { readonly code: "one_interval" | "three_intervals"; readonly limit: number }
  | { readonly code: "no_snapshots"; readonly provider: string }
  | { readonly code: "too_small" | "too_big"; readonly limit: number }
  | { readonly code: "too_many"; readonly limit: number }
  | { readonly code: "no_day" | "whole" | "time" | "dated" | "zone" | "missing" | "window" }
  /** As the service words it. */
  | { readonly code: "other"; readonly message: string };

export interface PolicyProblem {
  /** Of the field; null where the page knows none. */
  readonly path: Path | null;
  /** The number of the row that it is about, from 1 on; null for the whole field. */
  readonly row: number | null;
  /** The instance with whose own overrides the policy would not go together. */
  readonly instance: string | null;
  readonly problem: Problem;
}

interface Issue {
  readonly path: string;
  readonly message: string;
  /** It in English, where it is in another language. */
  readonly english?: string | undefined;
}

/** Of a refusal that is about a policy; empty for any other. */
export function policyProblems(issues: readonly Issue[]): PolicyProblem[] {
  return issues.map(({ path, message, english = message }) => {
    const steps = path.replace(/^body\.?/, "").split(".");
    const inPolicy = steps[0] === "policy" ? steps.slice(1) : steps;
    const field = allFields().find(({ path: each }) => each.every((name, index) => name === inPolicy[index]));
    const row = field === undefined ? undefined : inPolicy[field.path.length];
    const [, instance = null, said = english] =
      /^for instance (\S+) (?:\(\S+, with its own overrides\) )?(.*)$/s.exec(english) ?? [];
    return {
      path: field?.path ?? null,
      row: row !== undefined && /^\d+$/.test(row) ? Number(row) + 1 : null,
      instance,
      problem: problemIn(said, message),
    };
  });
}

/** How the service words what the page words itself. */
const WORDINGS: readonly (readonly [RegExp, (...parts: string[]) => Problem])[] = [
  [
    /^must be less than (\S+) \(([\d.]+) s\), but is ([\d.]+) s$/,
    (other = "", limit, is) => ({
      code: "less_than",
      other: other.split("."),
      limit: Number(limit),
      is: Number(is),
    }),
  ],
  [
    /^must not be more than (\S+) \(([\d.]+) s\) .*but is ([\d.]+) s$/,
    (other = "", limit, is) => ({
      code: "at_most",
      other: other.split("."),
      limit: Number(limit),
      is: Number(is),
    }),
  ],
  [
    /^must leave out (\S+) \(([\d.]+) s\) .*but leaves ([\d.]+) s$/,
    (other = "", limit, is) => ({
      code: "left_out",
      other: other.split("."),
      limit: Number(limit),
      is: Number(is),
    }),
  ],
  [
    /^must be at least one heartbeat interval \(([\d.]+)\)/,
    (limit) => ({ code: "one_interval", limit: Number(limit) }),
  ],
  [
    /^must be at least three heartbeat intervals \(([\d.]+)\)/,
    (limit) => ({ code: "three_intervals", limit: Number(limit) }),
  ],
  [/^(\S+) cannot take snapshots/, (provider = "") => ({ code: "no_snapshots", provider })],
  [/^Too small: expected array to have >=1 /, () => ({ code: "no_day" })],
  [/^Too big: expected array to have <=(\d+) /, (limit) => ({ code: "too_many", limit: Number(limit) })],
  [/^Too small: expected \w+ to be >=(\S+)$/, (limit) => ({ code: "too_small", limit: Number(limit) })],
  [/^Too big: expected \w+ to be <=(\S+)$/, (limit) => ({ code: "too_big", limit: Number(limit) })],
  [/^Invalid input: expected int/, () => ({ code: "whole" })],
  [/^Invalid input: expected .*undefined$/, () => ({ code: "missing" })],
  // Of a window that may be weekly or dated, nothing more is said.
  [/^Invalid input$/, () => ({ code: "window" })],
  [/^must be a time of day/, () => ({ code: "time" })],
  [/^must be after `from`/, () => ({ code: "dated" })],
  [/^must be the name of a time zone/, () => ({ code: "zone" })],
];

function problemIn(english: string, message: string): Problem {
  for (const [wording, problemOf] of WORDINGS) {
    const found = wording.exec(english);
    if (found !== null) return problemOf(...found.slice(1));
  }
  return { code: "other", message };
}
