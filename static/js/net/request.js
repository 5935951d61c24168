// A request about one message, such as "recall": a frame of that type over the socket while it is connected, over HTTP
// otherwise. The answer is the room's own frame, or a refusal.

// `fields`: the request's fields besides the id. Resolves to a refusal by HTTP, which the reader has seen, else null; a
// refusal over the socket is a frame.
export async function request({ socket, timeline, toast }, action, id, fields = {}) {
  if (socket.send({ type: action, id, ...fields })) return null;
  try {
    const { postJSON } = await import("./http.js");
    timeline.post(0, await postJSON(`/${action}_message/${id}/`, fields));
    return null;
  } catch (refused) {
    toast(refused.message);
    return refused;
  }
}
