// The floor: a bare node:http server that does W1 (POST /echo) and W2 (POST /total) and nothing else.
import { createServer } from "node:http";

const cents = (value) => Math.round(value * 100);

function total({ items }) {
  const sum = items.reduce((all, item) => all + item.qty * cents(item.price), 0);
  const tax = Math.floor((sum * 20 + 50) / 100);
  return { count: items.length, subtotal: sum / 100, tax: tax / 100, total: (sum + tax) / 100 };
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = JSON.parse(Buffer.concat(parts).toString());
    const answer = JSON.stringify(request.url === "/total" ? total(body) : body);
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(answer) });
    response.end(answer);
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
