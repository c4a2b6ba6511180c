// Maps of places. There are no tiles from elsewhere: a map shows what the place itself has, on a plain ground, unless
// the server is told a tile address (`data-tiles`).

import { Map as LeafletMap, TileLayer, GeoJSON, CircleMarker, DomUtil } from "./vendor/leaflet.esm.min.js";
import { get } from "./http.js";

const style = getComputedStyle(document.documentElement);
const colours = { online: "--low", warning: "--medium", offline: "--critical", unknown: "--info" };
const colour = (state) => style.getPropertyValue(colours[state] ?? "--accent").trim();

for (const root of document.querySelectorAll("[data-map]")) draw(root).catch(() => { root.textContent = "No map."; });

async function draw(root) {
    const places = await get(root.dataset.map);
    const map = new LeafletMap(root, { attributionControl: Boolean(root.dataset.tiles), zoomSnap: 0.25 });
    if (root.dataset.tiles) new TileLayer(root.dataset.tiles, { maxZoom: 20 }).addTo(map);
    else {
        const why = document.createElement("p");
        why.className = "small quiet pad";
        why.textContent = "Without map tiles: the setting pages.map_tiles says where they come from.";
        root.after(why);
    }
    const layer = new GeoJSON(places, {
        style: () => ({ color: style.getPropertyValue("--accent").trim(), weight: 1.5, fillOpacity: 0.08 }),
        pointToLayer: (feature, position) =>
            new CircleMarker(position, {
                radius: 7, weight: 2, color: colour(feature.properties.connection), fillOpacity: 0.6,
            }),
        onEachFeature: (feature, drawn) => {
            const { name, kind, code, link } = feature.properties;
            const text = DomUtil.create("div");
            const label = document.createElement(link ? "a" : "span");
            if (link) label.href = link;
            label.textContent = name ?? code ?? kind ?? "";
            text.append(label);
            drawn.bindPopup(text);
            drawn.bindTooltip(name ?? code ?? "");
        },
    }).addTo(map);
    const bounds = layer.getBounds();
    if (bounds.isValid()) map.fitBounds(bounds, { padding: [24, 24], maxZoom: 17 });
    else map.setView([0, 0], 1);
}
