// Where orders are kept: order:ID the order, user-orders:USER a list of short entries, the newest first.
// One key for the list costs one read. Two calls that change it at once do not lose an entry: the host runs
// the later one again when something it has read was changed meanwhile.

import { Json, Writer, changed, load, save } from "./priostack";
import { Line, linesOf } from "./lines";
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

/** Store the order with these members changed. Returns it as it is now. */
export function saveDetail(before: Json, patch: Writer): Json {
  const after = changed(before, patch);
  save(orderKey(after.get("orderId").text()), after);
  return after;
}

/** The same when its status changes, which the user's list shows too. */
export function saveOrder(before: Json, patch: Writer): Json {
  const after = saveDetail(before, patch);
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

/** The goods of an order and the products they are, each read once. */
export class Goods {
  private lines: Line[];
  private products: Json[] = [];

  constructor(order: Json) {
    this.lines = linesOf(order);
    for (let i = 0; i < this.lines.length; i++) this.products.push(product(this.lines[i].productId));
  }

  /** Is there enough of everything? */
  get inStock(): bool {
    for (let i = 0; i < this.lines.length; i++) {
      if (stockOf(this.products[i]) < this.lines[i].quantity) return false;
    }
    return true;
  }

  take(): void {
    for (let i = 0; i < this.lines.length; i++) this.move(i, -this.lines[i].quantity);
  }

  putBack(): void {
    for (let i = 0; i < this.lines.length; i++) this.move(i, this.lines[i].quantity);
  }

  private move(i: i32, quantity: i64): void {
    const current = this.products[i];
    if (current.exists) saveStock(this.lines[i].productId, current, stockOf(current) + quantity);
  }
}
