import { POLICY_FIELDS, SECTIONS_OF_LEVEL } from "../policy-fields.ts";
import { fieldsOf, type Path, type PlacedField } from "../policy-values.ts";
import { LADDERS, type LadderName, RUNG_FIELDS } from "./ladder.ts";

/** Which fields of a policy are seen at first, and under which heading each of the others is folded. Pure. */

export type PolicyLevel = keyof typeof SECTIONS_OF_LEVEL;

export type SectionName = (typeof SECTIONS_OF_LEVEL)["user"][number] | "running" | "sources";

export interface Section {
  readonly name: SectionName;
  readonly fields: readonly PlacedField[];
}

export interface Arrangement {
  readonly mode: readonly PlacedField[];
  readonly ladders: Readonly<Record<LadderName, readonly PlacedField[]>>;
  readonly folded: readonly Section[];
}

const MODE: Path = ["mode"];
const THRESHOLD: Path = ["idle", "threshold_percent"];

const keyOf = (path: Path) => path.join(".");

const rungPaths = (name: LadderName): Path[] =>
  LADDERS[name].flatMap((rung) => {
    const field = RUNG_FIELDS[name][rung];
    return field === undefined ? [] : [field.path];
  });

const FIRST: Readonly<Record<LadderName, readonly Path[]>> = {
  idle: [THRESHOLD, ...rungPaths("idle")],
  silence: rungPaths("silence"),
};

export function arrangementOf(level: PolicyLevel): Arrangement {
  const seen = new Set([MODE, ...FIRST.idle, ...FIRST.silence].map(keyOf));
  const others = (fields: readonly PlacedField[]) => fields.filter(({ path }) => !seen.has(keyOf(path)));
  const sectionOf = (name: (typeof SECTIONS_OF_LEVEL)["user"][number]): Section[] => {
    const own: Section = { name, fields: others(fieldsOf(POLICY_FIELDS[name], [name])) };
    if (name !== "idle") return [own];
    return [own, { name: "sources", fields: fieldsOf(POLICY_FIELDS.idle.sources, ["idle", "sources"]) }];
  };
  const standing = fieldsOf(POLICY_FIELDS);
  return {
    mode: standing.filter(({ path }) => keyOf(path) === keyOf(MODE)),
    ladders: { idle: fieldsAt(FIRST.idle), silence: fieldsAt(FIRST.silence) },
    folded: [...SECTIONS_OF_LEVEL[level].flatMap(sectionOf), { name: "running", fields: others(standing) }],
  };
}

function fieldsAt(paths: readonly Path[]): PlacedField[] {
  const all = [...fieldsOf(POLICY_FIELDS.idle, ["idle"]), ...fieldsOf(POLICY_FIELDS.orphan, ["orphan"])];
  return paths.flatMap((path) => all.filter((field) => keyOf(field.path) === keyOf(path)));
}
