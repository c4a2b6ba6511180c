import VigilModel

/// What a handler demands of a field that comes in lines or a file; JSON is checked reading by reading in `normalise`.
///
/// Settled once for each source with its fields, and applied to every row.
struct ColumnCheck: Sendable {
    enum Demand: Sendable, Hashable {
        /// True or false; 0 and 1 are taken as that.
        case flag
        /// `open` or `closed`.
        case contact
        case number
    }

    /// The place of the field among the row's.
    let place: Int
    let field: String
    let demand: Demand
    /// As it arrives.
    let kind: ReadingValue.Kind

    /// As it is stored.
    var storedKind: ReadingValue.Kind {
        demand == .flag && (kind == .integer || kind == .float) ? .boolean : kind
    }

    /// The word to store; `nil` for what such a device cannot report.
    func settled(_ word: UInt64, _ texts: [String]) -> UInt64? {
        switch (demand, kind) {
        case (.flag, .boolean), (.number, .integer), (.number, .float): return word
        case (.flag, .integer): return word <= 1 ? word : nil
        case (.flag, .float):
            let number = Double(bitPattern: word)
            return number == 0 ? 0 : number == 1 ? 1 : nil
        case (.contact, .text):
            let text = texts[Int(word)]
            return text == "open" || text == "closed" ? word : nil
        default: return nil
        }
    }

    /// Why a value is refused.
    var refusal: (code: StaticString, reason: String) {
        switch demand {
        case .flag: ("reading.detector", "must be true or false")
        case .contact: ("reading.contact", "must be open or closed")
        case .number: ("reading.number", "must be a number")
        }
    }
}

extension ReadingHandler {
    /// What senders of lines and files call the field that such a device is there for, the most telling name first.
    var watchedFields: [String] {
        switch self {
        case .door, .window: ["state", "open", "value"]
        case .motion, .glassBreak, .smoke, .carbonMonoxide, .waterLeak:
            [defaultMetric, defaultMetric + "_detected", "detected", "value"]
        case .camera: ["motion_detected", "motion", "value"]
        case .temperature: ["temperature", "value"]
        case .numeric: ["value"]
        case .custom: []
        }
    }

    /// The place of the field by which lines say what the handler's own rule watches; `nil` without one.
    func watched(in fields: [String]) -> Int? {
        self == .custom ? nil : watchedFields.lazy.compactMap { fields.firstIndex(of: $0) }.first
    }

    /// The metric under which the handler watches a field of lines or files; `nil` when it does not.
    func watchedAs(_ field: String) -> String? { watchedFields.contains(field) ? defaultMetric : nil }

    /// What is demanded of fields of these names and kinds.
    func checks(of shape: RowShape) -> [ColumnCheck] {
        let names = watchedFields
        return shape.fields.indices.compactMap { place in
            let (field, kind) = (shape.fields[place], shape.kinds[place])
            guard names.contains(field), let demand = demand(of: kind) else { return nil }
            let check = ColumnCheck(place: place, field: field, demand: demand, kind: kind)
            return demand == .number && kind.isNumber || demand == .flag && kind == .boolean ? nil : check
        }
    }

    private func demand(of kind: ReadingValue.Kind) -> ColumnCheck.Demand? {
        switch self {
        case .door, .window: kind == .text || kind == .object ? .contact : .flag
        case .motion, .glassBreak, .smoke, .carbonMonoxide, .waterLeak, .camera: .flag
        case .temperature, .numeric: .number
        case .custom: nil
        }
    }
}

extension ReadingValue.Kind {
    fileprivate var isNumber: Bool { self == .float || self == .integer }
}

extension RowShape {
    /// The same fields as they are stored once `checks` have been applied.
    func stored(by checks: [ColumnCheck]) -> RowShape {
        var kinds = kinds
        for check in checks { kinds[check.place] = check.storedKind }
        return kinds == self.kinds ? self : RowShape(fields: fields, kinds: kinds)
    }
}
