import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: { outDir: "../dist/ui", emptyOutDir: true, modulePreload: { polyfill: false } },
});
