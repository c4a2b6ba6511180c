// Lists of alerts: they arrive without a reload, and are acknowledged where they stand.

import { call } from "./http.js";
import { times } from "./format.js";
import { on } from "./live.js";

const titles = { acknowledge: "Acknowledge alert", resolve: "Resolve alert", dismiss: "Dismiss alert as wrong" };

function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

function entry(alert) {
    const link = element("a", { href: `/alerts/${alert.id}` }, alert.title);
    const raised = element("time", { datetime: alert.eventTime, "data-ago": "" }, alert.eventTime);
    const where = element("span", { class: "small quiet" }, alert.deviceName ?? alert.message ?? "", " · ", raised);
    const item = element(
        "li", { class: `${alert.severity} fresh`, "data-alert": alert.id },
        element("span", { class: `mark ${alert.severity}` }, alert.severity),
        element("div", { class: "what" }, link, where),
        element("button", { type: "button", "data-act": "acknowledge" }, "Acknowledge"));
    times(item);
    return item;
}

/** Keeps the list `root` (an `.alerts` element) up to date. */
function follow(root) {
    on("alert.*", ({ type, data }) => {
        const present = root.querySelector(`[data-alert="${CSS.escape(data.id)}"]`);
        if (type === "alert.raised" && !present) {
            if (root.dataset.device && root.dataset.device !== data.device) return;
            if (root.dataset.rule && root.dataset.rule !== data.rule) return;
            root.prepend(entry(data));
            document.querySelector(`[data-empty-for="${root.id}"]`)?.setAttribute("hidden", "");
            const limit = Number(root.dataset.limit ?? 0);
            while (limit && root.children.length > limit) root.lastElementChild.remove();
        } else if (type === "alert.acknowledged" && present) {
            present.classList.add("acknowledged");
            present.querySelector("[data-act]")?.replaceWith(element("span", { class: "small quiet" }, "acknowledged"));
        } else if ((type === "alert.resolved" || type === "alert.dismissed" || type === "alert.retracted") && present) {
            present.remove();
        }
    });
}

/** The counts in the bar of places and on the overview. */
function count() {
    const add = (selector, change) => {
        for (const badge of document.querySelectorAll(selector)) {
            badge.textContent = String(Math.max(0, Number(badge.textContent || 0) + change));
        }
    };
    on("alert.*", ({ type, data }) => {
        const isEnd = /resolved|dismissed|retracted/.test(type);
        const change = type === "alert.raised" ? 1 : isEnd ? -1 : 0;
        add("[data-open-alerts]", change);
        const isTaken = type === "alert.acknowledged" || (isEnd && !data.acknowledged);
        add("[data-waiting-alerts]", type === "alert.raised" ? 1 : isTaken ? -1 : 0);
    });
}

/** Asks for a note and does it. */
function act(button) {
    const action = button.dataset.act;
    const id = button.closest("[data-alert]").dataset.alert;
    const dialog = document.getElementById("note");
    const form = dialog.querySelector("form");
    const fault = dialog.querySelector(".fault");
    dialog.querySelector("h2").textContent = titles[action];
    form.reset();
    fault.textContent = "";
    form.onsubmit = async (event) => {
        event.preventDefault();
        try {
            const note = form.elements.note.value.trim();
            await call("POST", `/api/alerts/${id}/${action}`, note ? { note } : {});
            dialog.close();
            if (document.body.dataset.page === "alert") location.reload();
        } catch (error) {
            fault.textContent = error.message;
        }
    };
    dialog.showModal();
}

for (const root of document.querySelectorAll(".alerts")) follow(root);
document.querySelector("#note [data-close]")?.addEventListener("click", (event) => event.target.closest("dialog").close());
count();
document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act]");
    if (button) act(button);
});
