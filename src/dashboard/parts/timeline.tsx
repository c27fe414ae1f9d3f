import { loaded } from "./loaded.tsx";

/** What happened, loaded when it is first looked at. */
export const Timeline = loaded(async () => (await import("../timeline/timeline-part.tsx")).TimelinePart);
