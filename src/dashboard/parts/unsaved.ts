import { useLayoutEffect } from "preact/hooks";
import { type Route, routeOf } from "../address.ts";
import { holdPlace, query } from "../route.ts";
import { confirmed } from "./dialog.tsx";

/** Asks before what was typed is lost: by a link, by *Back*, or with the whole page. */

export interface LeavingWords {
  readonly question: string;
  readonly stakes: string;
  readonly leave: string;
}

/** Guards the place where it is used, for as long as `isUnsaved`. */
export function useLeavingGuard(isUnsaved: boolean, words: () => LeavingWords): void {
  // Before anything is drawn: whoever reads that it is saved may leave at once.
  useLayoutEffect(() => {
    if (!isUnsaved) return;
    const [place = ""] = location.hash.split("?");
    const guarded = JSON.stringify(routeOf(place));
    const isElsewhere = (next: Route) => JSON.stringify(next) !== guarded;
    let isFree = false;
    const ask = async (leave: () => void) => {
      const { question, stakes, leave: action } = words();
      if (!(await confirmed(question, stakes, action))) return;
      isFree = true;
      leave();
    };
    const onClick = (event: MouseEvent) => {
      if (isFree || event.button !== 0) return;
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (link === null || link.target === "_blank" || link.hasAttribute("download")) return;
      if (link.origin !== location.origin || link.pathname !== location.pathname) return;
      if (!isElsewhere(routeOf(link.hash))) return;
      event.preventDefault();
      event.stopPropagation();
      void ask(() => {
        location.hash = link.hash;
      });
    };
    // The address has changed by then: it is put back until the answer is there.
    const release = holdPlace((next) => {
      if (isFree || !isElsewhere(next)) return false;
      const shown = query.peek();
      history.pushState(null, "", shown.size === 0 ? place : `${place}?${shown}`);
      void ask(() => history.back());
      return true;
    });
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("click", onClick, true);
    addEventListener("beforeunload", onUnload);
    return () => {
      release();
      removeEventListener("click", onClick, true);
      removeEventListener("beforeunload", onUnload);
    };
  }, [isUnsaved]);
}
