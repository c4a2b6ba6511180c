// Calls to the API of this server, with the session's cookie and its proof against forged requests.

const proof = document.querySelector('meta[name="csrf"]')?.content ?? "";

/** Thrown when the server refuses: `message` is the sentence of its problem+json answer. */
export class Refused extends Error {
    constructor(problem, status) {
        super(problem.detail ?? `The server answered ${status}.`);
        this.code = problem.code;
        this.status = status;
    }
}

/** Sends a request and gives the JSON of the answer, or null when there is none. */
export async function call(method, path, body, headers = {}) {
    const response = await fetch(path, {
        method,
        credentials: "same-origin",
        headers: {
            accept: "application/json",
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...(method === "GET" ? {} : { "x-csrf-token": proof }),
            ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (response.status === 401) {
        location.href = "/login?next=" + encodeURIComponent(location.pathname + location.search);
        return new Promise(() => {});
    }
    const text = await response.text();
    const value = text && response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : null;
    if (!response.ok) throw new Refused(value ?? {}, response.status);
    return value;
}

export const get = (path) => call("GET", path);
