import { loaded } from "../parts/loaded.tsx";

export const ReplayPlace = loaded(async () => (await import("./replay-part.tsx")).ReplayPart);
