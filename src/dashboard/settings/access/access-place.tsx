import { loaded } from "../../parts/loaded.tsx";

export const AccessPlace = loaded(async () => (await import("./access-section.tsx")).AccessSection);
