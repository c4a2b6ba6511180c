// The chart of a device: one line per metric, with the range between the lowest and the highest value of each window.

import { get } from "./http.js";
import { absolute, unit } from "./format.js";
import { on } from "./live.js";

const root = document.querySelector("[data-chart]");
const style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue(name).trim();
const day = 86400;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const clockSeconds = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit" });

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

let chart = null;
let shown = null;

function options() {
    const quiet = colour("--quiet");
    return {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        parsing: false,
        normalized: true,
        interaction: { mode: "nearest", axis: "x", intersect: false },
        scales: {
            x: {
                type: "linear",
                grid: { color: colour("--line") },
                title: { display: true, color: quiet, text: `Time (${zone})` },
                ticks: {
                    color: quiet, maxRotation: 0, autoSkipPadding: 24,
                    callback: (time) => (shown.seconds > 2 * day ? date : shown.seconds < 900 ? clockSeconds : clock).format(time),
                },
            },
            y: { grid: { color: colour("--line") }, ticks: { color: quiet }, title: { display: true, color: quiet, text: "" } },
        },
        plugins: {
            legend: { display: false },
            tooltip: {
                callbacks: {
                    title: (items) => absolute(items[0].parsed.x),
                    label: (item) => `${item.dataset.label}: ${item.parsed.y} ${unit(shown.unit)}`,
                },
            },
        },
    };
}

function sets(series, metric) {
    const points = (values) => series.times.map((time, index) => ({ x: time, y: values[index] }));
    const line = points(series.average);
    const top = points(series.maximum);
    const bottom = points(series.minimum);
    // A yes or no jumps: between the two is nothing.
    const isSwitch = [...top, ...bottom].every(({ y }) => y === 0 || y === 1);
    const accent = colour("--accent");
    const veil = `color-mix(in srgb, ${accent} 18%, transparent)`;
    return [
        { label: metric, data: line, borderColor: accent, borderWidth: 1.75, pointRadius: line.length < 40 ? 2 : 0, stepped: isSwitch },
        { label: "highest", data: top, borderWidth: 0, pointRadius: 0, fill: "+1", backgroundColor: veil },
        { label: "lowest", data: bottom, borderWidth: 0, pointRadius: 0 },
    ];
}

/** What the chart shows: the metric and its unit. */
const title = () => shown.metric + (shown.unit ? ` (${unit(shown.unit)})` : "");

/** Where the range ends: where the address says, else now; with the last reading of a device that has been silent for longer. */
function endOf(seconds) {
    if (root.dataset.end) return new Date(root.dataset.end);
    const last = Date.parse(root.dataset.last ?? "");
    return new Date(last < Date.now() - seconds * 1000 ? last + seconds * 20 : Date.now());
}

/** Loads and draws. */
async function load() {
    const { device } = root.dataset;
    const metric = document.getElementById("metric").value;
    const seconds = Number(document.getElementById("range").value);
    const end = endOf(seconds);
    const start = new Date(end.getTime() - seconds * 1000);
    const query = new URLSearchParams({ metric, from: start.toISOString(), to: end.toISOString() });
    const answer = await get(`/api/devices/${device}/chart?${query}`);
    const series = answer.series?.[0] ?? { times: [], minimum: [], average: [], maximum: [] };
    shown = { metric, seconds, unit: series.unit, start, end };
    const data = { datasets: sets(series, metric) };
    document.getElementById("chart-empty").hidden = series.times.length > 0;
    if (chart) {
        chart.data = data;
        chart.options.scales.y.title.text = title();
        chart.options.scales.x.min = start.getTime();
        chart.options.scales.x.max = end.getTime();
        chart.update("none");
    } else {
        const settings = options();
        settings.scales.y.title.text = title();
        settings.scales.x.min = start.getTime();
        settings.scales.x.max = end.getTime();
        chart = new Chart(document.getElementById("chart"), { type: "line", data, options: settings });
    }
    const canvas = document.getElementById("chart");
    canvas.dataset.points = String(series.times.length);
    canvas.setAttribute("aria-label", `Chart of ${title()}`);
    chart.canvas.parentElement.hidden = series.times.length === 0;
}

/** A new reading moves the chart, at most once in two seconds. */
function follow() {
    let waiting = false;
    on("readings.*", ({ data }) => {
        if (data.device !== root.dataset.device || root.dataset.end || waiting) return;
        waiting = true;
        setTimeout(() => {
            waiting = false;
            load().catch(() => {});
        }, 2000);
    });
}

if (root && document.getElementById("metric")) {
    for (const id of ["metric", "range"]) {
        document.getElementById(id).addEventListener("change", () => {
            delete root.dataset.end;
            load().catch(() => {});
        });
    }
    load().catch(() => {});
    follow();
}
