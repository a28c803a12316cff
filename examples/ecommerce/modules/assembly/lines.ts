// Lines of a cart or an order, and what they cost. Money is integer cents throughout.

import { Json, Writer } from "./priostack";

export const MOST_OF_ONE: i64 = 99;
export const MOST_LINES = 50;
const TAX_PERCENT: i64 = 20;

export class Line {
  constructor(public id: Json, public name: Json, public priceCents: i64, public quantity: i64) {}

  get productId(): string {
    return this.id.text();
  }

  get cents(): i64 {
    return this.priceCents * this.quantity;
  }
}

/** A line for a product of the shelf. */
export function lineOf(product: Json, quantity: i64): Line {
  return new Line(product.get("id"), product.get("name"), product.get("priceCents").int(), quantity);
}

/** The lines of a cart or an order that we wrote. */
export function linesOf(owner: Json): Line[] {
  const items = owner.get("items").items();
  const lines: Line[] = [];
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const cents = item.get("priceCents").int();
    lines.push(new Line(item.get("productId"), item.get("name"), cents, item.get("quantity").int()));
  }
  return lines;
}

export function indexOf(lines: Line[], id: string): i32 {
  for (let i = 0; i < lines.length; i++) {
    if (lines[i].id.is(id)) return i;
  }
  return -1;
}

function subtotal(lines: Line[]): i64 {
  let cents: i64 = 0;
  for (let i = 0; i < lines.length; i++) cents += lines[i].cents;
  return cents;
}

/** Write the sums and the items; the long list comes last, so that nobody has to read past it. */
export function writeLines(to: Writer, lines: Line[]): Writer {
  const cents = subtotal(lines);
  const tax = (cents * TAX_PERCENT + 50) / 100; // half a cent is rounded up
  to.int("subtotalCents", cents)
    .int("taxCents", tax)
    .int("totalCents", cents + tax)
    .text("currency", "EUR")
    .list("items");
  for (let i = 0; i < lines.length; i++) writeLine(to, lines[i]);
  return to.endList();
}

function writeLine(to: Writer, line: Line): void {
  to.begin()
    .json("itemId", line.id)
    .json("productId", line.id)
    .json("name", line.name)
    .int("quantity", line.quantity)
    .int("priceCents", line.priceCents)
    .int("lineCents", line.cents)
    .end();
}

/** A quantity that somebody sent: 0 when it is not an integer from 1 to 99. */
export function quantityIn(given: Json): i64 {
  const quantity = given.int();
  return quantity >= 1 && quantity <= MOST_OF_ONE ? quantity : 0;
}
