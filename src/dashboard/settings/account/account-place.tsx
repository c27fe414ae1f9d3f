import { loaded } from "../../parts/loaded.tsx";

export const AccountPlace = loaded(async () => (await import("./account-section.tsx")).AccountSection);
