import { effect } from "@preact/signals";
import type { Route } from "./address.ts";
import { newStep, query, route, stepNow } from "./route.ts";

/**
 * A new place begins at its top, and *Back* goes to where one was. The browser itself looks for that only once, before what the
 * place reads from the service is there.
 */

const KEY = "dumont.heights";

/** As many steps as are remembered. */
const STEPS_AT_MOST = 100;

/** A place may be as long as it was only after a while. */
const LONGEST_WAIT_MS = 10_000;

const heights = new Map<string, number>(kept());
let stopWaiting: (() => void) | null = null;

/** The step that the page shows: while it is left, the browser already names the next one. */
let shownStep = "";

/** Begins to keep account of where on the page the user is. */
export function keepScrolling(): void {
  history.scrollRestoration = "manual";
  if (heights.has(stepNow())) goBackTo(heights.get(stepNow()) ?? 0);
  else history.replaceState({ step: newStep() }, "");
  shownStep = stepNow();
  let shown = placeOf(route.peek());
  // Each step is remembered as it is left: the browser tells of a scroll only at the next frame, and may be elsewhere by then.
  effect(() => {
    const place = placeOf(route.value);
    void query.value;
    remember();
    shownStep = stepNow();
    if (place === shown) return;
    shown = place;
    scrollTo({ top: 0, behavior: "instant" });
  });
  // The page follows the address before this is called, so the effect has run.
  addEventListener("popstate", () => {
    stopWaiting?.();
    if (stepNow() === "") history.replaceState({ step: newStep() }, "");
    else goBackTo(heights.get(stepNow()) ?? 0);
    shownStep = stepNow();
  });
  addEventListener("scroll", remember, { passive: true });
  addEventListener("pagehide", () => {
    remember();
    sessionStorage.setItem(KEY, JSON.stringify([...heights]));
  });
}

/** What begins at its top. The parts of an instance's page share their head. */
function placeOf(at: Route): string {
  return at.page === "instance" ? `instance ${at.instanceId}` : JSON.stringify(at);
}

function remember(): void {
  if (stopWaiting !== null) return;
  heights.delete(shownStep);
  heights.set(shownStep, scrollY);
  const [oldest] = heights.keys();
  if (heights.size > STEPS_AT_MOST && oldest !== undefined) heights.delete(oldest);
}

/** Holds the page at `height` while it grows, until somebody moves it. */
function goBackTo(height: number): void {
  const hold = () => scrollTo({ top: height, behavior: "instant" });
  const growth = new ResizeObserver(hold);
  const timer = setTimeout(stop, LONGEST_WAIT_MS);
  const moves = ["wheel", "touchstart", "pointerdown", "keydown"];
  function stop(): void {
    stopWaiting = null;
    clearTimeout(timer);
    growth.disconnect();
    for (const move of moves) removeEventListener(move, stop);
  }
  for (const move of moves) addEventListener(move, stop, { passive: true });
  stopWaiting = stop;
  growth.observe(document.body);
  hold();
}

function kept(): [string, number][] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    if (!Array.isArray(stored)) return [];
    return stored.flatMap((entry: unknown): [string, number][] => {
      if (!Array.isArray(entry)) return [];
      const [step, height]: unknown[] = entry;
      return typeof step === "string" && typeof height === "number" ? [[step, height]] : [];
    });
  } catch {
    return [];
  }
}
