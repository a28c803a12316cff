// The shelf: eight products are built in, the key product:ID holds whatever has changed since.
// Reading therefore writes nothing, and a new tenant has a full shop at once.

import { Json, NOTHING, Writer, changed, keys, load, save } from "./priostack";

const IDS: string[] = ["lamp", "mug", "chair", "desk", "notebook", "headphones", "keyboard", "backpack"];
const NAMES: string[] = [
  "Desk lamp", "Coffee mug", "Office chair", "Standing desk", "Notebook, dotted", "Wireless headphones",
  "Mechanical keyboard", "Café backpack",
];
const CATEGORIES: string[] = ["home", "home", "office", "office", "office", "audio", "computers", "travel"];
const PRICES: i64[] = [3490, 1250, 18900, 42900, 890, 12900, 9900, 7450];
const STOCK: i64[] = [40, 200, 15, 8, 500, 60, 35, 25];
const PREFIX = "product:";

function builtIn(index: i32): Json {
  return new Writer(192)
    .begin()
    .text("id", IDS[index])
    .text("name", NAMES[index])
    .text("category", CATEGORIES[index])
    .int("priceCents", PRICES[index])
    .text("currency", "EUR")
    .int("stock", STOCK[index])
    .end()
    .done();
}

/** The product, or NOTHING. */
export function product(id: string): Json {
  const stored = load(PREFIX + id);
  if (stored.exists) return stored;
  const index = IDS.indexOf(id);
  return index < 0 ? NOTHING : builtIn(index);
}

/** The whole shelf: the built-in products as they are now, then those that were added. */
export function products(): Json[] {
  const shelf: Json[] = [];
  for (let i = 0; i < IDS.length; i++) shelf.push(builtIn(i));
  const stored = keys(PREFIX);
  for (let i = 0; i < stored.length; i++) {
    const key = stored[i].text();
    const now = load(key);
    if (!now.exists) continue;
    const index = IDS.indexOf(key.substring(PREFIX.length));
    if (index < 0) shelf.push(now);
    else shelf[index] = now;
  }
  return shelf;
}

export function stockOf(product: Json): i64 {
  return product.get("stock").int();
}

export function saveStock(id: string, product: Json, stock: i64): void {
  const patch = new Writer(64).begin().int("stock", stock > 0 ? stock : 0).end();
  save(PREFIX + id, changed(product, patch));
}

/** Put a product that the shelf does not know on it. */
export function addProduct(id: string, given: Json): void {
  const fresh = new Writer()
    .begin()
    .text("id", id)
    .json("name", given.get("name"))
    .text("category", given.get("category").text())
    .json("priceCents", given.get("priceCents"))
    .text("currency", "EUR")
    .int("stock", given.get("stock").int())
    .end();
  save(PREFIX + id, fresh.done());
}
