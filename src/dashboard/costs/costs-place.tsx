import { loaded } from "../parts/loaded.tsx";

export const CostsPlace = loaded(async () => (await import("./costs-page.tsx")).CostsPage);
