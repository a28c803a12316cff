// What a new function begins with: it compiles, and answers whatever is sent.
export const TEMPLATE = `// AssemblyScript: written like TypeScript, with the types of WebAssembly. JSON in, JSON out.
import { Writer, payload, text } from "./priostack";

/** What it returns goes on along the wires as the payload. */
export function run(request: string): string {
  const input = payload(request);
  const name = input.get("name");
  const answer = new Writer().begin();
  answer.text("hello", name.exists ? name.text() : "world");
  answer.json("input", input);
  return text(answer.end());
}
`;
