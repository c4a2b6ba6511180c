// Latest values that move: each `[data-metric]` inside `[data-device]` shows the newest reading of its series.

import { unit, value } from "./format.js";
import { get } from "./http.js";
import { on } from "./live.js";

const memory = new Map();
/** The time of the newest value of each metric that is shown: late readings do not replace it. */
const newest = new Map();
const length = 60;

/** Draws the last values as a line of 100 × 30 units. */
function draw(svg, numbers) {
    const low = Math.min(...numbers);
    const span = Math.max(...numbers) - low || 1;
    const step = 100 / Math.max(1, numbers.length - 1);
    const points = numbers.map((number, index) => `${(index * step).toFixed(2)} ${(28 - ((number - low) / span) * 26).toFixed(2)}`);
    svg.querySelector("path").setAttribute("d", "M" + points.join("L"));
}

function show(device, metric, reading) {
    const place = device + "\u0000" + metric;
    const time = Date.parse(reading.time);
    if (time < (newest.get(place) ?? 0)) return;
    newest.set(place, time);
    const selector = `[data-device="${CSS.escape(device)}"] [data-metric="${CSS.escape(metric)}"]`;
    for (const element of document.querySelectorAll(selector)) {
        const number = element.querySelector(".number") ?? element;
        number.textContent = value(reading.value);
        if (reading.unit) {
            const sign = element.querySelector("[data-unit]");
            if (sign) sign.textContent = unit(reading.unit);
        }
        element.classList.remove("changed");
        // Reading a layout property lets the animation start anew.
        void element.offsetWidth;
        element.classList.add("changed");
        const svg = element.querySelector("svg.spark");
        if (svg && typeof reading.value === "number") {
            const numbers = memory.get(place) ?? [];
            numbers.push(reading.value);
            if (numbers.length > length) numbers.shift();
            memory.set(place, numbers);
            if (numbers.length > 1) draw(svg, numbers);
        }
    }
}

/** The last hour of a device's metrics, drawn once the device comes into sight. */
async function remember(root) {
    const device = root.dataset.device;
    const from = new Date(Date.now() - 3600e3).toISOString();
    const chart = await get(`/api/devices/${encodeURIComponent(device)}/chart?points=${length}&from=${from}`);
    for (const series of chart?.series ?? []) {
        const key = device + "\u0000" + series.metric;
        const numbers = [...series.average, ...(memory.get(key) ?? [])].slice(-length);
        memory.set(key, numbers);
        const svg = root.querySelector(`[data-metric="${CSS.escape(series.metric)}"] svg.spark`);
        if (svg && numbers.length > 1) draw(svg, numbers);
    }
}

function rememberInSight() {
    const seen = new IntersectionObserver((entries) => {
        for (const { isIntersecting, target } of entries) {
            if (!isIntersecting) continue;
            seen.unobserve(target);
            // The line is an ornament: without it the values still say what matters.
            remember(target).catch(() => {});
        }
    });
    for (const root of document.querySelectorAll("[data-device]")) if (root.querySelector("svg.spark")) seen.observe(root);
}

export function start() {
    if (!document.querySelector("[data-device] [data-metric]")) return;
    rememberInSight();
    on("readings.*", ({ data }) => {
        for (const reading of data.readings ?? []) show(data.device, reading.metric, reading);
        for (const element of document.querySelectorAll(`[data-device="${CSS.escape(data.device)}"] [data-seen]`)) {
            const time = data.readings?.[0]?.time ?? "";
            // A history that comes late is no sign of life.
            if (Date.parse(time) < Date.parse(element.getAttribute("datetime"))) continue;
            element.setAttribute("datetime", time);
            element.textContent = "now";
        }
    });
    on("device.state", ({ data }) => {
        for (const mark of document.querySelectorAll(`[data-device="${CSS.escape(data.device)}"] [data-connection]`)) {
            mark.className = `mark ${data.state}`;
            mark.textContent = data.state;
        }
        for (const [state, change] of [[data.previous, -1], [data.state, 1]]) {
            for (const tile of document.querySelectorAll(`[data-count="${CSS.escape(state)}"]`)) {
                tile.textContent = String(Math.max(0, Number(tile.textContent) + change));
            }
        }
    });
}
