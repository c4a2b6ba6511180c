/// Why a store did not do what it was asked.
///
/// A struct around a code, so that a new reason breaks no caller. A message is a static sentence, and `details` are
/// names (of tables, constraints, files) and numbers: never the values that were being stored.
package struct StoreError: Error, Hashable, Sendable {
    package enum Code: String, Sendable {
        /// The engine cannot be reached, or gave up; nothing was stored, and the same call may be made again.
        case unavailable
        /// The call took longer than its limit and was ended; nothing was stored.
        case timeout
        /// The answer was lost: it is not known whether it was stored. Look before calling again.
        case uncertain
        /// A unique key is taken.
        case duplicate
        /// A row that others refer to, or a reference to a row that is not there.
        case reference
        /// A rule of the schema (`CHECK`, `NOT NULL`) does not hold.
        case constraint
        /// The caller's version of a row is not the current one.
        case stale
        /// Two transactions stood in each other's way more often than a retry allows.
        case contention
        /// The disk is full; nothing was stored.
        case full
        /// The store, or what it lies on, takes no writes.
        case readOnly
        /// What was read is not what was written: `DAMAGE:`. Details name file and offset.
        case damaged
        /// Another process has the store open for writing.
        case locked
        /// The data was written by a newer Vigil.
        case newerSchema
        /// The query is malformed, or asks for what the store declares to lack.
        case invalid
        /// A stated limit was passed.
        case limit
        /// `BUG:` the store did something that it must not do.
        case internalFault
    }

    package let code: Code
    package let message: String
    package let details: [String: String]

    package init(_ code: Code, _ message: StaticString, details: [String: String] = [:]) {
        self.code = code
        self.message = message.description
        self.details = details
    }

    /// Whether the same call may succeed later without any change.
    package var isTransient: Bool {
        switch code {
        case .unavailable, .timeout, .contention, .full, .readOnly, .locked: true
        default: false
        }
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        let sorted = details.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let prefix = code == .damaged ? "DAMAGE: " : code == .internalFault ? "BUG: " : ""
        return prefix + message + sorted
    }
}
