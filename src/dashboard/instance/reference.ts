import type { CalledProvider } from "../../lifecycle/model/provider.ts";

/** What a machine is known by at its provider, as its owner enters it: part by part where it has several. Pure. */

export type PartName = "id" | "project" | "zone" | "group" | "name";

export type Parts = Readonly<Partial<Record<PartName, string>>>;

interface ReferenceForm {
  readonly parts: readonly PartName[];
  readonly join: (part: (name: PartName) => string) => string;
  /** A whole reference, or how the provider's own pages write it. */
  readonly whole: readonly RegExp[];
}

const SINGLE: ReferenceForm = { parts: ["id"], join: (part) => part("id"), whole: [/^(?<id>.+)$/] };

const FORMS: Readonly<Partial<Record<CalledProvider, ReferenceForm>>> = {
  gcp: {
    parts: ["project", "zone", "name"],
    join: (part) => `projects/${part("project")}/zones/${part("zone")}/instances/${part("name")}`,
    whole: [/projects\/(?<project>[^/]+)\/zones\/(?<zone>[^/]+)\/instances\/(?<name>[^/?]+)/],
  },
  azure: {
    parts: ["group", "name"],
    // Azure ignores the case.
    join: (part) => `${part("group")}/${part("name")}`.toLowerCase(),
    whole: [
      /resourceGroups\/(?<group>[^/]+)\/providers\/Microsoft\.Compute\/virtualMachines\/(?<name>[^/?]+)/i,
      /^(?<group>[^/]+)\/(?<name>[^/]+)$/,
    ],
  },
  scaleway: {
    parts: ["zone", "id"],
    join: (part) => `${part("zone")}/${part("id")}`.toLowerCase(),
    whole: [/^(?<zone>[a-z]{2}-[a-z]{3}-\d)\/(?<id>[^/]+)$/i],
  },
};

const formOf = (kind: CalledProvider) => FORMS[kind] ?? SINGLE;

export function partNames(kind: CalledProvider): readonly PartName[] {
  return formOf(kind).parts;
}

/** The reference that the parts make; empty while one of them is. */
export function referenceOf(kind: CalledProvider, parts: Parts): string {
  const { parts: names, join } = formOf(kind);
  const part = (name: PartName) => parts[name]?.trim() ?? "";
  return names.some((name) => part(name) === "") ? "" : join(part);
}

/** The parts of a whole reference; null for any other text. */
export function partsOf(kind: CalledProvider, reference: string): Parts | null {
  const found = formOf(kind).whole.map((form) => reference.trim().match(form)?.groups);
  return found.find((groups) => groups !== undefined) ?? null;
}

/** What was entered for a part. A whole reference that is pasted into one fills all. */
export function withPart(kind: CalledProvider, parts: Parts, name: PartName, text: string): Parts {
  const whole = formOf(kind).parts.length > 1 ? partsOf(kind, text) : null;
  return whole ?? { ...parts, [name]: text };
}

/** An id for an instance, from its reference or its name: what of it an id may hold. */
export function suggestedId(text: string): string {
  const last = text.split("/").at(-1) ?? "";
  return last
    .normalize("NFD")
    .replaceAll(/\p{Diacritic}/gu, "")
    .replaceAll(/[^A-Za-z0-9._:-]+/g, "-")
    .replaceAll(/^[^A-Za-z0-9]+|-+$/g, "")
    .slice(0, 128);
}
