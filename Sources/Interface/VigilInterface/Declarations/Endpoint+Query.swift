package import VigilServices

extension Endpoint {
    /// The same endpoint, which passes over query parameters that it does not know.
    ///
    /// For conventions that are not ours: clients of InfluxDB and Prometheus, and probes, send what their servers ignore.
    package func takingAnyQuery() -> Endpoint {
        changed { $0.takesAnyQuery = true }
    }

    /// - Throws: `invalid` that names each parameter which is none of the operation's, and the one that was perhaps meant.
    package func checkQuery(_ query: [FormItems.Item], of principal: Principal) throws(ServiceError) {
        guard form == .api, !takesAnyQuery, !query.isEmpty else { return }
        var known = Set(parameters.map(\.name))
        // The command line names the tenant in which it acts.
        if principal.subject == .local { known.insert("tenant") }
        var faults: [FieldFault] = []
        for item in query where !known.contains(item.name) && faults.count < 20 {
            let name = String(String.UnicodeScalarView(item.name.unicodeScalars.filter { $0.value >= 0x20 }.prefix(64)))
            faults.append(
                FieldFault(
                    field: name, reason: "is no parameter of this address" + Nearest.hint(for: item.name, among: known))
            )
        }
        guard let first = faults.first else { return }
        throw ServiceError(.invalid, "request.unknown_parameter", "\(first.field) \(first.reason)", fields: faults)
    }
}
