/// One sentence of a port's contract, as a function that every store of the kind runs.
package struct StoreClause<Subject: Sendable>: Sendable {
    /// Stable: `port/what`.
    ///
    /// Reports and `stores.json` name clauses by it.
    package let id: String
    /// What holds, as a sentence.
    package let sentence: String
    private let body: @Sendable (Subject) async throws -> Void

    package init(_ id: String, _ sentence: String, _ body: @escaping @Sendable (Subject) async throws -> Void) {
        self.id = id
        self.sentence = sentence
        self.body = body
    }

    /// Runs the clause.
    ///
    /// - Throws: ``ContractBroken`` when the store does not keep it.
    package func check(_ subject: Subject) async throws {
        do {
            try await body(subject)
        } catch let broken as ContractBroken {
            throw ContractBroken("\(id): \(sentence): \(broken.description)")
        }
    }
}

extension StoreClause: CustomStringConvertible {
    package var description: String { id }
}

/// A store does not keep a clause.
package struct ContractBroken: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Throws when `condition` does not hold.
package func require(_ condition: Bool, _ explanation: @autoclosure () -> String = "does not hold") throws {
    if !condition { throw ContractBroken(explanation()) }
}

/// Throws when the two are not equal, and says what they are.
package func require<Value: Equatable>(_ value: Value, is expected: Value) throws {
    if value != expected { throw ContractBroken("is \(value), not \(expected)") }
}
