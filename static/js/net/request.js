// A request about one message, "recall" or "delete": over the socket while it is connected, over HTTP
// otherwise. The answer is the room's own frame, or a refusal.

export async function request({ socket, toast }, action, id) {
  if (socket.send({ type: action, id })) return;
  const { postJSON } = await import("./http.js");
  try {
    await postJSON(`/${action}_message/${id}/`);
  } catch (refused) {
    toast(refused.message);
  }
}
