// Builds what the browser gets besides WASM: the editor and the upload, fonts, the icon sprite.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const vendor = `${here}../../public/vendor`;
await mkdir(vendor, { recursive: true });
for (const name of await readdir(vendor)) await rm(`${vendor}/${name}`, { recursive: true });

const bundles = [];
for (const name of ["editor", "upload"]) {
  const result = await build({
    entryPoints: [`${here}src/${name}.js`],
    bundle: true, minify: true, format: "esm", target: "es2022", charset: "utf8", legalComments: "none",
    write: false, absWorkingDir: here,
  });
  const code = result.outputFiles[0].contents;
  const hash = createHash("sha256").update(code).digest("hex").slice(0, 12);
  await writeFile(`${vendor}/${name}-${hash}.js`, code);
  // The name that pages ask for is small and revalidated; the bundle behind it never changes.
  await writeFile(`${vendor}/${name}.js`, `export * from "./${name}-${hash}.js";\n`);
  bundles.push(`${name} ${hash} ${code.length} bytes`);
}

const FONTS = [
  ["@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", "inter.woff2"],
  ["@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2", "jetbrains-mono.woff2"],
];
for (const [from, to] of FONTS) await copyFile(`${here}node_modules/${from}`, `${vendor}/${to}`);

// Without node_modules nothing can be compared; the sprite in the repository is what the pages embed.
const icons = (await readFile(`${here}icons.txt`, "utf8")).split(/\s+/).filter(Boolean);
let sprite = "";
for (const name of icons) {
  const svg = await readFile(`${here}node_modules/lucide-static/icons/${name}.svg`, "utf8");
  const body = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s+/g, " ").replaceAll("> <", "><").trim();
  sprite += `<symbol id="i-${name}" viewBox="0 0 24 24">${body}</symbol>\n`;
}
const file = `${here}../src/components/sprite.svg`;
const old = await readFile(file, "utf8").catch(() => "");
if (old !== sprite) {
  if (process.argv.includes("--check")) throw new Error("app/src/components/sprite.svg differs from app/js/icons.txt; run npm run build");
  await writeFile(file, sprite);
}
console.log(`${bundles.join(", ")}, ${icons.length} icons`);
