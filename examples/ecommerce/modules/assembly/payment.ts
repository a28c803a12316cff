// Payments: the request is written down and answered at once (202); the intents of paymentRequest and
// refundRequest do the work. The payment provider is played: the token tok_declined is always declined.

import {
  Json, NOTHING, Request, Writer, answer, answerWith, changed, fire, isId, keys, load, newId, now, problem, remove, reply,
  save, signal,
} from "./priostack";
import { Goods, order, saveDetail, saveOrder, stateOf } from "./orders";

export { alloc } from "./priostack";

const PREFIX = "payment:";
const DUE = "refund-due:";
const REFUNDS_A_RUN = 20;

function payment(id: string): Json {
  return isId(id) ? load(PREFIX + id) : NOTHING;
}

function savePayment(before: Json, patch: Writer): Json {
  const after = changed(before, patch);
  save(PREFIX + after.get("paymentId").text(), after);
  return after;
}

function tell(sensor: string, id: Json, orderId: Json): void {
  fire(sensor, new Writer(128).begin().json("paymentId", id).json("orderId", orderId).end());
}

function isMethod(method: string): bool {
  return method == "card" || method == "wallet" || method == "invoice";
}

/** Why this order cannot be paid now; "" when it can. */
function obstacle(order: Json, body: Json): string {
  const state = stateOf(order);
  if (state != "created" && state != "processing" && state != "backordered") return "the order is " + state;
  const amount = body.get("amountCents");
  const total = order.get("totalCents").int();
  if (amount.exists && (!amount.isInteger || amount.int() != total)) {
    return "the order costs " + total.toString() + " cents";
  }
  return load(PREFIX + order.get("paymentId").text()).get("status").is("processing") ? "a payment is under way" : "";
}

/** POST /process with {orderId, method = "card", token?, amountCents?, paymentId?}. Never card numbers: a
 *  token of the provider. With a paymentId of the client's own the request may be sent again. */
export function processPayment(at: usize, length: i32): i64 {
  const body = new Request(at, length).body;
  const orderId = body.get("orderId").text();
  if (!isId(orderId)) return problem(400, "orderId is missing or not valid");
  const method = body.get("method").exists ? body.get("method").text() : "card";
  if (!isMethod(method)) return problem(400, "method must be card, wallet or invoice");
  const wished = body.get("paymentId");
  if (wished.exists) {
    if (!isId(wished.text())) return problem(400, "paymentId is not valid");
    const before = payment(wished.text());
    if (before.exists) return repeated(before, orderId);
  }
  const found = order(orderId);
  if (!found.exists) return problem(404, "there is no such order");
  const wrong = obstacle(found, body);
  if (wrong != "") return problem(409, wrong);
  return begin(wished.exists ? wished.text() : newId("pay"), found, body, method);
}

function repeated(before: Json, orderId: string): i64 {
  return before.get("orderId").is(orderId) ? answerWith(202, before) : problem(409, "this paymentId is taken");
}

function begin(id: string, found: Json, body: Json, method: string): i64 {
  const fresh = new Writer()
    .begin()
    .text("paymentId", id)
    .json("orderId", found.get("orderId"))
    .json("userId", found.get("userId"))
    .text("status", "processing")
    .json("amountCents", found.get("totalCents"))
    .json("currency", found.get("currency"))
    .text("method", method)
    .flag("declines", body.get("token").is("tok_declined"))
    .int("createdAt", now())
    .end()
    .done();
  save(PREFIX + id, fresh);
  saveDetail(found, new Writer(96).begin().text("paymentId", id).end());
  tell("paymentRequest", fresh.get("paymentId"), fresh.get("orderId"));
  return answerWith(202, fresh);
}

/** GET /:paymentId */
export function getPaymentStatus(at: usize, length: i32): i64 {
  const found = payment(new Request(at, length).param("paymentId"));
  return found.exists ? answerWith(200, found) : problem(404, "there is no such payment");
}

/** POST /:paymentId/refund */
export function refundPayment(at: usize, length: i32): i64 {
  const id = new Request(at, length).param("paymentId");
  const found = payment(id);
  if (!found.exists) return problem(404, "there is no such payment");
  const state = found.get("status").text();
  if (state == "refunded") return answerWith(200, found);
  if (state != "paid" && state != "refund_pending") return problem(409, "the payment is " + state);
  const patch = new Writer(96).begin().text("status", "refund_pending").int("refundRequestedAt", now()).end();
  const after = savePayment(found, patch);
  save(DUE + id, after.get("orderId"));
  tell("refundRequest", after.get("paymentId"), after.get("orderId"));
  return answerWith(202, after);
}

/** Sensor paymentRequest: settle a payment. A transaction: payment and order change together or not at all. */
export function processPaymentTransaction(at: usize, length: i32): i64 {
  const found = payment(new Request(at, length).body.get("paymentId").text());
  if (!found.exists) return problem(404, "there is no such payment");
  if (!found.get("status").is("processing")) return answerWith(200, found); // a retry, and it was done
  const bought = order(found.get("orderId").text());
  const reason = refusal(found, bought);
  signal("paymentValidation", reason == "" ? 1.0 : 0.0);
  if (reason != "") {
    const patch = new Writer(160).begin().text("status", "declined").text("reason", reason).end();
    return answerWith(200, savePayment(found, patch));
  }
  const time = now();
  saveOrder(bought, new Writer(96).begin().text("status", "paid").int("paidAt", time).end());
  const paid = savePayment(found, new Writer(96).begin().text("status", "paid").int("paidAt", time).end());
  tell("orderPaid", paid.get("paymentId"), paid.get("orderId"));
  return answerWith(200, paid);
}

function refusal(payment: Json, order: Json): string {
  if (payment.get("declines").isTrue) return "declined by the provider";
  if (payment.get("amountCents").int() != order.get("totalCents").int()) return "the amount has changed";
  const state = stateOf(order);
  return state == "created" || state == "processing" || state == "backordered" ? "" : "the order is " + state;
}

/** Give one payment back; its order is refunded and the goods return to the shelf. */
function refund(key: string): bool {
  const found = payment(key.substring(DUE.length));
  remove(key);
  if (!found.get("status").is("refund_pending")) return false;
  const time = now();
  savePayment(found, new Writer(96).begin().text("status", "refunded").int("refundedAt", time).end());
  const bought = order(found.get("orderId").text());
  if (!bought.exists) return true;
  if (bought.get("reserved").isTrue) new Goods(bought).putBack();
  const patch = new Writer(96).begin().text("status", "refunded").flag("reserved", false).int("refundedAt", time);
  saveOrder(bought, patch.end());
  return true;
}

/** Sensor refundRequest: every refund that is due, not only the one that fired. The intent has a cooldown of
 *  a minute, so a firing may be skipped; the next run finds its work under refund-due:. */
export function processRefund(at: usize, length: i32): i64 {
  const due = keys(DUE);
  const most = due.length < REFUNDS_A_RUN ? due.length : REFUNDS_A_RUN;
  let refunded = 0;
  for (let i = 0; i < most; i++) {
    if (refund(due[i].text())) refunded++;
  }
  return answer(reply().int("refunded", refunded).flag("more", due.length > most));
}
