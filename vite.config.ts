// Builds static/js and static/css into static/dist, with the manifest that django-vite reads.
import tailwindcss from "@tailwindcss/vite";
import { defineConfig, type Plugin } from "vite";

/** React Flow draws exactly what is seen, and has no setting for a margin: where it asks what that is, it is told more. */
function margin(): Plugin {
  const words: [string, string][] = [
    ["getNodesInside(s.nodeLookup, { x: 0, y: 0, width: s.width, height: s.height }, s.transform, true)", "getNodesInside(s.nodeLookup, { x: 0, y: 0, ...around(s) }, around(s).transform, true)"],
    ["width: s.width,\n                        height: s.height,\n                        transform: s.transform,", "...around(s),"],
  ];
  return {
    name: "margin",
    transform(code, id) {
      if (!id.includes("@xyflow/react/dist/esm/index.js")) return null;
      if (!words.every(([from]) => code.split(from).length === 2)) this.error("React Flow asks in other words what is seen");
      const import_ = `import { around } from "/static/canvas/ui/around.ts";\n`;
      return { code: import_ + words.reduce((text, [from, to]) => text.replace(from, () => to), code), map: null };
    },
  };
}

/** The compiler asks for parts of node where it runs there; in a browser it never does. */
function nodeless(): Plugin {
  const parts = ["url", "fs", "path", "module", "process", "node:module", "node:fs", "node:path", "node:url"];
  return {
    name: "nodeless",
    enforce: "pre",
    resolveId: (id) => (parts.includes(id) ? "\0nodeless" : null),
    load: (id) => (id === "\0nodeless" ? "export default {}; export const promises = {}, createRequire = undefined, argv = [], env = {}, cwd = () => '';" : null),
  };
}

export default defineConfig({
  plugins: [tailwindcss(), margin()],
  // Relative, so that fonts resolve under any STATIC_URL.
  base: "./",
  publicDir: false,
  // The compiler of the code node; priostack/compiler.py names what it may do by the beginning of its file's name.
  worker: { format: "es", plugins: () => [nodeless()], rollupOptions: { output: { entryFileNames: "assets/compiler-[hash].js", chunkFileNames: "assets/compiler-[name]-[hash].js" }, checks: { pluginTimings: false } } },
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
