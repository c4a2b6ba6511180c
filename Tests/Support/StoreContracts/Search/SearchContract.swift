import VigilModel
package import VigilPorts

/// The contract of `SearchStore`.
package enum SearchContract {
    package typealias Clause = StoreClause<any SearchStore>

    package static var clauses: [Clause] { filling + words + answers + scopes }

    /// A tenant of its own for one clause.
    struct Room {
        let store: any SearchStore
        let scope = AccessScope(tenant: TenantID(at: Timestamp(seconds: 1_700_000_000)))

        init(_ store: any SearchStore) { self.store = store }

        func put(_ documents: SearchDocument...) async throws {
            try await store.put(documents, in: scope)
        }

        func keys(
            _ text: String, language: SearchLanguage = .english, prefix: Bool = false, kinds: Set<String> = [],
            tags: [String: String] = [:]
        ) async throws -> [String] {
            let query = SearchQuery(text, language: language, kinds: kinds, tags: tags, lastIsPrefix: prefix)
            let result = try await store.search(query, in: scope)
            try require(result.count, is: result.hits.count)
            return result.hits.map(\.key)
        }
    }

    static func document(
        _ key: String, _ title: String, _ body: String = "", kind: String = "device",
        language: SearchLanguage = .english, tags: [String: String] = [:], device: DeviceID? = nil,
        location: LocationID? = nil
    ) -> SearchDocument {
        SearchDocument(
            kind: kind, key: key, device: device, location: location, language: language, title: title, body: body,
            tags: tags)
    }

    private static var filling: [Clause] {
        [
            Clause("search/put", "A document is found by its words, in title and body, until it is removed") { store in
                let room = Room(store)
                try await room.put(document("a", "Feed pump", "Stands beside the boiler"))
                try require(try await room.keys("pump"), is: ["a"])
                try require(try await room.keys("boiler pump"), is: ["a"])
                try await store.remove("device", keys: ["a", "none"], in: room.scope)
                try require(try await room.keys("pump"), is: [])
            },
            Clause("search/replace", "A document of the same kind and key replaces the earlier one whole") { store in
                let room = Room(store)
                try await room.put(document("a", "Feed pump", "old"), document("a", "Valve", "new"))
                try require(try await room.keys("pump"), is: [])
                try require(try await room.keys("valve"), is: ["a"])
                try await room.put(document("a", "Meter"), document("a", "Sensor", kind: "site"))
                try require(try await room.keys("valve"), is: [])
                try require(try await room.keys("new"), is: [])
                try require(try await room.keys("meter"), is: ["a"])
                try require(try await room.keys("sensor"), is: ["a"])
            },
            Clause("search/remove-all", "All documents of the tenant are removed, and nothing of others") { store in
                let (room, other) = (Room(store), Room(store))
                try await room.put(document("a", "Pump"))
                try await other.put(document("b", "Pump"))
                try await store.removeAll(in: room.scope)
                try require(try await room.keys("pump"), is: [])
                try require(try await other.keys("pump"), is: ["b"])
            },
            Clause("search/large", "A document that is too large throws limit and nothing of the call is kept") {
                store in
                let room = Room(store)
                let large = String(repeating: "word ", count: SearchDocument.bytesMax / 5 + 1)
                try await requireError(.limit) {
                    try await room.put(document("a", "Pump"), document("b", "Pump", large))
                }
                try require(try await room.keys("pump"), is: [])
                let whole = String(repeating: "word ", count: SearchDocument.bytesMax / 5 - 10)
                try await room.put(document("c", "Pump", whole))
                try require(try await room.keys("pump"), is: ["c"])
            },
            Clause("search/hostile", "Signs and operators of engines are no syntax and no words") { store in
                let room = Room(store)
                try await room.put(document("a", "Pump' OR \"1\" -- NEAR", "50% _ {x} : * ^ & | ! <-> \\"))
                for text in [
                    "pump'", "pump & ", "pump:*", "(pump", "pump*", "\"pump", "title_stems:pump", "pump | valve",
                ] {
                    _ = try await room.keys(text)
                }
                try require(try await room.keys("PUMP' or near"), is: ["a"])
                try require(try await room.keys("NOT valve"), is: [])
            },
        ]
    }

    private static var words: [Clause] {
        [
            Clause("search/all-words", "Every word must be there") { store in
                let room = Room(store)
                try await room.put(document("a", "red pump"), document("b", "red valve"))
                try require(try await room.keys("red").sorted(), is: ["a", "b"])
                try require(try await room.keys("red pump"), is: ["a"])
                try require(try await room.keys("blue pump"), is: [])
            },
            Clause("search/folding", "Words are compared without case and accents, in any script") { store in
                let room = Room(store)
                try await room.put(
                    document("a", "Ça Été São", language: .simple),
                    document("b", "Датчик Давления", language: .russian),
                    document("c", "محطة المياه", language: .arabic))
                try require(try await room.keys("ca ETE sao", language: .simple), is: ["a"])
                try require(try await room.keys("датчик", language: .simple), is: ["b"])
                try require(try await room.keys("المياه", language: .arabic), is: ["c"])
            },
            Clause("search/codes", "Codes of letters and digits are words as they stand") { store in
                let room = Room(store)
                let codes = ["10m3", "1e5", "0x1f", "3d2", "a1b2", "BLR-01", "10.0.0.7", "P_101"]
                for code in codes { try await room.put(document(code, code)) }
                for code in codes { try require(try await room.keys(code), is: [code]) }
                try require(try await room.keys("BLR-02"), is: [])
            },
            Clause("search/stems", "A word is found by its stem in the language of query and document") { store in
                let room = Room(store)
                try await room.put(
                    document("a", "Leaking valves were replaced"),
                    document("b", "Undichte Ventile wurden ersetzt", language: .german),
                    document("c", "Leaking valves", language: .simple))
                try require(try await room.keys("leaks valve"), is: ["a"])
                try require(try await room.keys("Ventil", language: .german), is: ["b"])
                try require(try await room.keys("valve", language: .simple), is: [])
                try require(try await room.keys("valves", language: .simple).sorted(), is: ["a", "c"])
            },
            Clause("search/phrase", "Words in quotes must follow one another in one field") { store in
                let room = Room(store)
                try await room.put(
                    document("a", "main feed pump"), document("b", "pump of the main feed"),
                    document("c", "the feed", "pump"))
                try require(try await room.keys("\"feed pump\""), is: ["a"])
                try require(try await room.keys("feed pump").sorted(), is: ["a", "b", "c"])
            },
            Clause("search/excluded", "A word after a minus must not be there") { store in
                let room = Room(store)
                try await room.put(document("a", "red pump"), document("b", "blue pump"))
                try require(try await room.keys("pump -red"), is: ["b"])
                try require(try await room.keys("pump -\"blue pump\""), is: ["a"])
                try require(try await room.keys("-red"), is: [])
            },
            Clause("search/prefix", "The last word finds what begins with it, when asked") { store in
                let room = Room(store)
                try await room.put(document("a", "Feed pumps"), document("b", "Feed valve BLR-017"))
                try require(try await room.keys("feed pum"), is: [])
                try require(try await room.keys("feed pum", prefix: true), is: ["a"])
                try require(try await room.keys("fe pumps", prefix: true), is: [])
                try require(try await room.keys("blr-01", prefix: true), is: ["b"])
                try require(try await room.keys("Fee", prefix: true).sorted(), is: ["a", "b"])
            },
            Clause("search/no-words", "A query without words finds nothing, one that is too long throws limit") {
                store in
                let room = Room(store)
                try await room.put(document("a", "pump"))
                for text in ["", "  ", "\"\"", "- -", "!?"] { try require(try await room.keys(text), is: []) }
                try await requireError(.limit) {
                    _ = try await room.keys(String(repeating: "a", count: SearchQuery.charactersMax + 1))
                }
                try await requireError(.limit) {
                    _ = try await room.keys(String(repeating: "a ", count: SearchQuery.wordsMax + 1))
                }
            },
        ]
    }

    private static var answers: [Clause] {
        [
            Clause("search/filters", "Only documents of the kinds and with the tags asked for are returned") { store in
                let room = Room(store)
                try await room.put(
                    document("a", "pump", kind: "device", tags: ["site": "north", "it's": "so"]),
                    document("b", "pump", kind: "device", tags: ["site": "south"]),
                    document("c", "pump", kind: "alert", tags: ["site": "north"]))
                try require(try await room.keys("pump", kinds: ["device"]), is: ["a", "b"])
                try require(try await room.keys("pump", tags: ["site": "north"]).sorted(), is: ["a", "c"])
                try require(try await room.keys("pump", kinds: ["device", "x"], tags: ["it's": "so"]), is: ["a"])
                try require(try await room.keys("pump", tags: ["none": "north"]), is: [])
            },
            Clause("search/rank", "A hit in the title counts for more than one in the body") { store in
                let room = Room(store)
                for number in 0..<20 { try await room.put(document("other \(number)", "Meter", "Counts water")) }
                try await room.put(
                    document("body", "Report of the week", "A pump was repaired and painted"),
                    document("title", "Pump", "It moves water"))
                try require(try await room.keys("pump"), is: ["title", "body"])
            },
            Clause("search/pages", "Hits of the same rank come by kind and key, page by page, with the count of all") {
                store in
                let room = Room(store)
                let names = (0..<25).map { "k" + String($0 + 100) }
                for name in names.reversed() { try await room.put(document(name, "pump")) }
                var seen: [String] = []
                for offset in stride(from: 0, to: 30, by: 10) {
                    let query = SearchQuery("pump", offset: offset, limit: 10)
                    let result = try await store.search(query, in: room.scope)
                    try require(result.count, is: 25)
                    seen += result.hits.map(\.key)
                }
                try require(seen, is: names)
                try await requireError(.limit) {
                    _ = try await store.search(
                        SearchQuery("pump", offset: SearchQuery.offsetMax + 1), in: room.scope)
                }
            },
            Clause("search/highlights", "A hit shows its title and a piece of its body with the words marked") {
                store in
                let room = Room(store)
                let body =
                    String(repeating: "Nothing of interest here. ", count: 30)
                    + "Then the Pumps, and only the pumps, failed." + String(repeating: " And so on.", count: 30)
                try await room.put(document("a", "Été: pump no. 3", body, tags: ["site": "north"]))
                let result = try await store.search(SearchQuery("ete pump"), in: room.scope)
                guard let hit = result.hits.first else { throw ContractBroken("it is not found") }
                try require(hit.kind, is: "device")
                try require(hit.tags, is: ["site": "north"])
                try require(
                    hit.title,
                    is: [
                        SearchPiece("Été", isMatch: true), SearchPiece(": ", isMatch: false),
                        SearchPiece("pump", isMatch: true), SearchPiece(" no. 3", isMatch: false),
                    ])
                try require(hit.excerpt.filter(\.isMatch).map(\.text), is: ["Pumps", "pumps"])
                let shown = hit.excerpt.map(\.text).joined()
                try require(
                    shown.count < 400 && shown.hasPrefix("… ") && shown.hasSuffix(" …"), "not a piece: \(shown)")
            },
        ]
    }

    private static var scopes: [Clause] {
        [
            Clause("search/tenant", "Nothing of another tenant is found, counted or removed") { store in
                let (room, other) = (Room(store), Room(store))
                try await room.put(document("a", "pump"))
                try await other.put(document("a", "pump other"))
                try require(try await room.keys("other"), is: [])
                try await store.remove("device", keys: ["a"], in: room.scope)
                try require(try await other.keys("pump"), is: ["a"])
            },
            Clause("search/visibility", "Of some devices or places, only what belongs to them is found and counted") {
                store in
                let room = Room(store)
                guard let tenant = room.scope.tenant else { return }
                let (device, hidden) = (DeviceID(high: 1, low: 1), DeviceID(high: 1, low: 2))
                let place = LocationID(high: 2, low: 1)
                try await room.put(
                    document("a", "pump", device: device), document("b", "pump", device: hidden),
                    document("c", "pump", location: place), document("d", "pump"))
                for (devices, locations, expected) in [
                    (Set([device]), Set<LocationID>(), ["a"]), (Set(), Set([place]), ["c"]),
                    (Set([device]), Set([place]), ["a", "c"]), (Set(), Set(), []),
                ] {
                    let scope = AccessScope(
                        tenant: tenant, visibility: .assigned(devices: devices, locations: locations))
                    let result = try await store.search(SearchQuery("pump"), in: scope)
                    try require(result.hits.map(\.key), is: expected)
                    try require(result.count, is: expected.count)
                }
            },
            Clause("search/no-tenant", "A scope without a tenant is refused with invalid") { store in
                let scope = SystemScope.allTenants("holding a store to its contract")
                try await requireError(.invalid) { _ = try await store.search(SearchQuery("pump"), in: scope) }
                try await requireError(.invalid) { try await store.put([document("a", "pump")], in: scope) }
                try await requireError(.invalid) { try await store.removeAll(in: scope) }
            },
        ]
    }
}
