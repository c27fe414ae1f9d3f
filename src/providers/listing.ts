import {
  type ListedMachine,
  type MachinePage,
  type Provider,
  ProviderError,
  type Sighting,
  type UnlistedPart,
} from "./provider.ts";

/** What the drivers' lists of machines share. */

/**
 * A page, and where the next one begins: null after the last one; undefined when more follows and it is not said where.
 * That is not understood, and neither is a page that leads to itself: a list that is cut short would hide machines.
 */
export function pageOf(
  machines: readonly ListedMachine[],
  after: string | null,
  next: string | null | undefined,
  unlisted: readonly UnlistedPart[] = [],
): MachinePage {
  if (next === undefined) throw new ProviderError("unavailable", "the list goes on, and does not say where");
  if (next !== null && next === after) throw doesNotGoOn();
  return { machines, next, ...(unlisted.length === 0 ? {} : { unlisted }) };
}

function doesNotGoOn(): ProviderError {
  return new ProviderError("unavailable", "the list does not go on");
}

/** Whether a machine that the pages do not show may be there all the same. `unlisted`: of all pages together. */
export function mayBeUnlisted(unlisted: readonly UnlistedPart[] | undefined, ref: string): boolean {
  return (unlisted ?? []).some(({ refPrefix }) => ref.startsWith(refPrefix));
}

type List = NonNullable<Provider["list"]>;

/** More pages than any account has. */
const MOST_PAGES = 2_000;

/**
 * The list, which ends for whoever follows it, whatever its provider answers. Where a page begins says how many came before it, and
 * with which machine the last one began: one that comes again under another name goes on nowhere. One that leaves a part of the account
 * out is an error, unless whoever asks says that this is understood: what is not listed would look as if it were gone.
 */
export function endingList(list: List): List {
  return async (after, takesParts = false) => {
    const { pages, first, token } = placeOf(after);
    if (pages >= MOST_PAGES) throw new ProviderError("unavailable", "the list has no end");
    const page = await list(token);
    if (page.unlisted !== undefined && !takesParts) throw leavesOut(page.unlisted);
    const begin = page.machines[0]?.ref ?? "";
    if (page.next === null) return page;
    if (page.next === token || (begin !== "" && begin === first)) throw doesNotGoOn();
    return { ...page, next: `${pages + 1}|${encodeURIComponent(begin)}|${page.next}` };
  };
}

function leavesOut(unlisted: readonly UnlistedPart[]): ProviderError {
  const names = unlisted.map(({ name }) => name).join(", ");
  return new ProviderError("unavailable", `not everything can be listed now: ${names}`);
}

function placeOf(after: string | null) {
  if (after === null) return { pages: 0, first: "", token: null };
  const [, pages, first = "", token = ""] = /^(\d{1,4})\|([^|]*)\|(.*)$/s.exec(after) ?? [];
  if (pages === undefined) throw new ProviderError("refused", "no page of the list begins there");
  return { pages: Number(pages), first: decodeURIComponent(first), token };
}

/** A machine of which the list says no more than that it is there. */
export function unreadMachine(ref: string): ListedMachine {
  return {
    ref,
    name: null,
    state: "unknown",
    gpu: null,
    gpus: null,
    region: null,
    createdAt: null,
    hourlyCost: null,
    stoppedHourlyCost: null,
    memberOf: null,
  };
}

/** A time as lists write it, in ms; null where there is none, or it is not understood. */
export function momentOf(text: string | null | undefined): number | null {
  const moment = Date.parse(text ?? "");
  return Number.isNaN(moment) ? null : moment;
}

/** The state of a listed machine that a look would show like this. What is listed is there, so it is never missing. */
export function listedState({ state }: Sighting): ListedMachine["state"] {
  return state === "missing" ? "unknown" : state;
}
