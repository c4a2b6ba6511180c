// How values, units and times are written. The browser's language decides.

const number = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

const units = {
    degC: "°C", C: "°C", celsius: "°C", degF: "°F", F: "°F", fahrenheit: "°F", percent: "%", kelvin: "K",
};

/** A unit as people write it; the server writes it in the same way. */
export const unit = (name) => (name ? units[name] ?? name.replace("m3", "m³").replace("m2", "m²") : "");

/** A reading's value as people read it. */
export function value(raw) {
    if (typeof raw === "number") return number.format(raw);
    if (typeof raw === "boolean") return raw ? "yes" : "no";
    if (raw === null || raw === undefined) return "–";
    return typeof raw === "string" ? raw : JSON.stringify(raw);
}

export const absolute = (text) => moment.format(new Date(text));

/** "3 minutes ago" */
export function ago(text, now = Date.now()) {
    const seconds = Math.round((new Date(text).getTime() - now) / 1000);
    const size = Math.abs(seconds);
    if (size < 60) return relative.format(seconds, "second");
    if (size < 3600) return relative.format(Math.trunc(seconds / 60), "minute");
    if (size < 86400) return relative.format(Math.trunc(seconds / 3600), "hour");
    return relative.format(Math.trunc(seconds / 86400), "day");
}

/** Writes every `<time>` below `root` in the reader's zone; `data-ago` ones as a distance, kept fresh. */
export function times(root = document) {
    for (const element of root.querySelectorAll("time[datetime]")) {
        const text = element.getAttribute("datetime");
        if (!text) continue;
        element.title = absolute(text);
        element.textContent = element.hasAttribute("data-ago") ? ago(text) : absolute(text);
    }
    for (const element of root.querySelectorAll("[data-unit]")) element.textContent = unit(element.dataset.unit);
    for (const element of root.querySelectorAll("[data-value]")) {
        const raw = element.dataset.value;
        const isNumber = raw !== "" && !Number.isNaN(Number(raw));
        element.textContent = isNumber ? number.format(Number(raw)) : { true: "yes", false: "no" }[raw] ?? raw;
    }
}
