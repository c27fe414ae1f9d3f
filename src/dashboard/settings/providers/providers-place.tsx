import { loaded } from "../../parts/loaded.tsx";

export const ProvidersPlace = loaded(async () => (await import("./providers-part.tsx")).ProvidersPart);
