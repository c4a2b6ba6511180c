package import VigilPorts

/// The contract of `RelationalStore` and `SQLTransaction`: one clause per sentence of their doc comments.
package enum RelationalContract {
    package typealias Clause = StoreClause<RelationalSubject>

    package static var clauses: [Clause] {
        values + batches + transactions + isolation + scopes + outbox + portability
    }

    /// The outbox, and tables for the clauses.
    package static let migrations = [
        Migration.outbox,
        Migration(
            number: 2, name: "contract",
            up: """
                CREATE TABLE contract_items (
                    id {{id}} PRIMARY KEY,
                    tenant_id {{id}} NOT NULL,
                    name {{text}} NOT NULL,
                    count {{int}} NOT NULL CHECK (count >= 0),
                    ratio {{real}},
                    flag {{bool}} NOT NULL,
                    body {{json}},
                    raw {{bytes}},
                    at {{time}},
                    UNIQUE (tenant_id, name)
                ) {{strict}};
                CREATE TABLE contract_parts (
                    id {{id}} PRIMARY KEY,
                    tenant_id {{id}} NOT NULL,
                    item_id {{id}} NOT NULL REFERENCES contract_items (id) ON DELETE RESTRICT
                ) {{strict}};
                CREATE INDEX contract_parts_item ON contract_parts (tenant_id, item_id);
                CREATE INDEX contract_parts_item_only ON contract_parts (item_id);
                """,
            down: "DROP TABLE contract_parts; DROP TABLE contract_items;"),
    ]
}
