// The cart of a user: one line for each product, kept under cart:USER.

import {
  Json, Request, Writer, answer, answerWith, fire, isId, keys, load, newId, now, problem, remove, reply, save, signal,
} from "./priostack";
import { Line, MOST_LINES, indexOf, lineOf, linesOf, quantityIn, writeLines } from "./lines";
import { product, stockOf } from "./products";

export { alloc } from "./priostack";

const PREFIX = "cart:";
const DAY_MS: i64 = 86400000;
const CARTS_A_RUN = 100;

function cart(user: string, lines: Line[]): Json {
  const to = new Writer().begin().text("userId", user).int("updatedAt", now());
  return writeLines(to, lines).end().done();
}

function changedSensor(user: string, reason: string): void {
  fire("cartModified", new Writer(128).begin().text("userId", user).text("reason", reason).end());
}

/** GET /:userId — a user without a cart has an empty one. */
export function getUserCart(at: usize, length: i32): i64 {
  const user = new Request(at, length).param("userId");
  if (!isId(user)) return problem(400, "the user id is not valid");
  const saved = load(PREFIX + user);
  return answerWith(200, saved.exists ? saved : cart(user, []));
}

/** POST /:userId/items with {productId, quantity = 1} */
export function addToCart(at: usize, length: i32): i64 {
  const request = new Request(at, length);
  const user = request.param("userId");
  if (!isId(user)) return problem(400, "the user id is not valid");
  const id = request.body.get("productId").text();
  if (!isId(id)) return problem(400, "productId is missing or not valid");
  const given = request.body.get("quantity");
  const quantity = given.exists ? quantityIn(given) : 1;
  if (quantity == 0) return problem(400, "quantity must be an integer from 1 to 99");
  const wanted = product(id);
  if (!wanted.exists) return problem(404, "there is no product " + id);
  return put(user, wanted, quantity);
}

function put(user: string, wanted: Json, more: i64): i64 {
  const id = wanted.get("id").text();
  const lines = linesOf(load(PREFIX + user));
  const index = indexOf(lines, id);
  const quantity = more + (index < 0 ? 0 : lines[index].quantity);
  if (quantity > stockOf(wanted)) {
    return problem(409, "only " + stockOf(wanted).toString() + " of " + id + " are in stock");
  }
  const line = lineOf(wanted, quantity);
  if (index >= 0) lines[index] = line;
  else if (lines.length >= MOST_LINES) return problem(409, "the cart is full");
  else lines.push(line);
  return keep(201, user, lines, "added");
}

function keep(status: i32, user: string, lines: Line[], reason: string): i64 {
  const saved = cart(user, lines);
  save(PREFIX + user, saved);
  changedSensor(user, reason);
  return answerWith(status, saved);
}

/** DELETE /:userId/items/:itemId */
export function removeFromCart(at: usize, length: i32): i64 {
  const request = new Request(at, length);
  const user = request.param("userId");
  const item = request.param("itemId");
  if (!isId(user) || !isId(item)) return problem(400, "the user id or the item id is not valid");
  const lines = linesOf(load(PREFIX + user));
  const index = indexOf(lines, item);
  if (index < 0) return problem(404, "there is no item " + item + " in the cart");
  lines.splice(index, 1);
  return keep(200, user, lines, "removed");
}

/** What keeps this line from being bought now; "" when nothing does. */
function obstacle(line: Line, current: Json): string {
  if (!current.exists) return "it is no longer sold";
  const stock = stockOf(current);
  return stock < line.quantity ? "only " + stock.toString() + " are in stock" : "";
}

/** POST /:userId/checkout — the draft of an order at today's prices. POST /api/v1/orders/ with its
 *  checkoutId makes it an order. */
export function initiateCheckout(at: usize, length: i32): i64 {
  const user = new Request(at, length).param("userId");
  if (!isId(user)) return problem(400, "the user id is not valid");
  const lines = linesOf(load(PREFIX + user));
  if (lines.length == 0) return problem(409, "the cart is empty");
  for (let i = 0; i < lines.length; i++) {
    const id = lines[i].productId;
    const current = product(id);
    const wrong = obstacle(lines[i], current);
    if (wrong != "") return problem(409, id + ": " + wrong);
    lines[i] = lineOf(current, lines[i].quantity);
  }
  return draft(user, lines);
}

function draft(user: string, lines: Line[]): i64 {
  const id = newId("chk");
  const to = new Writer().begin().text("checkoutId", id).text("userId", user).int("createdAt", now());
  const saved = writeLines(to, lines).end().done();
  save("checkout:" + id, saved);
  changedSensor(user, "checkout");
  return answerWith(200, saved);
}

/** Sensor cartModified: are all items of the cart still to be had? A validation writes nothing; what it
 *  finds goes to the signal of the goal CartConsistency: the share of the lines that are right. */
export function validateCartItems(at: usize, length: i32): i64 {
  const user = new Request(at, length).body.get("userId").text();
  if (!isId(user)) return problem(400, "userId is missing or not valid");
  const lines = linesOf(load(PREFIX + user));
  const body = reply().text("userId", user).list("problems");
  let bad = 0;
  for (let i = 0; i < lines.length; i++) {
    const wrong = obstacle(lines[i], product(lines[i].productId));
    if (wrong == "") continue;
    body.begin().json("productId", lines[i].id).text("problem", wrong).end();
    bad++;
  }
  signal("cartSync", lines.length == 0 ? 1.0 : 1.0 - <f64>bad / <f64>lines.length);
  return answer(body.endList().int("checked", lines.length).flag("valid", bad == 0));
}

/** Sensor cartInactive: {userId} for one cart, {} for all; {olderThanMs} instead of a day. */
export function cleanupExpiredCarts(at: usize, length: i32): i64 {
  const body = new Request(at, length).body;
  const user = body.get("userId").text();
  if (user != "" && !isId(user)) return problem(400, "userId is not valid");
  const before = now() - body.get("olderThanMs").int(DAY_MS);
  const found = keys(user == "" ? PREFIX : PREFIX + user);
  const most = found.length < CARTS_A_RUN ? found.length : CARTS_A_RUN;
  let removed = 0;
  for (let i = 0; i < most; i++) {
    const key = found[i].text();
    if (user != "" && key != PREFIX + user) continue; // cart:ann is a prefix of cart:anna
    if (load(key).get("updatedAt").int() > before) continue;
    remove(key);
    removed++;
  }
  return answer(reply().int("removed", removed).int("checked", most).flag("more", found.length > most));
}
