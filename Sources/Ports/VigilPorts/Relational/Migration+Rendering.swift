extension Migration {
    /// The SQL of `text` for one engine: its blocks, and its types in place of the placeholders.
    ///
    /// - Throws: `internalFault` for a placeholder that the engine does not know or a block without an end: the files
    ///   are ours.
    package static func rendered(_ text: String, for dialect: any SQLDialect) throws(StoreError) -> String {
        var result = ""
        var block: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let trimmed = line.drop { $0 == " " || $0 == "\t" }
            if trimmed.hasPrefix("-- only:") {
                guard block == nil else { throw StoreError(.internalFault, "A migration's blocks are nested") }
                block = String(trimmed.dropFirst(8).drop { $0 == " " }.prefix { $0 != " " })
            } else if block != nil, trimmed.hasPrefix("-- end") {
                block = nil
            } else if block == nil || block == dialect.name {
                result += try replacingPlaceholders(in: line, for: dialect)
                result += "\n"
            }
        }
        guard block == nil else { throw StoreError(.internalFault, "A migration's block has no end") }
        return result
    }

    private static func replacingPlaceholders(
        in line: Substring, for dialect: any SQLDialect
    ) throws(StoreError) -> String {
        var result = ""
        var rest = line
        while let open = rest.firstRange(of: "{{") {
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else { break }
            let name = String(rest[open.upperBound..<close.lowerBound])
            guard let type = dialect.type(named: name) else {
                throw StoreError(.internalFault, "A migration has an unknown placeholder", details: ["name": name])
            }
            result += rest[..<open.lowerBound]
            result += type
            rest = rest[close.upperBound...]
        }
        return result + rest
    }
}

/// What a database says of a migration that it has.
package struct AppliedMigration: Sendable, Hashable {
    package let number: Int
    package let name: String
    package let checksum: String

    package init(number: Int, name: String, checksum: String) {
        self.number = number
        self.name = name
        self.checksum = checksum
    }
}

extension MigrationStatus {
    /// Compares what there is with what a database has, by number.
    ///
    /// - Parameter checksum: SHA-256 of a migration's files, in hexadecimal.
    package static func compare(
        _ migrations: [Migration], with applied: [AppliedMigration], checksum: (Migration) -> String
    ) -> [MigrationStatus] {
        var known: [Int: AppliedMigration] = [:]
        for migration in applied { known[migration.number] = migration }
        var result = migrations.map { migration in
            let sum = checksum(migration)
            let there = known.removeValue(forKey: migration.number)
            let state: State = there == nil ? .pending : there?.checksum == sum ? .applied : .changed
            return MigrationStatus(number: migration.number, name: migration.name, state: state, checksum: sum)
        }
        result += known.values.map {
            MigrationStatus(number: $0.number, name: $0.name, state: .unknown, checksum: $0.checksum)
        }
        return result.sorted { $0.number < $1.number }
    }

    /// - Throws: `newerSchema` or `invalid` when the database's history is not ours.
    package static func refuseForeignHistory(_ statuses: [MigrationStatus]) throws(StoreError) {
        for status in statuses {
            let details = ["migration": String(status.number), "name": status.name]
            if status.state == .unknown {
                throw StoreError(
                    .newerSchema,
                    """
                    The database was migrated by a newer Vigil: start that version, or restore the copy that was made \
                    before it migrated
                    """, details: details)
            }
            if status.state == .changed {
                throw StoreError(
                    .invalid,
                    """
                    A migration that was applied has changed since: start the Vigil that applied it, or restore a copy \
                    from before
                    """, details: details)
            }
        }
    }
}
