import { computed, signal } from "@preact/signals";
import { type ReferenceDocument, readDocument, search } from "./document.ts";

/** What the reference shows, and what of it is open. */

export const reference = signal<ReferenceDocument | null>(null);

export const isUnreachable = signal(false);

export const shapes = computed(() => reference.value?.shapes ?? {});

export const wanted = signal("");

export const found = computed(() => search(reference.value?.groups ?? [], wanted.value));

/** The operation that the address names. */
export const chosen = signal(chosenIn(location.hash));

addEventListener("hashchange", () => {
  chosen.value = chosenIn(location.hash);
});

function chosenIn(fragment: string): string {
  return fragment.replace(/^#/, "");
}

export async function load(): Promise<void> {
  try {
    const response = await fetch("/openapi.json");
    reference.value = readDocument(await response.json());
  } catch {
    isUnreachable.value = true;
  }
}
