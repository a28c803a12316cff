// Builds assembly/NAME.ts into ../wasm/NAME.wasm, for the four modules or for the names given. One process
// for all of them: the compiler takes seconds to warm up.
import asc from "assemblyscript/asc";

const names = process.argv.length > 2 ? process.argv.slice(2) : ["catalog", "cart", "order", "payment"];

for (const name of names) {
  const argv = [`assembly/${name}.ts`, "--config", "asconfig.json", "-o", `../wasm/${name}.wasm`];
  const { error } = await asc.main(argv, { stdout: process.stdout, stderr: process.stderr });
  if (error) {
    console.error(`${name}: ${error.message}`);
    process.exit(1);
  }
}
