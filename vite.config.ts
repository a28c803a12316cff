// Builds static/js and static/css into static/dist, with the manifest that django-vite reads.
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [tailwindcss()],
  // Relative, so that fonts resolve under any STATIC_URL.
  base: "./",
  publicDir: false,
  build: {
    outDir: "static/dist",
    // A server that runs goes on serving the files it knows; scripts/prepare.py removes old ones.
    emptyOutDir: false,
    manifest: "manifest.json",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { app: "static/js/app.ts", canvas: "static/canvas/main.tsx" },
      checks: { pluginTimings: false },
      // React Flow says "use client" in its file, which means nothing here.
      onwarn: (warning, tell) => (warning.code === "MODULE_LEVEL_DIRECTIVE" ? undefined : tell(warning)),
    },
  },
});
