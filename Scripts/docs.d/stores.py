#!/usr/bin/env python3
"""Docs/Reference/stores.md from stores.json, which the test run writes (VIGIL_CONTRACT_REPORT, .build/stores.json).

The page keeps what it says of stores that were not in this run: not every machine has every engine.
"""
import json
import os
import re
import sys

PAGE = "Docs/Reference/stores.md"
REPORT = os.environ.get("VIGIL_CONTRACT_REPORT") or ".build/stores.json"
PORTS = ["relational", "series", "search", "geometry", "graph", "documents", "vectors", "cache", "locks", "limits",
         "bus", "jobs", "blobs"]
MARKS = {"kept": "✓", "declared": "declared", "broken": "broken"}
HEAD = """# Stores

Each kind of store is a port with a contract: one clause per promise, in the words of its doc comments
(`Docs/Internals/promises.txt` says which sentence each clause holds). Every store below ran every clause of its port in
the test run that made this page; `make test` fails when the page is no longer true.

✓ kept · *declared* the store says that it lacks this, and the clause asserts what it does instead · – not run
"""


def read_page():
    """(port, clause) → (sentence, {store: result}), as the committed page says."""
    there, port, stores = {}, None, []
    try:
        lines = open(PAGE, encoding="utf-8").read().splitlines()
    except FileNotFoundError:
        return there
    for line in lines:
        if line.startswith("## "):
            port = line[3:]
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("| ") else []
        if not cells or not port:
            continue
        if cells[0] == "Clause":
            stores = cells[2:]
        else:
            results = {store: mark for store, mark in zip(stores, cells[2:]) if mark != "–"}
            there[(port, cells[0].strip("`"))] = (cells[1], results)
    return there


def read_report():
    run = {}
    for line in json.load(open(REPORT, encoding="utf-8")):
        key = (line["port"], line["clause"])
        sentence = line["sentence"].replace("|", "\\|")
        run.setdefault(key, (sentence, {}))[1][line["store"]] = MARKS[line["result"]]
    return run


def merged(there, run):
    ran = {port for port, _ in run}
    result = {key: value for key, value in there.items() if key[0] not in ran}
    for key, (sentence, results) in run.items():
        old = there.get(key, ("", {}))[1]
        in_run = {store for (port, _), (_, names) in run.items() if port == key[0] for store in names}
        kept = {store: mark for store, mark in old.items() if store not in in_run}
        result[key] = (sentence, {**kept, **results})
    return result


def natural(text):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", text)]


def render(table):
    out = [HEAD]
    ports = sorted({port for port, _ in table}, key=lambda port: PORTS.index(port) if port in PORTS else 99)
    for port in ports:
        rows = {clause: value for (name, clause), value in table.items() if name == port}
        stores = sorted({store for _, results in rows.values() for store in results}, key=natural)
        out.append(f"## {port}\n")
        out.append("| Clause | What holds | " + " | ".join(stores) + " |")
        out.append("|---|---|" + ":-:|" * len(stores))
        for clause in sorted(rows, key=natural):
            sentence, results = rows[clause]
            out.append(f"| `{clause}` | {sentence} | " + " | ".join(results.get(s, "–") for s in stores) + " |")
        out.append("")
    return "\n".join(out)


def main():
    if not os.path.exists(REPORT):
        print(f"stores: {REPORT} is missing: the tests write it (make test)", file=sys.stderr)
        return 1
    there, run = read_page(), read_report()
    table = merged(there, run)
    if sys.argv[1:] != ["check"]:
        open(PAGE, "w", encoding="utf-8").write(render(table))
        print(f"{PAGE}: {len(table)} clauses")
        return 0
    stale = [f"{key[1]}: in the run, not on the page" for key in run if key not in there]
    ran = {port for port, _ in run}
    stale += [f"{key[1]}: on the page, not in the run" for key in there if key[0] in ran and key not in run]
    for key, (sentence, results) in run.items():
        if key in there and there[key][0] != sentence:
            stale.append(f"{key[1]}: the sentence changed")
        for store, mark in results.items():
            if key in there and there[key][1].get(store) != mark:
                stale.append(f"{key[1]}: {store} is {mark}, the page says {there[key][1].get(store, 'nothing')}")
    for line in stale[:20]:
        print(f"stores: {line}", file=sys.stderr)
    if stale:
        print(f"stores: {PAGE} is stale in {len(stale)} places: make docs, and commit it", file=sys.stderr)
    return 1 if stale else 0


sys.exit(main())
