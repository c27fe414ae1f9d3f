import { loaded } from "../../parts/loaded.tsx";

export const WhyPlace = loaded(async () => (await import("./why-part.tsx")).WhyPart);
