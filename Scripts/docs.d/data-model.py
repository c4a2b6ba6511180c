#!/usr/bin/env python3
"""Docs/Reference/data-model.md from the migrations: tables, columns, indexes, relations and a drawing.

The migrations are applied to a database in memory, which then tells what it has; the words are the files' comments.
"""
import glob
import re
import sqlite3
import sys

PAGE = "Docs/Reference/data-model.md"
SQLITE = {"id": "TEXT", "text": "TEXT", "json": "TEXT", "time": "INTEGER", "int": "INTEGER", "bool": "INTEGER",
          "real": "REAL", "bytes": "BLOB", "strict": "STRICT"}
MEANING = {"id": "identifier", "text": "text", "json": "JSON", "time": "time", "int": "integer", "bool": "boolean",
           "real": "real", "bytes": "bytes"}
HEAD = """# Data model

The tables of the relational store, made by `make docs` from the migrations. Types are by meaning:

| Here | SQLite | PostgreSQL |
|---|---|---|
| identifier | TEXT | UUID |
| text | TEXT | TEXT COLLATE "C" |
| time: microseconds since 1970 UTC | INTEGER | BIGINT |
| integer | INTEGER | BIGINT |
| boolean | INTEGER | BOOLEAN |
| real | REAL | DOUBLE PRECISION |
| JSON | TEXT | JSONB |
| bytes | BLOB | BYTEA |

Every table with a `tenant_id` is behind row security on PostgreSQL. Readings are not here: they are in the series store.
"""


def migrations():
    files = glob.glob("Sources/**/Migrations/*.up.sql", recursive=True)
    return sorted(files, key=lambda path: path.split("/")[-1])


def rendered(text, engine, keep=False):
    out, block = [], None
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("-- only:"):
            block = bare[8:].split()[0]
        elif block and bare.startswith("-- end"):
            block = None
        elif block in (None, engine):
            out.append(line)
    text = "\n".join(out)
    return text if keep else re.sub(r"\{\{(\w+)\}\}", lambda match: SQLITE[match[1]], text)


def comments(text):
    """table → (its words, {column: its words, type}); {index: its words}, as the files say them."""
    tables, indexes, words, table = {}, {}, [], None
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("--"):
            words.append(bare[2:].strip())
            continue
        if match := re.match(r"CREATE TABLE (\w+)", bare):
            table = match[1]
            tables[table] = (" ".join(words), {})
        elif match := re.match(r"ALTER TABLE (\w+) ADD COLUMN$", bare):
            # A column that came later is described among those of its table.
            table = match[1]
            tables.setdefault(table, (None, {}))
        elif match := re.match(r"CREATE (?:UNIQUE )?INDEX (\w+)", bare):
            indexes[match[1]] = " ".join(words)
        elif bare.startswith(")"):
            table = None
        elif table and (match := re.match(r"(\w+)\s+(?:\{\{(\w+)\}\}|([A-Z]+))", bare)):
            if match[1].upper() not in ("UNIQUE", "FOREIGN", "PRIMARY", "CHECK", "CONSTRAINT"):
                kind = MEANING.get(match[2] or "", (match[3] or "").lower())
                tables[table][1][match[1]] = (" ".join(words), kind)
        words = [] if bare or not words else []
    return tables, indexes


def describe(database, tables, indexes, path, postgresql):
    out = []
    for name, (words, columns) in tables.items():
        out += [f"### {name}", ""]
        if words:
            out += [words, ""]
        out += ["| Column | Type | NULL | |", "|---|---|:-:|---|"]
        for _, column, kind, is_set, _, key in database.execute(f"PRAGMA table_info({name})"):
            text, meaning = columns.get(column, ("", kind.lower()))
            note = " ".join(part for part in ["**key**." if key else "", text] if part)
            out.append(f"| `{column}` | {meaning or kind.lower()} | {'' if is_set or key else 'yes'} | {note} |")
        out += ["", "Indexes:", ""]
        for _, index, is_unique, origin, is_partial in database.execute(f"PRAGMA index_list({name})"):
            names = [row[2] for row in database.execute(f"PRAGMA index_info({index})")]
            if origin != "c":
                out.append(f"- unique ({', '.join(names)})")
                continue
            sql = database.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (index,)).fetchone()[0]
            body = re.sub(r"\s+", " ", sql.split(" ON ", 1)[1]).split(" ", 1)[1]
            other = next((line for line in postgresql.splitlines()
                          if re.match(rf"CREATE (UNIQUE )?INDEX {index} ", line)), "")
            special = ""
            if "USING" in other or "INCLUDE" in other:
                special = f"; PostgreSQL: {other.split(' ON ', 1)[1].split(' ', 1)[1].rstrip(';')}"
            out.append(f"- {'unique ' if is_unique else ''}`{index}` {body}{special}"
                       + (f": {indexes[index]}" if indexes.get(index) else ""))
        for line in postgresql.splitlines():
            match = re.match(rf"CREATE INDEX (\w+) ON {name} (.*);", line)
            if match and not database.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (match[1],)).fetchone():
                out.append(f"- `{match[1]}` {match[2]} (PostgreSQL only)")
        out.append("")
    return out


def relations(database):
    found = {}
    for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
        for row in database.execute(f"PRAGMA foreign_key_list({table})"):
            entry = found.setdefault((table, row[0]), [table, [], row[2], row[6].lower()])
            entry[1].insert(row[1], row[3])
    return sorted(found.values(), key=lambda entry: (entry[0], entry[1]))


def page():
    database = sqlite3.connect(":memory:")
    chapters, drawn, files, known = [], [], [], {}
    for path in migrations():
        text = open(path, encoding="utf-8").read()
        database.executescript(rendered(text, "sqlite"))
        tables, indexes = comments(rendered(text, "sqlite", keep=True))
        for table in [table for table, (words, _) in tables.items() if words is None]:
            known[table].update(tables.pop(table)[1])
        known.update({table: columns for table, (_, columns) in tables.items()})
        files.append((path, text, tables, indexes))
    there = {row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for path, text, tables, indexes in files:
        # What a later migration took away is no table any more.
        tables = {name: words for name, words in tables.items() if name in there}
        if not tables:
            continue
        number, name = path.split("/")[-1].split(".")[0].split("_", 1)
        chapters += [f"## {name.replace('_', ' ').capitalize()} ({number})", ""]
        chapters += describe(database, tables, indexes, path, rendered(text, "postgresql"))
        drawn += tables
    links = relations(database)
    out = [HEAD, "## Drawing", "", "```mermaid", "erDiagram"]
    for table, columns, target, rule in links:
        is_open = any(row[1] in columns and not row[3] for row in database.execute(f"PRAGMA table_info({table})"))
        out.append(f'    {target} {"|o" if is_open else "||"}--o{{ {table} : "{columns[-1]}"')
    linked = {name for entry in links for name in (entry[0], entry[2])}
    out += [f"    {name}" for name in drawn if name not in linked]
    out += ["```", "", *chapters, "## Relations", ""]
    out += ["What becomes of a row when the row that it refers to is deleted: *restrict* forbids it, *cascade* deletes it",
            "too, *set null* keeps it without the reference. A test holds this table against both engines.", "",
            "| Table | Columns | Refers to | On delete |", "|---|---|---|---|"]
    out += [f"| `{table}` | {', '.join(columns)} | {target} | {rule} |" for table, columns, target, rule in links]
    return "\n".join(out) + "\n"


def main():
    text = page()
    if sys.argv[1:] == ["check"]:
        try:
            there = open(PAGE, encoding="utf-8").read()
        except FileNotFoundError:
            there = ""
        if there != text:
            print(f"data-model: {PAGE} is stale: make docs, and commit it", file=sys.stderr)
            return 1
        return 0
    open(PAGE, "w", encoding="utf-8").write(text)
    print(f"{PAGE}: {text.count('### ')} tables")
    return 0


sys.exit(main())
