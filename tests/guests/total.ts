// total_as.wasm: what total.wat does, as a tenant would write it in AssemblyScript. Built by
//   cd examples/ecommerce/modules && npm ci
//   npx asc ../../../tests/guests/total.ts --config asconfig.json -o ../../../tests/guests/total_as.wasm

import { Json, Request, Writer } from "../../examples/ecommerce/modules/assembly/priostack";

export { alloc } from "../../examples/ecommerce/modules/assembly/priostack";

/** A price with at most two places, as an integer: "9.99" -> 999, "12" -> 1200. */
function cents(price: Json): i64 {
  const text = price.text();
  const point = text.indexOf(".");
  if (point < 0) return price.int() * 100;
  const whole = <i64>parseInt(text.substring(0, point));
  const places = text.substring(point + 1, point + 3);
  return whole * 100 + <i64>parseInt(places.padEnd(2, "0"));
}

export function run(at: usize, length: i32): i64 {
  const items = new Request(at, length).body.get("items").items();
  let sum: i64 = 0;
  for (let i = 0; i < items.length; i++) sum += items[i].get("qty").int() * cents(items[i].get("price"));
  const tax = (sum * 20 + 50) / 100;
  return new Writer()
    .begin()
    .int("count", items.length)
    .money("subtotal", sum)
    .money("tax", tax)
    .money("total", sum + tax)
    .end()
    .packed();
}
