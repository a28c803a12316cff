// Where orders are kept: order:ID the order, user-orders:USER a list of short entries, the newest first.
// One key for the list costs one read. Two calls that change it at once do not lose an entry: the host runs
// the later one again when something it has read was changed meanwhile.

import { Json, Writer, changed, load, save } from "./priostack";
import { linesOf } from "./lines";
import { product, saveStock, stockOf } from "./products";

const MOST_LISTED = 100;

function orderKey(id: string): string {
  return "order:" + id;
}

export function order(id: string): Json {
  return load(orderKey(id));
}

export function stateOf(order: Json): string {
  return order.get("status").text();
}

/** Store the order with these members changed, and its entry in the user's list. Returns it as it is now. */
export function saveOrder(before: Json, patch: Writer): Json {
  const after = changed(before, patch);
  save(orderKey(after.get("orderId").text()), after);
  const user = after.get("userId").text();
  save(listKey(user), listWith(ordersOf(user).items(), entryOf(after)));
  return after;
}

function listKey(user: string): string {
  return "user-orders:" + user;
}

/** The entries of a user's list; NOTHING for a user without orders. */
export function ordersOf(user: string): Json {
  return load(listKey(user)).get("orders");
}

function entryOf(order: Json): Json {
  return new Writer(256)
    .begin()
    .json("orderId", order.get("orderId"))
    .json("status", order.get("status"))
    .json("totalCents", order.get("totalCents"))
    .json("currency", order.get("currency"))
    .json("createdAt", order.get("createdAt"))
    .end()
    .done();
}

/** The list with this entry in the place of its old one, or in front. */
function listWith(entries: Json[], entry: Json): Json {
  const id = entry.get("orderId").text();
  const place = placeOf(entries, id);
  const list = new Writer().begin().list("orders");
  if (place < 0) list.item(entry);
  const last = entries.length < MOST_LISTED ? entries.length : MOST_LISTED;
  for (let i = 0; i < last; i++) list.item(i == place ? entry : entries[i]);
  return list.endList().end().done();
}

function placeOf(entries: Json[], id: string): i32 {
  for (let i = 0; i < entries.length; i++) {
    if (entries[i].get("orderId").is(id)) return i;
  }
  return -1;
}

/** Put the goods of an order back on the shelf, or take them from it. */
export function moveStock(order: Json, back: bool): void {
  const lines = linesOf(order);
  for (let i = 0; i < lines.length; i++) {
    const id = lines[i].productId;
    const current = product(id);
    if (!current.exists) continue;
    const quantity = lines[i].quantity;
    saveStock(id, current, stockOf(current) + (back ? quantity : -quantity));
  }
}

/** Is there enough of everything? */
export function inStock(order: Json): bool {
  const lines = linesOf(order);
  for (let i = 0; i < lines.length; i++) {
    if (stockOf(product(lines[i].productId)) < lines[i].quantity) return false;
  }
  return true;
}
