import { signal } from "@preact/signals";

/** The service's time, by which everything on the page ticks: this machine's clock may be off. */

const TICK_MS = 1000;
/** The service tells whole seconds. */
const RESOLUTION_MS = 1500;

let offsetMs = 0;

export const now = signal(Date.now());

export function setServerTime(iso: string): void {
  const measured = Date.parse(iso) - Date.now();
  if (Math.abs(measured - offsetMs) > RESOLUTION_MS) offsetMs = measured;
  now.value = Date.now() + offsetMs;
}

setInterval(() => {
  if (!document.hidden) now.value = Date.now() + offsetMs;
}, TICK_MS);
