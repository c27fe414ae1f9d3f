import { useEffect } from "preact/hooks";
import { routeOf } from "../address.ts";
import { query } from "../route.ts";
import { confirmed } from "./dialog.tsx";

/** Asks before what was typed is lost: by a link, by *Back*, or with the whole page. */

export interface LeavingWords {
  readonly question: string;
  readonly stakes: string;
  readonly leave: string;
}

/** Guards the place where it is used, for as long as `isUnsaved`. */
export function useLeavingGuard(isUnsaved: boolean, words: () => LeavingWords): void {
  useEffect(() => {
    if (!isUnsaved) return;
    const [place = ""] = location.hash.split("?");
    const isElsewhere = (hash: string) => JSON.stringify(routeOf(hash)) !== JSON.stringify(routeOf(place));
    let isFree = false;
    const ask = async (leave: () => void) => {
      const { question, stakes, leave: action } = words();
      if (!(await confirmed(question, stakes, action))) return;
      isFree = true;
      leave();
    };
    const onClick = (event: MouseEvent) => {
      if (isFree || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
        return;
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (link === null || link.target === "_blank" || link.hasAttribute("download")) return;
      if (link.origin !== location.origin || link.pathname !== location.pathname) return;
      if (!isElsewhere(link.hash)) return;
      event.preventDefault();
      event.stopPropagation();
      void ask(() => {
        location.hash = link.hash;
      });
    };
    // The address has changed by then: it is put back until the answer is there, and who follows it hears of neither.
    const onPopState = (event: PopStateEvent) => {
      if (isFree || !isElsewhere(location.hash)) return;
      event.stopImmediatePropagation();
      const shown = query.peek();
      history.pushState(null, "", shown.size === 0 ? place : `${place}?${shown}`);
      void ask(() => history.back());
    };
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("click", onClick, true);
    addEventListener("popstate", onPopState, true);
    addEventListener("beforeunload", onUnload);
    return () => {
      removeEventListener("click", onClick, true);
      removeEventListener("popstate", onPopState, true);
      removeEventListener("beforeunload", onUnload);
    };
  }, [isUnsaved]);
}
