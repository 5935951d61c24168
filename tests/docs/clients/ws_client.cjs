const WebSocket = require("ws");

const [address, token, send] = process.argv.slice(2);
const texts = { nothing: [], big: ["x".repeat(1_000_000)], bad: Array(10).fill("{}") }[send];
const ws = new WebSocket(`${address.replace("http", "ws")}/ws/chat/`, { headers: { Authorization: `Bearer ${token}` } });
const tell = (value) => {
  console.log(JSON.stringify(value));
  process.exit();
};
ws.on("open", () => texts.forEach((text) => ws.send(text)));
ws.on("unexpected-response", (_, answer) => tell({ how: "unexpected-response", status: answer.statusCode }));
ws.on("error", () => {});
ws.on("close", (code) => tell({ how: "close", code }));
