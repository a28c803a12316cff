// Orders: created from a checkout, a list of items or the user's cart; then processed, paid and shipped.

import {
  Json, NOTHING, Request, Writer, answer, answerWith, fire, isId, load, newId, now, problem, remove, reply, signal,
} from "./priostack";
import { Line, MOST_LINES, indexOf, lineOf, linesOf, quantityIn, writeLines } from "./lines";
import { Goods, order, ordersOf, saveOrder, stateOf } from "./orders";
import { product, stockOf } from "./products";

export { alloc } from "./priostack";

/** What createOrder found: the lines, or what is wrong with them. */
class Found {
  constructor(public lines: Line[], public status: i32 = 200, public wrong: string = "") {}
}

function refused(status: i32, wrong: string): Found {
  return new Found([], status, wrong);
}

/** Lines at the price of now from `[{productId, quantity}]`. */
function fromItems(items: Json[]): Found {
  if (items.length > MOST_LINES) return refused(400, "50 items at most in one order");
  const lines: Line[] = [];
  for (let i = 0; i < items.length; i++) {
    const id = items[i].get("productId").text();
    if (!isId(id)) return refused(400, "productId is missing or not valid");
    const given = items[i].get("quantity");
    const quantity = given.exists ? quantityIn(given) : 1;
    if (quantity == 0) return refused(400, "quantity must be an integer from 1 to 99");
    if (indexOf(lines, id) >= 0) return refused(400, id + " is in the list twice");
    const current = product(id);
    if (!current.exists) return refused(404, "there is no product " + id);
    if (stockOf(current) < quantity) return refused(409, "not enough of " + id + " in stock");
    lines.push(lineOf(current, quantity));
  }
  return new Found(lines);
}

/** A checkout keeps the prices that the user was shown. */
function fromCheckout(id: string, user: string): Found {
  const draft = isId(id) ? load("checkout:" + id) : NOTHING;
  if (!draft.exists || !draft.get("userId").is(user)) return refused(404, "there is no checkout " + id);
  return new Found(linesOf(draft));
}

function linesFor(user: string, body: Json): Found {
  const checkout = body.get("checkoutId");
  if (checkout.exists) return fromCheckout(checkout.text(), user);
  const items = body.get("items");
  if (items.exists) return items.isArray ? fromItems(items.items()) : refused(400, "items must be a list");
  return fromItems(load("cart:" + user).get("items").items());
}

/** POST / with {userId, checkoutId | items | neither: the cart, orderId?}. With an orderId of the
 *  client's own the request may be sent again: it is answered with the order that exists. */
export function createOrder(at: usize, length: i32): i64 {
  const body = new Request(at, length).body;
  const user = body.get("userId").text();
  if (!isId(user)) return problem(400, "userId is missing or not valid");
  const wished = body.get("orderId");
  if (wished.exists) {
    if (!isId(wished.text())) return problem(400, "orderId is not valid");
    const before = order(wished.text());
    if (before.exists) return repeated(before, user);
  }
  const found = linesFor(user, body);
  if (found.wrong != "") return problem(found.status, found.wrong);
  if (found.lines.length == 0) return problem(400, "there is nothing to order: the cart is empty");
  clear(user, body);
  return create(wished.exists ? wished.text() : newId("ord"), user, found.lines);
}

function repeated(before: Json, user: string): i64 {
  return before.get("userId").is(user) ? answerWith(200, before) : problem(409, "this orderId is taken");
}

/** What was ordered leaves the cart; a checkout can be used once. */
function clear(user: string, body: Json): void {
  const checkout = body.get("checkoutId");
  if (checkout.exists) remove("checkout:" + checkout.text());
  if (checkout.exists || !body.get("items").exists) remove("cart:" + user);
}

function create(id: string, user: string, lines: Line[]): i64 {
  const to = new Writer().begin().text("orderId", id).text("userId", user).text("status", "created");
  const fresh = writeLines(to.flag("reserved", false).int("createdAt", now()), lines).end().done();
  const saved = saveOrder(fresh, new Writer(8).begin().end());
  fire("newOrder", new Writer(128).begin().text("orderId", id).text("userId", user).end());
  return answerWith(201, saved);
}

/** GET /:orderId */
export function getOrder(at: usize, length: i32): i64 {
  const id = new Request(at, length).param("orderId");
  const found = isId(id) ? order(id) : NOTHING;
  return found.exists ? answerWith(200, found) : problem(404, "there is no such order");
}

/** GET /user/:userId — the newest first. */
export function getUserOrders(at: usize, length: i32): i64 {
  const user = new Request(at, length).param("userId");
  if (!isId(user)) return problem(400, "the user id is not valid");
  const orders = ordersOf(user);
  const body = reply().text("userId", user).int("count", orders.items().length);
  return answer(orders.exists ? body.json("orders", orders) : body.list("orders").endList());
}

/** POST /:orderId/cancel */
export function cancelOrder(at: usize, length: i32): i64 {
  const id = new Request(at, length).param("orderId");
  const found = isId(id) ? order(id) : NOTHING;
  if (!found.exists) return problem(404, "there is no such order");
  const state = stateOf(found);
  if (state == "cancelled") return answerWith(200, found);
  if (state != "created" && state != "processing" && state != "backordered") {
    return problem(409, "the order is " + state + "; refund its payment instead");
  }
  if (found.get("reserved").isTrue) new Goods(found).putBack();
  const patch = new Writer(128).begin().text("status", "cancelled").flag("reserved", false).int("cancelledAt", now());
  return answerWith(200, saveOrder(found, patch.end()));
}

/** Sensor newOrder: take the goods from the shelf. Runs once for each order, however often it is called. */
export function processNewOrder(at: usize, length: i32): i64 {
  const id = new Request(at, length).body.get("orderId").text();
  const found = isId(id) ? order(id) : NOTHING;
  if (!found.exists) return problem(404, "there is no such order");
  const state = stateOf(found);
  if (found.get("reserved").isTrue || state == "cancelled" || state == "refunded") return answerWith(200, found);
  const goods = new Goods(found);
  const enough = goods.inStock;
  if (enough) goods.take();
  const patch = new Writer(128).begin().flag("reserved", enough);
  if (state == "created" || state == "backordered") patch.text("status", enough ? "processing" : "backordered");
  const time = now();
  signal("orderProcessing", <f64>(time - found.get("createdAt").int(time)));
  return answerWith(200, saveOrder(found, patch.int("processedAt", time).end()));
}

/** Sensor orderPaid: hand the parcel over. A notification may arrive twice: the second changes nothing. */
export function sendToShipping(at: usize, length: i32): i64 {
  const id = new Request(at, length).body.get("orderId").text();
  const found = isId(id) ? order(id) : NOTHING;
  if (!found.exists) return problem(404, "there is no such order");
  if (stateOf(found) != "paid") return answerWith(200, found);
  const patch = new Writer(160)
    .begin()
    .text("status", "shipped")
    .text("trackingNumber", newId("trk"))
    .int("shippedAt", now())
    .end();
  return answerWith(200, saveOrder(found, patch));
}
