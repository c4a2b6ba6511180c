// The live connection: one socket for the page, resumed where it was lost.

const listeners = [];
let socket = null;
let sequence = null;
let delay = 1000;

/** Calls `handler` with every envelope whose type fits `pattern` (`alert.*`). */
export function on(pattern, handler) {
    listeners.push({ pattern, handler });
    if (socket?.readyState === WebSocket.OPEN) subscribe([pattern]);
    if (!socket) connect();
}

function subscribe(patterns) {
    socket.send(JSON.stringify({ type: "subscribe", patterns, ...(sequence === null ? {} : { last_sequence: sequence }) }));
}

function fits(pattern, type) {
    return pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

function connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(`${scheme}//${location.host}/api/live`);
    socket.addEventListener("open", () => {
        delay = 1000;
        show("open");
        subscribe([...new Set(listeners.map((listener) => listener.pattern))]);
    });
    socket.addEventListener("message", (event) => {
        const envelope = JSON.parse(event.data);
        if (typeof envelope.sequence === "number") sequence = envelope.sequence;
        // Too much was missed to send it again: what the page shows is old.
        if (envelope.type === "resync") return location.reload();
        for (const listener of listeners) if (fits(listener.pattern, envelope.type)) listener.handler(envelope);
    });
    socket.addEventListener("close", (event) => {
        show("lost");
        // 4401: the session has ended.
        if (event.code === 4401) return location.reload();
        setTimeout(connect, delay);
        delay = Math.min(delay * 2, 30000);
    });
}

function show(state) {
    for (const element of document.querySelectorAll(".live")) {
        element.dataset.state = state;
        element.textContent = state === "open" ? "live" : "connection lost, trying again";
    }
}
