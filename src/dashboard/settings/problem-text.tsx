import type { ComponentChildren } from "preact";
import { number } from "../format.ts";
import { language, words } from "../words.ts";
import { inSeconds } from "./duration-input.tsx";
import { writeDuration } from "./policy/durations.ts";
import { policyEditorWords } from "./policy/words.ts";
import { fieldLabel } from "./policy-field.tsx";
import type { FieldKind } from "./policy-fields.ts";
import type { PolicyProblem } from "./policy-problems.ts";
import { allFields, type Path } from "./policy-values.ts";

/** What is wrong with a policy, in the reader's language. What the page has no words for is as the service words it. */
export function ProblemText({ of: { path, row, instance, problem } }: { of: PolicyProblem }) {
  const { problems, windows } = words.value.policy;
  const text = wordsOf(path, problem);
  if (typeof text !== "string") return <>{text}</>;
  const inRow = row === null ? text : `${windows.row(row)}: ${text}`;
  return <>{instance === null ? inRow : problems.forInstance(instance, inRow)}</>;
}

function wordsOf(path: Path | null, problem: PolicyProblem["problem"]): ComponentChildren {
  const { problems } = words.value.policy;
  switch (problem.code) {
    case "less_than":
      return problems.lessThan(fieldLabel(problem.other), duration(problem.limit), duration(problem.is));
    case "at_most":
      return problems.atMost(fieldLabel(problem.other), duration(problem.limit), duration(problem.is));
    case "left_out":
      return problems.leftOut(fieldLabel(problem.other), duration(problem.limit), duration(problem.is));
    case "one_interval":
      return problems.oneInterval(duration(problem.limit));
    case "three_intervals":
      return problems.threeIntervals(duration(problem.limit));
    case "no_snapshots":
      return problems.noSnapshots(problem.provider);
    case "too_small":
      return problems.tooSmall(limitText(path, problem.limit));
    case "too_big":
      return problems.tooBig(limitText(path, problem.limit));
    case "too_many":
      return problems.tooMany(String(problem.limit));
    case "no_day":
      return problems.noDay;
    case "whole":
      return problems.whole;
    case "time":
      return problems.time;
    case "dated":
      return problems.dated;
    case "zone":
      return problems.zone;
    case "missing":
      return problems.missing;
    case "window":
      return problems.window;
    case "other":
      return problem.message;
  }
}

function limitText(path: Path | null, limit: number): string {
  const kind = path === null ? null : kindAt(path);
  return kind?.type === "duration" ? duration(inSeconds(limit, kind.unit)) : number(limit, language.value, 2);
}

function kindAt(path: Path): FieldKind | null {
  return allFields().find(({ path: each }) => each.join(".") === path.join("."))?.kind ?? null;
}

/** As it is written in the fields. */
function duration(seconds: number): string {
  return writeDuration(seconds, policyEditorWords.value.durations.units);
}
