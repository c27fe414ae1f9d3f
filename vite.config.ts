import { resolve } from "node:path";
import preact from "@preact/preset-vite";
import { defineConfig } from "vite";

const root = resolve(import.meta.dirname, "src/dashboard");

/** The page and the API reference, as static assets of the Worker. */
export default defineConfig({
  root,
  plugins: [preact()],
  build: {
    // Where, says scripts/build-dashboard.ts.
    emptyOutDir: true,
    assetsDir: "built",
    // The Content-Security-Policy takes neither inline scripts nor data: style sheets.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "baseline-widely-available",
    // The API reference's library is large, and loaded by that page alone.
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      input: { index: resolve(root, "index.html"), docs: resolve(root, "docs.html") },
      // What a page begins with comes in few files: each one more is asked for, and waited for.
      output: {
        codeSplitting: {
          groups: [
            {
              name: "base",
              test: /node_modules|dashboard.(language|parts.copy-box)/,
              tags: ["$initial"],
              priority: 1,
            },
            { name: "page", test: /^(?!.*dashboard.docs)/, tags: ["$initial"] },
          ],
        },
      },
      // How slow a build is on a busy machine is no warning.
      checks: { bundlerTimings: false },
    },
  },
});
