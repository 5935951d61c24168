// A request about one message, "recall", "delete" or "edit": over the socket while it is connected, over HTTP
// otherwise. The answer is the room's own frame, or a refusal.

// `fields`: what the request has besides the id. Resolves to the refusal of HTTP, which the reader has been told; a
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
