// The page behind a link needs no script: where there is one, it counts down to what the page tells by its time.
const SECOND_MS = 1000;

for (const place of document.querySelectorAll("[data-until]")) {
  const until = Date.parse(place.dataset.until);
  const show = () => {
    const seconds = Math.max(0, Math.round((until - Date.now()) / SECOND_MS));
    const parts = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
    place.textContent = parts.map((part) => String(part).padStart(2, "0")).join(":");
  };
  show();
  setInterval(show, SECOND_MS);
}
