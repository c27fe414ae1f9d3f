import type { styleText } from "node:util";
import type { LifecycleEvent, LiveInstance } from "../client.ts";
import { asInLife, spoken } from "./as-in-life.ts";

/** What the demo shows, for a terminal of 80 × 24. Pure. */

export const COLUMNS = 80;
const EVENTS = 6;

export interface Shown {
  readonly url: string;
  /** Signs in once. */
  readonly signInUrl: string;
  /** Where the token for `curl` lies. */
  readonly tokenFile: string;
  /** How much faster than in life the service's clock runs. */
  readonly speed: number;
  readonly elapsedSeconds: number;
  /** Null once all that was promised has been told: it goes on until it is interrupted. */
  readonly secondsLeft: number | null;
  readonly instances: readonly LiveInstance[];
  /** Newest first. */
  readonly events: readonly LifecycleEvent[];
  /** Dollars, by the service's own clock. */
  readonly savedDollars: number;
}

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

/** The lines of the screen, none longer than it is wide but for the link, which must stay whole. */
export function screenOf(shown: Shown, paint: Paint): string[] {
  const { instances, events, speed } = shown;
  const names = new Map(instances.map(({ instance_id, name }) => [instance_id, name]));
  return [
    heading(shown, paint),
    "Open the page, signed in (the link works once):",
    paint(["cyan", "underline"], shown.signInUrl),
    "",
    ...table(instances, speed, paint),
    totals(shown, paint),
    "",
    ...events.slice(0, EVENTS).map((event) => eventLine(event, names, speed, paint)),
    paint("dim", clipped(`curl ${shown.url}/api/agent/instances \\`)),
    paint("dim", clipped(`  -H "Authorization: Bearer $(cat ${shown.tokenFile})"`)),
  ];
}

function heading({ speed, elapsedSeconds, secondsLeft }: Shown, paint: Paint): string {
  const left = secondsLeft === null ? "Ctrl-C ends it" : `${Math.max(0, Math.round(secondsLeft))} s left`;
  const title = "Dumont Agent System";
  const rest = ` · a second is ${spoken(speed)} · ${spoken(elapsedSeconds * speed)} so far · ${left}`;
  return `${paint("bold", title)}${rest}`;
}

const WIDTHS = { name: 19, status: 11, gpu: 5, heard: 10, today: 7 } as const;

function row(
  cells: Readonly<Record<keyof typeof WIDTHS, string>> & { readonly next: string },
  paintStatus: (text: string) => string,
): string {
  const start = `${clipped(cells.name, WIDTHS.name).padEnd(WIDTHS.name)} `;
  const numbers = `${cells.gpu.padStart(WIDTHS.gpu)} ${clipped(cells.heard, WIDTHS.heard).padStart(WIDTHS.heard)} ${clipped(cells.today, WIDTHS.today).padStart(WIDTHS.today)}`;
  const before = Object.values(WIDTHS).reduce((sum, width) => sum + width + 1, 1);
  return `${start}${paintStatus(cells.status.padEnd(WIDTHS.status))} ${numbers}  ${clipped(cells.next, COLUMNS - before)}`;
}

function table(instances: readonly LiveInstance[], speed: number, paint: Paint): string[] {
  const titles = {
    name: "machine",
    status: "status",
    gpu: "GPU",
    heard: "last heard",
    today: "today",
    next: "next step",
  };
  return [
    paint(
      "dim",
      row(titles, (text) => text),
    ),
    ...instances.map((instance) => {
      const { name, status, health, seconds_since_heartbeat: heard, gpu_utilization: gpu } = instance;
      return row(
        {
          name,
          status: status === "running" && health === "idle" ? "idle" : status,
          gpu: gpu === null ? "" : `${Math.round(gpu)} %`,
          heard: heard === null ? "" : spoken(heard * speed),
          today: `$${instance.cost_today.toFixed(2)}`,
          next: nextStep(instance, speed),
        },
        (text) => paint(colourOf(instance), text),
      );
    }),
  ];
}

function colourOf({ status, health }: LiveInstance): Style {
  if (status === "orphaned") return "red";
  if (status === "running") return health === "healthy" ? "green" : "yellow";
  return status === "hibernated" ? "blue" : "dim";
}

function nextStep({ lifecycle, keep_alive_until }: LiveInstance, speed: number): string {
  if (keep_alive_until !== null) return "kept alive by hand";
  const { next_step, in_seconds, blocked_by } = lifecycle;
  if (next_step === null || in_seconds === null) return "";
  // A step that nobody can take has no countdown.
  if (blocked_by !== null) return blocked_by === "no_provider" ? "nobody can stop it" : `held: ${blocked_by}`;
  return `${next_step.replace("_", "-")} in ${spoken(in_seconds * speed)}`;
}

function totals({ instances, savedDollars, speed }: Shown, paint: Paint): string {
  const today = instances.reduce((sum, { cost_today }) => sum + cost_today, 0);
  const saved = paint(["bold", "green"], `$${(savedDollars * speed).toFixed(2)} saved by hibernating`);
  return `$${today.toFixed(2)} spent today · ${saved}`;
}

const SIGNS = { info: ["dim", " "], warning: ["yellow", "!"], critical: ["red", "‼"] } as const;

function eventLine(
  { severity, instance_id, message }: LifecycleEvent,
  names: ReadonlyMap<string, string>,
  speed: number,
  paint: Paint,
): string {
  const [style, sign] = severity === "critical" || severity === "warning" ? SIGNS[severity] : SIGNS.info;
  const who = instance_id === null ? "" : `${names.get(instance_id) ?? instance_id}: `;
  return paint(style, clipped(`${sign} ${who}${asInLife(message, speed)}`));
}

function clipped(text: string, width = COLUMNS): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}
