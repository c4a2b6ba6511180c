// What every page does: times in the reader's zone, the menu of small screens, the theme, forms that call the API.

import { call } from "./http.js";
import { times } from "./format.js";
import { on } from "./live.js";
import { start as startValues } from "./values.js";
import "./alerts.js";

times();
setInterval(() => times(), 30000);
startValues();
if (document.body.dataset.page) on("alert.*", () => {});

document.querySelector(".menu")?.addEventListener("click", (event) => {
    const bar = event.currentTarget.closest(".bar");
    event.currentTarget.setAttribute("aria-expanded", String(bar.classList.toggle("open")));
});

const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
document.getElementById("theme")?.addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem("theme", next);
});

/**
 * A form with `data-call="POST /api/…"` sends its fields as JSON and loads the page anew. Names with dots nest;
 * `data-number` sends a number, `data-each` gathers the values of what is checked, an empty optional field is left out, `data-list` splits at commas.
 */
function body(form) {
    // What the form does not show of the thing that it changes stays as it is.
    const value = form.dataset.keep ? JSON.parse(form.dataset.keep) : {};
    for (const field of form.elements) {
        if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
        let content = field.type === "checkbox" ? field.checked : field.value;
        if (field.dataset.each !== undefined) {
            if (field.checked) (value[field.name] ??= []).push(field.value);
            continue;
        }
        if (content === "" && !field.required) continue;
        if (field.dataset.number !== undefined) content = Number(content);
        if (field.dataset.list !== undefined) content = content.split(",").map((part) => part.trim()).filter(Boolean);
        const path = field.name.split(".");
        let target = value;
        for (const part of path.slice(0, -1)) target = target[part] ??= {};
        target[path.at(-1)] = content;
    }
    return value;
}

document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-call]");
    if (!form) return;
    event.preventDefault();
    const fault = form.querySelector(".fault");
    const [method, path] = form.dataset.call.split(" ");
    const button = form.querySelector("button[type=submit], button:not([type])");
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) return;
    if (button) button.disabled = true;
    try {
        const answer = await call(method, path, method === "DELETE" ? undefined : body(form));
        if (form.dataset.show) {
            form.querySelector(".said").textContent = answer?.[form.dataset.show] ?? "";
            if (button) button.disabled = false;
        } else {
            location.href = form.dataset.next ?? location.href;
        }
    } catch (error) {
        if (fault) fault.textContent = error.message;
        if (button) button.disabled = false;
    }
});

/** Of a rule's fields only those of its condition count: the others are hidden and not sent. */
function fitRule(form) {
    const condition = form.elements.condition.value;
    for (const label of form.querySelectorAll("[data-for]")) {
        const fits = label.dataset.for.split(" ").includes(condition);
        label.hidden = !fits;
        for (const field of label.querySelectorAll("input, select")) field.disabled = !fits;
    }
}

for (const form of document.querySelectorAll("form[data-rule]")) fitRule(form);

document.addEventListener("change", (event) => {
    const rule = event.target.name === "condition" ? event.target.closest("form[data-rule]") : null;
    if (rule) fitRule(rule);
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});
