import { signal } from "@preact/signals";
import { type SavedView, viewsIn } from "./views.ts";

/** The views that this browser keeps. */

const KEY = "dumont.views";

export const savedViews = signal<readonly SavedView[]>(viewsIn(localStorage.getItem(KEY)));

export function keepViews(views: readonly SavedView[]): void {
  savedViews.value = views;
  localStorage.setItem(KEY, JSON.stringify(views));
}

// Another tab of the same browser has changed them.
addEventListener("storage", ({ key, newValue }) => {
  if (key === KEY) savedViews.value = viewsIn(newValue);
});
