import type { Said } from "./said.ts";

/**
 * The words of a code: text with places for its parameters.
 * - `{because}`: something that is said, a phrase or words of somebody else.
 * - `{name:text}`: a name, as it is.
 * - `{percent:number}`, `{at:time}`, `{left:short}` and `{silence:long}` (durations in ms), `{rate:dollars}`.
 * - `{from:day}`, `{at:month}` and `{at:monthname}`: a day, a month, and a month without its year, all of UTC.
 * - `{count:machine|machines}`: one of the two, by the number.
 */
type ValueOf<Kind extends string> = Kind extends "text" ? string : number;

type Place<Inner extends string> = Inner extends `${infer Name}:${infer Kind}`
  ? { readonly [Key in Name]: ValueOf<Kind> }
  : { readonly [Key in Inner]: Said };

/** The parameters that a template asks for. */
export type ParametersOf<Template extends string> = Template extends `${string}{${infer Inner}}${infer Rest}`
  ? Place<Inner> & ParametersOf<Rest>
  : unknown;

/** The same codes in another language. */
export type Translation<English extends object> = Readonly<Record<keyof English, string>>;

export type Part =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "said"; readonly name: string }
  | { readonly is: "choice"; readonly name: string; readonly one: string; readonly other: string }
  | { readonly is: Format; readonly name: string };

const FORMATS = ["name", "number", "time", "day", "month", "monthname", "short", "long", "dollars"] as const;

type Format = (typeof FORMATS)[number];

/** The parts of a template, in their order. */
export function partsOf(template: string): readonly Part[] {
  return template.split(/(\{[^}]*\})/).flatMap((piece): Part[] => {
    if (piece === "") return [];
    if (!piece.startsWith("{")) return [{ is: "text", text: piece }];
    const [name = "", kind] = piece.slice(1, -1).split(":");
    if (kind === undefined) return [{ is: "said", name }];
    const [one = "", other] = kind.split("|");
    if (other !== undefined) return [{ is: "choice", name, one, other }];
    const format = FORMATS.find((each) => each === (kind === "text" ? "name" : kind));
    if (format === undefined) throw new Error(`No such kind of place: ${piece}`);
    return [{ is: format, name }];
  });
}
