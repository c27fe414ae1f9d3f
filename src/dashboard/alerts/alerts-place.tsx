import { loaded } from "../parts/loaded.tsx";

export const AlertsPlace = loaded(async () => (await import("./alerts-page.tsx")).AlertsPage);
