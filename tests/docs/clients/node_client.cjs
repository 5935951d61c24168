const [address, token, send] = process.argv.slice(2);
const texts = { nothing: [], big: ["x".repeat(1_000_000)], bad: Array(10).fill("{}") }[send];
const ws = new WebSocket(`${address.replace("http", "ws")}/ws/chat/`, { headers: { Authorization: `Bearer ${token}` } });
let opened = false;
const tell = (value) => {
  console.log(JSON.stringify(value));
  process.exit();
};
ws.addEventListener("open", () => {
  opened = true;
  texts.forEach((text) => ws.send(text));
});
ws.addEventListener("error", () => {
  if (!opened) tell({ how: "error" });
});
ws.addEventListener("close", ({ code, wasClean }) => tell({ how: "close", code, wasClean }));
