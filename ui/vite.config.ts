import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Writes each file that shrinks once more, compressed: the server hands those out as they are. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved: (config) => {
      folder = config.build.outDir;
    },
    closeBundle: () => {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        const path = join(entry.parentPath, entry.name);
        if (entry.isFile() && /\.(js|css|html|svg|json)$/.test(entry.name)) {
          writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
        }
      }
    },
  };
}

// `LOOM_SERVER` names the server that `npm run dev` talks to.
const server = process.env.LOOM_SERVER ?? "http://127.0.0.1:7420";

const own = { target: server, changeOrigin: true, headers: { origin: server } };

export default defineConfig({
  plugins: [react(), compressed()],
  build: {
    outDir: process.env.LOOM_UI_OUT ?? "dist",
    emptyOutDir: true,
    target: "es2022",
    // Everything is a file of its own: the policy of the pages allows no `data:` script or style.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The editor's layout engine is one big file, loaded when it is needed.
    chunkSizeWarningLimit: 2000,
  },
  // The server answers its own pages alone: what is changed comes from its own address.
  server: { proxy: { "/api": own, "/health": own } },
  // A machine that is slow or busy is not a fault of what is tested.
  test: { include: ["src/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
});
