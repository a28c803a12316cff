// The floor: a bare node:http server that does the work of W1 to W5 and of a prompt, and nothing else.
// node floor.mjs PORT [UPSTREAM]: W5 passes the body on to the echo of another such server.
import { Agent, createServer, request as send } from "node:http";

const [port, upstream] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });

const cents = (value) => Math.round(value * 100);

function total({ items }) {
  const sum = items.reduce((all, item) => all + item.qty * cents(item.price), 0);
  const tax = Math.floor((sum * 20 + 50) / 100);
  return { count: items.length, subtotal: sum / 100, tax: tax / 100, total: (sum + tax) / 100 };
}

// Ten functions one after the other, each with the message parsed from what the one before wrote.
const again = (body) => JSON.parse(JSON.stringify(body));
const ten = (body) => Array.from({ length: 10 }).reduce(again, body);
const each = (body) => (body.total > 100 ? body.items.map(again) : body);

// The text of a prompt with its value, by hand.
const greeting = ({ name }) => ({
  output: `# Hello, ${name}!\n\nWrite a short, friendly greeting for somebody called ${name}. Two or three sentences.`,
  problems: [],
});

const works = { "/echo": (body) => body, "/hello": greeting, "/total": total, "/ten": ten, "/each": each };

function read(stream, done) {
  const parts = [];
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => done(JSON.parse(Buffer.concat(parts).toString())));
}

function pass(body, done) {
  const data = JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(data) };
  const options = { host: "127.0.0.1", port: upstream, path: "/echo", method: "POST", headers, agent };
  send(options, (response) => read(response, done)).end(data);
}

const server = createServer((request, response) => {
  const finish = (value) => {
    const answer = JSON.stringify(value);
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(answer) });
    response.end(answer);
  };
  read(request, (body) => (request.url === "/pass" ? pass(body, finish) : finish(works[request.url](body))));
});
server.listen(port, "127.0.0.1");
