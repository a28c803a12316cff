// The catalog: what the shop sells, and how much of it is there.

import { Json, NOTHING, Request, Writer, answer, answerWith, isId, problem, reply, signal } from "./priostack";
import { quantityIn } from "./lines";
import { addProduct, product, products, saveStock, stockOf } from "./products";

export { alloc } from "./priostack";

/** Every answer of the catalog is a sign of life: the goal HighAvailability watches this signal. */
function healthy(): void {
  signal("catalogHealth", 1.0);
}

function listed(body: Writer, found: Json[]): i64 {
  body.list("products");
  for (let i = 0; i < found.length; i++) body.item(found[i]);
  return answer(body.endList().int("count", found.length));
}

/** GET /products, GET /products?category=office */
export function listProducts(at: usize, length: i32): i64 {
  const category = new Request(at, length).query("category");
  healthy();
  const all = products();
  if (category == "") return listed(reply(), all);
  const found: Json[] = [];
  for (let i = 0; i < all.length; i++) {
    if (all[i].get("category").text() == category) found.push(all[i]);
  }
  return listed(reply(), found);
}

/** GET /products/:id */
export function getProductById(at: usize, length: i32): i64 {
  const id = new Request(at, length).param("id");
  healthy();
  if (!isId(id)) return problem(400, "the product id is not valid");
  const found = product(id);
  return found.exists ? answerWith(200, found) : problem(404, "there is no product " + id);
}

/** Lower case of A to Z alone: the tables of the whole of Unicode would double the size of the module. */
function folded(text: string): string {
  let result = "";
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    result += String.fromCharCode(c >= 0x41 && c <= 0x5a ? c | 0x20 : c);
  }
  return result;
}

function mentions(item: Json, word: string): bool {
  return folded(item.get("name").text()).includes(word) || item.get("category").text().includes(word);
}

/** GET /products/search?q=desk */
export function searchProducts(at: usize, length: i32): i64 {
  const q = new Request(at, length).query("q");
  healthy();
  const word = folded(q.trim());
  if (word == "") return problem(400, "say what to search for: ?q=desk");
  if (word.length > 100) return problem(400, "q may have 100 characters at most");
  const all = products();
  const found: Json[] = [];
  for (let i = 0; i < all.length; i++) {
    if (mentions(all[i], word)) found.push(all[i]);
  }
  return listed(reply().text("query", q), found);
}

/** What is wrong with a change of the stock; "" when nothing is. */
function wrongIn(change: Json): string {
  const id = change.get("productId").text();
  if (!isId(id)) return "productId is missing or not valid";
  const stock = change.get("stock");
  if (!stock.isInteger && !change.get("delta").isInteger) return "stock or delta must be an integer";
  if (stock.isInteger && stock.int() < 0) return "stock cannot be negative";
  if (product(id).exists) return "";
  const complete = change.get("name").isString && change.get("priceCents").int(-1) >= 0 && stock.isInteger;
  return complete ? "" : "there is no product " + id + "; a new one needs name, priceCents and stock";
}

function apply(change: Json): void {
  const id = change.get("productId").text();
  const known = product(id);
  if (!known.exists) return addProduct(id, change);
  const stock = change.get("stock");
  saveStock(id, known, stock.isInteger ? stock.int() : stockOf(known) + change.get("delta").int());
}

/** Sensor inventoryChange: {productId, stock | delta} or {products: [{…}, …]}. */
export function updateInventoryCache(at: usize, length: i32): i64 {
  const body = new Request(at, length).body;
  const changes = body.get("products").isArray ? body.get("products").items() : [body];
  if (changes.length > 100) return problem(400, "100 products at most in one change");
  for (let i = 0; i < changes.length; i++) {
    const wrong = wrongIn(changes[i]);
    if (wrong != "") return problem(400, wrong);
  }
  for (let i = 0; i < changes.length; i++) apply(changes[i]);
  healthy();
  return answer(reply().int("updated", changes.length));
}

/** For the flow order-intake: {productId, quantity} as a line with its price, while there is enough of it. */
export function priceItem(at: usize, length: i32): i64 {
  const wanted = new Request(at, length).body;
  const id = wanted.get("productId").text();
  const found = isId(id) ? product(id) : NOTHING;
  if (!found.exists) return problem(404, "there is no product " + id);
  const quantity = wanted.get("quantity").exists ? quantityIn(wanted.get("quantity")) : 1;
  if (quantity == 0) return problem(400, "quantity must be an integer from 1 to 99");
  if (stockOf(found) < quantity) return problem(409, "not enough of " + id + " in stock");
  const cents = found.get("priceCents").int();
  const line = reply().text("productId", id).json("name", found.get("name")).int("quantity", quantity);
  return answer(line.int("priceCents", cents).int("lineCents", cents * quantity));
}
