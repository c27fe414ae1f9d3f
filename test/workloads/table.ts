import { compilePolicy } from "../../src/lifecycle/model/policy.ts";
import { mergePolicy } from "../../src/lifecycle/model/policy-settings.ts";
import { PRESETS, type Preset } from "../../src/lifecycle/model/presets.ts";
import { type Agent, type Day, daysOf, overridesOf, replaysOf, SEEDS } from "./judge.ts";
import type { Workload } from "./machine.ts";
import type { Replay } from "./sampling.ts";
import { WORKLOADS } from "./workloads.ts";

/** The generated parts of docs/idleness.md: what happens to each workload, and how often its windows look idle. */

/** What happens to a workload on its days, in words, and whether that is right. */
export interface Verdict {
  readonly says: string;
  readonly isRight: boolean;
}

export interface Row {
  readonly workload: Workload;
  readonly verdicts: Readonly<Record<Agent, Readonly<Record<Preset, Verdict>>>>;
  readonly idleWindows: Readonly<Record<Agent, number>>;
}

/** An unused machine may run on for so long beyond the policy's time: a beat or two, and what the machine does by itself. */
const SLACK_SECONDS = 240;

export function rows(): readonly Row[] {
  return WORKLOADS.map((workload) => {
    const replays = replaysOf(workload);
    const of = (agent: Agent) => {
      const by = (preset: Preset) => judged(workload, preset, daysOf(workload, replays, agent, preset));
      return { thrifty: by("thrifty"), balanced: by("balanced"), careful: by("careful") };
    };
    return {
      workload,
      verdicts: { before: of("before"), after: of("after") },
      idleWindows: { before: idleWindows(replays, "before"), after: idleWindows(replays, "after") },
    };
  });
}

function judged(workload: Workload, preset: Preset, days: readonly Day[]): Verdict {
  const stopped = days.filter(({ stoppedAt }) => stoppedAt !== null);
  const told = (kind: string) => days.every((day) => day.told.includes(kind));
  switch (workload.truth) {
    case "works":
      return stopped.length === 0 ? right("works on") : wrong(`stopped at work${when(stopped)}`);
    case "unused":
      if (stopped.some(({ quietSeconds }) => quietSeconds === 0))
        return wrong(`stopped at work${when(stopped)}`);
      if (stopped.length < days.length) return wrong("runs on");
      return isInTime(workload, stopped, preset)
        ? right(`hibernated ${after(stopped)}`)
        : wrong(`hibernated ${after(stopped)}, not in time`);
    case "stuck":
      if (stopped.length > 0) return wrong(`stopped${when(stopped)}`);
      return told("looks_stuck") ? right("told: looks stuck") : wrong("not noticed");
    case "unreadable":
      if (stopped.length > 0) return wrong(`stopped${when(stopped)}`);
      return told("source_unknown") ? right("runs on, and told") : wrong("runs on, unseen");
  }
}

const right = (says: string): Verdict => ({ says, isRight: true });
const wrong = (says: string): Verdict => ({ says, isRight: false });

/** The soonest, and on how many of the days. */
function when(stopped: readonly Day[]): string {
  const soonest = Math.min(...stopped.map(({ stoppedAt }) => stoppedAt ?? 0));
  const share = stopped.length === SEEDS.length ? "" : `, ${stopped.length} of ${SEEDS.length} days`;
  return ` (after ${Math.floor(soonest / 60)} min${share})`;
}

/** Counted from its last work. */
function after(stopped: readonly Day[]): string {
  const minutes = stopped.map(({ quietSeconds }) => Math.floor((quietSeconds ?? 0) / 60));
  const [least, most] = [Math.min(...minutes), Math.max(...minutes)];
  return `after ${least === most ? least : `${least}–${most}`} min`;
}

function isInTime(workload: Workload, stopped: readonly Day[], preset: Preset): boolean {
  const { hibernateAfterMs } = compilePolicy(mergePolicy(overridesOf(workload, preset))).idle;
  const due = hibernateAfterMs / 1000;
  return stopped.every(({ quietSeconds }) => {
    return quietSeconds !== null && quietSeconds >= due && quietSeconds <= due + SLACK_SECONDS;
  });
}

const WINDOW_BEATS = 6;

/** The share of all windows of five minutes in which no heartbeat shows the GPU at 5 % or more. */
function idleWindows(replays: readonly Replay[], agent: Agent): number {
  let windows = 0;
  let idle = 0;
  for (const { beats } of replays) {
    const shows = beats.map((beat) => {
      const report = beat[agent];
      return (report.gpu_utilization_max ?? report.gpu_utilization ?? 100) >= 5;
    });
    for (let first = 0; first + WINDOW_BEATS <= shows.length; first++) {
      windows += 1;
      if (!shows.slice(first, first + WINDOW_BEATS).includes(true)) idle += 1;
    }
  }
  return idle / windows;
}

const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;

function workloadTable(all: readonly Row[]): string {
  const cells = (row: Row, agent: Agent) =>
    PRESETS.map((preset) => row.verdicts[agent][preset]).map(({ says, isRight }) =>
      isRight ? says : `**${says}**`,
    );
  const heads = (agent: Agent) => PRESETS.map((preset) => `${agent}: ${preset}`);
  const head = ["workload", ...heads("before"), ...heads("after")];
  return [
    line(head),
    line(head.map(() => "---")),
    ...all.map((row) => line([row.workload.name, ...cells(row, "before"), ...cells(row, "after")])),
  ].join("");
}

/** Workloads with the same story are told once. */
function stories(all: readonly Row[]): string {
  const names = new Map<string, string[]>();
  for (const { workload } of all)
    names.set(workload.story, [...(names.get(workload.story) ?? []), workload.name]);
  return [...names].map(([story, of]) => `- **${of.join("; ")}**: ${story}\n`).join("");
}

function windowTable(all: readonly Row[]): string {
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const head = ["requests a minute", "one look a minute", "the whole time"];
  return [
    line(head),
    line(head.map(() => "---")),
    ...all.flatMap(({ workload: { requestsPerMinute }, idleWindows: { before, after: now } }) =>
      requestsPerMinute === undefined ? [] : line([String(requestsPerMinute), percent(before), percent(now)]),
    ),
  ].join("");
}

const SECTIONS = { workloads: workloadTable, stories, windows: windowTable } as const;

/** The document with these parts as the rules have them. Throws when the document has no place for one. */
export function withWorkloads(document: string, all: readonly Row[] = rows()): string {
  return Object.entries(SECTIONS).reduce((text, [name, make]) => {
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
    const [before, rest] = text.split(begin);
    const [, following] = rest?.split(end) ?? [];
    if (before === undefined || following === undefined) throw new Error(`the document has no ${begin}`);
    return `${before}${begin}${make(all)}${end}${following}`;
  }, document);
}
